package logformat_test

import (
	"bytes"
	"testing"

	"github.com/tailflux/tailflux/internal/logformat"
)

// FuzzLine holds the scanner against the standard library on lines of the
// formats people use.
func FuzzLine(f *testing.F) {
	formats := []*twins{
		twinsOf(mustRegexp(f, lineage)),
		twinsOf(mustRegexp(f, "^"+lineage+"$")),
		twinsOf(mustFormat(f, `escape=json '{"time":"$time_iso8601","status":$status,"uri":"$scheme://$host$request_uri","took":$upstream_response_time,"agent":"$http_user_agent"}'`)),
		twinsOf(mustFormat(f, `escape=none '$remote_addr [$time_local] "$request" $status "$http_user_agent" $http_x'`)),
		twinsOf(mustFormat(f, `escape=json '$msec|$host|$scheme://$host$request_uri "$http_user_agent" $host'`)),
		twinsOf(mustFormat(f, `escape=none '$msec|$host "$host" $status'`)),
		twinsOf(mustFormat(f, `$remote_addr|$server_name|$request_method|$status|$upstream_addr|$upstream_status|$http_user_agent`)),
		twinsOf(mustFormat(f, `$time_local $msec $remote_addr:$remote_port $request $status $upstream_addr, $upstream_response_time, $request_time`)),
	}
	for _, name := range logformat.Presets() {
		if name != "json" { // see FuzzJSON
			formats = append(formats, twinsOf(mustFormat(f, name)))
		}
	}
	for _, line := range oddLines {
		f.Add([]byte(line))
	}
	f.Add([]byte(apacheHead + `"GET /\" HTTP/1.1" 200 1 "\\" "\x22\"`))
	f.Add([]byte(`::1 - "" [20/Nov/2026:10:00:00.123 +0000] "" 200 1 "" ""`))
	f.Fuzz(func(t *testing.T, text []byte) {
		line, _, _ := bytes.Cut(text, []byte("\n"))
		for _, format := range formats {
			format.agree(t, line)
		}
	})
}
