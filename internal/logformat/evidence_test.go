package logformat_test

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What users of other programs reported about parsing, as far as it is about
// cutting lines and not about what the values mean.
func TestReported(t *testing.T) {
	const head = `192.0.2.7 - - [04/Mar/2018:13:49:52 +0000] `
	type values map[string]string
	for _, tt := range []struct {
		issue, format, line string
		want                values // of some of the variables
	}{
		{
			"nginxlog-exporter #217", "timed", head + `http "GET / HTTP/1.1" 502 612 "-" "-" "-" 0.010, 0.020 : 0.1 0.131`,
			values{"upstream_response_time": "0.010, 0.020 : 0.1", "request_time": "0.131"},
		},
		{
			"nginxlog-exporter #274", "ingress", head + `"GET / HTTP/1.1" 200 612 "-" "-" 86 0.031 [a-b-80] [] 10.4.0.9:80, 10.4.0.10:80 : 10.4.0.11:80 0, 0 : 612 0.010, 0.020 : 0.001 502, 502 : 200 8d2f`,
			values{"upstream_addr": "10.4.0.9:80, 10.4.0.10:80 : 10.4.0.11:80", "upstream_response_length": "0, 0 : 612", "upstream_response_time": "0.010, 0.020 : 0.001", "upstream_status": "502, 502 : 200"},
		},
		{
			"nginxlog-exporter #224", "timed", head + `http "GET / HTTP/1.1" 304 - "-" "-" "-" - 0.000`,
			values{"bytes_sent": "-", "upstream_response_time": "-", "request_time": "0.000"},
		},
		{
			"beats #30697", "ingress", head + `"GET / HTTP/1.1" 200 612 "-" "-" 86 0.031 [a-b-80] [] 10.4.0.9:80, 10.4.0.10:80 61, - 0.010, - 502, - 8d2f`,
			values{"upstream_response_length": "61, -", "upstream_response_time": "0.010, -", "upstream_status": "502, -"},
		},
		{
			"beats #30697 in JSON", "json", `{"upstream_response_length":"61, -","upstream_status":"502, -"}`,
			values{"upstream_response_length": "61, -", "upstream_status": "502, -"},
		},
		{
			"vrl #226, a TLS hello", "combined", head + `"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03" 400 150 "-" "-"`,
			values{"request": `\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03`, "status": "400"},
		},
		{"vrl #226, an empty request", "combined", head + `"" 400 0 "-" "-"`, values{"request": "", "status": "400"}},
		{"vrl #226, no request", "combined", head + `"-" 408 0 "-" "-"`, values{"request": "-", "status": "408"}},
		{
			"telegraf #14292 and #3991", `
			log_format main '$remote_addr - $remote_user [$time_local] "$request" '
			                '$status $body_bytes_sent "$http_referer" '
			                '"$http_user_agent" "$http_x_forwarded_for"';`,
			head + `"GET / HTTP/1.1" 200 612 "-" "curl/8.5.0" "10.0.0.1"`,
			values{"status": "200", "http_x_forwarded_for": "10.0.0.1"},
		},
		{
			"logstash #7779", "combined", head + `"GET /\xD0\xB0\x22 HTTP/1.1" 200 612 "-" "\x22a\x22 \x5C"`,
			values{"request": `GET /\xD0\xB0\x22 HTTP/1.1`, "http_user_agent": `\x22a\x22 \x5C`},
		},
		{
			"telegraf #3020", "combined", `192.0.2.7 - - [04/Mar/2018:13:49:52 -0930] "GET / HTTP/1.1" 200 612 "-" "-"`,
			values{"time_local": "04/Mar/2018:13:49:52 -0930"},
		},
	} {
		t.Run(tt.issue, func(t *testing.T) {
			f := mustFormat(t, tt.format)
			got := values(found(f.NewMatcher(), f.Names(), []byte(tt.line)))
			maps.DeleteFunc(got, func(name, _ string) bool { _, ok := tt.want[name]; return !ok })
			if !cmp.Equal(got, tt.want) {
				t.Errorf("Match(%q): %s", tt.line, cmp.Diff(tt.want, got))
			}
			if d := f.Diagnose([]byte(tt.line)); d.Column != 0 {
				t.Errorf("Diagnose(%q) = %+v", tt.line, d)
			}
		})
	}

	// telegraf #6765: lines that do not match vanish without a word.
	line := []byte(head + `"GET / HTTP/1.1" 200`)
	if d := mustFormat(t, "combined").Diagnose(line); d.Column != len(line)+1 {
		t.Errorf("Diagnose(%q) = %+v, want the end of the line", line, d)
	}
}
