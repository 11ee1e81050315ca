package shape

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/logformat"
)

// Fit is how lines go with a format. Empty lines, and those that are too long, say
// nothing of it and are not counted.
type Fit struct {
	Lines   int64
	Misfits int64  // of these
	First   string // why the first misfit is one
}

// Mostly reports whether most lines are in the format. No lines are.
func (f Fit) Mostly() bool { return 2*f.Misfits <= f.Lines }

// Misfit says of lines most of which are not in the format of a source that they are not.
func (f Fit) Misfit(s config.Source) string {
	format := "not in the format"
	if isAuto(s) {
		return fmt.Sprintf("%d of %d lines rejected (%s): they are in no known format, nor in one of source %s", f.Misfits, f.Lines, f.First, s.Name)
	}
	if s.Regexp == "" && !strings.ContainsAny(s.Format, "$ ") {
		format = "no " + s.Format + ", the format"
	}
	return fmt.Sprintf("%d of %d lines rejected (%s): this is %s of source %s", f.Misfits, f.Lines, f.First, format, s.Name)
}

// Fit reads at most so many lines of r and says how they go with the format. Nothing is
// kept of them.
func (l *Lines) Fit(r io.Reader, maxLine int, most int64) (f Fit, err error) {
	lines := logfile.NewLineReader(r, maxLine)
	var point []byte
	for f.Lines < most {
		line, long, err := lines.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return f, err
		}
		if long || len(line) == 0 {
			continue
		}
		f.Lines++
		reason := flow.NoMatch
		is, err := l.AppendRead(point[:0], line, f.Lines, lines, maxLine)
		if err != nil {
			return f, err
		}
		for range is.More {
			if _, _, err := lines.Next(); err != nil {
				return f, err
			}
		}
		if point = is.Points; is.Outcome != accesslog.Rejected {
			continue
		}
		if is.Matched {
			reason = flow.BadTime
		}
		if _, known := logformat.Nearest(line); known && l.Any {
			continue
		}
		if f.Misfits++; f.Misfits == 1 {
			f.First = string(reason)
		}
	}
	return f, nil
}

// Look returns lines of a source that are for another goroutine than those of
// [Shaper.Lines], and choose no format: nil while no format is known. source is a place in the
// configuration, path that of the log; values may be nil, as in [New].
func (s *Shaper) Look(source int, name, path string, values accesslog.Admitter) (*Lines, error) {
	configured := s.o.Config.Sources[source]
	formats := []string{configured.Format}
	if isAuto(configured) {
		formats = s.choices.of(name, logOf(configured, path)).all()
	}
	configured.Name = name
	all, err := newChain(s.o.Config, configured, formats, s.o.Host, values)
	if all != nil {
		all.Any = isAuto(configured)
	}
	return all, err
}
