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
	"slices"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logformat"
)

// auto is the format that is found out from the log itself.
const auto = "auto"

// compile returns the format of a source; nil for auto. A JSON log may have any
// names, so those that are wanted are told.
func compile(s config.Source, wanted []string) (*logformat.Format, error) {
	switch {
	case s.Regexp != "":
		return logformat.CompileRegexp(s.Regexp)
	case s.Format == auto:
		return nil, nil
	case s.Format == "json":
		return logformat.CompileJSON(wanted...), nil
	default:
		return logformat.CompileFormat(s.Format)
	}
}

// wanted are the variables that the configuration names.
func wanted(c *config.Config) []string {
	names := slices.Concat(c.Tags, c.Fields, c.Mask)
	for _, rule := range c.Drop {
		for _, condition := range rule {
			names = append(names, condition.Variable)
		}
	}
	return names
}

// checkSource tells what is wrong with a source's format.
func checkSource(s config.Source) error {
	format, err := compile(s, nil)
	if err != nil || format == nil {
		return err
	}
	_, err = accesslog.New(format.Names(), accesslog.Schema{Measurement: "m"})
	return err
}

// choices are the formats that were found out. They are kept in the state
// directory: a line that is read again must be read in the same way.
type choices struct {
	path    string
	c       *config.Config
	log     *slog.Logger
	chosen  map[string]choice // by the name of the source
	unknown map[string]bool   // sources of which that has been said
}

type choice struct {
	Path   string `json:"path"`
	Format string `json:"format"` // what logformat.CompileFormat takes
}

func openChoices(c *config.Config, log *slog.Logger) (*choices, error) {
	ch := &choices{path: filepath.Join(c.StateDir, "formats.json"), c: c, log: log, chosen: map[string]choice{}, unknown: map[string]bool{}}
	data, err := os.ReadFile(ch.path)
	if errors.Is(err, fs.ErrNotExist) {
		return ch, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &ch.chosen)
	}
	if err != nil {
		return nil, usageError{fmt.Errorf("%s, the formats that were found out: %w (name the format of each source, or remove the file)", ch.path, err)}
	}
	return ch, nil
}

// known is the format of a source that was found out earlier or can be now, or
// nil while its file has no lines.
func (ch *choices) known(s config.Source) (*logformat.Format, error) {
	if kept, ok := ch.chosen[s.Name]; ok && kept.Path == s.Path {
		return ch.compile(kept.Format)
	}
	lines, err := head(s.Path)
	if err != nil {
		return nil, nil //nolint:nilerr // the reader waits for it, and says so
	}
	return ch.find(s, lines)
}

// detect is known, when lines have been read. One odd line must not end what goes
// well, so that none fits is said and no error: these lines are rejected, and the
// next ones may tell.
func (ch *choices) detect(source *flow.Source, read []byte) (*logformat.Format, error) {
	s := config.Source{Name: source.Name, Path: source.Path}
	format, err := ch.known(s)
	if format == nil {
		format, err = ch.find(s, bytes.Split(read, []byte{'\n'}))
	}
	if usage := (usageError{}); errors.As(err, &usage) {
		if !ch.unknown[s.Name] {
			ch.log.Error("lines are rejected until the log format is found out", "source", s.Name, "error", err)
		}
		ch.unknown[s.Name] = true
		return nil, nil
	}
	return format, err
}

// find finds the format of lines out and keeps it. It is nil without lines.
func (ch *choices) find(s config.Source, lines [][]byte) (*logformat.Format, error) {
	name, _, err := logformat.Detect(lines)
	if errors.Is(err, logformat.ErrNoLines) {
		return nil, nil
	}
	if err != nil {
		return nil, usageError{fmt.Errorf("source %s: %s: format auto: %w", s.Name, s.Path, err)}
	}
	ch.chosen[s.Name] = choice{s.Path, name}
	data, err := json.MarshalIndent(ch.chosen, "", "  ")
	if err == nil {
		err = saveDurably(ch.path, append(data, '\n'))
	}
	if err != nil {
		return nil, err
	}
	ch.log.Info("log format found out", "source", s.Name, "file", s.Path, "format", name)
	return ch.compile(name)
}

func (ch *choices) compile(name string) (*logformat.Format, error) {
	return compile(config.Source{Format: name}, wanted(ch.c))
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
