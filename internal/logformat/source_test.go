package logformat_test

import (
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/logformat"
)

// What is pasted a little wrong is taken, if what was meant is certain, and else the
// advice is right.
func TestPastedALittleWrong(t *testing.T) {
	const (
		object = `{"timestamp": "$time_iso8601", "requestID": "$req_id", "httpRequest": {"requestMethod": "$request_method", "status": $status}}`
		line   = `{"timestamp": "2026-11-20T10:00:00+00:00", "requestID": "8d2f", "httpRequest": {"requestMethod": "GET", "status": 200}}`
	)
	for _, format := range []string{
		"escape=json " + object,
		"escape=json " + object + ";",
		"log_format up escape=json " + object + ";",
		"escape=json '" + object + "'",
		"log_format up escape=json\n  " + object,
		object,
		`"` + strings.ReplaceAll(object, `"`, `\"`) + `"`,
		`escape=json "` + strings.ReplaceAll(object, `"`, `\"`) + `"`,
	} {
		f, err := logformat.CompileFormat(format)
		if err != nil {
			t.Errorf("CompileFormat(%s): %v", format, err)
			continue
		}
		if got := found(f.NewMatcher(), f.Names(), []byte(line)); got["request_method"] != "GET" || got["status"] != "200" || got["req_id"] != "8d2f" {
			t.Errorf("%s: Match(%s) = %v", format, line, got)
		}
	}
	for format, want := range map[string]string{
		`escape=json "` + object + `"`:                            "column 16: 't' directly after a closing quote; put the whole format in single quotes",
		`log_format a "{"time":"$time_iso8601"}";`:                "in single quotes",
		`log_format a '$msec'x;`:                                  "put a space between the pieces",
		`log-format-upstream: '` + object + `'`:                   `this is a line of a ConfigMap; paste what stands behind "log-format-upstream:"`,
		"log-format-upstream: $msec":                              "escape=json before it if log-format-escape-json",
		`escape=json '{\"time\":\"$time_iso8601\"}'`:              "",
		`{\"time\":\"$time_iso8601\"}`:                            "backslashes before the quotes",
		"log_format main ‘$remote_addr [$time_local] “$request”’": "column 17: the quote here is one of print",
		"$remote_addr [$time_local] “$request” $status":           "column 28: the quote here is one of print",
	} {
		_, err := logformat.CompileFormat(format)
		if (err != nil) != (want != "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("CompileFormat(%s) = %v, want %q", format, err, want)
		}
	}
}
