package accesslog

import (
	"bytes"
	"slices"
	"strconv"
)

// Measures are the numbers of a line that rollups add up.
type Measures struct {
	At    int64             // the time of the line in nanoseconds since 1970
	Sizes [len(Sizes)]int64 // by the names in Sizes; -1: the line has none
	Times [len(Times)]int64 // by the names in Times, in milliseconds; -1: the line has none, or it says nothing of how fast an answer was
	Tries int64             // upstream servers that were asked; 0: the line does not tell
	Class int               // the first digit of the status; 0: the line has none
}

// Sizes and Times are the variables of Measures.
var (
	Sizes = [...]string{"bytes_sent", "body_bytes_sent", "request_length"}
	Times = [...]string{"request_time", "upstream_response_time"}
)

// RollupTags are the tags of all rollups, each once and in their order, that are not among
// those of the points: after those they have the next indexes for the [Admitter].
func (s *Schema) RollupTags() (tags []string) {
	for _, of := range s.Rollups {
		for _, key := range of {
			if !slices.Contains(s.Tags, key) && !slices.Contains(tags, key) {
				tags = append(tags, key)
			}
		}
	}
	return tags
}

// rollups is what an encoder knows of them.
type rollups struct {
	tags   [][]int  // of each, their places in Encoder.tags, by key
	all    []summed // those of all that have a Series, each once
	status int      // the capture; -1: there is none
	sizes  []measure
	times  []measure
	tries  []int // captures with upstream lists

	is     Measures // of the last line
	of     uint64   // the number of that line
	series []Series // of the last line, of each
}

// summed is a tag of rollups.
type summed struct {
	place int // in Encoder.tags
	to    []inSeries
}

// inSeries is a place in the Series of a rollup.
type inSeries struct{ rollup, number uint32 }

// measure is a number that lines of the format have.
type measure struct {
	item
	to int // its place in Sizes or Times
}

// find finds the numbers.
func (r *rollups) find(e *Encoder, names []string) {
	all := func(keys ...string) (found []measure) {
		for i, key := range keys {
			if it, ok := e.find(key, names); ok {
				found = append(found, measure{it, i})
			}
		}
		return found
	}
	r.sizes, r.times = all(Sizes[:]...), all(Times[:]...)
	for _, tries := range all("upstream_tries") {
		if r.tries = tries.lists; tries.origin == capture { // the format calls something so itself
			r.tries = []int{tries.index}
		}
	}
	for i := range r.is.Sizes {
		r.is.Sizes[i] = -1
	}
	for i := range r.is.Times {
		r.is.Times[i] = -1
	}
	r.status = slices.Index(names, "status")
}

// Measures returns the numbers of the line that was last appended or judged; it was a
// point. They are valid until the next line.
func (e *Encoder) Measures(captures [][]byte) *Measures {
	if e.rollups.of != e.line {
		e.measure(captures)
	}
	return &e.rollups.is
}

// measure finds them.
func (e *Encoder) measure(captures [][]byte) {
	r := &e.rollups
	m := &r.is
	r.of = e.line
	m.At = e.clock.at.Nano
	for i := range r.sizes { // - is no number, either
		s := &r.sizes[i]
		m.Sizes[s.to] = integer(captures[s.index], s.list)
	}
	m.Class = r.class(captures)
	tunnel := r.isTunnel(m.Class, captures)
	for i := range r.times {
		t := &r.times[i]
		if m.Times[t.to] = -1; !tunnel {
			m.Times[t.to] = milliseconds(captures[t.index], t.list)
		}
	}
	m.Tries = countList(firstPresent(captures, r.tries))
}

// class is the first digit of the status of a line; 0: it has none.
func (r *rollups) class(captures [][]byte) int {
	if r.status >= 0 {
		if v := captures[r.status]; isStatus(v) {
			return int(v[0] - '0')
		}
	}
	return 0
}

