package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/rollup"
	"github.com/tailflux/tailflux/internal/shape"
	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/tagvalues"
	"github.com/tailflux/tailflux/internal/write"
)

// state is what survives a restart, all of it in the state directory.
type state struct {
	dir        *statedir.Dir
	checkpoint *checkpoint.Checkpoint
	trail      *trail // of the checkpoint
	settings   *shape.Settings
	rejects    *rejects.File
	mode       mode
	stats      *stats.Stats
	log        *slog.Logger

	config  *config.Config // in force
	next    *config.Config // that is asked for, if that is another one
	values  *tagvalues.Values
	host    string // the tag
	shaper  *shape.Shaper
	rollups *rollups     // nil without
	book    *rollup.Book // of their intents; nil until it is needed
}

// openState locks the state directory for this process and opens its files.
func openState(c *config.Config, do job, st *stats.Stats, log *slog.Logger) (s *state, err error) {
	s = &state{mode: do.mode, stats: st, log: log}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.dir, err = statedir.Open(c.StateDir, log); err != nil {
		return s, config.UsageError{Err: err}
	}
	if s.checkpoint, err = openCheckpoint(s.dir, st, log); err != nil {
		return s, config.UsageError{Err: err}
	}
	s.trail = newTrail(s.checkpoint, log)
	if s.settings, err = shape.OpenSettings(s.dir); err != nil {
		return s, err
	}
	if err := s.first(c, do); err != nil {
		return s, err
	}
	err = s.openRejects(c)
	return s, err
}

func (s *state) openRejects(c *config.Config) (err error) {
	if s.rejects != nil {
		_ = s.rejects.Close() // what was written is synced
	}
	s.rejects, err = rejects.Open(s.dir, c.RejectsMaxBytes, s.checkpoint.Undelivered, s.stats, s.log)
	return err
}

// first opens the configuration to begin with: another one than c if lines are to be read
// again after a crash, and would become other points.
func (s *state) first(c *config.Config, do job) error {
	host, err := shape.Host(c, s.dir)
	if err != nil {
		return err
	}
	changed, err := s.settings.Changed(c, host, do.mode.leavesLogs())
	if err != nil {
		return err
	}
	if was := s.settings.InForce(c, s.hostOf); len(changed) > 0 && do.loadConfig != nil && was != nil {
		if err := s.try(c); err != nil {
			return err
		}
		if s.open(was, false) == nil {
			s.next = c
			s.log.Warn("configuration changed after an unclean shutdown: what was read before is finished with the settings that it was read with, then the new ones take effect",
				"keys", changed)
			return nil
		}
	}
	if len(changed) > 0 {
		s.log.Warn("configuration changed after an unclean shutdown: about the last second of lines may be stored twice; stop tailflux before editing the configuration",
			"keys", changed)
	}
	return s.open(c, false)
}

func (s *state) hostOf(c *config.Config) (string, error) { return shape.Host(c, s.dir) }

// open opens what points depend on, as another configuration says, in place of what was
// open. After an error that is as before. delivered is set if no line will be read again.
func (s *state) open(c *config.Config, delivered bool) (err error) {
	undo := s.stats.NewTags()
	values, err := tagvalues.Open(s.dir, shape.AdmittedTags(c), c.TagLimit, s.stats, s.log)
	if err != nil {
		undo()
		return config.UsageError{Err: err}
	}
	host, err := shape.Host(c, s.dir)
	var shaper *shape.Shaper
	if err == nil {
		shaper, err = s.shaperOf(c, host, values, delivered, s.log)
	}
	if err == nil {
		err = s.openBook(c)
	}
	if err == nil && delivered {
		err = s.settings.Begin(c, host, false)
	}
	if err != nil {
		undo()
		_ = values.Close()
		return err
	}
	if s.values != nil {
		_ = s.values.Close() // what was used was synced
	}
	s.config, s.values, s.host, s.shaper = c, values, host, shaper
	s.rollups = newRollups(s)
	return nil
}

func (s *state) shaperOf(c *config.Config, host string, values accesslog.Admitter, delivered bool, log *slog.Logger) (*shape.Shaper, error) {
	return shape.Open(shape.Options{
		Config: c, State: s.dir, Host: host, Values: values, Followed: s.checkpoint.Followed,
		Fresh: s.checkpoint.Fresh(), Once: s.mode.readsOnce(), Delivered: delivered, Log: log,
	})
}

