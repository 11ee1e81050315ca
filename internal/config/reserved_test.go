package config_test

import (
	"fmt"
	"testing"
)

// Names that tailflux writes itself are refused where they would be written twice.
func TestNamesOfTailfluxItself(t *testing.T) {
	const (
		file   = "sources: [{path: /a}]\n"
		counts = `got "count", which a point without any field has by itself (count=1i), want another name: leave it out, or rename the variable of the log, such as rename: {count: items}`
		summed = ", which is a field of every rollup, want another variable; if the log has one of that name, rename gives it another"
	)
	for _, tt := range []struct {
		name string
		give layers
		want string // "" is accepted
	}{
		{"field", layers{file: file + "fields: [uptime, count]\n"}, "t.yaml:2:18: fields[1]: " + counts},
		{"tag", layers{file: file + "tags: [count]\n"}, "t.yaml:2:8: tags[0]: " + counts},
		{"flag", layers{file: file, flags: []string{"--fields=bytes_sent,count"}}, "--fields: " + counts},
		{"like it", layers{file: file + "fields: [counts]\ntags: [item_count]\n"}, ""},
	} {
		_, got := tt.give.load(t)
		if got != tt.want {
			t.Errorf("%s: Load:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
	for tag, refused := range map[string]bool{
		"requests": true, "body_bytes_sent": true, "upstream_tries": true, "request_time_ms": true, "request_time_ms_max": true, "upstream_response_time_b07": true,
		"count": false, "request_time": false, "request_time_b": false, "requests_since_start": false, "upstream_connect_time_ms": false,
	} {
		want := ""
		if refused {
			want = fmt.Sprintf("t.yaml:2:60: rollups[0].tags[1]: got %q", tag) + summed
		}
		if _, got := (layers{file: file + "rollups: [{measurement: m, interval: 10s, tags: [ status , " + tag + "]}]\n"}).load(t); got != want {
			t.Errorf("%s: Load:\n got %s\nwant %s", tag, got, want)
		}
	}
}
