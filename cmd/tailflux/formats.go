package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/internal/shape"
	"github.com/tailflux/tailflux/internal/tail"
)

// choices are the formats that were found out. They are kept in the state
// directory: a line that is read again must be read in the same way.
type choices struct {
	path   string
	c      *config.Config
	log    *slog.Logger
	chosen map[string]choice // by the name of the source
	strict bool              // nothing is rejected because there is none
}

type choice struct {
	Path   string `json:"path"`
	Format string `json:"format"` // what logformat.CompileFormat takes; empty while its lines are rejected because there is none
}

func openChoices(c *config.Config, strict bool, log *slog.Logger) (*choices, error) {
	ch := &choices{path: filepath.Join(c.StateDir, "formats.json"), c: c, log: log, chosen: map[string]choice{}, strict: strict}
	data, err := os.ReadFile(ch.path)
	if errors.Is(err, fs.ErrNotExist) {
		return ch, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &ch.chosen)
	}
	if err != nil {
		return nil, config.UsageError{Err: fmt.Errorf("%s, the formats that were found out: %w (name the format of each source, or remove the file)", ch.path, err)}
	}
	if ch.chosen == nil { // it holds null
		ch.chosen = map[string]choice{}
	}
	return ch, nil
}

// known is the format of a source that was found out earlier or can be now, or
// nil while its file has no lines.
func (ch *choices) known(s config.Source) (*logformat.Format, error) {
	if kept, ok := ch.chosen[s.Name]; ok && kept.Path == s.Path && kept.Format != "" {
		format, err := ch.compile(kept.Format)
		if err != nil {
			err = config.UsageError{Err: fmt.Errorf("%s: source %s: %w (name its format, or remove the file)", ch.path, s.Name, err)}
		}
		return format, err
	}
	lines, err := head(s.Path)
	if err != nil {
		return nil, nil //nolint:nilerr // the reader waits for it, and says so
	}
	return ch.find(s, lines)
}

// detect is known, when lines have been read.
func (ch *choices) detect(source *flow.Source, read []byte) (*logformat.Format, error) {
	s := config.Source{Name: source.Name, Path: source.Path}
	format, err := ch.known(s)
	if format == nil && err == nil {
		format, err = ch.find(s, bytes.Split(read, []byte{'\n'}))
	}
	if _, none := errors.AsType[config.UsageError](err); none && !ch.strict {
		err = ch.wait(s, err)
	}
	return format, err
}

// wait says why no format fits, once: one odd line must not end what goes well.
// Such lines are rejected, and the next ones may tell.
func (ch *choices) wait(s config.Source, why error) error {
	if ch.waits(s.Path) {
		return nil
	}
	ch.log.Error("lines are rejected until the log format is found out", "source", s.Name, "error", why)
	return ch.keep(s, "")
}

func (ch *choices) waits(path string) bool {
	for _, kept := range ch.chosen {
		if kept == (choice{Path: path}) {
			return true
		}
	}
	return false
}

// first looks at the files of a source at the start. That no format fits is an
// error then, unless its lines were rejected before.
func (ch *choices) first(s config.Source) (*logformat.Format, error) {
	if !tail.IsGlob(s.Path) {
		format, err := ch.known(s)
		if err != nil && ch.waits(s.Path) && !ch.strict {
			ch.log.Error("lines are rejected until the log format is found out", "source", s.Name, "error", err)
			return nil, nil
		}
		return format, err
	}
	for _, path := range tail.Matches(s.Path) {
		lines, err := head(path)
		if err != nil || ch.knows(path) {
			continue // the reader says what is wrong with the file
		}
		if _, _, err := logformat.Detect(lines); err != nil && !errors.Is(err, logformat.ErrNoLines) {
			return nil, config.UsageError{Err: fmt.Errorf("source %s: %s: format auto: %w", s.Name, path, err)}
		}
	}
	return nil, nil
}

// knows tells whether a file was followed, with a format or waiting for one.
func (ch *choices) knows(path string) bool {
	for _, kept := range ch.chosen {
		if kept.Path == path {
			return true
		}
	}
	return false
}

// find finds the format of lines out and keeps it. It is nil without lines.
func (ch *choices) find(s config.Source, lines [][]byte) (*logformat.Format, error) {
	name, _, err := logformat.Detect(lines)
	if errors.Is(err, logformat.ErrNoLines) {
		return nil, nil
	}
	if err != nil {
		return nil, config.UsageError{Err: fmt.Errorf("source %s: %s: format auto: %w", s.Name, s.Path, err)}
	}
	if err := ch.keep(s, name); err != nil {
		return nil, err
	}
	ch.log.Info("log format found out", "source", s.Name, "file", s.Path, "format", name)
	return ch.compile(name)
}

func (ch *choices) keep(s config.Source, format string) error {
	ch.chosen[s.Name] = choice{s.Path, format}
	data, err := json.MarshalIndent(ch.chosen, "", "  ")
	if err == nil {
		err = saveDurably(ch.path, append(data, '\n'))
	}
	return err
}

func (ch *choices) compile(name string) (*logformat.Format, error) {
	return shape.Compile(ch.c, config.Source{Format: name})
}

// head returns the first lines of a file, at most a hundred, whole ones only.
func head(path string) (lines [][]byte, err error) {
	const most, longest = 100, 1 << 20
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, longest)
	for len(lines) < most {
		line, err := in.ReadSlice('\n')
		if err != nil {
			break // the end, or no log
		}
		lines = append(lines, bytes.Clone(line[:len(line)-1]))
	}
	return lines, nil
}

// doubt warns that a source's lines do not match, and says what they look like.
func doubt(log *slog.Logger) func(*flow.Source, []byte) {
	return func(s *flow.Source, line []byte) {
		looks := "no format that is known"
		if name, ok := logformat.Nearest(line); ok {
			looks = name
		}
		log.Warn("more than half of the last 1,000 lines were rejected: is the format right? tailflux explain tells more",
			"source", s.Name, "file", s.Path, "looks_like", looks)
	}
}
