package shape

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/internal/statedir"
)

// Options say what a [Shaper] shapes.
type Options struct {
	Config *config.Config
	State  *statedir.Dir // nil: nothing is known of earlier runs, and nothing is kept
	Host   string        // the tag
	Values accesslog.Admitter
	// Followed reports whether the log at path was followed before; nil is never.
	Followed func(path string) bool
	// Fresh is set when nothing is known of any log: lines are numbered from 1 again.
	Fresh bool
	// Once is for a run that ends by itself: it fails when no format fits, rather
	// than to reject lines for want of one.
	Once bool
	// Delivered is set when all that was read is acknowledged, so that no line will be read
	// again.
	Delivered bool
	Log       *slog.Logger
}

// Shaper shapes the lines of all configured sources. Lines and Missed are for one
// goroutine, LeaveOut is for another, Sync for any.
type Shaper struct {
	o       Options
	choices *choices
	lines   map[string]*Lines // by format or regexp
	read    map[string]*Lines // by source and formats

	kinds kinds

	examiner                     // for the parse stage, and for Open
	outside  examiner            // for LeaveOut
	found    map[inGlob]Evidence // of a glob's files that were there at the start
	samples  map[string][][]byte // lines of sources whose format is not known, by name
	said     map[string]bool     // configured sources of which it was said that lines lack something, by name, or a format of theirs, by both
	left     map[string]bool     // sources whose lines are no requests, by name
	unlike   map[string]bool     // sources whose lines are of no known format, which was said, by name
	newest   map[string]int64    // number of the next line of a source whose format is not sure, by name
	unproved map[string]int64    // so many lines of it proved nothing
	imported map[string][]string // formats of imported files that are not kept, by name of the source
}

// Open compiles the configured formats and reads the ones that were detected
// earlier. Of sources whose format must be detected it looks at the lines of the file,
// if that is there. The error is a [config.UsageError] when no format fits a log, or
// any log of a glob, that was not followed before: one odd line must not end a daemon
// that worked.
func Open(o Options) (*Shaper, error) {
	look := func() examiner {
		return examiner{config: o.Config, once: o.Once, followed: o.Followed, probes: map[string]*Lines{}}
	}
	s := &Shaper{
		o: o, lines: map[string]*Lines{}, read: map[string]*Lines{}, examiner: look(), outside: look(),
		kinds: kinds{of: map[string]string{}},
		said:  map[string]bool{}, found: map[inGlob]Evidence{}, samples: map[string][][]byte{}, left: map[string]bool{},
		unlike: map[string]bool{}, newest: map[string]int64{}, unproved: map[string]int64{}, imported: map[string][]string{},
	}
	var err error
	if s.choices, err = openChoices(o.Config, o.State); err != nil {
		return nil, err
	}
	if o.Fresh {
		s.choices.forgetLines()
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
		s.warnOf(source, lines)
		s.warnOfUnmet(source.Name, lines.unmetAtStart(o.Config, source))
	}
	return s, nil
}

// Lines returns how the lines of a source become points, from a position on and up to
// the line of a number. read are the lines that were read there, whole ones with their
// newlines, from which the format is detected if need be. While it is not known, the
// result is nil; with Once the error says why. It touches no disk: the choice is durable
// after the next [Shaper.Sync].
func (s *Shaper) Lines(at flow.Position, read []byte) (l *Lines, until int64, err error) {
	source := at.Generation.Source
	configured := s.o.Config.Sources[source.Config]
	if s.isLeft(configured, source.Name, read) {
		return &Lines{Leave: true}, math.MaxInt64, nil
	}
	if !isAuto(configured) {
		if s.isOther(source, configured, read) {
			return &Lines{Leave: true}, math.MaxInt64, nil
		}
		shared, err := s.shared(configured)
		if err != nil {
			return nil, 0, err
		}
		s.warnOfUnmet(configured.Name, shared.unmetIn(s.o.Config, read))
		return shared.For(source.Name), math.MaxInt64, nil
	}
	chosen := s.choices.of(source.Name, logOf(configured, source.Path))
	if chosen.Format == "" {
		if chosen, err = s.detected(at, read); err != nil {
			return nil, 0, err
		}
		if s.left[source.Name] {
			return &Lines{Leave: true}, math.MaxInt64, nil
		}
	}
	chosen = s.proveTwin(at, chosen, read)
	formats, until := chosen.at(at.Line)
	if chosen.Unsure != "" {
		until = min(until, at.Line+int64(bytes.Count(read, []byte{'\n'})))
	}
	if isImported(at) { // its lines have numbers of their own
		formats, until = slices.Concat(s.imported[source.Name], chosen.all()), math.MaxInt64
	}
	l, err = s.chain(configured, source.Name, formats)
	if l != nil && s.warnOf(withFormat(configured, formats[0]), l) {
		s.warnOfUnmet(configured.Name, l.unmetIn(s.o.Config, read))
	}
	return l, until, err
}

