package shape_test

import (
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/shape"
)

// JSON without a time that is known is said, with the key that looks like one, and what
// to write.
func TestJSONWithoutATimeIsSaid(t *testing.T) {
	for line, want := range map[string]string{
		`{"date":"2026-11-20T10:00:00Z","status":200}`:               "the key date looks like one; write rename: {date: time_iso8601}\"",
		`{"eventTime":"20/Nov/2026:10:00:00 +0000","status":200}`:    "the key eventTime looks like one; write rename: {eventTime: time_local}\"",
		`{"event.time":"2026-11-20T10:00:00.123Z","status":200}`:     "write rename: {event.time: time_iso8601}\"",
		`{"status":200,"event":{"id":1795168800,"at":1795168800.5}}`: "write rename: {event.at: msec}\"",
		`{"user":1795168800,"x":"2026-11-20T10:00:00+00:00"}`:        "write rename: {x: time_iso8601}\"",
		`{"when":"2026-11-20 10:00:00","status":200}`:                "write rename: {when: time_iso8601}, and set timezone, because it has none",
		`{"date":"Fri, 20 Nov 2026 10:00:00 GMT","status":200}`:      `the key date has \"Fri, 20 Nov 2026 10:00:00 GMT\", which is no time that can be read`,
		`{"time":"10:00:00","status":200}`:                           `the key time has \"10:00:00\", which is no time`,
		`{"id":1795168800,"status":200}`:                             "there is none in the keys id, status; log $time_iso8601",
		`{"a":1}`:                                                    "there is none in the keys a;",
		`{"time":1795168800,"date":"2026-11-20T10:00:00Z"}`:          "",
		`{"time_iso8601_ms":"2026-11-20T10:00:00.123+00:00"}`:        "",
		`x`: "",
	} {
		h := newHouse(t)
		h.config.Sources[0].Format = "json"
		h.write(line + "\n")
		h.mustOpen()
		got := strings.ReplaceAll(h.log.String(), `\\\"`, `\"`)
		if want != "" && (!strings.Contains(got, "no line has a time that is known") || !strings.Contains(got, want)) || want == "" && strings.Contains(got, "time that is known") {
			t.Errorf("%s: the start says\n%swant %q", line, got, want)
		}
	}
}

// What is advised for a time is understood.
func TestAdviceForATimeIsUnderstood(t *testing.T) {
	for line, rename := range map[string]map[string]string{
		`{"date":"2026-11-20T10:00:00Z","status":200,"request":"GET / HTTP/1.1"}`:                 {"date": "time_iso8601"},
		`{"event":{"time":"20/Nov/2026:10:00:00 +0000"},"status":200,"request":"GET / HTTP/1.1"}`: {"event.time": "time_local"},
		`{"epoch":1795168800,"status":200,"request":"GET / HTTP/1.1"}`:                            {"epoch": "msec"},
		`{"eventTime":1795168800,"status":200,"request":"GET / HTTP/1.1"}`:                        {"eventTime": "time"},
	} {
		h := newHouse(t)
		h.config.Sources[0].Format = "json"
		h.config.Rename = rename
		h.write(line + "\n")
		h.mustOpen()
		if got := h.log.String(); got != "" {
			t.Errorf("%s: the start says\n%s", line, got)
		}
	}
}

// A format without a time says which variable may be one.
func TestAVariableThatMayBeTheTimeIsSaid(t *testing.T) {
	for format, want := range map[string]string{
		`$my_timestamp $status`:             "if $my_timestamp is one, write rename: {my_timestamp: time_iso8601}",
		`$total_request_time $status $date`: "if $date is one, write rename: {date: time_iso8601}",
		`[$log_ts] $status`:                 "if $log_ts is one",
		`$request_time $status $own`:        "no time: the format needs $time_local, $time_iso8601, $time_iso8601_ms or $msec",
	} {
		h := newHouse(t)
		h.config.Sources[0].Format = format
		if err := shape.Check(&h.config, h.config.Sources[0]); err == nil || !strings.HasSuffix(err.Error(), want) && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: Check = %v, want %q", format, err, want)
		}
	}
}

