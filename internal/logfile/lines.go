package logfile

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/tailflux/tailflux/internal/flow"
)

// A LineReader cuts what it reads into lines, of which it keeps at most so many
// bytes.
type LineReader struct {
	r     *bufio.Reader
	max   int
	rest  []byte     // of the last piece, from NULs on
	open  bool       // the last line had no end
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
// and whether it was longer than what is kept, the CR included. The last line needs no
// newline. NULs are in no line: they end the one before them and are skipped. The error
// is io.EOF after the last line. The line belongs to the caller.
func (l *LineReader) Next() (text []byte, long bool, err error) {
	if len(l.ahead) > 0 {
		first := l.ahead[0]
		l.ahead = l.ahead[1:]
		return first.text, first.long, nil
	}
	return l.read()
}

// read is Next without what was read ahead.
func (l *LineReader) read() (text []byte, long bool, err error) {
	for begun, ended := false, false; !ended; {
		piece, err := l.piece()
		if err != nil && (!errors.Is(err, io.EOF) || !begun) {
			return nil, false, err
		}
		if !begun {
			piece = piece[LeadingNULs(piece):]
		}
		if nul := bytes.IndexByte(piece, 0); nul >= 0 {
			piece, l.rest, ended = piece[:nul], piece[nul:], true
		} else if n := len(piece); n > 0 && piece[n-1] == '\n' {
			piece, ended, begun = piece[:n-1], true, true
		}
		begun = begun || len(piece) > 0
		l.open = err != nil
		ended = ended || l.open
		room := l.max - len(text)
		long = long || len(piece) > room
		text = append(text, piece[:min(len(piece), room)]...)
	}
	if !long {
		text = flow.TrimCR(text)
	}
	return text, long, nil
}

// piece returns bytes of one line, up to its newline if they reach that, valid until
// the next call. The error is io.EOF behind the last ones.
func (l *LineReader) piece() ([]byte, error) {
	if len(l.rest) > 0 {
		piece := l.rest
		l.rest = nil
		return piece, nil
	}
	piece, err := l.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) || len(piece) > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return piece, err
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
	l.ahead = append(read, l.ahead...)
	return all, nil
}

// At returns what Next will after n other lines, without their being read for it. The
// line belongs to the reader.
func (l *LineReader) At(n int) (text []byte, long bool, err error) {
	for len(l.ahead) <= n {
		text, long, err := l.read()
		if err != nil {
			return nil, false, err
		}
		l.ahead = append(l.ahead, readLine{text, long})
	}
	return l.ahead[n].text, l.ahead[n].long, nil
}

// Unended reports whether the last line that was read, or read ahead, had no end: more of it
// may be written.
func (l *LineReader) Unended() bool { return l.open }

// Ahead is how many lines were read ahead and not yet returned.
func (l *LineReader) Ahead() int { return len(l.ahead) }
