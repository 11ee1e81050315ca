package marks

import "encoding/binary"

// A Run is a stretch of bytes that ends at a place, and the text behind it. The place is
// Offset bytes from a mark, or 1<<16-Offset bytes before it.
type Run struct {
	Text, Mask   uint64 // the first eight bytes of the text, lowest first; Mask has ones for bytes that count
	Mark, Offset uint16
	Least        uint16 // so many bytes it has at least
	Skip         uint16 // so many bytes behind its end the next one begins
}

// MostRuns is how many there may be.
const MostRuns = 64

// A Span is where a run begins and ends.
type Span struct{ From, End uint16 }

// Spans are those of all runs of a line.
type Spans [MostRuns]Span

// Fit reports whether a line with these marks, of which the caller has set the first and
// the last place, consists of the runs: each ends within the line and has its least
// number of bytes, each text follows, and the last one ends with the line. If so, spans
// are the runs. A text without zeros is within the line. The line is as for Find, with
// less than 1<<15 bytes.
func Fit(line []byte, at *Positions, runs []Run, spans *Spans) bool {
	_, _, _ = line[Shortest-1], runs[0], spans[len(runs)-1]
	if fast {
		return fit(&line[0], len(line), at, &runs[0], len(runs), spans)
	}
	return fitPortable(line, at, runs, spans)
}

// fitPortable is Fit without assembly.
func fitPortable(line []byte, at *Positions, runs []Run, spans *Spans) bool {
	begin := 0
	for i := range runs {
		r := &runs[i]
		end := int(at[r.Mark] + r.Offset)
		spans[i] = Span{uint16(begin), uint16(end)}
		if end-begin < int(r.Least) || end > len(line) || wordAt(line, end)&r.Mask != r.Text {
			return false
		}
		begin = end + int(r.Skip)
	}
	return begin == len(line)
}

// wordAt is eight bytes from line[i] on, with zeros behind its end.
func wordAt(line []byte, i int) uint64 {
	var word [8]byte
	copy(word[:], line[i:])
	return binary.LittleEndian.Uint64(word[:])
}
