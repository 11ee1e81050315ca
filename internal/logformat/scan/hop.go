package scan

import (
	"encoding/binary"
	"math/bits"

	"github.com/tailflux/tailflux/internal/logformat/scan/marks"
)

// A hop is a link as it is for nearly every line: its set is few ranges, or all bytes but
// few, and the text follows. Their loop does nothing else, so that what it needs stays in
// the processor's registers; whatever is rare is left to the link.
//
// It is right because it takes what its link takes, or the link is asked.
type hop struct {
	kind   hopKind
	odd    bool // the link says whether the run may end before the text
	min    uint8
	skip   uint8
	number uint8     // of the link
	stop   uint64    // the top bit of the byte where the run ends at the latest, or 0
	word   uint64    // of the text
	mask   uint64    // of the text
	set    [4]uint64 // see two and few
	next   *hop      // nil behind the last one
	link   *link
}

// hopped is what is kept of the runs that hops take.
type hopped struct {
	runs [mostHops]marks.Span
	time timeKept
}

type hopKind uint8

const (
	hopAsks  hopKind = iota // asks the link
	hopTwo                  // the set is two ranges of ASCII, or one
	hopFew                  // the set is all bytes but two or three of ASCII
	hopUntil                // the same, but one
	hopTime                 // is mostly the bytes of the line before
	hopEnd                  // the end of the line
)

// mostHops is the most that a chain may have.
const mostHops = 64

// mostWords is how many bytes are looked at as words until the one that ends a run is looked
// for as the standard library does, which is faster from there on.
const mostWords = 256

// newHop is the hop of a link, if its numbers are not too large for one. A time is mostly
// that of the line before.
func newHop(l *link, time bool) (h hop, ok bool) {
	h = hop{
		odd:  l.above >= 0 || l.texts != nil,
		skip: uint8(l.skip), word: l.word, mask: l.mask,
	}
	if int32(h.skip) != l.skip {
		return h, false
	}
	if l.beyond || l.back > 0 || l.min >= 8 && !time {
		return h, true
	}
	h.min = uint8(l.min)
	switch {
	case l.kind == linkEnd:
		h.kind, h.stop = hopEnd, 1<<7
	case time:
		h.kind, h.stop = hopTime, 1<<7
	case l.kind == linkText:
		h.kind, h.stop = hopTwo, 1<<7
	case l.kind == linkExact:
		if h.stop = 1 << (8*h.min + 7); h.two(l.set) && !l.set[0] { // zeros could be behind the line
			h.kind = hopTwo
		}
	case h.two(l.set):
		h.kind = hopTwo
	case h.few(l.set):
		if h.kind = hopFew; h.set[0] == h.set[1] {
			h.kind = hopUntil
		}
	}
	return h, true
}

// two makes the set of the hop one of two ranges, if it is. Of each there are the byte
// from which another one is taken, and the one that is added to it, so that the top bit
// says whether it is below the range, and above.
func (h *hop) two(set *byteSet) bool {
	n := 0
	for c := 0; c < len(set); c++ {
		if !set[c] {
			continue
		}
		from := c
		for c+1 < len(set) && set[c+1] {
			c++
		}
		if n == 2 || c >= 0x80 {
			return false
		}
		h.set[2*n], h.set[2*n+1] = uint64(0x7F+from)*each, uint64(0x7F-c)*each
		n++
	}
	if n == 1 {
		h.set[2], h.set[3] = h.set[0], h.set[1]
	}
	return n > 0
}

// few makes the set of the hop one of all bytes but up to three, if it is.
func (h *hop) few(set *byteSet) bool {
	missing := set.missing()
	if len(missing) == 0 || len(missing) > 3 || !set.high() {
		return false
	}
	for i := range 3 {
		h.set[i] = uint64(missing[max(0, len(missing)-1-i)]) * each
	}
	return true
}

// outsideTwo has the top bit set for the first byte of x that is not in the set, and for
// none before it. Those before are ASCII and in one of the ranges, so neither a
// difference nor a sum disturbs the next byte.
func (h *hop) outsideTwo(x uint64) uint64 {
	first := (h.set[0] - x) | (h.set[1] + x)
	second := (h.set[2] - x) | (h.set[3] + x)
	return (first&second | x) & tops
}

