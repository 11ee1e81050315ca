package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
)

// Log is a log file, plain or compressed, that is read from its beginning to its
// end and not followed.
type Log struct {
	*Opened
	at   int64
	hole bool // what was read last is nothing but NULs
}

// OpenLog opens a file. The error names it; it is a [PackedError] if it cannot be
// unpacked.
func OpenLog(path string) (*Log, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a directory: name the logs in it, such as %s/access.log*", path, path)
	}
	if err == nil {
		err = RegularFile(path, info.Mode())
	}
	if err != nil {
		return nil, err
	}
	o, err := Sibling{Path: path, Info: info}.open(commandMemory)
	if err != nil {
		return nil, err
	}
	l := &Log{Opened: o}
	if z, ok := o.Content.(*Compressed); ok && z.damage != nil && len(o.Head) == 0 {
		l.Close()
		return nil, fmt.Errorf("%s: %w", path, z.damage)
	}
	return l, nil
}

// Read reads the uncompressed bytes. Of the NULs of a hole it leaves out some. An error is
// an [fs.PathError].
func (l *Log) Read(p []byte) (n int, err error) {
	l.skipHole()
	for {
		n, err = l.Content.ReadAt(p, l.at)
		if errors.Is(err, ErrSkipping) {
			continue
		}
		l.at += int64(n)
		l.hole = n > 0 && LeadingNULs(p[:n]) == n
		switch {
		case n > 0 && errors.Is(err, io.EOF):
			err = nil
		case err != nil && !errors.Is(err, io.EOF):
			err = &fs.PathError{Op: "read", Path: l.Path, Err: err}
		}
		return n, err
	}
}

// Rewind goes back to the beginning.
func (l *Log) Rewind() { l.StartAt(0) }

// StartAt makes Read go on at an offset.
func (l *Log) StartAt(offset int64) { l.at, l.hole = offset, false }

// skipHole leaves out what the next bytes are.
func (l *Log) skipHole() {
	if l.hole {
		l.at, l.hole = l.EndOfHole(l.at), false
	}
}

// Lines counts the lines before an offset, a last one without newline too.
func (l *Log) Lines(offset int64) (lines int64, err error) {
	lines, _, err = l.walk(offset, math.MaxInt64)
	return lines, err
}

// SkipLines reads from the beginning and returns the offset behind so many lines,
// or the end.
func (l *Log) SkipLines(lines int64) (offset int64, err error) {
	_, offset, err = l.walk(math.MaxInt64, lines)
	return offset, err
}

// walk reads from the beginning up to an offset, or to the end of so many lines. It
// returns how many lines it has passed, a last one without end too, and where it stopped.
func (l *Log) walk(offset, most int64) (lines, at int64, err error) {
	l.Rewind()
	buf, within := make([]byte, 64<<10), false // a line
	for lines < most {
		l.skipHole()
		from := l.at
		n, err := l.Read(buf[:max(0, min(int64(len(buf)), offset-from))])
		text := buf[:n]
		if whole := int64(bytes.Count(text, []byte{'\n'})); lines+whole < most && bytes.IndexByte(text, 0) < 0 {
			lines += whole
			within = n > 0 && text[n-1] != '\n' || n == 0 && within
			text = nil
		}
		for i, c := range text {
			if c == '\n' || c == 0 && within {
				lines++
			}
			if within = c != '\n' && c != 0; lines == most {
				if c == '\n' {
					i++
				}
				return lines, from + int64(i), nil
			}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, 0, err
		}
		if n == 0 {
			break
		}
	}
	if within {
		lines++
	}
	return lines, l.at, nil
}

// IsAt reports whether the file is the one at a path now.
func (o *Opened) IsAt(path string) bool {
	info, err := os.Stat(path)
	return err == nil && os.SameFile(info, o.Info)
}
