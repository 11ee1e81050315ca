// Package accesslog turns the captures of one access-log line into one InfluxDB
// point: it knows what nginx variables mean, which of them are tags and fields,
// which lines are dropped, what is personal in them, and how a line's time and
// number become a timestamp that no other line has.
//
// A point depends on nothing but the line, its number, the [Schema] and what
// the schema's [Admitter] admitted, so that a line that is read again gives the
// same point again, which InfluxDB stores over the first.
//
// The way of a value, from the log to a tag:
//
//	capture ──► last of a list ──► query cut ──► unescaped ──► masked ──► folded ──► cleaned ──► admitted
package accesslog

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/lineproto"
	"github.com/tailflux/tailflux/internal/nginxvar"
)

// Schema says what the points of one source look like. The zero value of each
// field but Measurement does nothing, or as little as possible.
type Schema struct {
	Measurement  string
	Host, Source string   // the tags that every point has
	Tags, Fields []string // variables, or what is derived from them; see [New]

	Dialect nginxvar.Dialect // types of variables, beside those of the table

	// Lists is set where any number may be a list of them, as in JSON.
	Lists bool

	// StandIns are variables that are request, request_method, request_uri or
	// server_protocol under another name, by these names.
	StandIns map[string]string

	Escape string         // how nginx escaped the values: "json", "none", or "default", which "" is too; "apache": or Apache
	Zone   *time.Location // of times without a zone, which are refused if it is nil

	Fold       bool   // numbers, UUIDs, hashes and tokens in a path become :id, :uuid, :hash and :token
	FoldStatic bool   // a path of a static file becomes *.js, whatever Fold is
	Paths      []Path // come first, whatever Fold is
	Values     Admitter

	Rollups        [][]string     // the tags of each rollup; see [Encoder.AppendRollupTags]
	Drop           []Rule         // lines that match one of these are left out
	Mask           []string       // variables of which only the network is kept
	KeepQuery      bool           // of URLs; else what follows ? or # is cut off
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed, for "client"
}

// Path is a rule: paths that match become As as a whole.
type Path struct{ Match, As string }

// Rule matches a line when all of its conditions do.
type Rule []Condition

// Condition is about the value of a variable as it is before masking, folding
// and cutting; "" is that of an absent one. A variable that the format does not
// have has no value: the condition is false.
type Condition struct {
	Variable string
	Match    string // the value, or ~ and an expression in it, or ~* for any case; \~ is a value that begins with ~
}

// Admitter bounds the values of tags.
type Admitter interface {
	// Admit reports whether the tag of that index in Schema.Tags may have the
	// value, which is as it stands in line protocol; "other" is written in place
	// of it if not. Once admitted, always admitted. It must not keep the slice.
	Admit(tag int, value []byte) bool
}

// Encoder appends points. It is for one goroutine and one source, and allocates
// nothing for ordinary lines.
type Encoder struct {
	head   []byte // measurement
	tags   []tag  // of points, by key, as InfluxDB wants them; then those of rollups alone
	fields []field
	rules  []rule
	clock  clock
	values Admitter
	folder folder
	origin requester
	proxy  proxy
	texts  texts
	ender  lineproto.Ender

	dialect nginxvar.Dialect
	lists   bool
	rollups rollups

	described described

	points int     // tags of points
	runs   []run   // of these
	source uint64  // the encoder's number among those that share what they remember
	number *uint64 // the greatest of these
	line   uint64  // lines so far
	extra  []byte  // tags of the line that its point does not have

	numbers []bool // see Numbers
	omitted int    // see Omitted
}

// ErrNoTime is returned by New for a format without a time.
var ErrNoTime = errors.New("no time: the format needs $time_local, $time_iso8601, $time_iso8601_ms or $msec")

// New returns an encoder for captures of the named variables. A tag or field of
// the schema is one of these variables, or one of
//
//	method, path, query, protocol   the parts of $request, or of what stands for it
//	vhost                           $host; "host" is the machine's own
//	upstream_tries                  how many upstream servers were asked
//	client                          $remote_addr, or who is behind the trusted proxies
//	status_class                    the first digit of $status: 2xx
//
// What the format does not have is left out of the points. The error says what
// is wrong with the format, which needs a time (ErrNoTime), or with an expression.
func New(names []string, s Schema) (*Encoder, error) {
	for _, reserved := range []string{"source", "time"} {
		if slices.Contains(names, reserved) {
			return nil, fmt.Errorf("the name %q is reserved: give the group another one, times are time_local, time_iso8601, time_iso8601_ms or msec",
				reserved)
		}
	}
	e := &Encoder{
		head:   lineproto.AppendMeasurement(nil, s.Measurement),
		values: s.Values,
		clock:  clock{zone: s.Zone},
		origin: findRequest(names, s),
		proxy:  newProxy(names, s.TrustedProxies),

		dialect: s.Dialect,
		lists:   s.Lists,
	}
	if !e.clock.choose(names) {
		return nil, ErrNoTime
	}
	var err error
	if e.texts.unescape, err = unescaper(s.Escape); err != nil {
		return nil, err
	}
	if e.folder, err = newFolder(s); err != nil {
		return nil, err
	}
	if e.rules, err = e.newRules(names, s.Drop); err != nil {
		return nil, err
	}
	e.addTags(names, s)
	e.addRollupTags(names, s)
	e.runs, e.number = e.findRuns(names), new(uint64)
	e.setConstants()
	e.rollups.find(e, names)
	e.described = e.describedBy(names, s)
	for _, key := range s.Fields {
		if it, ok := e.find(key, names); ok {
			it.protect(key, s)
			e.fields = append(e.fields, newField(it, append([]byte{','}, lineproto.FieldPrefix(key)...)))
		}
	}
	return e, nil
}

