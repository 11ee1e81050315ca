package logformat

import (
	"bytes"

	"github.com/valyala/fastjson"

	"github.com/tailflux/tailflux/internal/logtime"
)

// An object cuts lines that are JSON objects.
type object struct {
	keys     map[string]*key // of the object that is looked at
	captures [][]byte        // the matcher's
	times    [len(times)]int
	parser   fastjson.Parser
	visit    func(name []byte, v *fastjson.Value)
	numbers  []byte   // the captures that are numbers, one after the other
	number   []bool   // by capture: it is a number
	ranks    []rank   // by capture: of the key that it is of
	ids      []int32  // and its id
	filled   []int    // captures of this line
	wraps    bool     // the line has Docker's key
	lists    bool     // the log has lists without quotes
	mended   []byte   // the line, with quotes around them
	unhexed  []byte   // the line, without nginx's own escapes
	small    [64]byte // a key in small letters

	skeletons *skeletons // nil: each line is parsed
}

func newObject(keys map[string]*key, captures [][]byte) *object {
	n := len(captures)
	o := &object{keys: keys, captures: captures, number: make([]bool, n), ranks: make([]rank, n), ids: make([]int32, n)}
	for i, name := range times {
		if k := keys[name]; k != nil {
			o.times[i] = k.index
		}
	}
	o.visit = o.take // once: a method value is allocated
	return o
}

// match fills the captures, or reports that the line is not an object.
func (o *object) match(line []byte) bool {
	if o.skeletons == nil {
		return o.parse(line)
	}
	if o.matchKnown(line) {
		return true
	}
	ok := o.parse(line)
	if ok {
		o.learn(line)
	}
	return ok
}

// parse is match of any line.
func (o *object) parse(line []byte) bool {
	o.clear()
	if !opensObject(line) {
		return false // without an error, which is expensive
	}
	if bytes.Contains(line, []byte(`\x`)) {
		o.unhexed = unhex(o.unhexed[:0], line)
		line = o.unhexed
	}
	if o.lists { // an error is expensive: of such a log, no line is tried as it is
		line, _ = o.mend(line)
	}
	v, err := o.parser.ParseBytes(line)
	if err != nil && !o.lists {
		if line, o.lists = o.mend(line); !o.lists {
			return false
		}
		v, err = o.parser.ParseBytes(line)
	}
	if err != nil || v.Type() != fastjson.TypeObject {
		return false
	}
	v.GetObject().Visit(o.visit)
	return true
}

// mend is the line with quotes around its lists, and whether there are any.
func (o *object) mend(line []byte) (mended []byte, lists bool) {
	o.mended, lists = quoteLists(o.mended[:0], line)
	return o.mended, lists
}

func (o *object) take(name []byte, v *fastjson.Value) {
	k := o.keyOf(o.keys, name)
	if k == nil {
		return
	}
	if k.keys != nil && v.Type() == fastjson.TypeObject {
		outer := o.keys
		o.keys = k.keys
		v.GetObject().Visit(o.visit)
		o.keys = outer
		return
	}
	if k.rank == 0 { // it only holds others
		o.wraps = o.wraps || k.wraps
		return
	}
	text, number := o.text(v, k.list)
	if text == nil {
		return
	}
	i := k.index
	if k.when {
		at := timeOf(text)
		if at < 0 {
			return
		}
		i = o.times[at]
	}
	o.fill(i, k, text, number)
	if k.own != nil {
		o.fill(k.own.index, k.own, text, number)
	}
}

// fill makes the text of a key that capture, unless an earlier key counts more.
func (o *object) fill(i int, k *key, text []byte, number bool) {
	if o.captures[i] == nil {
		o.filled = append(o.filled, i)
	} else if k.yields(o.ranks[i], o.ids[i]) {
		return
	}
	o.ranks[i], o.ids[i] = k.rank, k.id
	o.captures[i] = text
	if number {
		o.number[i] = true
	}
}

// keyOf is the key of that name among some, or nil.
func (o *object) keyOf(keys map[string]*key, name []byte) *key {
	k := keys[string(name)]
	if k == nil {
		if k = keys[string(o.lower(name))]; k != nil && k.capital != nil {
			k = k.capital
		}
	}
	return k
}

// lower is the key in small letters, or nothing if it has no capital ones.
func (o *object) lower(name []byte) []byte {
	if len(name) > len(o.small) {
		return nil
	}
	capital := false
	for i, c := range name {
		if c >= 'A' && c <= 'Z' {
			capital = true
			c += 'a' - 'A'
		}
		o.small[i] = c
	}
	if !capital {
		return nil
	}
	return o.small[:len(name)]
}

// text is the text of a string or a number, or of an array, else nil; and whether it is a
// number.
func (o *object) text(v *fastjson.Value, list bool) (text []byte, number bool) {
	switch v.Type() {
	case fastjson.TypeString:
		text, err := v.StringBytes()
		if err != nil || text == nil {
			return []byte{}, false // an empty one
		}
		return text[:len(text):len(text)], false
	case fastjson.TypeNumber:
		from := len(o.numbers)
		o.numbers = v.MarshalTo(o.numbers)
		return o.numbers[from:len(o.numbers):len(o.numbers)], true
	case fastjson.TypeArray:
		return o.array(v.GetArray(), list)
	}
	return nil, false
}

// array is the text of an array, as nginx would write it, if it may be a list; or if it
// has only numbers, which is what stands in a number's place.
func (o *object) array(entries []*fastjson.Value, list bool) (text []byte, number bool) {
	if len(entries) == 0 || !list && !areNumbers(entries) {
		return nil, false
	}
	from := len(o.numbers)
	for i, entry := range entries {
		if i > 0 {
			o.numbers = append(o.numbers, ", "...)
		}
		switch entry.Type() {
		case fastjson.TypeNumber:
			o.numbers = entry.MarshalTo(o.numbers)
		case fastjson.TypeString:
			o.numbers = append(o.numbers, entry.GetStringBytes()...)
		default:
			o.numbers = append(o.numbers, '-')
		}
	}
	return o.numbers[from:len(o.numbers):len(o.numbers)], !list
}

// areNumbers reports whether the entries are numbers, at least one, and null.
func areNumbers(entries []*fastjson.Value) (some bool) {
	for _, entry := range entries {
		switch entry.Type() {
		case fastjson.TypeNumber:
			some = true
		case fastjson.TypeNull:
		default:
			return false
		}
	}
	return some
}

// timeOf is the index in times of the variable that values like text are of, or
// -1.
func timeOf(text []byte) int {
	switch {
	case len(text) >= len("2006-01-02T15:04:05") && text[4] == '-' && text[13] == ':':
		return 0
	case len(text) >= len("02/Jan/2006:15:04:05") && text[2] == '/' && text[11] == ':':
		return 1
	case len(text) >= 9 && isDigits(text[:9]): // since 1973; fewer are a duration
		return 2
	case bytes.ContainsAny(text, "eE") && logtime.IsTime(text): // 1.7e9
		return 2
	}
	return -1
}

// opensObject reports whether the first byte that is not a space is "{".
func opensObject(line []byte) bool {
	for _, c := range line {
		switch c {
		case ' ', '\t', '\r', '\n':
		default:
			return c == '{'
		}
	}
	return false
}
