package scan

import (
	"bytes"
	"math/bits"

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
	marks   int // that the line has
	runs    []marks.Run
	taken   []capture
	inOrder bool // the runs are the captures

	pairs   []pairCheck // for sets of two ranges
	bytes   []byteCheck // for sets that lack one byte
	spans   []spanCheck // for all others
	odd     []oddCheck
	escapes bool // no backslash may be in the line
}

// The numbers of runs are those in layout.runs.
type (
	capture struct{ run, number uint32 }

	pairCheck struct {
		run                        int
		from0, past0, from1, past1 uint64 // see ranges
	}
	byteCheck struct {
		run  int
		byte uint64 // in each byte
	}
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
	at := &s.at
	if len(line) < marks.Shortest || len(line) > longest || marks.Find(line, at, l.marks) != l.marks {
		return false
	}
	at[0], at[l.marks+1] = 0, uint16(len(line))
	if !marks.Fit(line, at, l.runs, &s.spans) || !l.holds(line, s) {
		return false
	}
	spans := &s.spans
	if l.inOrder {
		captures = captures[:len(l.runs)]
		for i := range captures {
			span := &spans[i%marks.MostRuns]
			captures[i] = line[span.From:span.End:span.End]
		}
		return true
	}
	taken := l.taken
	for i := range taken {
		c := &taken[i]
		span := &spans[c.run%marks.MostRuns]
		captures[c.number] = line[span.From:span.End:span.End]
	}
	return true
}

// holds reports whether the bytes of all runs are in their sets, as far as marks do not
// tell, and what is left to ask.
func (l *layout) holds(line []byte, s *Scratch) bool {
	spans, last, pairs := &s.spans, lastWord(line), l.pairs
	for i := range pairs {
		c := &pairs[i]
		span := spans[c.run%marks.MostRuns]
		from, end := int(span.From), int(span.End)
		for {
			low := wordAt(line, from, last)
			high := low & tops
			low &^= tops
			inside := (low+c.from0)&^(low+c.past0) | (low+c.from1)&^(low+c.past1)
			out := ^inside&tops | high
			if bits.TrailingZeros64(out)/8 >= end-from {
				break
			}
			if from += 8; out != 0 || from > end {
				return false
			}
		}
	}
	for i := range l.bytes {
		c := &l.bytes[i]
		span := spans[c.run%marks.MostRuns]
		from, end := int(span.From), int(span.End)
		for {
			out := zeros(wordAt(line, from, last) ^ c.byte)
			if bits.TrailingZeros64(out)/8 >= end-from {
				break
			}
			if from += 8; out != 0 || from > end {
				return false
			}
		}
	}
	for i := range l.spans {
		c := &l.spans[i]
		span := spans[c.run%marks.MostRuns]
		from, end := int(span.From), int(span.End)
		if c.time && s.isTime(line, from, end) {
			continue
		}
		if !c.all(line, from, end, last) {
			return false
		}
		if c.time {
			s.keepTime(line, from, end)
		}
	}
	for i := range l.odd {
		o := &l.odd[i]
		if span := spans[o.run%marks.MostRuns]; !o.link.goesOn(line, int(span.From), int(span.End), last) {
			return false
		}
	}
	return !l.escapes || bytes.IndexByte(line, '\\') < 0
}

// zeros has the top bit set for each byte of x that is zero.
func zeros(x uint64) uint64 {
	return ^(x&^tops + ^uint64(tops) | x) & tops
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
