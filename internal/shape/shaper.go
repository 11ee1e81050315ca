package shape

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/internal/statedir"
)

// sampleLines is how many lines the format is detected from at most.
const sampleLines = 100

// Options say what a [Shaper] shapes.
type Options struct {
	Config *config.Config
	State  *statedir.Dir
	Host   string // the tag
	Values accesslog.Admitter
	// Followed reports whether the log at path was followed before; nil is never.
	Followed func(path string) bool
	// Once is for a run that ends by itself: it fails when no format fits, rather
	// than to reject lines for want of one.
	Once bool
	Log  *slog.Logger
}

// Shaper shapes the lines of all configured sources. Lines is for one goroutine,
// Sync for any.
type Shaper struct {
	o       Options
	choices *choices
	lines   map[string]*Lines   // by format or regexp
	found   map[string]string   // formats of a glob's files that were there at the start, by path
	samples map[string][][]byte // lines of sources whose format is not detected yet, by name
}

// Open compiles the configured formats and reads the ones that were detected
// earlier. Of sources whose format must be detected it looks at the first lines,
// if the file is there. The error is a [config.UsageError] when no format fits a
// log that was not followed before: one odd line must not end a daemon that
// worked.
func Open(o Options) (*Shaper, error) {
	s := &Shaper{o: o, lines: map[string]*Lines{}, found: map[string]string{}, samples: map[string][][]byte{}}
	var err error
	if s.choices, err = openChoices(o.Config, o.State); err != nil {
		return nil, err
	}
	for _, source := range o.Config.Sources {
		if isAuto(source) {
			if source.Format, err = s.first(source); err != nil {
				return nil, err
			}
			if source.Format == "" {
				continue
			}
		}
		lines, err := s.shared(source)
		if err != nil {
			return nil, err
		}
		for _, warning := range lines.Format.Warnings() {
			o.Log.Warn("lines can be misread with this format", "source", source.Name, "reason", warning)
		}
		if why := lines.unknownAtStart(source, o.Config.Exclude); why != "" {
			o.Log.Warn("points have no content", "source", source.Name, "reason", why)
		}
	}
	return s, nil
}

// Lines returns how the lines of a source become points. read are some that were
// read, whole ones with their newlines, from which the format is detected if need
// be. While it is not known, the result is nil; with Once the error says why. It
// touches no disk: the choice is durable after the next [Shaper.Sync].
func (s *Shaper) Lines(source *flow.Source, read []byte) (*Lines, error) {
	configured := s.o.Config.Sources[source.Config]
	if isAuto(configured) {
		var err error
		if configured.Format, err = s.detected(source, read); err != nil || configured.Format == "" {
			return nil, err
		}
	}
	shared, err := s.shared(configured)
	if err != nil {
		return nil, err
	}
	return shared.For(source.Name), nil
}

// Sync returns nil when every format that was detected before the call is on the
// disk. It has nothing to do but look when none is new. After an error the next
// call tries again. It blocks until another's call is over or ctx ends.
func (s *Shaper) Sync(ctx context.Context) error { return s.choices.sync(ctx) }

// shared returns the lines that all sources of one format share.
func (s *Shaper) shared(source config.Source) (*Lines, error) {
	key := source.Format + "\n" + source.Regexp
	if s.lines[key] == nil {
		lines, err := New(s.o.Config, source, s.o.Host, s.o.Values)
		if err != nil {
			return nil, err
		}
		s.lines[key] = lines
	}
	return s.lines[key], nil
}

