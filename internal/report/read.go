package report

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tailflux/tailflux/internal/config"
)

// StandardInput is the file that stands for it.
const StandardInput = "-"

// Options say what to read.
type Options struct {
	Config *config.Config
	Source config.Source // how lines are read: with the format auto, in those that they are found to be in
	Files  []string      // or [StandardInput]
	Stdin  io.Reader

	FullAddresses bool           // of clients; else their networks
	Progress      func(Progress) // is told how far it is
}

// Progress is how far the reading is.
type Progress struct {
	Done, Total int64 // bytes on the disk; nobody knows how many standard input has
	Lines       int64
	File        string // that is being read
}

// Read reads files, the oldest first, and blocks until all are read. If one cannot be read
// to its end, or is in no known format, the others still are; the error says so, and the
// report is of what was read.
func Read(o Options) (r *Report, err error) {
	files, err := oldestFirst(o)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	c := newCounter(o)
	var now Progress
	for _, f := range files {
		now.Total += f.size
	}
	for _, f := range files {
		now.File = f.name
		failed := c.input(f, func() {
			at := now
			at.Done, at.Lines = at.Done+f.at(), c.Lines.Read
			o.Progress(at)
		})
		now.Done += f.size
		err = errors.Join(err, failed)
	}
	now.Lines = c.Lines.Read
	o.Progress(now)
	return c.report(), err
}

// input counts the lines of one file.
func (c *counter) input(f *input, progress func()) error {
	of := &File{Name: f.name, Bytes: f.size, Formats: []string{}}
	c.Files = append(c.Files, of)
	defer f.close()
	r, err := f.open()
	if err == nil {
		err = c.count(of, r, progress)
		of.Bytes = max(of.Bytes, f.at())
	}
	if err == nil && of.Lines.Rejected > 0 && of.Lines.Rejected == of.Lines.Read {
		err = fmt.Errorf("%s: none of its %d lines is in the format: %s", f.name, of.Lines.Read, f.remedy())
	}
	if err == nil {
		return nil
	}
	of.Error = err.Error()
	if !strings.Contains(of.Error, f.name) {
		err = fmt.Errorf("%s: %w", f.name, err)
	}
	return fmt.Errorf("report: %w", err)
}
