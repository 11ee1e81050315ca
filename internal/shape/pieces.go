package shape

import (
	"bytes"
	"errors"
	"io"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/logfile"
)

// Read is what became of a line that was read, by itself or with others.
type Read struct {
	Points  []byte
	Outcome accesslog.Outcome
	Matched bool
	More    int // so many lines behind it belong to it: its number is that of the last of them

	By       *accesslog.Encoder // of a point
	Captures [][]byte           // that it was made of
}

// AppendRead is Append for a line that comes from a reader, as the daemon does it: one in
// pieces is joined, if it has not more than most bytes, and one of a container's standard
// error is filtered. The lines behind it are only looked at. The error is of reading them.
func (l *Lines) AppendRead(dst, line []byte, number int64, behind *logfile.LineReader, most int) (r Read, err error) {
	captures, ok := l.Matcher.Match(line)
	switch {
	case ok:
	case l.Matcher.Aside():
		return Read{Points: dst, Outcome: accesslog.Filtered, Matched: true}, nil
	default:
		if captures, r.More, err = l.Pieces(line, behind, most); err != nil {
			return r, err
		}
		ok = captures != nil
	}
	if ok {
		r.Matched = true
		if r.Points, r.Outcome = l.Encoder.Append(dst, captures, number+int64(r.More)); r.Outcome != accesslog.Rejected || r.More > 0 {
			r.By, r.Captures = l.Encoder, captures
			return r, nil
		}
	}
	earlier := l.Earlier.AppendAny(dst, line, number)
	earlier.Matched = earlier.Matched || ok
	return earlier, nil
}

// Pieces is MatchPieces of a matcher for a line and those behind it, of which more belong
// to it. captures is nil if it is no such line.
func (l *Lines) Pieces(line []byte, behind *logfile.LineReader, most int) (captures [][]byte, more int, err error) {
	text, read, ended := append(bytes.Clone(line), '\n'), 0, false
	for want := 1; ; want *= 2 {
		if captures, lines := l.Matcher.MatchPieces(text, most); lines > 0 {
			return captures, lines - 1, nil
		}
		if ended || !l.Matcher.Unfinished() {
			return nil, 0, nil
		}
		for ; read < want; read++ {
			next, long, err := behind.At(read)
			if ended = long || errors.Is(err, io.EOF); ended {
				break
			}
			if err != nil {
				return nil, 0, err
			}
			text = append(append(text, next...), '\n')
		}
	}
}
