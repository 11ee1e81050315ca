package scan

import (
	"bytes"

	"github.com/tailflux/tailflux/internal/logformat/scan/marks"
)

// A layout is a short cut through a chain that ends with the line: it says at which of
// the line's marks each run ends, so that no run has to be gone through to know where
// the next one begins, and the processor looks at many at once.
//
//	172.0.0.12 - ada [04/Mar/2018:13:49:52 +0000] "GET /foo HTTP/1.0" 200 2133
//	          1 2   3                     4      56                 78   9
//	first run: ends at mark 1; second: at mark 3; third: one byte before mark 5; …
//
// Where the line is otherwise the layout gives up, and the chain is gone through as ever.
//
// It is right because it takes what the chain takes, or gives up. The chain goes one way:
// a run ends at the first byte that is not in its set (or link.back bytes before it), and
// behind it comes its text, which has that byte. So if anybody names an end for each
// run, and
//
//   - the run has as many bytes as it must have, and all of them are in the set,
//   - its text begins where it ends, or it ends with the line,
//   - behind the text is no blank, if one more would be taken, and
//   - no separator of a list begins there,
//
// then these are the ends that the chain finds. How they were guessed does not matter,
// except that marks save most of the looking at bytes: between two marks that follow
// each other is no quote, and outside quotes no space. To know which those are, newLayout
// goes through the chain and counts. At each text it knows how many marks were before
// it, and if it is inside quotes, and so which bytes of it are marks. Step by step: if
// all marks so far are those that were counted, the next one is the first of the next
// text, because a run with a mark in it would have been cut there, and its text would
// not follow. That the text follows is compared; so its marks are counted rightly, too.
// At the end the line has as many marks as the chain, so there is none in its last run.
//
// A run that has a mark inside (the time, which is written with a space) is one whose
// bytes are all looked at, and none of them may be a quote.
type layout struct {
	marks.Layout
	captures runCaptures

	// What is left to look at.
	spans   []spanCheck // of which bytes runs are
	odd     []oddCheck
	escapes bool // no backslash may be in the line
}

// The numbers of runs are those in layout.Runs.
type (
	spanCheck struct {
		run  int
		time bool // mostly the bytes are those of the line before
		ranges
	}
	oddCheck struct {
		run  int
		link *link
	}
)

// longest is the longest line that is worth it: over long text in quotes the pass is no
// faster than bytes.IndexByte.
const longest = 1 << 10

// take cuts line, if it is as nearly all lines are. Otherwise the captures hold nothing
// of use.
func (l *layout) take(line []byte, captures [][]byte, s *Scratch) bool {
	if len(line) < marks.Shortest || len(line) > longest || !marks.Cut(line, &l.Layout, &s.found) || !l.holds(line, s) {
		return false
	}
	l.captures.make(line, s.found.Spans[:len(l.Runs)], captures)
	return true
}

// holds reports whether all is as it should be that Cut does not ask.
func (l *layout) holds(line []byte, s *Scratch) bool {
	last := lastWord(line)
	for i := range l.spans {
		c := &l.spans[i]
		run := s.found.Spans[c.run]
		from, end := int(run.From), int(run.End)
		if c.time && end-from == timeLen && s.laid.time.at(line, from) {
			continue
		}
		if !c.all(line, from, end, last) {
			return false
		}
		if c.time {
			s.laid.time.keep(line, from, end)
		}
	}
	for i := range l.odd {
		o := &l.odd[i]
		if run := s.found.Spans[o.run]; !o.link.goesOn(line, int(run.From), int(run.End), last) {
			return false
		}
	}
	return !l.escapes || bytes.IndexByte(line, '\\') < 0
}

// goesOn reports whether the link's run is not too long, and what is behind it, beyond
// the first bytes of its text, is as it should be.
func (l *link) goesOn(line []byte, from, end int, last uint64) bool {
	if l.kind == linkExact && end-from != int(l.min) {
		return false
	}
	next := wordAt(line, end, last)
	if int16(next>>l.behind&0xFF) <= l.above || l.beyond && !l.wholeAt(line[end:]) {
		return false
	}
	for i := range l.texts {
		if l.texts[i].begins(line, end, last) {
			return false
		}
	}
	return true
}