// try returns why a configuration cannot be taken over. It changes nothing, and another
// goroutine may use the state.
func (s *state) try(c *config.Config) error {
	_, err := s.shaperOf(c, "any", nil, true, slog.New(slog.DiscardHandler))
	return err
}

// checkPaths returns an error for each source if what is at its path cannot be followed,
// whenever it is tried: it is no regular file, or compressed.
func checkPaths(c *config.Config) (all error) {
	for i, source := range c.Sources {
		info, err := os.Stat(source.Path)
		if err != nil {
			continue // the reader waits for it, and says so
		}
		if err = logfile.RegularFile(source.Path, info.Mode()); err == nil {
			err = packed(source.Path)
		}
		if err != nil {
			all = errors.Join(all, config.UnusablePath(i, err))
		}
	}
	return all
}

// packed is why a file cannot be followed that is compressed, or nil.
func packed(path string) error {
	o, err := logfile.OpenPlain(path)
	if err == nil {
		o.Close()
	}
	if packed, ok := errors.AsType[logfile.PackedError](err); ok {
		return packed
	}
	return nil
}

// openCheckpoint reads the checkpoint, and warns if it is missing from a directory
// that was used before: this is not the first start.
func openCheckpoint(dir *statedir.Dir, st *stats.Stats, log *slog.Logger) (*checkpoint.Checkpoint, error) {
	values, err := os.Stat(dir.Path(statedir.TagValues))
	used := err == nil && values.Size() > tagvalues.EmptySize
	missing := !dir.Has(statedir.Checkpoint) && !dir.Has(statedir.CheckpointPrev)
	cp, err := checkpoint.Open(dir, st, log)
	if err == nil && used && missing {
		dir.Missing(statedir.Checkpoint)
	}
	return cp, err
}

// begin notes that lines are going to be delivered: nothing has stopped the start.
func (s *state) begin() error {
	return s.settings.Begin(s.config, s.host, s.mode.leavesLogs())
}

// end notes and logs how it ended, err being what the stages said, and returns the
// error to end with. caughtUp is set if all was read again that was read before a start.
func (s *state) end(err error, caughtUp bool, st *stats.Stats, log *slog.Logger) error {
	books := st.Snapshot(time.Now()).Books
	if errors.Is(err, write.ErrUndelivered) || errors.Is(err, context.Canceled) {
		// Whichever stage ended first: what counts is what all of them hold.
		if err = nil; books.InFlight > 0 {
			err = fmt.Errorf("%d lines %w; %s", books.InFlight, write.ErrUndelivered, s.mode.again())
		}
	}
	if err == nil && s.rollups != nil && s.trail.isDrained() { // else all that was sent is acknowledged, and read again
		err = s.rollups.undelivered(s.mode.again())
	}
	if err == nil && books.InFlight == 0 && s.trail.isDrained() { // else the next start reads again
		err = s.settings.Delivered(caughtUp)
	}
	log.Info("stopped", slog.Group("lines", "read", books.Read, "written", books.Written,
		"rejected", books.Rejected, "filtered", books.Filtered, "in_flight", books.InFlight))
	return err
}

// leave is what leaves out files of the glob at that place of the configuration.
func (s *state) leave(config int) func(path string) (why string, fatal bool) {
	return func(path string) (string, bool) { return s.shaper.LeaveOut(config, path) }
}

func (s *state) close() {
	if s.rejects != nil {
		_ = s.rejects.Close() // what was written is synced
	}
	if s.book != nil {
		_ = s.book.Close() // what was used was synced
	}
	if s.values != nil {
		_ = s.values.Close() // what was used was synced
	}
	if s.dir != nil {
		s.dir.Close()
	}
}

// durableCheckpoint also saves that lines were rejected because no format fits, so
// that the next start does not refuse their log. A crash may come first: then
// [shape.Open] asks whether the log was followed.
type durableCheckpoint struct {
	*checkpoint.Checkpoint
	kept *state
}

func (d durableCheckpoint) Acknowledge(end flow.Position, last []byte) {
	d.kept.trail.add(promise{end: end, last: last})
}

func (d durableCheckpoint) Save() error {
	_ = d.kept.shaper.Sync(context.Background()) // a full disk, which Save reports
	err := d.Checkpoint.Save()
	d.kept.rollups.saved()
	return err
}