// first looks at the files of a source at the start, and returns its format if
// that is known. That of a glob never is: each of its files is a source.
func (s *Shaper) first(source config.Source) (format string, err error) {
	paths := []string{source.Path}
	glob := source.IsGlob()
	if glob {
		paths = logfile.CompilePattern(source.Path, s.o.Config.Exclude...).Paths(nil)
	} else if format = s.choices.of(source.Name, source.Path); format != "" {
		return format, nil
	}
	for _, path := range paths {
		followed, waiting := s.choices.knows(isLog(source, path))
		if glob && followed && !waiting {
			continue
		}
		waiting = waiting || !followed && s.interrupted(source.Name, path)
		lines, err := logfile.FirstLines(path, sampleLines)
		if err != nil {
			continue // the reader waits for the file, and says so
		}
		format, err = logformat.Detect(lines)
		switch {
		case err == nil && glob:
			s.found[path] = format
		case err == nil:
			s.choose(source.Name, path, format)
			return format, nil
		case errors.Is(err, logformat.ErrNoLines):
		case s.choices.lost: // it had a format, which the next lines show: odd ones at the head must not end the daemon
		case waiting && !s.o.Once:
			if !glob {
				s.reject(source.Name, path, err)
				s.choices.choose(source.Name, path, "")
			}
		default:
			return "", s.unknown(source.Name, path, err)
		}
	}
	return "", nil
}

// interrupted reports whether the log at path was followed with its format to be
// detected until a crash, before which it need not have been saved that none fits.
// name is that of the configured source.
func (s *Shaper) interrupted(name, path string) bool {
	return s.o.Followed != nil && s.o.Followed(path) && crashedWithAuto(s.o.State, name)
}

// detected returns the format of a source, "" while it is not known.
func (s *Shaper) detected(source *flow.Source, read []byte) (format string, err error) {
	name, path := source.Name, source.Path
	log := logOf(s.o.Config.Sources[source.Config], path)
	if format = s.choices.of(name, log); format != "" {
		return format, nil
	}
	if format = s.found[path]; log != path {
		format = cmp.Or(s.choices.ofDays(isLog(s.o.Config.Sources[source.Config], path)), format)
	}
	if format != "" {
		s.choose(name, log, format)
		return format, nil
	}
	sample := s.samples[name]
	for line := range bytes.Lines(read) {
		if len(sample) >= sampleLines {
			break
		}
		sample = append(sample, bytes.Clone(flow.TrimCR(bytes.TrimSuffix(line, []byte{'\n'}))))
	}
	format, err = logformat.Detect(sample)
	if len(sample) >= sampleLines || err == nil {
		sample = nil // the next lines may fit one
	}
	s.samples[name] = sample
	switch {
	case err == nil:
		s.choose(name, log, format)
		return format, nil
	case errors.Is(err, logformat.ErrNoLines):
		return "", nil
	case s.o.Once:
		return "", s.unknown(name, path, err)
	}
	if _, waiting := s.choices.knows(isLog(s.o.Config.Sources[source.Config], path)); !waiting {
		s.reject(name, path, err)
		s.choices.choose(name, log, "")
	}
	return "", nil
}

// logOf is the path by which a choice is known: of a log that has a file a day, the same
// for all of them.
func logOf(source config.Source, path string) string {
	if !source.IsGlob() {
		return path
	}
	return logfile.CompilePattern(source.Path).Log(path)
}

// isLog reports whether a choice is known by the path of a log, or by that of one of its
// days.
func isLog(source config.Source, path string) func(path string) bool {
	log := logOf(source, path)
	if log == path {
		return func(known string) bool { return known == log }
	}
	pattern := logfile.CompilePattern(source.Path)
	begin, _, _ := strings.Cut(log, "*") // asked first, for the sake of thousands of logs
	return func(known string) bool {
		return known == log || strings.HasPrefix(known, begin) && pattern.Log(known) == log
	}
}

func (s *Shaper) choose(name, path, format string) {
	s.choices.choose(name, path, format)
	s.o.Log.Info("log format detected", "source", name, "file", path, "format", format)
}

func (s *Shaper) reject(name, path string, why error) {
	s.o.Log.Error("no log format fits: lines are rejected until one does", "source", name, "file", path, "err", why)
}

func (s *Shaper) unknown(name, path string, why error) error {
	return config.UsageError{Err: fmt.Errorf("source %s: %s: format auto: %w", name, path, why)}
}

func isAuto(s config.Source) bool { return s.Regexp == "" && s.Format == Auto }
