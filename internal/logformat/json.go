package logformat

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/tailflux/tailflux/internal/logtime"
	"github.com/tailflux/tailflux/internal/nginxvar"
)

// jsonPreset is the format that is not a log_format: whatever the operator called
// the values and however they are ordered, a line is one JSON object.
const jsonPreset = "json"

// A key is what a key of an object stands for.
type key struct {
	index int             // of the capture; for when, those of times
	rank  rank            // which of several keys for one variable counts
	id    int32           // the same for equal keys
	when  bool            // a time; its value shows which one
	list  bool            // a value for each upstream server: an array is one too
	wraps bool            // Docker's for the line in its line
	keys  map[string]*key // of the object that it holds

	capital *key // the same for a key with capital letters, if that is another one
}

// rank is how well a key says which variable it is. Of keys of one rank the last one
// counts, but the first of two aliases.
type rank uint8

const (
	aliased rank = iota + 1 // another name than the variable's own
	named                   // the variable's own
	renamed                 // by the operator
)

// headers are variables without which logs are rare, and which nginxvar does not
// list because they have no end.
var headers = []string{"http_host", "http_referer", "http_user_agent", "http_x_forwarded_for", "http_x_real_ip"}

// aliases are keys that people write in place of a variable's name, beside
// nginxvar.Aliases.
var aliases = map[string]string{
	"method":   "request_method",
	"path":     "uri",
	"protocol": "server_protocol",
	"query":    "args",
}

// derived are names that a caller may want and that are of no key: they are found
// out from others.
var derived = []string{"client", "upstream_tries", "status_class"}

// whens are keys that hold a time in one of the ways nginx writes it.
var whens = []string{"time", "timestamp", "@timestamp", "datetime", "ts"}

// times are the variables a key of whens may stand for.
var times = [...]string{"time_iso8601", "time_local", "msec"} // those of timeOf

// CompileJSON is the preset "json": each line is one JSON object, whose keys are
// nginx variables, any of them in any order. It knows all variables of package
// nginxvar, $http_referer and its like, and those that are named here: whatever
// else the caller would use, such as a header. Names that are only a way to write
// another variable in JSON are left out of them: method, path, protocol, query,
// referer, referrer, user_agent, vhost and x_forwarded_for stand for
// request_method, uri, server_protocol, args, http_referer, http_user_agent, host
// and http_x_forwarded_for, if the line does not have those; and time, timestamp,
// @timestamp, datetime and ts for the variable among time_iso8601, time_local and msec whose
// values look like theirs.
//
// A capture is the text of a string, decoded, or of a number, as it stands. It is
// nil when the line does not have it, or has an object, an array (but of a variable
// that is a list, or of numbers), null, true or
// false in its place; so which of several times, or of $request and
// $request_method, is there may differ from line to line. Of keys that occur
// twice the last one with a value counts. A key with capital letters is understood
// like the same one in small letters; a name with a dot, such as request.method, is
// that of a key of an object in the object. Numbers that nginx wrote as a list,
// without quotes, are taken for a string.
func CompileJSON(more ...string) *Format { return CompileJSONIn(nginxvar.Dialect{}, more...) }

// CompileJSONIn is CompileJSON in a dialect: keys have the names that it gives them.
func CompileJSONIn(d nginxvar.Dialect, more ...string) *Format {
	f := &Format{json: make(map[string]*key), dialect: d}
	for _, name := range slices.Concat(nginxvar.Names(), headers, more) {
		if _, known := f.json[name]; !known && !isAlias(name) && !slices.Contains(whens, name) && !slices.Contains(derived, name) {
			f.addKey(name, named)
		}
	}
	for _, some := range []map[string]string{aliases, nginxvar.Aliases} {
		for name, variable := range some {
			f.json[name] = &key{index: f.json[variable].index, rank: aliased, id: int32(len(f.json))}
		}
	}
	for i, name := range whens {
		f.json[name] = &key{when: true, rank: aliased, id: int32(-i - 1)}
	}
	for _, from := range slices.Sorted(maps.Keys(d.Rename)) {
		f.renameKey(from, d.Rename[from])
	}
	if k := f.json["log"]; k == nil {
		f.json["log"] = &key{wraps: true}
	} else {
		k.wraps = k.rank == 0
	}
	for _, k := range f.json {
		if k.rank > aliased {
			capital := *k
			capital.rank, capital.id = aliased, -1
			k.capital = &capital
		}
	}
	for _, name := range f.Names() {
		if strings.Contains(name, ".") {
			f.nest(name, *f.json[name])
		}
	}
	return f
}

// addKey adds a variable, and the key that has its name.
func (f *Format) addKey(name string, r rank) *key {
	k := &key{index: len(f.names), rank: r, id: int32(len(f.json)), list: f.dialect.Lookup(name).List}
	f.json[name] = k
	f.names = append(f.names, name)
	return k
}

// renameKey makes from a key for the variable to.
func (f *Format) renameKey(from, to string) {
	variable, ok := f.json[to]
	if !ok {
		variable = f.addKey(to, named)
	}
	k := *variable
	k.rank, k.id, k.keys = renamed, int32(len(f.json)), nil
	f.nest(from, k)
}

// nest makes a key that is found behind each dot of its name, in the object before it.
func (f *Format) nest(name string, k key) {
	keys, rest := f.json, name
	for {
		first, behind, more := strings.Cut(rest, ".")
		outer := keys[first]
		if !more {
			if outer != nil {
				k.keys = outer.keys
			}
			keys[first] = &k
			break
		}
		if outer == nil {
			outer = &key{}
			keys[first] = outer
		}
		if outer.keys == nil {
			outer.keys = map[string]*key{}
		}
		keys, rest = outer.keys, behind
	}
	if rest != name {
		f.json[name] = &k // or with the dots in the key
	}
}

func isAlias(name string) bool {
	_, one := aliases[name]
	_, other := nginxvar.Aliases[name]
	return one || other
}

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
	small    [64]byte // a key in small letters
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
	for _, i := range o.filled {
		o.captures[i], o.number[i] = nil, false
	}
	o.filled, o.numbers, o.wraps = o.filled[:0], o.numbers[:0], false
	if !opensObject(line) {
		return false // without an error, which is expensive
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
	k := o.keys[string(name)]
	if k == nil {
		if k = o.keys[string(o.lower(name))]; k == nil {
			return
		}
		if k.capital != nil {
			k = k.capital
		}
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
	if o.captures[i] == nil {
		o.filled = append(o.filled, i)
	} else if k.rank < o.ranks[i] || k.rank == aliased && o.ranks[i] == aliased && k.id != o.ids[i] {
		return
	}
	o.ranks[i], o.ids[i] = k.rank, k.id
	o.captures[i] = text
	if number {
		o.number[i] = true
	}
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
// has nothing but numbers, which is what stands in a number's place.
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
