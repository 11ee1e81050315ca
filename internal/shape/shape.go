// Package shape turns the configuration into how the lines of a source become
// points: the format that cuts them and the encoder that writes them.
//
// A line that is read again, after a crash, must become the same point again. So
// whatever a point depends on besides its line and the line's number is kept in
// the state directory.
//
//	shape.go     Lines: what becomes of a line; pieces.go of one in pieces
//	shaper.go    those of all sources, while the daemon runs
//	sources.go   which source of the configuration a log is of; glob.go many logs
//	settings.go  the configuration that lines were read with; host.go the tag
//	dialect.go   names and types of variables
//	evidence.go  which format the lines of a log are in, by a sample; fit.go how well
//	missed.go    a log that changes its format
//	choices.go   the formats that were found; file.go reads what is kept
//	detector.go  formats of logs that nobody follows
//	findings.go  a sentence about each log, for check
//	kind.go      how a format cuts lines
//
// The rest are warnings: warnings.go, names.go, missing.go, unknown.go, own.go.
package shape

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // for the key timezone on machines without zones

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/logformat"
)

// Auto is the format that is detected from the log itself.
const Auto = "auto"

// Lines is how the lines of one source become points. It is for one goroutine.
type Lines struct {
	Format  *logformat.Format
	Matcher *logformat.Matcher
	Encoder *accesslog.Encoder
	Schema  accesslog.Schema // the encoder's

	// Earlier is how those lines are read that this is no format of; nil: they are not.
	Earlier *Lines
	// Any is set if a line of another known format is read in that.
	Any bool
	// Leave is set when the lines are of something else than requests: nothing else is
	// then.
	Leave bool
}

// Append appends the point of a line, of the first format that it fits, and returns the
// extended buffer; matched reports whether there is one. number is as in
// [accesslog.Encoder.Append].
func (l *Lines) Append(dst, line []byte, number int64) (points []byte, outcome accesslog.Outcome, matched bool) {
	r := l.AppendAny(dst, line, number)
	return r.Points, r.Outcome, r.Matched
}

// AppendAny is Append, and also says what made the point.
func (l *Lines) AppendAny(dst, line []byte, number int64) Read {
	matched := false
	for ; l != nil; l = l.Earlier {
		captures, ok := l.Matcher.Match(line)
		if matched = matched || ok; !ok {
			continue
		}
		if points, outcome := l.Encoder.Append(dst, captures, number); outcome != accesslog.Rejected {
			return Read{Points: points, Outcome: outcome, Matched: true, By: l.Encoder, Captures: captures}
		}
	}
	return Read{Points: dst, Outcome: accesslog.Rejected, Matched: matched}
}

// AppendOne is Append without the earlier formats.
func (l *Lines) AppendOne(dst, line []byte, number int64) (points []byte, outcome accesslog.Outcome, matched bool) {
	captures, ok := l.Matcher.Match(line)
	if !ok {
		return dst, accesslog.Rejected, false
	}
	points, outcome = l.Encoder.Append(dst, captures, number)
	return points, outcome, true
}

// New returns the lines of a source whose format is configured, or was detected
// and filled in: it must not be [Auto]. host is the tag of the points; values may
// be nil: then tags may have any value.
func New(c *config.Config, s config.Source, host string, values accesslog.Admitter) (*Lines, error) {
	format, err := compile(c, s)
	if err != nil {
		return nil, err
	}
	schema, err := newSchema(c)
	if err != nil {
		return nil, err
	}
	schema.Host, schema.Source, schema.Values = host, s.Name, values
	return Of(format, schema)
}

// newChain returns the lines of a source that has these formats, the latest first, with
// any value for a tag; nil if there are none.
func newChain(c *config.Config, source config.Source, formats []string, host string, values accesslog.Admitter) (all *Lines, err error) {
	for _, format := range slices.Backward(formats) {
		lines, err := New(c, withFormat(source, format), host, values)
		if err != nil {
			return nil, err
		}
		lines.Earlier, all = all, lines
	}
	return all, nil
}

