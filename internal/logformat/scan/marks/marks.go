package marks

import "math/bits"

// The lines that can be cut.
const (
	Shortest = 64
	Longest  = 1<<15 - 1 // places are 16 bits
)

// The most that a layout may have.
const (
	MostMarks = 118
	MostRuns  = 64
)

// A Layout says what a line consists of.
type Layout struct {
	Marks   int // at most MostMarks
	Runs    []Run
	Classes []Class
}

// A Run is a stretch of bytes that ends at a place, and the text behind it. The place is
// Offset bytes from a mark, or 1<<16-Offset bytes before it. Mark 0 is the beginning of
// the line, and the one behind its last mark is the end.
type Run struct {
	Text, Mask   uint64 // the first eight bytes of the text, lowest first; Mask has ones for bytes that count
	Mark, Offset uint16
	Least        uint16 // so many bytes it has at least
	Skip         uint16 // so many bytes behind its end the next one begins
}

// A Class says which bytes a run of up to MostInClass bytes may have: those of two
// ranges, each from a byte to the one that is so many above it.
type Class struct {
	Run           uint16
	From0, Above0 uint8
	From1, Above1 uint8
}

// MostInClass is the longest run of a class.
const MostInClass = 32

// A Span is where a run begins and ends.
type Span struct{ From, End uint16 }

// Found is what Cut finds in a line.
type Found struct {
	At    [1 + MostMarks + 8 + 1]uint16 // its marks
	Spans [MostRuns]Span                // its runs
}

// Fast reports whether there are vectors. Without them this package is for tests: it is
// faster to go through a line byte after byte.
func Fast() bool { return fast }

// Cut reports whether a line has the layout: it has so many marks, each run ends within
// it and has its least number of bytes, each text follows, the last one ends with the
// line, and the bytes of runs with a class are of it, and not more than it may have. If
// so, the spans are the runs. A text that has zeros may be taken to go on behind the line's end.
// The line has Shortest bytes at least, and Longest at most; a layout has one run at
// least.
func Cut(line []byte, layout *Layout, found *Found) bool {
	_, _, _ = line[Shortest-1], found.At[layout.Marks+9], found.Spans[len(layout.Runs)-1]
	if fast {
		return cut(&line[0], len(line), layout, found)
	}
	return cutPortable(line, layout, found)
}

// cutPortable is Cut without vectors.
func cutPortable(line []byte, layout *Layout, found *Found) bool {
	if find(line, &found.At, layout.Marks) != layout.Marks {
		return false
	}
	found.At[0], found.At[layout.Marks+1] = 0, uint16(len(line))
	begin := 0
	for i := range layout.Runs {
		r := &layout.Runs[i]
		end := int(found.At[r.Mark] + r.Offset)
		found.Spans[i] = Span{uint16(begin), uint16(end)}
		if end-begin < int(r.Least) || end > len(line) || wordAt(line, end)&r.Mask != r.Text {
			return false
		}
		begin = end + int(r.Skip)
	}
	if begin != len(line) {
		return false
	}
	for i := range layout.Classes {
		c := &layout.Classes[i]
		run := line[found.Spans[c.Run].From:found.Spans[c.Run].End]
		if len(run) > MostInClass {
			return false
		}
		for _, b := range run {
			if b-c.From0 > c.Above0 && b-c.From1 > c.Above1 {
				return false
			}
		}
	}
	return true
}

// find writes where the marks of the line are, from the second place on, and returns how
// many there are, or a number above most.
func find(line []byte, at *[1 + MostMarks + 8 + 1]uint16, most int) int {
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

// look has a bit for each quote and for each space of a block.
func look(block *[64]byte) (quotes, spaces uint64) {
	for i, c := range block {
		switch c {
		case '"':
			quotes |= 1 << i
		case ' ':
			spaces |= 1 << i
		}
	}
	return quotes, spaces
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

// wordAt is eight bytes from line[i] on, with zeros behind its end.
func wordAt(line []byte, i int) (word uint64) {
	for k, c := range line[i:min(i+8, len(line))] {
		word |= uint64(c) << (8 * k)
	}
	return word
}
