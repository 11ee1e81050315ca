package tail

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/stats"
)

// generationGap is how far the line numbers of a new generation begin beyond
// where the earlier one stood: far enough for what is still written to that one,
// and little enough for the digits below a millisecond.
const generationGap = 500_000

// source is a followed path and the files that are open for it.
type source struct {
	Source
	reader      *Reader
	files       []*file // oldest first; the last one is or was at the path
	generations int64
	nextLine    int64  // first line number of the first generation
	looked      bool   // at least once
	trouble     string // why nothing can be read at the path, "" when it can
}

// newest is the file that was opened last, or nil.
func (s *source) newest() *file {
	if len(s.files) == 0 {
		return nil
	}
	return s.files[len(s.files)-1]
}

// look opens the file at the path if it is not the newest one, and notices a
// truncation. The error is why nothing can be read there, and no reason to stop.
func (s *source) look(now time.Time) error {
	info, err := os.Stat(s.Path)
	if err == nil {
		err = RegularFile(s.Path, info.Mode())
	}
	newest := s.newest()
	switch {
	case err != nil:
	case newest != nil && os.SameFile(info, newest.info):
		newest.notice(info.Size())
	default:
		err = s.open(now)
	}
	s.looked = true
	s.report(err)
	return err
}

// RegularFile returns an error with a hint unless mode is a regular file's.
func RegularFile(path string, mode fs.FileMode) error {
	if mode.IsRegular() {
		return nil
	}
	what := "not a regular file"
	switch {
	case mode.IsDir():
		what = "a directory"
	case mode&fs.ModeNamedPipe != 0:
		what = "a pipe"
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	case mode&fs.ModeDevice != 0:
		what = "a device"
	}
	return fmt.Errorf("%s is %s: only a regular file can be followed "+
		"(nginx's container image links access.log to /dev/stdout; let access_log name a file on a volume)", path, what)
}

// open begins a new generation with what is at the path now.
func (s *source) open(now time.Time) error {
	// Should the path have become a pipe meanwhile, do not wait for its writer.
	f, err := os.OpenFile(s.Path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		err = RegularFile(s.Path, info.Mode())
	}
	offset := int64(0)
	if err == nil && s.FromEnd && !s.looked {
		offset, err = afterLastNewline(f, info.Size())
	}
	if err != nil {
		f.Close()
		return err
	}
	if old := s.newest(); old != nil {
		old.superseded = true
		old.grown = now
		s.nextLine = old.at.Line + generationGap
		s.reader.stats.UpdateSource(s.Index, func(st *stats.Source) { st.Rotations++ })
		s.reader.log.Info("log file was rotated", "source", s.Name, "file", s.Path, "offset", old.at.Offset)
	} else {
		s.reader.log.Info("reading log file", "source", s.Name, "file", s.Path, "offset", offset)
	}
	next := &file{source: s, f: f, info: info, grown: now, at: flow.Position{
		Generation: s.generation(), Offset: offset, Line: s.nextLine,
	}}
	s.files = append(s.files, next)
	next.notice(info.Size())
	return nil
}

// generation makes the next one, whose first line is s.nextLine.
func (s *source) generation() *flow.Generation {
	s.generations++
	return &flow.Generation{Source: s.Source.Source, ID: s.generations, FirstLine: s.nextLine}
}

// report tells of trouble with the path when it begins, changes and ends.
func (s *source) report(err error) {
	trouble := ""
	if err != nil {
		trouble = err.Error()
	}
	if trouble == s.trouble && s.looked && (err != nil || s.newest() == nil) {
		return
	}
	if trouble != s.trouble {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			s.reader.log.Warn("log file is missing, waiting for it", "source", s.Name, "file", s.Path)
		case err != nil:
			s.reader.log.Warn("log file cannot be read, waiting", "source", s.Name, "file", s.Path, "err", err)
		default:
			s.reader.log.Info("log file is there again", "source", s.Name, "file", s.Path)
		}
	}
	s.trouble = trouble
	s.reader.stats.UpdateSource(s.Index, func(st *stats.Source) {
		st.Open, st.Trouble = err == nil, trouble
		if f := s.newest(); f != nil {
			st.Offset, st.Size = f.at.Offset, max(f.size, f.at.Offset)
		}
	})
}
