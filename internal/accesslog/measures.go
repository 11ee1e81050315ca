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
	tags   [][]*tag // of each, by key
	status int      // the capture; -1: there is none
	sizes  [len(Sizes)]measure
	times  [len(Times)]measure
	tries  measure

	is Measures // of the last line
}

// measure is a number of a line, if the format has it.
type measure struct {
	item
	there bool
}

func (e *Encoder) addRollups(names []string, s Schema) {
	r := &e.rollups
	all := slices.Concat(s.Tags, s.RollupTags())
	known := map[string]*tag{}
	for _, keys := range s.Rollups {
		var tags []*tag
		for _, key := range slices.Sorted(slices.Values(keys)) {
			if known[key] == nil {
				t, ok := e.newTag(key, slices.Index(all, key), names, s)
				if !ok {
					continue
				}
				known[key] = &t
			}
			tags = append(tags, known[key])
		}
		r.tags = append(r.tags, tags)
	}
	find := func(key string) (m measure) {
		m.item, m.there = e.find(key, names)
		return m
	}
	r.status = slices.Index(names, "status")
	for i, key := range Sizes {
		r.sizes[i] = find(key)
	}
	for i, key := range Times {
		r.times[i] = find(key)
	}
	r.tries = find("upstream_tries")
}

// AppendRollupTags appends the tags, commas first, that a rollup of the schema, given by
// its place, has of the line that was last appended or judged; it was a point.
func (e *Encoder) AppendRollupTags(dst []byte, rollup int, captures [][]byte) []byte {
	for _, t := range e.rollups.tags[rollup] {
		dst = e.appendTag(dst, t, captures)
	}
	return dst
}

// Measures returns the numbers of the line that was last appended or judged; it was a
// point. They are valid until the next line.
func (e *Encoder) Measures(captures [][]byte) *Measures {
	r := &e.rollups
	m := &r.is
	m.At = e.clock.at.Nano
	for i := range r.sizes {
		m.Sizes[i] = -1
		if s := &r.sizes[i]; s.there {
			m.Sizes[i] = integer(e.raw(&s.item, captures), s.list)
		}
	}
	// A tunnel ends when somebody closes it: its time says nothing of the server.
	tunnel := r.status >= 0 && string(captures[r.status]) == "101"
	for i := range r.times {
		m.Times[i] = -1
		if t := &r.times[i]; t.there && !tunnel {
			m.Times[i] = milliseconds(e.raw(&t.item, captures), t.list)
		}
	}
	m.Tries = 0
	if r.tries.there {
		m.Tries = countList(e.raw(&r.tries.item, captures))
	}
	return m
}

// integer is a number that is not negative, or the sum of a list; -1 is for anything else.
func integer(v []byte, list bool) int64 {
	v = withoutPlus(v)
	if n := number(v); n >= 0 {
		return n
	}
	switch {
	case isDigits(v) && len(v) <= 18:
		n, _ := strconv.ParseInt(string(v), 10, 64)
		return n
	case !list || !isList(v):
		return -1
	}
	return sum(v, func(entry []byte) int64 { return integer(entry, false) })
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
