package logformat

import (
	"slices"

	"github.com/valyala/fastjson"

	"github.com/tailflux/tailflux/internal/nginxvar"
)

// jsonPreset is the format that is not a log_format: whatever the operator called
// the values and however they are ordered, a line is one JSON object.
const jsonPreset = "json"

// A key is what a key of the object stands for.
type key struct {
	index int  // of the capture; for when, those of times
	alias bool // another name than the variable's own, which comes first
	when  bool // a time; its value shows which one
}

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
var derived = []string{"client", "upstream_tries"}

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
// nil when the line does not have it, or has an object, an array, null, true or
// false in its place; so which of several times, or of $request and
// $request_method, is there may differ from line to line. Of keys that occur
// twice the first one with a value counts.
func CompileJSON(more ...string) *Format {
	f := &Format{json: make(map[string]key)}
	for _, name := range slices.Concat(nginxvar.Names(), headers, more) {
		_, known := f.json[name]
		if !known && !isAlias(name) && !slices.Contains(whens, name) && !slices.Contains(derived, name) {
			f.json[name] = key{index: len(f.names)}
			f.names = append(f.names, name)
		}
	}
	for _, some := range []map[string]string{aliases, nginxvar.Aliases} {
		for name, variable := range some {
			f.json[name] = key{index: f.json[variable].index, alias: true}
		}
	}
	for _, name := range whens {
		f.json[name] = key{when: true}
	}
	return f
}

func isAlias(name string) bool {
	_, one := aliases[name]
	_, other := nginxvar.Aliases[name]
	return one || other
}

// An object cuts lines that are JSON objects.
type object struct {
	keys     map[string]key
	captures [][]byte // the matcher's
	times    [len(times)]int
	parser   fastjson.Parser
	visit    func(name []byte, v *fastjson.Value)
	numbers  []byte // the captures that are numbers, one after the other
	filled   []int  // captures of this line
	aliased  []int  // those that a variable's own name would replace
}

func newObject(keys map[string]key, captures [][]byte) *object {
	o := &object{keys: keys, captures: captures}
	for i, name := range times {
		o.times[i] = keys[name].index
	}
	o.visit = o.take // once: a method value is allocated
	return o
}

// match fills the captures, or reports that the line is not an object.
func (o *object) match(line []byte) bool {
	for _, i := range o.filled {
		o.captures[i] = nil
	}
	o.filled, o.aliased, o.numbers = o.filled[:0], o.aliased[:0], o.numbers[:0]
	if !opensObject(line) {
		return false // without an error, which is expensive
	}
	v, err := o.parser.ParseBytes(line)
	if err != nil || v.Type() != fastjson.TypeObject {
		return false
	}
	v.GetObject().Visit(o.visit)
	return true
}

func (o *object) take(name []byte, v *fastjson.Value) {
	k, ok := o.keys[string(name)]
	if !ok {
		return
	}
	text := o.text(v)
	if text == nil {
		return
	}
	if k.when {
		if k.index = timeOf(text); k.index < 0 {
			return
		}
		k.index, k.alias = o.times[k.index], true
	}
	if o.captures[k.index] != nil {
		at := slices.Index(o.aliased, k.index)
		if k.alias || at < 0 {
			return
		}
		o.aliased = slices.Delete(o.aliased, at, at+1)
	}
	o.captures[k.index] = text
	o.filled = append(o.filled, k.index)
	if k.alias {
		o.aliased = append(o.aliased, k.index)
	}
}

// text is the text of a string or a number, else nil.
func (o *object) text(v *fastjson.Value) []byte {
	switch v.Type() {
	case fastjson.TypeString:
		text, err := v.StringBytes()
		if err != nil || text == nil {
			return []byte{} // an empty one
		}
		return text[:len(text):len(text)]
	case fastjson.TypeNumber:
		from := len(o.numbers)
		o.numbers = v.MarshalTo(o.numbers)
		return o.numbers[from:len(o.numbers):len(o.numbers)]
	}
	return nil
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