// isTunnel reports whether a line is of one: it ends when somebody closes it, so its time
// says nothing of the server.
func (r *rollups) isTunnel(class int, captures [][]byte) bool {
	return class == 1 && string(captures[r.status]) == "101"
}

// Basics are the few numbers of a line that are shown of each one.
type Basics struct {
	Class int
	Time  int64 // request_time in milliseconds, as in Measures
	Bytes int64 // that were sent, with the header if that is known; -1: the line does not say
}

// Basics returns those of the line that was last appended or judged. They cost less than
// Measures.
func (e *Encoder) Basics(captures [][]byte) (basics Basics) {
	r := &e.rollups
	basics.Time, basics.Bytes = -1, -1
	if r.of == e.line {
		basics.Class, basics.Time = r.is.Class, r.is.Times[0]
		if basics.Bytes = r.is.Sizes[0]; basics.Bytes < 0 {
			basics.Bytes = r.is.Sizes[1]
		}
		return basics
	}
	basics.Class = r.class(captures)
	for i := 0; i < len(r.sizes) && r.sizes[i].to < 2 && basics.Bytes < 0; i++ {
		basics.Bytes = integer(captures[r.sizes[i].index], r.sizes[i].list)
	}
	if len(r.times) > 0 && r.times[0].to == 0 && !r.isTunnel(basics.Class, captures) {
		basics.Time = milliseconds(captures[r.times[0].index], r.times[0].list)
	}
	return basics
}

// mostBytes is the largest size that is added up, a pebibyte: of larger ones, which no request
// has, a few would make a sum beyond 64 bits.
const mostBytes = 1 << 50

// integer is a size, or the sum of a list; -1 is for anything else.
func integer(v []byte, list bool) int64 {
	v = withoutPlus(v)
	n := number(v)
	switch {
	case n >= 0:
		return n
	case isDigits(v) && len(v) <= 18:
		n, _ = strconv.ParseInt(string(v), 10, 64)
	case list && isList(v):
		n = sum(v, func(entry []byte) int64 { return integer(entry, false) })
	}
	if n > mostBytes {
		return -1
	}
	return n
}

// milliseconds is a decimal number of seconds, rounded; or the sum of a list. -1 is for
// anything else, and for what is negative.
func milliseconds(v []byte, list bool) int64 {
	if len(v) == 5 && v[1] == '.' { // as nginx writes seconds under ten
		if four := uint32(v[0]) | uint32(v[2])<<8 | uint32(v[3])<<16 | uint32(v[4])<<24; allDigits(four) {
			return int64(v[0]-'0')*1000 + int64(v[2]-'0')*100 + int64(v[3]-'0')*10 + int64(v[4]-'0')
		}
	}
	micros := microseconds(v)
	if micros < 0 && list && isList(v) {
		micros = sum(v, microseconds)
	}
	if micros < 0 {
		return -1
	}
	return (micros + 500) / 1000
}

// microseconds is one decimal number of seconds, with what is below cut off.
func microseconds(v []byte) int64 {
	v = withoutPlus(v)
	whole, fraction, _ := bytes.Cut(v, []byte{'.'})
	if !isDecimal(v) || v[0] == '-' || len(whole) > 10 {
		return -1
	}
	sixPlaces := [6]byte{'0', '0', '0', '0', '0', '0'}
	copy(sixPlaces[:], fraction)
	return number(whole)*1e6 + number(sixPlaces[:])
}

// sum adds up the entries of a list, without those that are -; -1 if there is none, or if
// one is no number.
func sum(list []byte, of func(entry []byte) int64) int64 {
	total, some := int64(0), false
	for len(list) > 0 {
		var entry []byte
		if entry, list = nextOfList(list); len(entry) == 0 || string(entry) == "-" {
			continue
		}
		n := of(entry)
		if n < 0 || total > 1<<62-n {
			return -1
		}
		total, some = total+n, true
	}
	if !some {
		return -1
	}
	return total
}
