package tail

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/logfile"
)

// Log is a log file, plain or compressed, that is read from its beginning to its
// end and not followed.
type Log struct {
	o  *opened
	at int64
}

// OpenLog opens a file; its name tells whether it is compressed (.gz, .zst).
func OpenLog(path string) (*Log, error) {
	info, err := os.Stat(path)
	if err == nil {
		err = logfile.RegularFile(path, info.Mode())
	}
	if err != nil {
		return nil, err
	}
	o, err := sibling{path: path, info: info}.open()
	if err != nil {
		return nil, err
	}
	l := &Log{o: o}
	if z, ok := o.content.(*packed); ok && z.damage != nil && len(o.head) == 0 {
		l.Close()
		return nil, fmt.Errorf("%s: %w", path, z.damage)
	}
	return l, nil
}

// Read reads the uncompressed bytes.
func (l *Log) Read(p []byte) (n int, err error) {
	for {
		n, err = l.o.content.ReadAt(p, l.at)
		if errors.Is(err, errSkipping) {
			continue
		}
		l.at += int64(n)
		if n > 0 && errors.Is(err, io.EOF) {
			err = nil
		}
		return n, err
	}
}

// Rewind goes back to the beginning.
func (l *Log) Rewind() { l.at = 0 }

// Close closes the file.
func (l *Log) Close() { l.o.close() }

// Record is a run of lines of a log that were delivered.
type Record struct {
	Generation          int64
	FirstLine, NextLine int64 // their numbers: from, and up to
	Before              int64 // lines that stand before them in the log

	offset   int64 // the bytes up to the last of them
	finished bool  // none that follow will be read
}

// Records tells which lines of the log were followed as some generation of a
// source, or imported. Those that should have been, and never will be, are among
// them. It finds that by what is in the log, and reads much of it.
func (l *Log) Records(s *checkpoint.Source) (all []Record, err error) {
	followed, sure := l.findFollowed(s)
	if sure >= copyOf {
		all = append(all, followed)
	}
	for _, g := range s.Imports {
		if l.o.holds(g.File, g.Offset, g.Before) >= copyOf {
			all = append(all, Record{Generation: g.ID, FirstLine: g.FirstLine, NextLine: g.Line, offset: g.Offset})
		}
	}
	for i := range all {
		if all[i].Before, err = l.before(all[i]); err != nil {
			return nil, err
		}
	}
	if followed.finished && !isAt(s.Path, l.o.info) {
		read := all[0].NextLine - all[0].FirstLine
		all = append(all, Record{Generation: followed.Generation, FirstLine: followed.NextLine, NextLine: math.MaxInt64, Before: all[0].Before + read})
	}
	return all, nil
}

// findFollowed finds it among those that were not imported, and tells how sure
// that is.
func (l *Log) findFollowed(s *checkpoint.Source) (found Record, sure int) {
	for _, g := range s.Finished {
		if is := l.o.holds(g.File, g.Offset, g.Before); is > another && is >= sure {
			sure, found = is, Record{Generation: g.ID, FirstLine: g.FirstLine, NextLine: g.LastLine, offset: g.Offset, finished: true}
		}
	}
	for _, g := range s.Open {
		if is := l.o.holds(g.File, g.Offset, g.Before); is > another && is >= sure {
			sure, found = is, Record{Generation: g.ID, FirstLine: g.FirstLine, NextLine: g.Line, offset: g.Offset}
		}
	}
	return found, sure
}

// before is the number of lines that were there at the very first start, and were
// not read because start was the end: those before the record's offset that have
// no number.
func (l *Log) before(r Record) (lines int64, err error) {
	lines, err = l.lines(r.offset)
	// Fewer were copied than read if the log was written to before it was truncated.
	return max(0, lines-(r.NextLine-r.FirstLine)), err
}

// lines counts the lines before an offset, a last one without newline too.
func (l *Log) lines(offset int64) (lines int64, err error) {
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

// earlier is the same as before in bytes. What stands before a generation that is
// not the first one was read as another, before the file was cut.
func (l *Log) earlier(r Record) (offset int64, err error) {
	if r.Generation > 1 {
		return 0, nil
	}
	lines, err := l.before(r)
	if err != nil || lines == 0 {
		return 0, err
	}
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
