package logformat

import (
	"maps"
	"slices"
	"strings"

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
	own     *key // the capture of its own name, if that is wanted beside the variable that it is
}

// rank is how well a key says which variable it is. Of keys of one rank the last one
// counts, but the first of two aliases.
type rank uint8

const (
	aliased rank = iota + 1 // another name than the variable's own
	named                   // the variable's own
	renamed                 // by the operator
)

// yields reports whether a value of the key counts less than that of an earlier one, of
// that rank and id, for the same variable.
func (k *key) yields(r rank, id int32) bool {
	return k.rank < r || k.rank == aliased && r == aliased && k.id != id
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
var derived = []string{"client", "upstream_tries", "status_class"}

// whens are keys that hold a time in one of the ways nginx writes it.
var whens = []string{"time", "timestamp", "@timestamp", "datetime", "ts"}

// times are the variables a key of whens may stand for.
var times = [...]string{"time_iso8601", "time_local", "msec"} // those of timeOf

// CompileJSONIn is the preset "json": each line is one JSON object, whose keys are
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
//
// Keys have the names that the dialect gives them. A key that it renames is captured by its
// own name, too, if that is among more.
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
		f.renameKey(from, d.Rename[from], f.ownKey(from, more))
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

// ownKey is the key of a name among more, before it is renamed; nil if there is none, or if
// the name is that of a variable, be it that another key is renamed to it.
func (f *Format) ownKey(name string, more []string) *key {
	k := f.json[name]
	if k == nil || k.rank != named || !slices.Contains(more, name) || nginxvar.Known(name) {
		return nil
	}
	for _, variable := range f.dialect.Rename {
		if variable == name {
			return nil
		}
	}
	return k
}

// renameKey makes from a key for the variable to, and for its own name if own is not nil.
func (f *Format) renameKey(from, to string, own *key) {
	variable, ok := f.json[to]
	if !ok {
		variable = f.addKey(to, named)
	}
	k := *variable
	k.rank, k.id, k.keys, k.own = renamed, int32(len(f.json)), nil, own
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
