package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/logformat"
)

// An explanation is what becomes of a line. Its JSON is documented in
// docs/explain.md.
type explanation struct {
	Matched   bool       `json:"matched"` // it becomes a point, or is left out on purpose
	Format    string     `json:"format"`
	PathTaken *string    `json:"path_taken"`
	Vars      pairs      `json:"vars"`
	Tags      pairs      `json:"tags"`
	Fields    pairs      `json:"fields"`
	Time      *time.Time `json:"time"`
	Point     *string    `json:"point"`
	Error     *lineError `json:"error"`

	number   int64
	line     []byte
	reason   string // it is rejected for, as in rejects.jsonl
	why      string // not the scanner
	filtered string // by which rule, or ""
	nearest  string // known format, or ""
}

type lineError struct {
	Column   int    `json:"column"` // in bytes, from 1
	Expected string `json:"expected"`
}

func (e *explanation) reject(reason string, column int, expected string) {
	e.Matched, e.reason, e.Error = false, reason, &lineError{column, expected}
}

// An explainer explains the lines of one format.
type explainer struct {
	name     string // what CompileFormat or CompileRegexp took
	short    string // the same in a sentence
	detected bool
	note     string // what went wrong with that, or ""
	format   *logformat.Format
	matcher  *logformat.Matcher
	encoder  *accesslog.Encoder
	schema   accesslog.Schema
	max      int
}

func newExplainer(c *config.Config, source config.Source) (*explainer, error) {
	format, err := compile(source, wanted(c))
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", source.Name, err) // checked by config.Load
	}
	x := &explainer{name: strings.TrimSpace(source.Format), short: "the log_format", format: format, matcher: format.NewMatcher(), max: int(c.MaxLineBytes)}
	switch {
	case source.Regexp != "":
		x.name, x.short = source.Regexp, "the regexp"
	case slices.Contains(logformat.Presets(), x.name):
		x.short = x.name
	}
	if x.schema, err = schema(c); err != nil {
		return nil, err
	}
	x.schema.Source, x.schema.Escape, x.schema.Host = source.Name, format.Escape(), c.Host
	if c.Host == "" { // the state directory may have another one
		if x.schema.Host, err = os.Hostname(); err != nil {
			return nil, fmt.Errorf("host: %w (give --host)", err)
		}
	}
	x.encoder, err = accesslog.New(format.Names(), x.schema)
	return x, err
}

// detectExplainer finds the format by the first 100 lines, as run does. When
// none fits all of them it takes the nearest, so that there is a place to show.
// It returns nil when there are no lines.
func detectExplainer(c *config.Config, source config.Source, lines *lineReader) (*explainer, error) {
	sample, err := lines.peek(100)
	if err != nil {
		return nil, err
	}
	if len(sample) == 0 && len(lines.ahead) == 0 {
		return nil, nil
	}
	source.Regexp = ""
	var note string
	if source.Format, _, err = logformat.Detect(sample); err != nil {
		source.Format = nearestFormat(sample)
		if !errors.Is(err, logformat.ErrNoLines) {
			note = err.Error()
		}
	}
	x, err := newExplainer(c, source)
	if err == nil {
		x.detected, x.note = true, note
	}
	return x, err
}

// nearestFormat is the known format that the first line with one is of, or the
// preset that goes furthest on the first line.
func nearestFormat(sample [][]byte) string {
	var first []byte
	for _, line := range sample {
		if name, ok := logformat.Nearest(line); ok {
			return name
		}
		if len(bytes.TrimSpace(first)) == 0 {
			first = line
		}
	}
	if bytes.HasPrefix(bytes.TrimSpace(first), []byte("{")) {
		return "json"
	}
	best, furthest := "combined", -1
	for _, name := range logformat.Presets() {
		f, err := logformat.CompileFormat(name)
		if err != nil {
			continue // a test would have found it
		}
		if d := f.Diagnose(first); d.Column > furthest || d.Column == furthest && name == "combined" {
			best, furthest = name, d.Column
		}
	}
	return best
}

// explain explains one line. Of one that is too long it gets only the beginning.
func (x *explainer) explain(line []byte, long bool, number int64) (explanation, error) {
	e := explanation{Matched: true, Format: x.name, number: number, line: line}
	if long {
		e.reject("too long", x.max+1, fmt.Sprintf("the end of the line: max_line is %d bytes", x.max))
		return e, nil
	}
	slow := x.matcher.Slow
	captures, ok := x.matcher.Match(line)
	path := x.format.Kind()
	if x.matcher.Slow > slow {
		if e.why = x.format.Why(); path == "scanner" {
			e.why = "the scanner could not prove this line"
		}
		path = "regexp"
	}
	e.PathTaken = &path
	if !ok {
		reason := "no match"
		if len(line) == 0 {
			reason = "empty"
		}
		d := x.format.Diagnose(line)
		e.reject(reason, d.Column, d.Expected)
		e.nearest, _ = logformat.Nearest(line)
		return e, nil
	}
	for i, name := range x.format.Names() {
		if captures[i] != nil {
			e.Vars = append(e.Vars, pair{name, validText(captures[i]), plainText(captures[i])})
		}
	}
	point, reason, ok := x.encoder.Append(nil, captures, number)
	switch {
	case ok:
		text := strings.TrimSuffix(string(point), "\n")
		at := x.encoder.Time().UTC()
		e.Point, e.Time = &text, &at
		e.Tags, e.Fields = splitPoint(text)
	case reason == "":
		var err error
		if e.filtered, err = x.rule(captures, number); err != nil {
			return e, err
		}
	default:
		column, expected := x.badValue(line, captures, reason)
		e.reject(reason, column, expected)
	}
	return e, nil
}

// rule names the rule that leaves a line out.
func (x *explainer) rule(captures [][]byte, number int64) (string, error) {
	for i, rule := range x.schema.Drop {
		one := x.schema
		one.Drop = []accesslog.Rule{rule}
		encoder, err := accesslog.New(x.format.Names(), one)
		if err != nil {
			return "", err
		}
		if _, reason, ok := encoder.Append(nil, captures, number); ok || reason != "" {
			continue
		}
		var conditions []string
		for _, c := range rule {
			conditions = append(conditions, c.Variable+": "+c.Match)
		}
		return fmt.Sprintf("drop[%d] {%s}", i, strings.Join(conditions, ", ")), nil
	}
	return "drop", nil
}

// badValue finds the value that a line of the right shape is rejected for.
func (x *explainer) badValue(line []byte, captures [][]byte, reason string) (column int, expected string) {
	if reason != "bad time" {
		return 1, "another line: " + reason
	}
	names := x.format.Names()
	for _, name := range []string{"msec", "time_iso8601", "time_local"} {
		if i := slices.Index(names, name); i >= 0 && len(captures[i]) > 0 && string(captures[i]) != "-" {
			return max(1, bytes.Index(line, captures[i])+1), "a time that there is, with its zone, for $" + name
		}
	}
	return len(line) + 1, "a time"
}
