package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/internal/parse"
	"github.com/tailflux/tailflux/internal/shape"
	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/tagvalues"
	"github.com/tailflux/tailflux/internal/tail"
)

// sources are the configured sources as the stages want them, in one order.
type sources struct {
	tail   []tail.Source
	globs  []tail.Glob
	parse  []parse.Source
	values *tagvalues.Values
	host   string // the tag
}

// openCheckpoint reads the checkpoint. That there is none in a directory that was
// used is no first start.
func openCheckpoint(state *statedir.Dir, st *stats.Stats, log *slog.Logger) (*checkpoint.Checkpoint, error) {
	values, err := os.Stat(state.Path(statedir.TagValues))
	used := err == nil && values.Size() > tagvalues.EmptySize
	missing := !state.Has(statedir.Checkpoint) && !state.Has(statedir.CheckpointPrev)
	cp, err := checkpoint.Open(state, st, log)
	if err != nil {
		return nil, config.UsageError{Err: err}
	}
	if used && missing {
		state.Missing(statedir.Checkpoint)
	}
	return cp, nil
}

// openSources compiles the formats and reads the tag values in the state
// directory. The caller closes those.
func openSources(c *config.Config, state *statedir.Dir, once bool, st *stats.Stats, log *slog.Logger) (s sources, err error) {
	if s.host, err = hostTag(c); err != nil {
		return s, err
	}
	if s.values, err = tagvalues.Open(state, c.Tags, c.TagLimit, st, log); err != nil {
		return s, config.UsageError{Err: err}
	}
	defer func() {
		if err != nil {
			_ = s.values.Close() // nothing was written
		}
	}()
	shared, err := shape.NewSchema(c)
	if err != nil {
		return s, err
	}
	shared.Host, shared.Values = s.host, s.values
	found, err := openChoices(c, once, log)
	if err != nil {
		return s, err
	}
	for i, source := range c.Sources {
		if info, err := os.Stat(source.Path); err == nil {
			if err := tail.RegularFile(source.Path, info.Mode()); err != nil {
				return s, config.UsageError{Err: fmt.Errorf("source %s: %w", source.Name, err)}
			}
		}
		var format *logformat.Format
		if source.Format == shape.Auto {
			format, err = found.first(source)
		} else {
			format, err = shape.Compile(c, source)
		}
		if err != nil {
			return s, err
		}
		if format != nil {
			for _, warning := range format.Warnings() {
				log.Warn("the format can go wrong", "source", source.Name, "how", warning)
			}
		}
		s.parse = append(s.parse, parse.Source{Format: format, Schema: shared, Doubt: doubt(log), Detect: found.detect})
		fromEnd := source.Start == "end" && !once
		follow := func(path, name string) *flow.Source {
			index := st.AddSource(name, path, "") // the parser knows what kind
			return &flow.Source{Index: index, Config: i, Name: name, Path: path}
		}
		if tail.IsGlob(source.Path) {
			s.globs = append(s.globs, tail.Glob{
				Pattern: source.Path, FromEnd: fromEnd,
				Source: func(path, matched string) *flow.Source { return follow(path, source.Name+":"+matched) },
			})
		} else {
			s.tail = append(s.tail, tail.Source{Source: follow(source.Path, source.Name), FromEnd: fromEnd})
		}
	}
	return s, nil
}

// durable is InfluxDB, which gets a point only when the tag values that the point
// uses are on the disk: a line that is read again gives the same point again.
type durable struct {
	*influx.Client
	values *tagvalues.Values
}

func (d durable) Write(ctx context.Context, pieces [][]byte) error {
	if err := d.values.Sync(ctx); err != nil {
		return err
	}
	return d.Client.Write(ctx, pieces)
}

// hostTag is the value of the tag "host". The machine's name is kept in the
// state directory once it was chosen: were it to change, a line that is read
// again would become another point.
func hostTag(c *config.Config) (string, error) {
	if c.Host != "" {
		return c.Host, nil
	}
	kept, err := keptHost(c)
	if err != nil || kept != "" {
		return kept, err
	}
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("host: %w (set host in the configuration)", err)
	}
	return host, saveDurably(hostFile(c), []byte(host+"\n"))
}

func hostFile(c *config.Config) string { return filepath.Join(c.StateDir, "host") }

// keptHost is the name that was chosen, "" before that.
func keptHost(c *config.Config) (string, error) {
	kept, err := os.ReadFile(hostFile(c))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("host: %w", err)
	}
	return strings.TrimSpace(string(kept)), nil
}

// saveDurably replaces a file so that, whatever happens, it is there whole, old
// or new.
func saveDurably(path string, data []byte) error {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("save %s: %w", path, err)
	}
	defer os.Remove(tmp.Name()) // gone already when all went well
	defer tmp.Close()
	if _, err = tmp.Write(data); err == nil {
		err = tmp.Sync()
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("save %s: %w", path, err)
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("save %s: %w", path, err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("save %s: %w", path, err)
	}
	return nil
}
