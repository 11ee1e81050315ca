package logfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Log is a log file, plain or compressed, that is read from its beginning to its
// end and not followed.
type Log struct {
	*Opened
	at int64
}

// OpenLog opens a file. The error names it; it is a [PackedError] if it cannot be
// unpacked.
func OpenLog(path string) (*Log, error) {
	info, err := os.Stat(path)
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

// Read reads the uncompressed bytes. An error is an [fs.PathError].
func (l *Log) Read(p []byte) (n int, err error) {
	for {
		n, err = l.Content.ReadAt(p, l.at)
		if errors.Is(err, ErrSkipping) {
			continue
		}
		l.at += int64(n)
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
func (l *Log) Rewind() { l.at = 0 }

// Lines counts the lines before an offset, a last one without newline too.
func (l *Log) Lines(offset int64) (lines int64, err error) {
	l.at = 0
	buf, last := make([]byte, 64<<10), byte('\n')
	for in := io.LimitReader(l, offset); ; {
		n, err := in.Read(buf)
		lines += int64(bytes.Count(buf[:n], []byte{'\n'}))
		if n > 0 {
			last = buf[n-1]
		}
		switch {
		case errors.Is(err, io.EOF):
			if last != '\n' {
				lines++
			}
			return lines, nil
		case err != nil:
			return 0, err
		}
	}
}

// SkipLines reads from the beginning and returns the offset behind so many lines,
// or the end.
func (l *Log) SkipLines(lines int64) (offset int64, err error) {
	l.at = 0
	for in := bufio.NewReaderSize(l, 64<<10); lines > 0; {
		piece, err := in.ReadSlice('\n')
		offset += int64(len(piece))
		switch {
		case err == nil:
			lines--
		case !errors.Is(err, bufio.ErrBufferFull):
			return 0, err
		}
	}
	return offset, nil
}

// IsAt reports whether the file is the one at a path now.
func (o *Opened) IsAt(path string) bool {
	info, err := os.Stat(path)
	return err == nil && os.SameFile(info, o.Info)
}
