package logfile

import (
	"bytes"
	"errors"
	"io"
)

// Marks are what stood before some of the places that the file was read to, in
// their order; the last one is before the place where reading goes on.
type Marks []Mark

// Mark is what stood before one place.
type Mark struct {
	Offset int64
	length int
	bytes  [MarkBytes]byte // of which the last length ones count
}

// Add adds a mark for the end of what was read.
func (m *Marks) Add(offset int64, read []byte) {
	if len(*m) == maxMarks {
		// Every other one will do, the first half of the file as well as the second.
		kept := (*m)[:0]
		for i := 1; i < maxMarks; i += 2 {
			kept = append(kept, (*m)[i])
		}
		*m = kept
	}
	next := Mark{Offset: offset}
	next.length = copy(next.bytes[max(0, MarkBytes-len(read)):], read[max(0, len(read)-MarkBytes):])
	*m = append(*m, next)
}

// Last is the last mark at or before an offset.
func (m Marks) Last(offset int64) (found Mark, ok bool) {
	for _, mark := range m {
		if mark.Offset <= offset {
			found, ok = mark, true
		}
	}
	return found, ok
}

// Stands reports whether the bytes of the mark are before its offset in f.
func (m *Mark) Stands(f io.ReaderAt) (bool, error) {
	var now [MarkBytes]byte
	want := m.bytes[MarkBytes-m.length:]
	n, err := f.ReadAt(now[:m.length], m.Offset-int64(m.length))
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return bytes.Equal(now[:n], want), nil
}

// Sum is the sum of the mark's bytes.
func (m *Mark) Sum() Sum { return SumOf(m.bytes[MarkBytes-m.length:]) }
