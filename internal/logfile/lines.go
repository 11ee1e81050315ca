package logfile

import (
	"bufio"
	"errors"
	"io"

	"github.com/tailflux/tailflux/internal/flow"
)

// A LineReader cuts what it reads into lines, of which it keeps at most so many
// bytes.
type LineReader struct {
	r     *bufio.Reader
	max   int
	ahead []readLine // was read already
}

type readLine struct {
	text []byte
	long bool // there was more
}

// NewLineReader returns a reader of the lines of r that keeps longest bytes of each.
func NewLineReader(r io.Reader, longest int) *LineReader {
	return &LineReader{r: bufio.NewReaderSize(r, 256<<10), max: longest}
}

// Next returns the next line without its newline, and without the CR before that,
// and whether it was longer than what is kept, the CR included. The last line needs no newline. The error is io.EOF after it. The
// line belongs to the caller.
func (l *LineReader) Next() (text []byte, long bool, err error) {
	if len(l.ahead) > 0 {
		first := l.ahead[0]
		l.ahead = l.ahead[1:]
		return first.text, first.long, nil
	}
	begun := false
	for {
		piece, err := l.r.ReadSlice('\n')
		begun = begun || len(piece) > 0
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && (!errors.Is(err, io.EOF) || !begun) {
			return nil, false, err
		}
		whole := err == nil
		if whole {
			piece = piece[:len(piece)-1]
		}
		room := l.max - len(text)
		long = long || len(piece) > room
		text = append(text, piece[:min(len(piece), room)]...)
		if whole || errors.Is(err, io.EOF) {
			if !long {
				text = flow.TrimCR(text)
			}
			return text, long, nil
		}
	}
}

// Peek reads at most n lines ahead, which Next returns later, and returns those
// that are not too long.
func (l *LineReader) Peek(n int) ([][]byte, error) {
	var read []readLine
	var all [][]byte
	for len(read) < n {
		text, long, err := l.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		read = append(read, readLine{text, long})
		if !long {
			all = append(all, text)
		}
	}
	l.ahead = read
	return all, nil
}

// Ahead is how many lines were read ahead by Peek and not yet returned.
func (l *LineReader) Ahead() int { return len(l.ahead) }