// For returns an encoder that differs in the source alone. The two share what
// they remember, so they are for the same goroutine: thousands of them cost
// little.
func (e *Encoder) For(source string) *Encoder {
	other := *e
	other.tags = slices.Clone(e.tags)
	for i := range other.tags {
		if t := &other.tags[i]; t.origin == constant && bytes.HasPrefix(t.prefix, sourcePrefix) {
			t.setConstant(lineproto.AppendTag(nil, sourcePrefix, []byte(source)))
		}
	}
	other.clock.text, other.extra = nil, nil
	other.rollups.series = slices.Clone(e.rollups.series)
	other.ender = lineproto.Ender{}
	*e.number++
	other.source = *e.number
	other.runs = slices.Clone(e.runs)
	other.setConstants()
	return &other
}

var sourcePrefix = lineproto.TagPrefix("source")

func (e *Encoder) addTags(names []string, s Schema) {
	e.tags = make([]tag, 2, 2+len(s.Tags))
	e.tags[0].setConstant(lineproto.AppendTag(nil, lineproto.TagPrefix("host"), []byte(s.Host)))
	e.tags[1].setConstant(lineproto.AppendTag(nil, sourcePrefix, []byte(s.Source)))
	for i, key := range s.Tags {
		if t, ok := e.newTag(key, i, names, s); ok {
			e.tags = append(e.tags, t)
		}
	}
	slices.SortFunc(e.tags, func(a, b tag) int { return cmp.Compare(string(a.prefix), string(b.prefix)) })
	e.points = len(e.tags)
}

// newTag returns the tag of a key, whose values are admitted under an index.
func (e *Encoder) newTag(key string, index int, names []string, s Schema) (t tag, ok bool) {
	it, ok := e.find(key, names)
	if !ok {
		return t, false
	}
	it.prefix = lineproto.TagPrefix(key)
	it.fixed = lineproto.NewText(it.prefix)
	it.protect(key, s)
	it.fold = isPath(key)
	t = tag{item: it, index: index}
	if it.origin != client {
		t.memo = newMemo(it.fold)
	}
	return t, true
}

// Outcome is what became of a line.
type Outcome int

// Outcomes.
const (
	Point    Outcome = iota // it is a point
	Filtered                // a rule of the schema drops it
	Rejected                // its time cannot be read: flow.BadTime
)

// Append appends the point of a line and returns the extended buffer. If the line
// gives no point it returns dst as it was. number is the line's number in its
// source. The captures are not kept.
func (e *Encoder) Append(dst []byte, captures [][]byte, number int64) (points []byte, outcome Outcome) {
	at, outcome := e.judge(captures, number)
	if outcome != Point {
		return dst, outcome
	}
	p := dst
	runs := e.runs
	for i := range runs {
		p = e.appendRun(p, &runs[i], captures)
	}
	start := len(p)
	p = e.appendFields(p, captures)
	if len(p) == start {
		p = append(p, ",count=1i"...)
	}
	p[start] = ' ' // in place of the first comma
	return e.ender.AppendEnd(p, at), Point
}

// Judge is Append for a line whose point nobody wants.
func (e *Encoder) Judge(captures [][]byte, number int64) Outcome {
	_, outcome := e.judge(captures, number)
	return outcome
}

// judge begins with a line. It returns the time of its point.
func (e *Encoder) judge(captures [][]byte, number int64) (at int64, outcome Outcome) {
	at, timed := e.clock.stamp(captures, number)
	e.origin.isCut = false
	e.line++
	e.extra, e.omitted = e.extra[:0], 0
	switch {
	case len(e.rules) > 0 && e.drops(captures):
		return at, Filtered
	case !timed:
		return at, Rejected
	}
	return at, Point
}

// Numbers hands in which captures of the line to come are numbers by themselves, as in
// JSON; that is what Numbers of a matcher says. Fields of which nobody says the type are
// floats where they are, and strings where they are not.
func (e *Encoder) Numbers(numbers []bool) { e.numbers = numbers }

// Omitted is how many field values were left out of the last point because they
// are not the number that their variable is.
func (e *Encoder) Omitted() int { return e.omitted }

// Time is the time in the last line that was appended, zero before the first.
func (e *Encoder) Time() time.Time { return e.clock.time() }

// At is the same in nanoseconds since 1970.
func (e *Encoder) At() int64 { return e.clock.at.Nano }
