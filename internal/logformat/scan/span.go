package scan

import (
	"encoding/binary"
	"math/bits"
	"strings"
)

// Bytes are looked at eight at a time, as the bytes of one number, the first one
// lowest.
const (
	each = 0x0101010101010101
	tops = 0x80 * each // the top bit of each byte
)

// lastWord is the last eight bytes of line, with zeros before a shorter one. It
// is what wordAt needs near the end of the line.
func lastWord(line []byte) uint64 {
	if len(line) >= 8 {
		return binary.LittleEndian.Uint64(line[len(line)-8:])
	}
	w := uint64(0)
	for i, b := range line {
		w |= uint64(b) << (8 * (8 - len(line) + i))
	}
	return w
}

// wordAt is eight bytes from line[i] on, with zeros after the end of the line;
// i is at most len(line). The line's lastWord is last.
func wordAt(line []byte, i int, last uint64) uint64 {
	if i+8 <= len(line) {
		// Without the capacity the compiler guards against an empty slice, on
		// the critical path of a whole line: 10 % slower.
		return binary.LittleEndian.Uint64(line[i : i+8 : i+8])
	}
	return last >> (64 - 8*uint(len(line)-i))
}

// A prefix is a text that may come next. Its first eight bytes are kept so that
// they can be compared at once.
type prefix struct {
	word, mask uint64
	beyond     bool // comparing these eight bytes is not enough
	text       string
}

func newPrefix(text string) prefix {
	var word, mask [8]byte
	for i := range min(len(text), 8) {
		word[i], mask[i] = text[i], 0xFF
	}
	return prefix{
		word: binary.LittleEndian.Uint64(word[:]),
		mask: binary.LittleEndian.Uint64(mask[:]),
		// A zero byte could be one that wordAt puts after the end.
		beyond: len(text) > 8 || strings.IndexByte(text, 0) >= 0,
		text:   text,
	}
}

// begins reports whether the text stands at line[i:].
func (p *prefix) begins(line []byte, i int, last uint64) bool {
	return wordAt(line, i, last)&p.mask == p.word && (!p.beyond || p.wholeAt(line[i:]))
}

func (p *prefix) wholeAt(rest []byte) bool {
	return len(rest) >= len(p.text) && string(rest[:len(p.text)]) == p.text
}

// Ranges are a set of bytes whose ASCII part is four ranges, or fewer. Such a set
// is called wide, because eight bytes are compared with it at once.
type ranges struct {
	// For a byte b < 0x80, b+from[i] has its top bit set if b is not below range
	// i, b+past[i] if it is above. All numbers are repeated for each of eight
	// bytes.
	from, past [4]uint64
	reject     uint64 // tops, if bytes from 0x80 are not in the set
}

// newRanges makes ranges of a set, if it is wide.
func newRanges(set *byteSet) (r ranges, wide bool) {
	if !set.high() {
		r.reject = tops
	}
	n := 0
	for c := 0; c < 0x80; c++ {
		if !set[c] {
			continue
		}
		if n == len(r.from) {
			return ranges{}, false
		}
		r.from[n] = uint64(0x80-c) * each
		for c < 0x7F && set[c+1] {
			c++
		}
		r.past[n] = uint64(0x7F-c) * each
		n++
	}
	return r, true
}

// outside has the top bit set for each byte of x that is not in the set. No sum reaches 0x100, so
// no byte disturbs the next.
func (r *ranges) outside(x uint64) uint64 {
	low := x &^ tops
	inside := (low+r.from[0])&^(low+r.past[0]) | (low+r.from[1])&^(low+r.past[1]) |
		(low+r.from[2])&^(low+r.past[2]) | (low+r.from[3])&^(low+r.past[3])
	return (^inside&^x)&tops | x&r.reject
}

// span is the index of the first byte of line[i:] that is not in the set; or at least len(line),
// because of the zeros after the end.
func (r *ranges) span(line []byte, i int, last uint64) int {
	for i < len(line) {
		if out := r.outside(wordAt(line, i, last)); out != 0 {
			return i + bits.TrailingZeros64(out)/8
		}
		i += 8
	}
	return i
}

// all reports whether all of line[i:end] are in the set.
func (r *ranges) all(line []byte, i, end int, last uint64) bool {
	out := uint64(0)
	for ; i+8 < end; i += 8 {
		out |= r.outside(wordAt(line, i, last))
	}
	out |= r.outside(wordAt(line, i, last)) << (64 - 8*uint(end-i))
	return out == 0
}

// more is the end of a list of such runs whose first one ends at the index end,
// and of which one of texts separates the next.
func (r *ranges) more(texts []prefix, line []byte, end int, last uint64) int {
	for i := 0; i < len(texts); i++ {
		if texts[i].begins(line, end, last) {
			end = min(r.span(line, end+len(texts[i].text), last), len(line))
			i = -1
		}
	}
	return end
}
