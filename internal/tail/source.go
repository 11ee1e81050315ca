package tail

import (
	"cmp"
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
	files       []*file // in the order in which they were opened; all but one are superseded
	generations int64
	firstLine   int64       // of the latest generation
	looked      bool        // at least once
	there       fs.FileInfo // the file that was there at the start, if it is to be read from where it ended
	globbed     bool        // it was found, and may go without a word
	trouble     string      // why nothing can be read, "" when it can
}

// newest is the file that is or was last at the path, or nil.
func (s *source) newest() *file {
	for _, f := range s.files {
		if !f.superseded {
			return f
		}
	}
	return nil
}

// holding is the open file with info's identity, or nil.
func (s *source) holding(info fs.FileInfo) *file {
	for _, f := range s.files {
		if os.SameFile(info, f.info) {
			return f
		}
	}
	return nil
}

// look finds out what is at the path and how long the files are. The error is
// why something cannot be read, and no reason to stop.
func (s *source) look(now time.Time) error {
	err := s.lookAtPath(now)
	if s.globbed && errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	for _, f := range s.files {
		if trouble := cmp.Or(f.look(), f.trouble); err == nil {
			err = trouble
		}
	}
	s.report(err)
	return err
}

// lookAtPath makes the file at the path the newest one.
func (s *source) lookAtPath(now time.Time) error {
	first := !s.looked
	s.looked = true
	info, err := os.Stat(s.Path)
	if err == nil {
		err = RegularFile(s.Path, info.Mode())
	}
	if err != nil {
		return err
	}
	if first && s.FromEnd {
		s.there = info
	}
	f := s.holding(info)
	if f == nil {
		return s.open(now)
	}
	if f.superseded { // and has come back
		s.supersede(now)
		f.superseded = false
	}
	return nil
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
	if err == nil && s.there != nil && os.SameFile(info, s.there) {
		offset, err = afterLastNewline(f, min(info.Size(), s.there.Size()))
	}
	if err != nil || s.holding(info) != nil { // it came back at this moment: the next look will see it
		f.Close()
		return err
	}
	s.there = nil
	if s.newest() == nil {
		s.reader.log.Info("reading log file", "source", s.Name, "file", s.Path, "offset", offset)
	}
	s.supersede(now)
	next := &file{source: s, f: f, info: info, grown: now}
	next.begin(offset)
	s.files = append(s.files, next)
	return nil
}

// supersede takes note that the newest file, if any, is no longer at the path
// and another one is.
func (s *source) supersede(now time.Time) {
	old := s.newest()
	if old == nil {
		return
	}
	old.superseded, old.grown = true, now
	s.reader.log.Info("log file was rotated", "source", s.Name, "file", s.Path, "offset", old.at.Offset)
	s.reader.stats.UpdateSource(s.Index, func(st *stats.Source) { st.Rotations++ })
}

// generation makes the next one. Its lines are numbered beyond those of all
// earlier ones.
func (s *source) generation() *flow.Generation {
	s.generations++
	if s.generations == 1 {
		s.firstLine = 1
	} else {
		for _, f := range s.files {
			s.firstLine = max(s.firstLine, f.at.Line)
		}
		s.firstLine += generationGap
	}
	return &flow.Generation{Source: s.Source.Source, ID: s.generations, FirstLine: s.firstLine}
}

// report tells of trouble when it begins, changes and ends.
func (s *source) report(err error) {
	trouble := ""
	if err != nil {
		trouble = err.Error()
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
		s.trouble = trouble
	}
	s.reader.stats.UpdateSource(s.Index, func(st *stats.Source) {
		st.Open, st.Trouble = err == nil, trouble
		if f := s.newest(); f != nil {
			st.Offset, st.Size = f.at.Offset, max(f.size, f.at.Offset)
		}
	})
}
