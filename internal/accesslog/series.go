package accesslog

import (
	"cmp"
	"slices"
	"sync/atomic"
)

// Series stands for the tags that a rollup has of a line: where two of the same rollup are
// equal, the tags are; where they are not, the tags mostly differ. So whoever remembers what
// belongs to a Series need not look at a text.
//
// It has a number for each tag, none of which is 0. What a value was encoded to gets one when
// it is remembered, and another one when it was forgotten meanwhile; nothing else in the
// process ever has it. Classes of status have the same for ever.
type Series [maxSeries]uint64

// maxSeries is the most tags of a rollup whose lines have a Series.
const maxSeries = 4

// Numbers of values.
const (
	noID     = iota + 1 // what is not remembered has no number
	absentID            // the line has none
	otherID             // it was not admitted
	classID             // a class of status, 0xx; those up to 9xx are behind it
	firstID  = classID + 10
)

// ids is how many values were given a number.
var ids atomic.Uint64

func newID() uint64 { return firstID + ids.Add(1) }

// IsKnown reports whether it stands for anything.
func (s *Series) IsKnown() bool { return !slices.Contains(s[:], noID) }

// Series returns what stands for the tags that each rollup of the schema has of the line that
// was last appended or judged, which was a point. They are valid until the next line.
func (e *Encoder) Series(captures [][]byte) []Series {
	all, tags, series := e.rollups.all, e.tags, e.rollups.series
	for i := range all {
		one := &all[i]
		t := &tags[one.place]
		if t.line != e.line {
			e.findTag(t, captures)
		}
		id := t.id
		for _, to := range one.to {
			series[to.rollup][to.number%maxSeries] = id
		}
	}
	return series
}

// AppendRollupTags appends the tags, commas first, that a rollup of the schema, given by
// its place, has of the line that was last appended or judged; it was a point.
func (e *Encoder) AppendRollupTags(dst []byte, rollup int, captures [][]byte) []byte {
	for _, place := range e.rollups.tags[rollup] {
		t := &e.tags[place]
		if t.line != e.line {
			e.findTag(t, captures)
		}
		switch t.id {
		case absentID:
		case otherID:
			dst = append(append(dst, t.prefix...), other...)
		case noID:
			dst = append(dst, t.text...)
		default:
			if t.id < firstID {
				dst = append(append(dst, t.prefix...), '0'+byte(t.id-classID), 'x', 'x')
			} else { // it is remembered
				dst = e.appendTag(dst, t, captures)
			}
		}
	}
	return dst
}

// findTag finds a tag of the line that no point has. It is done once a line, so that a
// value that is not admitted is counted once.
func (e *Encoder) findTag(t *tag, captures [][]byte) {
	raw := e.raw(&t.item, captures)
	t.line, t.id = e.line, absentID
	if t.origin == class {
		if len(raw) > 0 {
			t.id = classID + uint64(raw[0]-'0')
		}
		return
	}
	isBrief := len(raw) <= maxBrief && t.memo != nil
	if len(raw) == 0 {
		return
	}
	if isBrief {
		if known := t.memo.findBrief(raw); known != nil {
			t.id = known.id
			return
		}
	} else if known := t.memo.find(raw); known != nil {
		t.id = known.id
		return
	}
	start := len(e.extra)
	e.extra = e.appendNew(e.extra, t, raw, isBrief)
	t.text = e.extra[start:]
}

// addRollupTags adds the tags of the rollups behind those of the points, which they share.
func (e *Encoder) addRollupTags(names []string, s Schema) {
	all := slices.Concat(s.Tags, s.RollupTags())
	for _, keys := range s.Rollups {
		var places []int
		for _, key := range keys {
			index := slices.Index(all, key)
			place := slices.IndexFunc(e.tags, func(t tag) bool { return t.origin != constant && t.index == index })
			if place < 0 {
				t, ok := e.newTag(key, index, names, s)
				if !ok {
					continue
				}
				place = len(e.tags)
				e.tags = append(e.tags, t)
			}
			t := &e.tags[place]
			if t.summed = true; t.memo != nil && t.memo.texts == nil {
				t.memo.texts = newMemo(t.fold)
			}
			places = append(places, place)
		}
		slices.SortFunc(places, func(a, b int) int { return cmp.Compare(string(e.tags[a].prefix), string(e.tags[b].prefix)) })
		e.rollups.add(places)
	}
}

// add adds a rollup, by the places of its tags.
func (r *rollups) add(places []int) {
	rollup := len(r.tags)
	r.tags = append(r.tags, places)
	if len(places) > maxSeries {
		r.series = append(r.series, Series{noID})
		return
	}
	r.series = append(r.series, Series{absentID, absentID, absentID, absentID})
	for number, place := range places {
		n := slices.IndexFunc(r.all, func(t summed) bool { return t.place == place })
		if n < 0 {
			n = len(r.all)
			r.all = append(r.all, summed{place: place})
		}
		r.all[n].to = append(r.all[n].to, inSeries{uint32(rollup), uint32(number)})
	}
}
