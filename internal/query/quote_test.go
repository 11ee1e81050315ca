package query_test

import (
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/query"
	"github.com/tailflux/tailflux/internal/rollup"
)

// Values of tags and regular expressions are asked for as they are, whatever they mean in
// InfluxQL.
func TestNothingEndsItsQuotes(t *testing.T) {
	s := newStore(t, influxdtest.New(t, influxdtest.Options{}), "quotes")
	paths := []string{
		"/", "/a/b", `/a\/b`, `'`, `"`, `\x`, `\\x`, `/'; DROP DATABASE quotes; --`, `/" OR "path" != "`, `/$/i`, `/*`, `--`, "/caf\u00e9", `a,b=c d`, `a\'b`,
		`/x/ OR path =~ /.`, "$path", "[[path]]", `\n`,
	}
	nasty := rollup.Definition{Measurement: `nginx "t\' t`, Interval: 10 * time.Second, Tags: []string{"path"}}
	var lines []line
	for i, path := range paths {
		for range i + 1 {
			lines = append(lines, line{at: monday.Unix(), host: "h", path: path, status: "200", time: 5, upstream: -1})
		}
	}
	s.add(deltas(nasty, lines, newRand()))
	asked := 0
	ask := func(condition string) map[string]float64 {
		t.Helper()
		names := []string{"requests"}
		if asked++; asked%10 == 0 { // whose statement is long
			names = append(names, "p95")
		}
		q := query.Question{
			Measures: measures(t, names...), From: monday, To: monday.Add(time.Minute), Now: monday.Add(time.Hour),
			By: []string{"path"}, Where: conditions(t, condition),
		}
		_, rows := s.ask(q, nasty)
		got := map[string]float64{}
		for _, row := range rows {
			if len(names) > 1 && (row.Values[1] == nil || *row.Values[1] != 0.005) {
				t.Errorf("where %s: row %s", condition, text(row))
			}
			got[row.Tags[0]] = *row.Values[0]
		}
		return got
	}
	check := func(condition string, holds func(path string) bool) {
		t.Helper()
		want := map[string]float64{}
		for i, path := range paths {
			if holds(path) {
				want[path] = float64(i + 1)
			}
		}
		if got := ask(condition); !maps.Equal(got, want) {
			t.Errorf("where %s: %v (-got +want)", condition, cmp.Diff(got, want))
		}
	}
	for _, path := range paths {
		check("path="+path, func(p string) bool { return p == path })
		check("path!="+path, func(p string) bool { return p != path })
		exact := regexp.MustCompile("^" + regexp.QuoteMeta(path) + "$")
		check("path=~"+exact.String(), exact.MatchString)
	}
	for _, pattern := range []string{
		`a/b`, `a\/b`, `/`, `[/]`, `[^/]`, `\\/`, `\Q/\E`, `\Q\/\E`, `^/a`, `/$`, "x/|\n", `(?i)CAF`, `\x2f'`, `^(?:/|--)$`, "", `'; DROP`, `\d|\$`, `^[^/]*$`, `\\x$`,
	} {
		is := regexp.MustCompile(pattern)
		check("path=~"+pattern, is.MatchString)
		check("path!~"+pattern, func(p string) bool { return !is.MatchString(p) })
	}
}

// Conditions are read as they are meant: the first operator counts.
func TestConditions(t *testing.T) {
	for text, want := range map[string]query.Condition{
		"path=/a":      {Tag: "path", Text: "/a"},
		"path=":        {Tag: "path"},
		"path!=":       {Tag: "path", Not: true},
		"path!=/a=b":   {Tag: "path", Not: true, Text: "/a=b"},
		"path=~^/a!~b": {Tag: "path", Match: true, Text: "^/a!~b"},
		"path!~=":      {Tag: "path", Match: true, Not: true, Text: "="},
		"path==a":      {Tag: "path", Text: "=a"},
	} {
		if got, err := query.ParseCondition(text); err != nil || got != want {
			t.Errorf("ParseCondition(%q) = %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "path", "=", "=a", "!=a", "path!", "path!a", "path~a", "path=~(", "path=~a{1001}"} {
		if got, err := query.ParseCondition(text); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", strings.TrimPrefix(text, "path=~"))) {
			t.Errorf("ParseCondition(%q) = %+v, %v, want an error that has it", text, got, err)
		}
	}
}
