package scan

import (
	"bytes"
	"math"

	"github.com/tailflux/tailflux/internal/logformat/scan/marks"
)

// A chain is a short cut through steps that follow each other without a choice.
// It takes the one way through them that nearly every line goes: each run ends
// before the text that must follow it, and a repeat such as the \s+ between two
// variables takes a single space. Where a line is otherwise the chain gives up,
// and the steps are gone through from there on as ever.
//
// It is right because each link does what its steps would do, or gives up:
//
//   - A run goes to the first byte that is not in its set. Of the ends a step
//     could choose it is the one chosen, if the step takes the longest run, or if
//     the text comes next and cannot come within the run.
//   - A run that must be as short as possible is taken for one without the byte
//     that the text begins with: where that byte is not the text, the link gives
//     up.
//   - Bytes of a set and pairs of a backslash and another byte are a run up to the
//     first backslash, where the link gives up unless the text begins.
//   - A repeat takes one space if a byte that is not in its set comes behind it.
//     That what it must be followed by does follow, the next step finds out: where
//     it does not, the line fails at that step instead of at the repeat.
type chain struct {
	links    []link
	first    *hop // the links again, as they are for nearly every line
	captures runCaptures
	next     int     // the step behind those it stands for
	layout   *layout // nil, unless marks tell where all its runs are
}

type linkKind uint8

const (
	linkSpan  linkKind = iota // take bytes of the set
	linkUntil                 // take bytes up to stop, or to the end
	linkExact                 // take min bytes of the set
	linkText                  // take nothing
	linkEnd                   // be at the end of the line
)

// A link is a step, and mostly the repeat behind it, as a chain takes them.
type link struct {
	kind    linkKind
	step    int32 // the first one it stands for
	stop    byte
	behind  uint8 // the length of the text in bits, if above is not -1
	above   int16 // the byte behind the text must be greater
	capture int32 // the capture that is the run; -1: none
	min     int32
	back    int32 // the run ends this many bytes before the first byte not in set
	skip    int32 // bytes to take behind the run
	prefix        // must follow the run
	set     *byteSet
	ranges
	texts []prefix // the separators of a list
}

// take takes what it can from line[pos:], and returns where in the line, and with
// which step, to go on.
//
//go:noinline // what calls it is large
func (c *chain) take(line []byte, pos int, last uint64, captures [][]byte, s *hopped) (int, int) {
	if len(line) > math.MaxUint16 || len(line) < 8 { // as hops do not expect it
		return pos, int(c.links[0].step)
	}
	at, h := c.first.hop(line, uint32(pos), s)
	for h != nil {
		end := h.link.end(line, int(at), last)
		if end < 0 {
			break
		}
		if h.kind == hopTime {
			s.time.keep(line, int(at), end)
		}
		s.runs[h.number%mostHops] = marks.Span{From: uint16(at), End: uint16(end)}
		at, h = h.next.hop(line, uint32(end)+uint32(h.skip), s)
	}
	n, step := len(c.links), c.next
	if h != nil {
		n, step = int(h.number), int(h.link.step)
	}
	c.captures.make(line, s.runs[:n], captures)
	return int(at), step
}

// takeAlone is take for those who have no scratch, since they want no captures.
func (c *chain) takeAlone(line []byte, pos int, last uint64) (int, int) {
	var s hopped
	return c.take(line, pos, last, nil, &s)
}

// end is where the run ends that begins at line[pos:], or -1 if the link gives up.
//
//go:noinline // what calls it must stay small
func (l *link) end(line []byte, pos int, last uint64) int {
	end := pos
	switch l.kind {
	case linkSpan:
		end = min(l.span(line, pos, last), len(line)) - int(l.back)
		if l.texts != nil && end-pos >= int(l.min) {
			end = l.more(l.texts, line, end, last)
		}
	case linkUntil:
		n := bytes.IndexByte(line[pos:], l.stop)
		if n < 0 {
			n = len(line) - pos
		}
		end += n - int(l.back)
	case linkExact:
		if end += int(l.min); end > len(line) || !l.all(line, pos, end, last) {
			return -1
		}
	case linkText:
	case linkEnd:
		if pos != len(line) {
			return -1
		}
	}
	if end-pos < int(l.min) {
		return -1
	}
	next := wordAt(line, end, last)
	if next&l.mask != l.word || int16(next>>l.behind&0xFF) <= l.above ||
		l.beyond && !l.wholeAt(line[end:]) {
		return -1
	}
	return end
}

