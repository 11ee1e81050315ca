// Package feed writes made-up access logs at a steady rate, and rotates the
// file as logrotate and nginx do together.
//
//	clock ──► nginxlog ──► whole lines, every 10 ms ──► FILE, or any writer
//
// The log has a clock: the wall clock, or with Options.Start an imagined one
// that advances by a fixed step per line and makes the output repeatable, byte
// by byte and file by file. Every duration in Options is measured on it.
//
// It writes nothing twice and loses nothing; it does not sync, and it does not
// compress what it rotates.
package feed

import (
	"errors"
	"fmt"
	"io"
	"math"
	"sync/atomic"
	"time"

	"github.com/tailflux/tailflux/mock/nginxlog"
)

// Options say what to write, how fast and where to. The zero value of a field
// means "no such thing" unless said otherwise; exactly one of Path and Output
// is needed.
type Options struct {
	// Log is the log's content. While its Traffic has no lengths of calm and
	// outage and Rate is not 0, they last 90 s and 5 s on average.
	Log nginxlog.Options

	Rate     float64       // lines a second by the wall clock; 0: as fast as possible
	Lines    int64         // how many; 0: no limit
	Duration time.Duration // how much of the log's time; 0: no limit

	// Start makes the time imagined. Step is the time between two lines then;
	// 0 means what follows from Rate, or 1 ms without one.
	Start time.Time
	Step  time.Duration

	Path     string // appended to, created when missing
	Rotation Rotation
	Output   io.Writer

	// WriteBytes cuts what is written into calls of so many bytes, in the
	// middle of lines: for readers who must cope with that. 0: whole lines.
	WriteBytes int
}

// Rotation is when and how the file at Path is rotated. Each line is in exactly
// one file.
type Rotation struct {
	Every time.Duration // of the log's time; or
	Lines int64         // lines since the file was opened
	Keep  int           // rotated files to keep; 0: all

	// Lag is how long the renamed file is still written to: the time between
	// logrotate's rename and nginx's reopening. An empty file stands at Path
	// meanwhile. The next rotation waits for it.
	Lag time.Duration
}

// Summary is what was written so far. Torn and Garbage are parts of Lines.
type Summary struct {
	Lines     int64 `json:"lines"`
	Torn      int64 `json:"torn"`
	Garbage   int64 `json:"garbage"`
	Bytes     int64 `json:"bytes"`
	Rotations int64 `json:"rotations"`
}

// Feed writes one log, once.
type Feed struct {
	options   Options
	generator *nginxlog.Generator

	lines, torn, garbage, bytes, rotations atomic.Int64
}

// New checks the options and touches nothing. The error reports all that is
// wrong with them.
func New(o Options) (*Feed, error) {
	var errs []error
	failIf := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	failIf(!(o.Rate >= 0 && o.Rate <= 1e9), "rate %v: want lines a second up to 1e9, or 0", o.Rate)
	failIf(o.Lines < 0, "lines %d: want a positive number, or 0", o.Lines)
	failIf(o.Duration < 0, "duration %v: want a positive time, or 0", o.Duration)
	failIf(o.Step < 0, "step %v: want a positive time, or 0", o.Step)
	failIf(o.Step > 0 && o.Start.IsZero(), "step %v: needs a start", o.Step)
	failIf(o.WriteBytes < 0, "write bytes %d: want a positive number, or 0", o.WriteBytes)
	failIf((o.Path == "") == (o.Output == nil), "output: want either a file or a writer")
	r := o.Rotation
	failIf(r.Every < 0 || r.Lines < 0, "rotate every: want a positive time or number of lines")
	failIf(r.Every > 0 && r.Lines > 0, "rotate every: want a time or a number of lines, not both")
	failIf((r.Every > 0 || r.Lines > 0) && o.Path == "", "rotate every: needs an output file")
	failIf(r.Keep < 0, "rotate keep %d: want a positive number, or 0", r.Keep)
	failIf(r.Lag < 0, "rotate lag %v: want a positive time, or 0", r.Lag)

	if t := &o.Log.Traffic; o.Rate > 0 && t.CalmRequests == 0 && t.OutageRequests == 0 {
		t.CalmRequests = int(min(max(90*o.Rate, 500), math.MaxInt32))
		t.OutageRequests = int(min(max(5*o.Rate, 50), math.MaxInt32))
	}
	g, err := nginxlog.New(o.Log)
	if err != nil {
		errs = append(errs, err)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &Feed{options: o, generator: g}, nil
}

// Summary may be called at any time, also while Run runs. It counts what the
// writer has taken.
func (f *Feed) Summary() Summary {
	return Summary{
		Lines:     f.lines.Load(),
		Torn:      f.torn.Load(),
		Garbage:   f.garbage.Load(),
		Bytes:     f.bytes.Load(),
		Rotations: f.rotations.Load(),
	}
}
