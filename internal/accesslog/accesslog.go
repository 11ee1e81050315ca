// Package accesslog turns the captures of one access-log line into one InfluxDB
// point: it knows what nginx variables mean, which of them are tags and fields,
// and how a line's time and number become a timestamp that no other line has.
//
// A point depends on nothing but the line, its number and the [Schema], so that
// a line that is read again gives the same point again, which InfluxDB stores
// over the first.
package accesslog

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/lineproto"
	"github.com/tailflux/tailflux/internal/nginxvar"
)

// Schema says what the points of one source look like.
type Schema struct {
	Measurement  string
	Host, Source string   // the tags that every point has
	Tags, Fields []string // variables, or what is derived from them; see [New]
}

// Encoder appends points. It is for one goroutine and one source, and allocates
// nothing for ordinary lines.
type Encoder struct {
	head   []byte // measurement
	tags   []item // by key, as InfluxDB wants them
	fields []item
	clock  clock

	request int // capture of $request, or -1
	derived [numDerived][]byte
}

// item is a tag or a field of the point.
type item struct {
	prefix []byte // ",key=" of a tag, "key=" of a field
	origin origin
	index  int    // of the capture, or of the derived value
	value  []byte // of a constant
	kind   nginxvar.Kind
	list   bool
}

type origin uint8

const (
	constant origin = iota
	capture
	derived
	tries // the number of entries of the upstream list in the capture
)

// What $request is made of.
const (
	method = iota
	path
	query
	protocol
	numDerived
)

// substitutes are the variables that stand for a part of $request when the
// format has no $request, or that are more exact: the first one wins.
var substitutes = map[string]struct {
	part      int
	variables []string
}{
	"method":   {method, []string{"method", "request_method"}},
	"path":     {path, []string{"path"}},
	"query":    {query, []string{"query"}},
	"protocol": {protocol, []string{"protocol", "server_protocol"}},
}

// New returns an encoder for captures of the named variables. A tag or field of
// the schema is one of these variables, or one of
//
//	method, path, query, protocol   the parts of $request
//	vhost                           $host; "host" is the machine's own
//	upstream_tries                  how many upstream servers were asked
//
// What the format does not have is left out of the points. The error says what
// is wrong with the format: it needs a time.
func New(names []string, s Schema) (*Encoder, error) {
	e := &Encoder{head: lineproto.AppendMeasurement(nil, s.Measurement), request: slices.Index(names, "request")}
	for _, reserved := range []string{"source", "time"} {
		if slices.Contains(names, reserved) {
			return nil, fmt.Errorf("the name %q is reserved: give the group another one, times are time_local, time_iso8601 or msec", reserved)
		}
	}
	if !e.clock.choose(names) {
		return nil, errors.New("no time: the format needs $time_local, $time_iso8601 or $msec")
	}
	e.tags = []item{
		{prefix: lineproto.TagPrefix("host"), value: []byte(s.Host)},
		{prefix: lineproto.TagPrefix("source"), value: []byte(s.Source)},
	}
	for _, key := range s.Tags {
		if it, ok := e.find(key, names); ok {
			it.prefix = lineproto.TagPrefix(key)
			e.tags = append(e.tags, it)
		}
	}
	slices.SortFunc(e.tags, func(a, b item) int { return cmp.Compare(string(a.prefix), string(b.prefix)) })
	for _, key := range s.Fields {
		if it, ok := e.find(key, names); ok {
			it.prefix = lineproto.FieldPrefix(key)
			e.fields = append(e.fields, it)
		}
	}
	return e, nil
}

// find says where the value of a tag or field comes from.
func (e *Encoder) find(key string, names []string) (item, bool) {
	if sub, ok := substitutes[key]; ok {
		for _, variable := range sub.variables {
			if i := slices.Index(names, variable); i >= 0 {
				return item{origin: capture, index: i}, true
			}
		}
		return item{origin: derived, index: sub.part}, e.request >= 0
	}
	variable, from := key, capture
	switch key {
	case "vhost":
		variable = "host"
	case "upstream_tries":
		from = tries
		i := slices.IndexFunc(names, func(name string) bool { return nginxvar.Lookup(name).List })
		return item{origin: from, index: i, kind: nginxvar.Int}, i >= 0
	}
	i := slices.Index(names, variable)
	known := nginxvar.Lookup(variable)
	return item{origin: from, index: i, kind: known.Kind, list: known.List}, i >= 0
}

// Append appends the point of a line and returns the extended buffer and "", or
// dst as it was and the reason why the line gives no point. number is the
// line's number in its source; line is for nothing but the captures it holds.
func (e *Encoder) Append(dst []byte, captures [][]byte, number int64) ([]byte, string) {
	at, ok := e.clock.stamp(captures, number)
	if !ok {
		return dst, "bad time"
	}
	if e.request >= 0 {
		splitRequest(captures[e.request], &e.derived)
	}
	p := dst
	p = append(p, e.head...)
	for i := range e.tags {
		t := &e.tags[i]
		value := e.value(t, captures)
		if t.list {
			value = lastOfList(value)
		}
		p = lineproto.AppendTag(p, t.prefix, value)
	}
	p = append(p, ' ')
	start := len(p)
	for i := range e.fields {
		p = e.appendField(p, &e.fields[i], captures, len(p) > start)
	}
	if len(p) == start {
		p = append(p, "count=1i"...)
	}
	return lineproto.AppendEnd(p, at), ""
}

// value is the text of a tag or field; empty when the line has none.
func (e *Encoder) value(it *item, captures [][]byte) []byte {
	var v []byte
	switch it.origin {
	case constant:
		return it.value
	case derived:
		return e.derived[it.index]
	default:
		v = captures[it.index]
	}
	if len(v) == 1 && v[0] == '-' {
		return nil
	}
	return v
}

// appendField appends a field that the line has, with a comma in front if it is
// not the first one.
func (e *Encoder) appendField(p []byte, f *item, captures [][]byte, comma bool) []byte {
	value := e.value(f, captures)
	if len(value) == 0 {
		return p
	}
	before := len(p)
	if comma {
		p = append(p, ',')
	}
	p = append(p, f.prefix...)
	ok := true
	switch {
	case f.origin == tries:
		p = append(appendInt(p, countList(value)), 'i')
	case f.kind == nginxvar.Int, f.kind == nginxvar.Status:
		p, ok = appendInteger(p, value, f.list, f.kind == nginxvar.Status)
	case f.kind == nginxvar.Float, f.kind == nginxvar.Msec:
		p, ok = appendFloat(p, value, f.list)
	default:
		if f.list {
			value = lastOfList(value)
		}
		p = lineproto.AppendString(p, value)
	}
	if !ok {
		return p[:before]
	}
	return p
}

// Time is the time in the last line that was appended, zero before the first.
func (e *Encoder) Time() time.Time { return e.clock.time() }
