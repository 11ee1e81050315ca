package explain

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
	"github.com/tailflux/tailflux/internal/escape"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/internal/nginxvar"
	"github.com/tailflux/tailflux/internal/rollup"
	"github.com/tailflux/tailflux/internal/shape"
)

// An explanation is what a line becomes. Its JSON is documented in
// docs/explain.md.
type explanation struct {
	Matched   bool       `json:"matched"` // it becomes a point, or is filtered
	Format    string     `json:"format"`
	PathTaken *string    `json:"path_taken"`
	Vars      pairs      `json:"vars"`
	Tags      pairs      `json:"tags"`
	Fields    pairs      `json:"fields"`
	Time      *time.Time `json:"time"`
	Point     *string    `json:"point"`
	Rollups   []share    `json:"rollups"`
	Error     *lineError `json:"error"`

	number   int64
	line     []byte
	reason   flow.Reason // why it is rejected, as in rejects.jsonl
	why      string      // not the scanner
	filtered string      // why, or ""
	more     int         // so many lines behind it are pieces of it
	nearest  string      // known format, or ""
	omitted  []string    // fields whose values are not the numbers that they are
}

// A share is what a line adds to a rollup.
type share struct {
	Measurement string    `json:"measurement"`
	Window      time.Time `json:"window"` // its begin
	Tags        pairs     `json:"tags"`
	Fields      pairs     `json:"fields"`
}

type lineError struct {
	Column   int    `json:"column"` // in bytes, from 1
	Expected string `json:"expected"`
}

func (e *explanation) reject(reason flow.Reason, column int, expected string) {
	e.Matched, e.reason, e.Error = false, reason, &lineError{column, expected}
}

// An explainer explains the lines of one format.
type explainer struct {
	*shape.Lines
	config   *config.Config
	rollups  []rollup.Definition
	name     string // what CompileFormat or CompileRegexp accepts
	short    string // the same in a sentence
	detected bool
	note     string   // why no format fits, or ""
	unmet    []string // what the lines do not have
	unread   string   // what they have that is left out, or ""
	max      int
}

func newExplainer(c *config.Config, source config.Source) (x *explainer, err error) {
	host := c.Host
	if host == "" { // the state directory may have another one
		if host, err = os.Hostname(); err != nil {
			return nil, fmt.Errorf("host: %w (set --host)", err)
		}
	}
	x = &explainer{config: c, name: strings.TrimSpace(source.Format), short: "the log_format", max: int(c.MaxLineBytes)}
	switch {
	case source.Regexp != "":
		x.name, x.short = source.Regexp, "the regexp"
	case slices.Contains(logformat.Presets(), x.name):
		x.short = x.name
	}
	if x.Lines, err = shape.New(c, source, host, nil); err != nil {
		return nil, fmt.Errorf("source %s: %w", source.Name, err) // checked by config.Load
	}
	return x, nil
}

// detectExplainer detects the format from the first 100 lines, as run does. When
// no format fits, it uses the nearest, to have a column to show. It returns nil
// when there are no lines.
func detectExplainer(c *config.Config, source config.Source, lines *logfile.LineReader) (*explainer, error) {
	sample, err := lines.Peek(sampleLines)
	if err != nil {
		return nil, fmt.Errorf("read lines: %w", err)
	}
	if lines.Ahead() == 0 {
		return nil, nil
	}
	source.Regexp = ""
	var note string
	if source.Format, err = shape.Detect(sample); err != nil {
		if source.Format == "" {
			source.Format = nearestFormat(sample)
		}
		if !errors.Is(err, logformat.ErrNoLines) {
			note = err.Error()
		}
		if other, ok := logformat.Other(firstOf(sample)); ok {
			note = "this is " + other + ", not an access log"
		}
	}
	x, err := newExplainer(c, source)
	if err == nil {
		x.detected, x.note = true, note
	}
	return x, err
}

// firstOf is the first line that is not empty.
func firstOf(lines [][]byte) []byte {
	for _, line := range lines {
		if len(bytes.TrimSpace(line)) > 0 {
			return line
		}
	}
	return nil
}

// nearestFormat returns the known format that the first recognizable line has, or
// the preset that matches the first line furthest.
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

