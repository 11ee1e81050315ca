package marks

import (
	"encoding/binary"
	"math/bits"
)

// The lines that marks are found in.
const (
	Shortest = 64
	Longest  = 1 << 16 // shorter than this: a place is a uint16
)

// Most is how many marks can be asked for.
const Most = 118

// Positions are places in a line: those of its marks from 1 on. Place 0, and the one
// behind the last mark, are the caller's.
type Positions [1 + Most + 8 + 1]uint16

// Fast reports whether there are vectors. Without them this package is for tests: to
// go through a line byte after byte is faster.
func Fast() bool { return fast }

// Find writes where the marks of the line are and returns how many there are. If that is
// more than most, it is any number above most, and nothing was written that counts. The
// line has Shortest bytes at least, and fewer than Longest. It is only read.
func Find(line []byte, at *Positions, most int) int {
	_, _ = line[Shortest-1], at[most+8]
	if fast {
		return find(&line[0], len(line), &at[1], most)
	}
	return findPortable(line, at, most)
}

// findPortable is Find without vectors.
func findPortable(line []byte, at *Positions, most int) int {
	n, inside := 0, uint64(0)
	for base := 0; base < len(line); base += 64 {
		from := min(base, len(line)-64)
		quotes, spaces := look((*[64]byte)(line[from:]))
		quotes, spaces = quotes>>(base-from), spaces>>(base-from)
		within := parity(quotes) ^ inside
		inside = uint64(int64(within) >> 63)
		found := quotes | spaces&^within
		if n+bits.OnesCount64(found) > most {
			return most + 1
		}
		for ; found != 0; found &= found - 1 {
			n++
			at[n] = uint16(base + bits.TrailingZeros64(found))
		}
	}
	return n
}

const (
	each = 0x0101010101010101
	lows = 0x7F * each
)

// look has a bit for each quote and for each space of a block.
func look(block *[64]byte) (quotes, spaces uint64) {
	for i := 0; i < 64; i += 8 {
		x := binary.LittleEndian.Uint64(block[i:])
		quotes |= equal(x^'"'*each) << i
		spaces |= equal(x^' '*each) << i
	}
	return quotes, spaces
}

// equal has one of the low eight bits for each byte of x that is zero. No sum reaches
// 0x100, so no byte disturbs the next; nor do two of the products below meet.
func equal(x uint64) uint64 {
	zero := ^(x&lows + lows | x | lows) >> 7
	return zero * 0x0102040810204080 >> 56
}

// parity has in each bit the parity of all bits of x up to it.
func parity(x uint64) uint64 {
	x ^= x << 1
	x ^= x << 2
	x ^= x << 4
	x ^= x << 8
	x ^= x << 16
	return x ^ x<<32
}