// Source returns a configured source as its log is read now: with the format that was
// detected, if it is to be. name and path are of the log; ok is false while nothing is known
// of it. Any goroutine may call it.
func (s *Shaper) Source(name, path string) (source config.Source, ok bool) {
	for _, source := range s.o.Config.Sources {
		isFile := source.IsGlob() && strings.HasPrefix(name, source.Name+":")
		if source.Name != name && !isFile {
			continue
		}
		if !isAuto(source) {
			return source, true
		}
		chosen := s.choices.of(name, logOf(source, path))
		return withFormat(source, chosen.Format), chosen.Format != ""
	}
	return config.Source{}, false
}

// Sync returns nil when every format that was chosen before the call is on the
// disk. It only looks when no format is new. After an error the next
// call tries again. It blocks until another's call is over or ctx ends.
func (s *Shaper) Sync(ctx context.Context) error { return s.choices.sync(ctx) }

func keyOf(source config.Source) string { return source.Format + "\n" + source.Regexp }

// shared returns the lines that all sources of one format share.
func (s *Shaper) shared(source config.Source) (*Lines, error) {
	key := keyOf(source)
	if s.lines[key] == nil {
		lines, err := New(s.o.Config, source, s.o.Host, s.o.Values)
		if err != nil {
			return nil, err
		}
		s.lines[key] = lines
	}
	return s.lines[key], nil
}

// chain returns the lines of a source that has these formats, the latest first; nil if
// there are none.
func (s *Shaper) chain(configured config.Source, name string, formats []string) (l *Lines, err error) {
	if len(formats) == 0 {
		return nil, nil
	}
	key := name + "\n" + strings.Join(formats, "\n")
	if s.read[key] == nil {
		shared, err := s.shared(withFormat(configured, formats[0]))
		if err != nil {
			return nil, err
		}
		l := shared.For(name)
		if l.Earlier, err = s.chain(configured, name, formats[1:]); err != nil {
			return nil, err
		}
		s.read[key] = l
	}
	return s.read[key], nil
}

// first looks at the files of a source at the start, and returns its format if
// that is known. That of a glob never is: each of its files is a source.
func (s *Shaper) first(source config.Source) (format string, err error) {
	if source.IsGlob() {
		return "", s.firstOfGlob(source)
	}
	chosen := s.choices.of(source.Name, source.Path)
	anew := chosen.Format != "" && source.Anew
	if chosen.Format != "" && !anew {
		return chosen.Format, nil
	}
	_, waiting := s.choices.knows(isLog(source, source.Path))
	if waiting && !s.o.Once {
		return "", nil // by the lines that come, which are numbered
	}
	e := s.examine(source, source.Path)
	switch {
	case anew:
		return s.rejudge(source, chosen, e), nil
	case e.Err == nil:
		s.choose(source.Name, source.Path, choice{Path: source.Path, Format: e.Format, Unsure: e.Unsure}, e.String())
		return e.Format, nil
	case errors.Is(e.Err, logformat.ErrNoLines):
	case s.choices.lost: // it had a format, which the next lines show: odd ones must not end the daemon
	case !s.o.Once && s.interrupted(source.Name, source.Path):
		s.reject(source.Name, source.Path, e.Err)
		s.choices.choose(source.Name, choice{Path: source.Path})
	default:
		return "", s.unknown(source.Name, source.Path, e.Err)
	}
	return "", nil
}

// rejudge judges anew what was chosen, because the format is auto in so many words: if the
// log says anything else now, that holds from now on. After a crash, lines are to be read
// again, in the format that they had.
func (s *Shaper) rejudge(source config.Source, was choice, e Evidence) (format string) {
	switch {
	case e.Err != nil || e.Format == was.Format:
		return was.Format
	case !s.o.Delivered && !stoppedCleanly(s.o.State):
		s.o.Log.Warn("log looks like another format than the one that was chosen; it is kept for the lines that are read again after a crash",
			"source", source.Name, "file", source.Path, "was", was.Format, "format", e.Format)
		return was.Format
	}
	s.o.Log.Warn("the format that was chosen is forgotten, because the format is auto in the configuration",
		"source", source.Name, "file", source.Path, "was", was.Format, "format", e.Format)
	s.choose(source.Name, source.Path, choice{Path: source.Path, Format: e.Format, Unsure: e.Unsure}, e.String())
	return e.Format
}

// interrupted reports whether the log at path was followed with its format to be
// detected until a crash, before which it need not have been saved that none fits.
// name is that of the configured source.
func (s *Shaper) interrupted(name, path string) bool {
	return s.isFollowed(path) && !s.o.Delivered && crashedWithAuto(s.o.State, name)
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

func (s *Shaper) choose(name, file string, c choice, evidence string) {
	s.choices.choose(name, c)
	s.o.Log.Info("log format detected", "source", name, "file", file, "format", c.Format, "reason", evidence)
}

func (s *Shaper) reject(name, path string, why error) {
	s.o.Log.Error("no log format fits: lines are rejected until one does", "source", name, "file", path, "err", why)
}

func (s *Shaper) unknown(name, path string, why error) error {
	return config.UsageError{Err: fmt.Errorf("source %s: %s: format auto: %w", name, path, why)}
}

func isImported(at flow.Position) bool { return at.Generation.ID < 0 }

func isAuto(s config.Source) bool { return s.Regexp == "" && s.Format == Auto }
