package shape

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/internal/nginxvar"
)

// Warnings returns, for the operator, how the format can give wrong values, what is
// configured and can never come, and which fields have a type that nobody said. Each is
// a sentence without a full stop.
func (l *Lines) Warnings(c *config.Config) []string {
	all := l.Format.Warnings()
	if l.Format.Kind() != "json" { // in which there may be any key
		own, labels := l.Format.Own()
		h := has{nothing: "the format has nothing for", names: l.Format.Names(), own: own, labels: labels}
		all = append(append(all, l.missing(c, h)...), l.misnamed(c, h, l.Format.Written())...)
	}
	if untyped := accesslog.Untyped(l.Format.Names(), l.Schema); len(untyped) > 0 {
		what := "strings, which InfluxDB will not change later"
		if l.Format.Kind() == "json" {
			what = "floats where the line has a number without quotes, and strings otherwise, which InfluxDB will not change later"
		}
		all = append(all, fmt.Sprintf("fields: nothing is known of the type of %s: they are %s; say it, such as types: {%s: integer}, or string",
			strings.Join(untyped, ", "), what, untyped[0]))
	}
	return all
}

// Warnings returns those of the format of a source, or of the one that its log has now.
func Warnings(c *config.Config, source config.Source) ([]string, error) {
	if isAuto(source) {
		x := examiner{config: c, probes: map[string]*Lines{}, followed: func(string) bool { return false }}
		found := slices.IndexFunc(Paths(c, source), func(path string) bool {
			e := x.examine(source, path)
			if e.Err == nil && e.Format != "" {
				source = withFormat(source, e.Format)
			}
			return e.Err == nil && e.Format != ""
		})
		if found < 0 {
			return nil, nil
		}
	}
	lines, err := New(c, source, "any", nil)
	if err != nil {
		return nil, err
	}
	return append(lines.Warnings(c), lines.unmetAtStart(c, source)...), nil
}

// warnOf says once of a configured source what there is to say of a format, and reports
// whether it is the first time.
func (s *Shaper) warnOf(source config.Source, lines *Lines) (first bool) {
	key := source.Name + "\n" + source.Format
	if s.said[key] {
		return false
	}
	s.said[key] = true
	for _, warning := range lines.Warnings(s.o.Config) {
		s.o.Log.Warn("lines can be misread with this format, or do not have what is configured", "source", source.Name, "reason", warning)
	}
	return true
}

// warnOfUnmet says once what the lines of a configured source do not have.
func (s *Shaper) warnOfUnmet(source string, unmet []string) {
	if s.said[source] {
		return
	}
	for _, why := range unmet {
		s.said[source] = true
		s.o.Log.Warn("lines do not have what points are made of", "source", source, "reason", why)
	}
}

// Paths are the files of a glob that are there, without those that are the path of another
// source, which has them; or the path of a source that is no glob.
func Paths(c *config.Config, source config.Source) []string {
	if !source.IsGlob() {
		return []string{source.Path}
	}
	others := map[string]bool{}
	for _, other := range c.Sources {
		if !other.IsGlob() {
			others[other.Path] = true
		}
	}
	return logfile.CompilePattern(source.Path, c.Exclude...).Paths(others)
}

// apart returns the mistake in a format in which nothing separates a variable whose
// value is configured from another one.
func apart(c *config.Config, format *logformat.Format) error {
	schema, names := accesslog.Schema{Tags: c.Tags, Fields: c.Fields, StandIns: format.StandIns()}, format.Names()
	for _, rule := range c.Drop {
		for _, condition := range rule {
			schema.Tags = append(schema.Tags[:len(schema.Tags):len(schema.Tags)], condition.Variable)
		}
	}
	timed := slices.ContainsFunc(nginxvar.Times, func(name string) bool { return slices.Contains(names, name) })
	missing := accesslog.Missing(names, schema)
	return format.Apart(func(variable string) bool {
		if nginxvar.Lookup(variable).Kind.Time() && !timed {
			return true
		}
		return slices.ContainsFunc(missing, func(m accesslog.Miss) bool { return slices.Contains(accesslog.Sources(m.Name), variable) })
	})
}
