package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/rejects"
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
	values     *tagvalues.Values
	rejects    *rejects.File
	host       string // the tag
	shaper     *shape.Shaper
	settings   *shape.Settings // after begin
}

// openState takes the state directory for this process and opens its files.
func openState(c *config.Config, once bool, st *stats.Stats, log *slog.Logger) (s *state, err error) {
	s = &state{}
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
	if s.values, err = tagvalues.Open(s.dir, c.Tags, c.TagLimit, st, log); err != nil {
		return s, config.UsageError{Err: err}
	}
	if s.host, err = shape.Host(c, s.dir); err != nil {
		return s, err
	}
	s.shaper, err = shape.Open(shape.Options{
		Config: c, State: s.dir, Host: s.host, Values: s.values, Followed: s.checkpoint.Followed, Fresh: s.checkpoint.Fresh(), Once: once, Log: log,
	})
	if err != nil {
		return s, err
	}
	s.rejects, err = rejects.Open(s.dir, c.RejectsMaxBytes, s.checkpoint.Undelivered, st, log)
	return s, err
}

// checkPaths returns a [config.UsageError] if what is at the path of a source cannot be
// followed, whenever it is tried: it is no regular file, or compressed.
func checkPaths(c *config.Config) error {
	for _, source := range c.Sources {
		info, err := os.Stat(source.Path)
		if err != nil {
			continue // the reader waits for it, and says so
		}
		if err = logfile.RegularFile(source.Path, info.Mode()); err == nil {
			err = packed(source.Path)
		}
		if err != nil {
			return config.UsageError{Err: fmt.Errorf("source %s: %w", source.Name, err)}
		}
	}
	return nil
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
func (s *state) begin(c *config.Config, log *slog.Logger) (err error) {
	s.settings, err = shape.OpenSettings(c, s.dir, s.host, log)
	return err
}

// end notes and logs how it ended, err being what the stages said, and returns the
// error to end with.
func (s *state) end(err error, do job, st *stats.Stats, log *slog.Logger) error {
	books := st.Snapshot(time.Now()).Books
	if errors.Is(err, write.ErrUndelivered) || errors.Is(err, context.Canceled) {
		// Whichever stage ended first: what counts is what all of them hold.
		if err = nil; books.InFlight > 0 {
			err = fmt.Errorf("%d lines %w; they are read again at the next start", books.InFlight, write.ErrUndelivered)
		}
	}
	if err == nil && books.InFlight == 0 {
		err = s.settings.Delivered(do.files != nil)
	}
	log.Info("stopped", slog.Group("lines", "read", books.Read, "written", books.Written,
		"rejected", books.Rejected, "filtered", books.Filtered, "in_flight", books.InFlight))
	return err
}

// leave is what leaves out files of the glob at that place of the configuration.
func (s *state) leave(config int) func(path string) (why string, refused bool) {
	return func(path string) (string, bool) { return s.shaper.LeaveOut(config, path) }
}

func (s *state) close() {
	if s.rejects != nil {
		_ = s.rejects.Close() // what was written is synced
	}
	if s.values != nil {
		_ = s.values.Close() // what was used was synced
	}
	if s.dir != nil {
		s.dir.Close()
	}
}

// durable is InfluxDB, which gets a point only when the tag values and the format
// that the point depends on are on the disk: a line that is read again gives the
// same point again.
type durable struct {
	*influx.Client
	kept *state
}

func (d durable) Write(ctx context.Context, pieces [][]byte) error {
	if err := d.kept.values.Sync(ctx); err != nil {
		return err
	}
	if err := d.kept.shaper.Sync(ctx); err != nil {
		return err
	}
	return d.Client.Write(ctx, pieces)
}

// durableCheckpoint also saves that lines were rejected because no format fits, so
// that the next start does not refuse their log. A crash may come first: then
// [shape.Open] asks whether the log was followed.
type durableCheckpoint struct {
	*checkpoint.Checkpoint
	kept *state
}

func (d durableCheckpoint) Save() error {
	_ = d.kept.shaper.Sync(context.Background()) // a full disk, which Save reports
	return d.Checkpoint.Save()
}
