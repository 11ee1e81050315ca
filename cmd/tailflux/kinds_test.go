package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// A kind is an input as a server writes it, and what explain makes of it.
type kind struct {
	name   string
	format string // or a regexp, if it begins with ^
	config string // more keys of the configuration
	line   string
	want   string // in the point or, if the line is rejected, in what was expected; "!" before what must not be there
}

// check explains the line, with the tag source=web, and compares.
func (k kind) check(t *testing.T) {
	t.Helper()
	key := "format: "
	if strings.HasPrefix(k.format, "^") {
		key = "regexp: "
	}
	quoted, err := json.Marshal(k.format) // which YAML reads too
	if err != nil {
		t.Fatal(err)
	}
	config := writeTemp(t, "tailflux.yaml", "sources:\n- path: /var/log/nginx/access.log\n  name: web\n  "+key+string(quoted)+"\n"+k.config)
	_, stdout, stderr := explainWith(t, k.line+"\n", "--config", config, "--json")
	var object struct {
		Point string
		Error struct{ Expected string }
	}
	if err := json.Unmarshal([]byte(stdout), &object); err != nil {
		t.Errorf("%s: explain --json = %s%s: %v", k.name, stdout, stderr, err)
		return
	}
	want, got := strings.TrimPrefix(k.want, "!"), object.Point+object.Error.Expected
	if strings.Contains(got, want) == strings.HasPrefix(k.want, "!") {
		t.Errorf("%s: explain of\n%s\nas %s\n= %s\nwant %s", k.name, k.line, k.format, got, k.want)
	}
}

// Times a little different from those of nginx: fractions, Z, numbers since 1970.
func TestTimesOfEveryKind(t *testing.T) {
	const (
		local  = `$time_local $status "$request"`
		quoted = `[$time_local] "$request" $status`
		ms     = `escape=json '{"@timestamp":"$time_iso8601_ms","status":"$status","request":"$request"}'`
		expr   = `^(?P<time_iso8601>\S+) (?P<status>\d+)$`
	)
	for _, k := range []kind{
		{"a new variable", ms, "", `{"@timestamp":"2026-11-20T10:00:00.123+00:00","status":"200","request":"GET /a HTTP/1.1"}`, "path=/a,source=web,status=200 count=1i 1795168800123000001"},
		{"its line as JSON", "json", "", `{"@timestamp":"2026-11-20T10:00:00.123+00:00","status":"200","request":"GET /a HTTP/1.1"}`, "path=/a,source=web,status=200 count=1i 1795168800123000001"},
		{"RFC 3339 by a regexp", expr, "", `2026-11-20T10:00:00.123Z 200`, " 1795168800123000001"},
		{"microseconds by a regexp", expr, "", `2026-11-20T10:00:00.123456Z 200`, " 1795168800123456001"},
		{"two digits by a regexp", expr, "", `2026-11-20T10:00:00.12+00:00 200`, " 1795168800120000001"},
		{"milliseconds by a regexp", `^(?P<msec>\d+) (?P<status>\d+)$`, "", `1795168800123 200`, " 1795168800123000001"},
		{"a fraction before a number", local, "", `20/Nov/2026:10:00:00.123 +0000 200 "GET /a HTTP/1.1"`, "path=/a,source=web,status=200 count=1i 1795168800123000001"},
		{"none before a number", local, "", `20/Nov/2026:10:00:00 +0000 200 "GET /a HTTP/1.1"`, "path=/a,source=web,status=200 count=1i 1795168800000000001"},
		{"a fraction in brackets", quoted, "", `[20/Nov/2026:11:00:00.5 +0100] "GET /a HTTP/1.1" 200`, " 1795168800500000001"},
		{"combined with a fraction", "combined", "", `192.0.2.7 - - [20/Nov/2026:10:00:00.123 +0000] "GET /a HTTP/1.1" 200 1 "-" "-"`, " 1795168800123000001"},
		{"nanoseconds", "$time_iso8601 $status", "", `2026-11-20T10:00:00.123456789Z 200`, " 1795168800123456789"},
		{"seconds", "$msec $status", "", `1795168800 200`, " 1795168800000000001"},
		{"seconds in JSON", "json", "", `{"time":1795168800,"status":200}`, " 1795168800000000001"},
		{"milliseconds in JSON", "json", "", `{"timestamp":1795168800123,"status":200}`, " 1795168800123000001"},
		{"nanoseconds in JSON", "json", "", `{"ts":1795168800123456789,"status":200}`, " 1795168800123456789"},
		{"a float in JSON", "json", "", `{"ts":1795168800.1234567,"status":200}`, " 1795168800123456701"},
		{"found by auto", "auto", "", `{"time":"2026-11-20T10:00:00.123Z","status":200}`, " 1795168800123000001"},
		{"a day that is none", quoted, "", `[30/Feb/2026:10:00:00.5 +0000] "GET /a HTTP/1.1" 200`, "an existing date and time"},
	} {
		k.check(t)
	}
}

// What auto chooses makes points.
func TestAutoChoosesNothingWhoseTimesItCannotRead(t *testing.T) {
	for _, line := range []string{
		`{"time":"2026-13-20T10:00:00.123Z","status":200}`,
		`{"time":"yesterday","status":200}`,
		`{"time":0.004,"status":200}`,
		`192.0.2.7 - - [40/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 1 "-" "-"`,
	} {
		if _, stdout, stderr := explainWith(t, line+"\n"); !strings.Contains(stdout, "the nearest") || !strings.Contains(stdout, "no known format") {
			t.Errorf("explain %s without a format:\n%s%s\nwant no format", line, stdout, stderr)
		}
	}
}
