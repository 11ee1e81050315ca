package main

import (
	"cmp"
	"fmt"
	"io"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/shape"
	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/stats"
)

// judgedLines is how many lines of a file are looked at before it is imported.
const judgedLines = 10_000

// judge returns a function that says why a file is not to be imported: it is a log of another
// source, or most of its first lines are not in the format of its own source. Nothing of such
// a file is rejected, and it is not recorded as imported.
func (s *state) judge(c *config.Config) func(*logfile.Log, []checkpoint.Part) error {
	source := c.Sources[0]
	return func(l *logfile.Log, parts []checkpoint.Part) error {
		name := s.shown(l.Path)
		if other, ok := s.checkpoint.FollowedAs(l, source.Name); ok {
			return fmt.Errorf("%s is or was followed as source %s, which has its lines: nothing of it was imported as source %s",
				name, other, source.Name)
		}
		lines, err := s.shaper.Look(0, source.Name, source.Path, nil)
		if err != nil || lines == nil {
			return err
		}
		var all shape.Fit
		for _, p := range parts {
			l.StartAt(p.Start.Offset)
			part := io.Reader(l)
			if p.Until > 0 {
				part = io.LimitReader(l, p.Until-p.Start.Offset)
			}
			f, err := lines.Fit(part, int(c.MaxLineBytes), judgedLines-all.Lines)
			if err != nil && f.Lines == 0 {
				return nil // who imports it says so
			}
			all = shape.Fit{Lines: all.Lines + f.Lines, Misfits: all.Misfits + f.Misfits, First: cmp.Or(all.First, f.First)}
		}
		if all.Mostly() {
			return nil
		}
		return fmt.Errorf("%s: %s. Nothing of it was imported; try tailflux explain --file %s", name, all.Misfit(source), name)
	}
}

// shown is the name of a file for a message.
func (s *state) shown(path string) string {
	if path == s.dir.Path(statedir.Input) {
		return "standard input"
	}
	return path
}

// known returns why a log must not be read with --once: its lines are, or will be, points
// of another source. It was rotated since.
func (s *state) known(c *config.Config) error {
	for _, source := range c.Sources {
		if source.IsGlob() || s.checkpoint.Followed(source.Path) {
			continue
		}
		l, err := logfile.OpenLog(source.Path)
		if err != nil {
			continue // the reader says so
		}
		other, ok := s.checkpoint.FollowedAs(l, source.Name)
		l.Close()
		if ok {
			return fmt.Errorf("%s is or was followed as source %s, and would become points a second time as source %s: "+
				"deliver what is missing of it with tailflux import --source %s, or all of it with another --state-dir",
				source.Path, other, source.Name, other)
		}
	}
	return nil
}

// misfits is the error of a run that read to the end and rejected most lines of a log.
func misfits(c *config.Config, do job, st *stats.Stats) error {
	if !do.mode.readsOnce() {
		return nil
	}
	for _, source := range st.Snapshot(time.Now()).Sources {
		fit := shape.Fit{Lines: source.Lines, Misfits: source.Misfits, First: source.FirstMisfit}
		if fit.Mostly() {
			continue
		}
		of, _ := shape.Configured(c, source.Name)
		of.Name = source.Name
		file := source.Path
		if len(do.files) == 1 {
			file = do.files[0]
		}
		return fmt.Errorf("%s: %s. The lines are in %s: try tailflux explain --file %s, correct the format, then tailflux redeliver",
			file, fit.Misfit(of), statedir.Rejects, file)
	}
	return nil
}
