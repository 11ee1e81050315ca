package nginxlog_test

import (
	"math"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/mock/nginxlog"
	"github.com/tailflux/tailflux/mock/traffic"
)

func TestFormats(t *testing.T) {
	for _, row := range []struct{ format, want string }{
		{`$scheme://$server_addr`, "https://192.0.2.1\n"},
		{`${scheme}s$server_addr`, "httpss192.0.2.1\n"},
		{`$cookie_session`, "-\n"},
		{`escape=default [$http_x_forwarded_for]`, "[-]\n"},
		{`escape=json [$http_x_forwarded_for]`, "[]\n"},
		{`escape=none [$sent_http_etag]`, "[]\n"},
	} {
		g := generator(t, nginxlog.Options{Format: row.format})
		if got := string(g.Append(nil, start)); got != row.want {
			t.Errorf("format %q gives %q, want %q", row.format, got, row.want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, row := range []struct {
		name    string
		options nginxlog.Options
		want    string // in the error
	}{
		{"unknown variable", nginxlog.Options{Format: "$status $statsu"}, "unknown variable $statsu"},
		{"open bracket", nginxlog.Options{Format: "${status"}, "closing bracket of ${status"},
		{"no name", nginxlog.Options{Format: "costs $ 5"}, `no variable name after $`},
		{"no variable", nginxlog.Options{Format: "combinde"}, "none of timed, combined"},
		{"line break", nginxlog.Options{Format: "$status\n$status"}, "line break"},
		{"escape", nginxlog.Options{Format: "escape=xml $status"}, `escape "xml": want default, json, none`},
		{"nothing after escape", nginxlog.Options{Format: "escape=json"}, "empty"},
		{"garbage", nginxlog.Options{Garbage: 1.1}, "garbage 1.1"},
		{"garbage NaN", nginxlog.Options{Garbage: math.NaN()}, "garbage NaN"},
		{"torn", nginxlog.Options{Torn: -0.1}, "torn -0.1"},
		{"both", nginxlog.Options{Garbage: 0.6, Torn: 0.6}, "more than all lines"},
		{"traffic", nginxlog.Options{Traffic: traffic.Options{CalmRequests: -1}}, "calm requests -1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, err := nginxlog.New(row.options); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("New(%+v): error %v, want one with %q", row.options, err, row.want)
			}
		})
	}
}

func TestPresetsByName(t *testing.T) {
	if got := nginxlog.Names()[0]; got != "timed" {
		t.Errorf("the default is %q, want timed", got)
	}
	for _, name := range nginxlog.Names() {
		format, ok := nginxlog.Format(name)
		if !ok {
			t.Fatalf("Format(%q): not there", name)
		}
		a := log(t, nginxlog.Options{Format: name}, 10)
		b := log(t, nginxlog.Options{Format: format}, 10)
		if string(a) != string(b) {
			t.Errorf("format %q and its log_format string give different lines", name)
		}
	}
	if _, ok := nginxlog.Format("nope"); ok {
		t.Error(`Format("nope") is there`)
	}
}