// shorten finds the chains.
func (p *Program) shorten() {
	for i := 0; i < len(p.steps); {
		c := &chain{next: i}
		var hops []hop
		for c.next < len(p.steps) && len(c.links) < mostHops {
			s := &p.steps[c.next]
			l, ok := s.link()
			joined := ok && c.next+1 < len(p.steps) && l.join(&p.steps[c.next+1])
			if !ok || l.text == "" && s.first != nil {
				break
			}
			time := p.captures > 0 && !p.timed && l.likelyTime()
			h, ok := newHop(&l, time)
			if !ok {
				break
			}
			p.timed = p.timed || time
			l.step = int32(c.next)
			if c.next++; joined {
				c.next++
			}
			if l.capture >= 0 {
				c.captures.add(len(c.links), int(l.capture))
			}
			c.links, hops = append(c.links, l), append(hops, h)
		}
		if len(c.links) > 1 {
			c.join(hops)
			p.steps[i].chain = c
			if c.next == len(p.steps) && hasLayouts {
				c.layout = newLayout(c.links)
				p.laidOut = c.layout != nil
				if i == 0 {
					p.layout = c.layout
				}
			}
		}
		i = max(i+1, c.next)
	}
}

// join makes the hops a list.
func (c *chain) join(hops []hop) {
	c.first = &hops[0]
	for i := range hops {
		hops[i].link, hops[i].number = &c.links[i], uint8(i)
		if i > 0 {
			hops[i-1].next = &hops[i]
		}
	}
}

// hasLayouts is that layouts are made: without vectors they are slower than a chain, and
// are for tests.
var hasLayouts = marks.Fast()

// link is the step as a link, if it can be one. If first is to follow it, it can
// only together with a repeat.
func (s *step) link() (link, bool) {
	l := link{
		above: -1, capture: s.capture, min: s.min, back: s.back, skip: s.skip,
		prefix: s.prefix, set: s.set, ranges: s.ranges,
	}
	switch {
	case s.since:
		return l, false
	case s.op == opNothing:
		l.kind = linkText
		return l, true
	case s.op == opEnd:
		l.kind = linkEnd
		return l, true
	case s.op == opUntil, s.op == opIndex:
		l.kind, l.stop, l.set = linkUntil, s.stop, s.set.without(s.stop)
		return l, true
	case s.op == opExact:
		l.kind = linkExact
		return l, true
	case !s.wide || s.max != unlimited:
		return l, false
	case s.op == opSpan:
		return l, true
	case s.op == opList:
		l.texts = s.texts
		return l, true
	case s.op == opLongest:
		return l, s.first != nil || !s.set[s.text[0]]
	case s.text != "" && (s.op == opEscaped || s.op == opEscapedText || s.op == opShortest):
		l.set = s.set.without(s.text[0])
		ranges, wide := newRanges(l.set)
		l.ranges = ranges
		return l, wide
	}
	return l, false
}

// join makes the repeat a part of the link before it, if it can.
func (l *link) join(repeat *step) bool {
	switch repeat.op {
	case opSpan, opLongest, opCount:
	default:
		return false
	}
	if int(l.skip) != len(l.text) || repeat.capture >= 0 || repeat.min > 1 || repeat.max == 0 || !repeat.set.blank() {
		return false
	}
	text := l.text + " " + repeat.text
	if repeat.text != "" {
		if repeat.set[repeat.text[0]] {
			return false
		}
	} else {
		if len(text) > 7 {
			return false
		}
		l.behind, l.above = uint8(8*len(text)), ' '
	}
	l.prefix = newPrefix(text)
	l.skip = int32(len(l.text)) + repeat.skip - int32(len(repeat.text))
	return true
}

// likelyTime reports whether the link's run is a time with a space in it, as far as one
// can tell.
func (l *link) likelyTime() bool {
	const shortest = 19 // of the class of a log_format's times
	return l.text != "" && l.text[0] == ']' && l.set != nil && l.set[' '] && !l.set[']'] &&
		(l.kind == linkUntil || l.min >= shortest) && int(l.min) <= timeLen
}