// Of returns the lines of a compiled format, with points as the schema says. The
// error names the mistake in the format.
func Of(format *logformat.Format, schema accesslog.Schema) (*Lines, error) {
	schema.Escape, schema.StandIns, schema.Lists = format.Escape(), format.StandIns(), format.Kind() == "json"
	encoder, err := accesslog.New(format.Names(), schema)
	if own := format.TimeLike(); errors.Is(err, accesslog.ErrNoTime) && own != "" {
		return nil, fmt.Errorf("%w; if $%s is one, write rename: {%s: time_iso8601}", err, own, own)
	}
	if err != nil {
		return nil, err
	}
	matcher := format.NewMatcher()
	encoder.Numbers(matcher.Numbers())
	return &Lines{Format: format, Matcher: matcher, Encoder: encoder, Schema: schema}, nil
}

// For returns the lines of another source of the same format. The encoders of the
// two share memory, so they are for the same goroutine.
func (l *Lines) For(source string) *Lines {
	other := *l
	other.Schema.Source = source
	other.Matcher, other.Encoder = l.Format.NewMatcher(), l.Encoder.For(source)
	other.Encoder.Numbers(other.Matcher.Numbers())
	return &other
}

// Check returns the mistake in the format of a source; it is the check of
// [config.Options].
func Check(c *config.Config, s config.Source) error {
	if s.Regexp == "" && s.Format == Auto {
		return nil
	}
	format, err := compile(c, s)
	if err != nil {
		return misnamed(s, err)
	}
	if err := apart(c, format); err != nil {
		return err
	}
	_, err = Of(format, accesslog.Schema{Measurement: "m"})
	return err
}

// misnamed says which known format was probably meant by one that is wrong.
func misnamed(s config.Source, err error) error {
	if s.Regexp != "" || strings.ContainsAny(s.Format, "$ ") {
		return err
	}
	if near := nearest(s.Format, append(logformat.Presets(), Auto)); near != "" {
		return fmt.Errorf("did you mean %s? %w", near, err)
	}
	return err
}

// compile returns the format of a source. A JSON log may have any names: those
// that the configuration asks for are looked for in it.
func compile(c *config.Config, s config.Source) (*logformat.Format, error) {
	d := dialect(c)
	switch {
	case s.Regexp != "":
		return logformat.CompileRegexpIn(d, s.Regexp)
	default:
		return logformat.CompileFormatIn(d, s.Format, variables(c)...)
	}
}

// variables are those that the configuration names.
func variables(c *config.Config) []string {
	names := slices.Concat(c.Tags, c.Fields, c.Mask)
	for _, r := range c.Rollups {
		names = append(names, r.Tags...)
	}
	for _, rule := range c.Drop {
		for _, condition := range rule {
			names = append(names, condition.Variable)
		}
	}
	return names
}

// AdmittedTags are the tags whose values are limited, in the order of their indexes.
func AdmittedTags(c *config.Config) []string {
	s := accesslog.Schema{Tags: c.Tags}
	for _, r := range c.Rollups {
		s.Rollups = append(s.Rollups, r.Tags)
	}
	return slices.Concat(s.Tags, s.RollupTags())
}

// newSchema returns what the configuration says of the points of every source.
func newSchema(c *config.Config) (accesslog.Schema, error) {
	s := accesslog.Schema{
		Dialect: dialect(c), Measurement: c.Measurement, Tags: c.Tags, Fields: c.Fields,
		Fold: c.Fold, FoldStatic: c.FoldStatic,
		Mask: c.Mask, KeepQuery: c.Query == "keep",
	}
	for _, r := range c.Rollups {
		s.Rollups = append(s.Rollups, r.Tags)
	}
	for _, rule := range c.Paths {
		s.Paths = append(s.Paths, accesslog.Path(rule))
	}
	for _, conditions := range c.Drop {
		var rule accesslog.Rule
		for _, condition := range conditions {
			rule = append(rule, accesslog.Condition(condition))
		}
		s.Drop = append(s.Drop, rule)
	}
	for _, network := range c.TrustedProxies {
		prefix, err := netip.ParsePrefix(network)
		if err != nil {
			return s, fmt.Errorf("trusted_proxies: %w", err) // checked by config.Load
		}
		s.TrustedProxies = append(s.TrustedProxies, prefix)
	}
	if c.Timezone != "" {
		zone, err := time.LoadLocation(c.Timezone)
		if err != nil {
			return s, fmt.Errorf("timezone: %w", err) // checked by config.Load
		}
		s.Zone = zone
	}
	return s, nil
}