// outsideFew does the same for a set of all bytes but few: a byte that has nothing of one
// of them is below zero when it has one less. The top bits are those of x alone.
func (h *hop) outsideFew(x uint64) uint64 {
	return (((x ^ h.set[0]) - each) | ((x ^ h.set[1]) - each) | ((x ^ h.set[2]) - each)) &^ x & tops
}

// outsideOne does the same for a set of all bytes but one.
func (h *hop) outsideOne(x uint64) uint64 {
	return ((x ^ h.set[0]) - each) &^ x & tops
}

// hop goes from hop to hop, the first one at line[pos:], until a link must be asked. It
// returns where it is then, and the hop of that link, or nil behind the last one.
//
//go:noinline // in a larger function there are not enough registers
func (h *hop) hop(line []byte, pos uint32, s *hopped) (uint32, *hop) {
	line = line[:len(line):len(line)] // then bounds are checked once
	for ; h != nil; h = h.next {
		end, out := pos, uint64(0)
		switch h.kind {
		case hopTwo:
			if out = h.outsideTwo(wordFrom(line, pos)) | h.stop; out != 0 {
				break
			}
			for i := uint64(pos + 8); i+8 <= uint64(len(line)); i = uint64(uint32(i) + 8) {
				if out = h.outsideTwo(binary.LittleEndian.Uint64(line[i : i+8 : i+8])); out != 0 {
					end = uint32(i)
					break
				}
			}
		case hopFew:
			if out = h.outsideFew(wordFrom(line, pos)); out != 0 {
				break
			}
			for i := uint64(pos + 8); i+8 <= uint64(len(line)); i = uint64(uint32(i) + 8) {
				if out = h.outsideFew(binary.LittleEndian.Uint64(line[i : i+8 : i+8])); out != 0 {
					end = uint32(i)
					break
				}
			}
		case hopUntil:
			if out = h.outsideOne(wordFrom(line, pos)); out != 0 {
				break
			}
			i, limit := uint64(pos+8), uint64(pos+mostWords)
			for ; i+8 <= uint64(len(line)) && i < limit; i = uint64(uint32(i) + 8) {
				if out = h.outsideOne(binary.LittleEndian.Uint64(line[i : i+8 : i+8])); out != 0 {
					break
				}
			}
			if end = uint32(i); out == 0 && i < limit && i < uint64(len(line)) {
				out = h.outsideOne(wordFrom(line, end))
			}
		case hopTime:
			if s.time.at(line, int(pos)) {
				end, out = end+uint32(timeLen), h.stop
			}
		case hopEnd:
			if uint64(pos) == uint64(len(line)) {
				out = h.stop
			}
		}
		if out == 0 {
			break
		}
		end += uint32(bits.TrailingZeros64(out)) / 8
		next := wordFrom(line, end)
		if end-pos < uint32(h.min) || next&h.mask != h.word {
			break
		}
		if h.odd {
			if !h.link.sure(next) {
				break
			}
		}
		run := &s.runs[h.number%mostHops]
		run.From, run.End = uint16(pos), uint16(end)
		pos = end + uint32(h.skip)
	}
	return pos, h
}

// sure reports that the link's run ends where next, which begins with its text, is. It
// does not where a separator of the list begins, or one more blank would be taken.
//
//go:noinline // as hop
func (l *link) sure(next uint64) bool {
	if int16(next>>l.behind&0xFF) <= l.above {
		return false
	}
	for i := range l.texts {
		if t := &l.texts[i]; next&t.mask == t.word {
			return false
		}
	}
	return true
}

// wordFrom is wordAt, for lines of eight bytes or more. It takes fewer instructions.
func wordFrom(line []byte, i uint32) uint64 {
	from, size := uint64(i), uint64(len(line))
	if from+8 <= size {
		return binary.LittleEndian.Uint64(line[from : from+8 : from+8])
	}
	if size < 8 {
		return 0
	}
	last := binary.LittleEndian.Uint64(line[size-8 : size : size])
	return last >> (8 * ((from + 7 - size) & 7)) >> 8
}