// Names of rename and types that never come are said.
func TestNamesThatNeverComeAreSaid(t *testing.T) {
	const json = `{"time":"2026-11-20T10:00:00Z","status":200,"request":"GET / HTTP/1.1","eventTime":"2026-11-20T10:00:00Z","ip":"192.0.2.7","Cost":1,"req":{"size":7}}`
	type names map[string]string
	for _, tt := range []struct {
		name, format  string
		rename, types names
		want          string // "": nothing is said
	}{
		{"a typo on the left", "json", names{"evenTime": "time_iso8601"}, nil, "rename: {evenTime: time_iso8601}: the lines have nothing for evenTime; did you mean eventTime?"},
		{"a typo on the right", "json", names{"eventTime": "time_iso8061"}, nil, "nginx has no variable time_iso8061, and neither tags nor fields have it; did you mean time_iso8601?"},
		{"a key in an object", "json", names{"req.sise": "bytes_sent"}, nil, "the lines have nothing for req.sise; did you mean req.size?"},
		{"a time the wrong way round", "json", names{"timestamp": "eventTime"}, nil, "the key of the log stands on the left, so write rename: {eventTime: time}"},
		{"a client the wrong way round", "json", names{"client": "ip"}, nil, "the key of the log stands on the left, so write rename: {ip: remote_addr}"},
		{"a name of its own the wrong way round", "json", names{"duration": "Cost"}, nil, "so write rename: {Cost: duration}"},
		{"a variable that gets another name", "json", names{"status": "code"}, nil, "the lines have nothing for code, and $status has its own name already: call it status in tags and fields, too"},
		{"a typo of the right way", "json", names{"status": "Staus"}, nil, "{status: Staus}: the lines have nothing for Staus"},
		{"a type", "json", nil, names{"cots": "integer"}, "types: {cots: integer}: the lines have nothing for cots"},
		{"a key of which two entries are", "json", names{"eventTime": "time", "user_agent": "eventTime"}, nil, "rename: {user_agent: eventTime}: rename: {eventTime: time} says of eventTime what it is, too, and does not count"},
		{"known keys", "json", names{"eventTime": "time", "ip": "remote_addr", "bytes_sent": "req.size"}, names{"Cost": "integer", "status": "string"}, ""},
		{"small letters", "json", names{"cost": "request_time"}, nil, ""},
		{"a variable", `$msec "$request" $my_status`, names{"my_staus": "status"}, nil, "rename: {my_staus: status}: the format has nothing for my_staus; did you mean my_status?"},
		{"a type of a format", `$msec "$request" $cost`, nil, names{"cst": "float"}, "types: {cst: float}: the format has nothing for cst; did you mean cost?"},
		{"a group", "^(?P<msec>\\S+) (?P<cod>\\d+) (?P<request>.*)$", names{"code": "status"}, nil, "{code: status}: the format has nothing for code; did you mean cod?"},
		{"a variable of nginx that it has", `$msec "$request" $my_status`, names{"my_status": "status"}, names{"status": "string", "my_status": "string"}, ""},
		{"one that is renamed to its own", `$msec "$request" $a`, names{"a": "status"}, names{"status": "string"}, ""},
	} {
		h := newHouse(t)
		source := &h.config.Sources[0]
		if source.Format = tt.format; strings.HasPrefix(tt.format, "^") {
			source.Format, source.Regexp = "", tt.format
		}
		h.config.Rename, h.config.Types = tt.rename, tt.types
		h.write(json + "\n")
		h.mustOpen()
		got := h.log.String()
		if tt.want != "" && !strings.Contains(got, tt.want) || tt.want == "" && strings.Contains(got, "reason=") {
			t.Errorf("%s: the start says\n%swant %q", tt.name, got, tt.want)
		}
	}
}

// rename and types are for all sources: what one of them has is no mistake.
func TestNamesOfAnotherSourceAreNotSaid(t *testing.T) {
	for name, other := range map[string]config.Source{
		"its format":  {Format: "$msec $my_status"},
		"its groups":  {Regexp: `^(?P<msec>\S+) (?P<my_status>\d+)$`},
		"any of JSON": {Format: "json"},
		"any of auto": {Format: "auto"},
	} {
		h := newHouse(t)
		h.config.Sources[0].Format = "combined"
		other.Name, other.Path = "other", h.config.Sources[0].Path+".other"
		h.config.Sources = append(h.config.Sources, other)
		h.config.Rename = map[string]string{"my_status": "status"}
		h.mustOpen()
		if got := h.log.String(); strings.Contains(got, "my_status") {
			t.Errorf("%s: the start says\n%s", name, got)
		}
	}
}