// explain explains one line, with those behind it that are pieces of it; a line that is
// too long is cut.
func (x *explainer) explain(line []byte, long bool, number int64, behind *logfile.LineReader) (explanation, error) {
	e := explanation{Matched: true, Format: x.name, number: number, line: line}
	if long {
		e.reject(flow.TooLong, x.max+1, fmt.Sprintf("the end of the line: max_line is %d bytes", x.max))
		return e, nil
	}
	slow := x.Matcher.Slow
	captures, ok := x.Matcher.Match(line)
	switch {
	case ok:
	case x.Matcher.Aside():
		e.filtered = "it is of the standard error, and no line of the access log"
	default:
		var err error
		if captures, e.more, err = x.Pieces(line, behind, x.max); err != nil {
			return e, fmt.Errorf("read lines: %w", err)
		}
		ok = captures != nil
		e.number += int64(e.more)
	}
	path := x.Format.Kind()
	if x.Matcher.Slow > slow {
		if e.why = x.Format.Why(); path == "scanner" {
			e.why = "the scanner could not decide this line"
		}
		path = "regexp"
	}
	e.PathTaken = &path
	if e.filtered != "" {
		return e, nil
	}
	if !ok {
		reason := flow.NoMatch
		if len(line) == 0 {
			reason = flow.Empty
		}
		d := x.Format.Diagnose(line)
		e.reject(reason, d.Column, d.Expected)
		e.nearest, _ = logformat.Nearest(line)
		return e, nil
	}
	for i, name := range x.Format.Names() {
		if captures[i] != nil {
			e.Vars = append(e.Vars, pair{name, escape.Invalid(string(captures[i]), escape.Hex), plainText(string(captures[i]))})
		}
	}
	point, outcome := x.Encoder.Append(nil, captures, e.number)
	switch outcome {
	case accesslog.Point:
		at := x.Encoder.Time().UTC()
		e.Time, e.Rollups = &at, x.shares(captures)
		if !x.config.Raw {
			break
		}
		text := strings.TrimSuffix(string(point), "\n")
		e.Point = &text
		e.Tags, e.Fields = pointPairs(text)
		if x.Encoder.Omitted() > 0 {
			e.omitted = x.omitted(e)
		}
	case accesslog.Filtered:
		var err error
		if e.filtered, err = x.rule(captures, e.number); err != nil {
			return e, err
		}
		e.filtered = "by " + e.filtered
	case accesslog.Rejected:
		column, expected := x.BadTime(line, captures)
		e.reject(flow.BadTime, column, expected)
	}
	return e, nil
}

// shares are what the line that was last encoded adds to each rollup.
func (x *explainer) shares(captures [][]byte) []share {
	all := []share{}
	m := x.Encoder.Measures(captures)
	for i, r := range x.rollups {
		delta := r.Alone(x.Schema.Host, x.Schema.Source, m, x.Encoder.AppendRollupTags(nil, i, captures))
		s := share{Measurement: r.Measurement, Window: time.Unix(0, r.Window(m.At)).UTC()}
		s.Tags, s.Fields = pointPairs(strings.TrimSuffix(delta, "\n"))
		all = append(all, s)
	}
	return all
}

// piece is the explanation of a line that is a piece of the one that e is about.
func (e *explanation) piece(line []byte, number int64) explanation {
	return explanation{
		Matched: true, Format: e.Format, PathTaken: e.PathTaken,
		number: number, line: line, filtered: fmt.Sprintf("it stands among the pieces of line %d", e.number),
	}
}

// rule names the rule that filters a line.
func (x *explainer) rule(captures [][]byte, number int64) (string, error) {
	for i, rule := range x.Schema.Drop {
		one := x.Schema
		one.Drop = []accesslog.Rule{rule}
		encoder, err := accesslog.New(x.Format.Names(), one)
		if err != nil {
			return "", err
		}
		if _, outcome := encoder.Append(nil, captures, number); outcome != accesslog.Filtered {
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

// omitted are the fields that the line has a value for and the point has not.
func (x *explainer) omitted(e explanation) (fields []string) {
	has := func(p pairs, key string) bool {
		return slices.ContainsFunc(p, func(one pair) bool { return one.key == key && one.text != "" && one.text != "-" })
	}
	for _, field := range x.Schema.Fields {
		if !has(e.Fields, field) && (has(e.Vars, field) || has(e.Vars, nginxvar.Unalias(field))) {
			fields = append(fields, field)
		}
	}
	return fields
}
