package shape

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/logformat"
)

// sampleLines is how many lines a format is detected from at most.
const sampleLines = 100

// Evidence is what the lines of a log say of its format.
type Evidence struct {
	Path  string
	End   bool   // the lines are its last ones: what will be read begins behind them
	Lines int    // that were looked at
	Other string // what it is, if it is no access log

	Known  int    // so many of them are of any known format, if there is no format
	Format string // that fits; of a configured one, whether it does
	Fits   int    // so many of the lines
	Head   string // the format of its first lines, if that is another one
	Unsure string // see choice
	Err    error  // why there is no format: logformat.ErrNoLines while there are no lines
}

// An examiner judges logs by lines of theirs. It changes nothing.
type examiner struct {
	config   *config.Config
	once     bool                   // logs are read from their beginning
	followed func(path string) bool // before; nil is never
	probes   map[string]*Lines      // by format, with any value for a tag
}

// examine judges a log by those of its lines that are most like what will be read: its
// first ones if that is all of it, else its last ones.
func (x *examiner) examine(source config.Source, path string) Evidence {
	e := Evidence{Path: path, End: !x.once && (source.Start == "end" || x.isFollowed(path))}
	read := logfile.FirstLines
	if e.End {
		read = logfile.LastLines
	}
	lines, err := read(path, sampleLines)
	if err != nil {
		lines = nil // the reader waits for the file, and says so
	}
	if lines = notBlank(lines); len(lines) == 0 {
		e.Err = logformat.ErrNoLines
		return e
	}
	e.Lines = len(lines)
	if isAuto(source) {
		e.Format, e.Err = x.judgeEnd(lines, e.End)
	} else {
		e.Format, e.Err = source.Format, x.misfit(source, lines)
	}
	if e.Err == nil || !isAuto(source) {
		if shaped, err := x.probe(withFormat(source, e.Format)); err == nil {
			e.Fits = shaped.fitting(lines)
		}
	}
	if !isAuto(source) && e.Fits > 0 {
		e.Err = nil
	}
	if isAuto(source) && e.Err == nil {
		e.Unsure = unsure(e.Format, lines)
	}
	if isAuto(source) && e.Err == nil && e.End {
		e.Head = x.head(path, e.Format)
	}
	if e.Err != nil {
		e.Other = otherOf(lines)
		for _, line := range lines {
			if _, known := logformat.Nearest(line); known {
				e.Known++
			}
		}
	}
	if e.Known == 0 && e.Other != "" {
		e.Err = fmt.Errorf("this is %s, not an access log", e.Other)
	}
	return e
}

// misfit is what is said when no line becomes a point in the configured format.
func (x *examiner) misfit(source config.Source, lines [][]byte) error {
	if shaped, err := x.probe(source); err == nil && shaped.untimed(lines) != "" {
		return errors.New("no line becomes a point: their times cannot be read")
	}
	if format, err := x.judge(lines); err == nil {
		return fmt.Errorf("no line is in the configured format, they look like %s: set that, or auto", format)
	}
	return errors.New("no line is in the configured format: compare them with it with tailflux explain")
}

// head is the format of the first lines of a log, "" if it is this one.
func (x *examiner) head(path, end string) string {
	lines, err := logfile.FirstLines(path, sampleLines)
	if err != nil || len(notBlank(lines)) == 0 {
		return ""
	}
	if format, err := x.judgeEnd(notBlank(lines), false); err == nil && format != end {
		return format
	}
	return ""
}

// judgeEnd returns the format of the lines that are nearest to those that will be read:
// the last ones, or the first ones. If not all of them have one, fewer do.
func (x *examiner) judgeEnd(lines [][]byte, end bool) (format string, err error) {
	first := logformat.ErrNoLines
	for n := len(lines); n > 0; n /= 2 {
		some := lines[:n]
		if end {
			some = lines[len(lines)-n:]
		}
		if format, err = x.judge(some); err == nil {
			return format, nil
		}
		if n == len(lines) {
			first = err
		}
	}
	return "", first
}

// judge returns the known format of lines. One odd line among a few is ignored, and so is
// one in twenty. A format does not count if the lines do not become points with it.
func (x *examiner) judge(lines [][]byte) (format string, err error) {
	format, err = Detect(lines)
	if err != nil && len(lines) > 2 && len(lines) < 20 {
		for i := range lines {
			if _, known := logformat.Nearest(lines[i]); !known {
				rest := slices.Concat(lines[:i], lines[i+1:])
				if without, err := Detect(rest); err == nil {
					return x.judgePoints(without, rest)
				}
				break
			}
		}
	}
	if err != nil {
		return "", err
	}
	return x.judgePoints(format, lines)
}

// Detect returns the known format of lines, as [logformat.Detect] does. But if they are of two that have the same two
// times in each other's place, it is the one with the whole first: later lines tell.
func Detect(lines [][]byte) (format string, err error) {
	format, err = logformat.Detect(lines)
	if both, ok := errors.AsType[logformat.AmbiguousError](err); ok && len(both.Names) == 2 {
		if twin, ok := logformat.FindTwin(both.Names[0]); ok && twin.Name == both.Names[1] {
			if twin.First {
				return both.Names[0], nil
			}
			return both.Names[1], nil
		}
	}
	return format, err
}

// unsure returns the format, if no line proves that it is not of its twin.
func unsure(format string, lines [][]byte) string {
	twin, ok := logformat.FindTwin(format)
	if !ok || slices.ContainsFunc(lines, func(line []byte) bool { return twin.Proof(line) > logformat.Clocks }) {
		return ""
	}
	return format
}

func (x *examiner) judgePoints(format string, lines [][]byte) (string, error) {
	shaped, err := x.probe(config.Source{Format: format})
	if err != nil {
		return "", err
	}
	if shaped.fitting(lines) == 0 {
		return "", fmt.Errorf("the lines look like %s, but %s",
			format,
			cmp.Or(shaped.untimed(lines), "none of them has a time that can be read; set format to the log_format in nginx.conf"))
	}
	return format, nil
}

// fitting is how many of the lines become points, or are dropped as configured.
func (l *Lines) fitting(lines [][]byte) (n int) {
	var point []byte
	for _, line := range lines {
		captures, ok := l.Matcher.Match(line)
		if !ok {
			continue
		}
		if _, outcome := l.Encoder.Append(point[:0], captures, 0); outcome != accesslog.Rejected {
			n++
		}
	}
	return n
}

// otherOf is what the lines are of if it is no access log, by any of them.
func otherOf(lines [][]byte) string {
	for _, line := range lines {
		if other, ok := logformat.Other(line); ok {
			return other
		}
	}
	return ""
}

func notBlank(lines [][]byte) (all [][]byte) {
	for _, line := range lines {
		if len(bytes.TrimSpace(line)) > 0 {
			all = append(all, line)
		}
	}
	return all
}

func (x *examiner) isFollowed(path string) bool { return x.followed != nil && x.followed(path) }

// probe returns lines to try a format with: what they admit is not kept.
func (x *examiner) probe(source config.Source) (*Lines, error) {
	key := source.Format + "\n" + source.Regexp
	if x.probes[key] == nil {
		lines, err := New(x.config, config.Source{Format: source.Format, Regexp: source.Regexp}, "", nil)
		if err != nil {
			return nil, err
		}
		x.probes[key] = lines
	}
	return x.probes[key], nil
}

func withFormat(source config.Source, format string) config.Source {
	source.Format = format
	return source
}
