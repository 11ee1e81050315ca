package logformat_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/mock/nginxlog"
	"github.com/tailflux/tailflux/mock/traffic"
)

const (
	mainFormat = combinedFormat + ` "$http_x_forwarded_for"`
	ingress    = combinedFormat + ` $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] $upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id`
	labelled   = `rt=$request_time uct="$upstream_connect_time" uht="$upstream_header_time" urt="$upstream_response_time"`
)

// generated are n lines of the generator, torn ones among them if torn.
func generated(t testing.TB, format string, n int, torn float64) [][]byte {
	t.Helper()
	g, err := nginxlog.New(nginxlog.Options{
		Format: format, Garbage: 0.05, Torn: torn,
		Traffic: traffic.Options{CalmRequests: 90, OutageRequests: 10},
	})
	if err != nil {
		t.Fatal(err)
	}
	lines := make([][]byte, n)
	for i := range lines {
		lines[i] = bytes.TrimSuffix(g.Append(nil, time.Date(2026, 11, 20, 10, 0, i, 0, time.UTC)), []byte("\n"))
	}
	return lines
}

// The generator's lines are detected for what they are, by the thousand and by
// the hundred, as a start of tailflux sees them.
func TestDetectGenerated(t *testing.T) {
	check := func(format, want string) {
		t.Helper()
		lines := generated(t, format, 1000, 0)
		for _, some := range append(slices.Collect(slices.Chunk(lines, 100)), lines) {
			name, err := logformat.Detect(some)
			if err != nil || name != want {
				t.Fatalf("%s, %d lines: Detect = %q, %v, want %q", format, len(some), name, err, want)
			}
			m := mustFormat(t, name).NewMatcher()
			for _, line := range some {
				if _, ok := m.Match(line); !ok {
					t.Fatalf("%s: the format that was detected does not match %q", format, line)
				}
			}
		}
	}
	for _, name := range nginxlog.Names() {
		check(name, name)
	}
	check(mainFormat, mainFormat)
	check(mainFormat+` $request_time $upstream_response_time`, mainFormat+` $request_time $upstream_response_time`)
	check(mainFormat+` $upstream_response_time $request_time`, mainFormat+` $upstream_response_time $request_time`)
	check(mainFormat+` $request_time`, mainFormat+` $request_time`)
	check(mainFormat+` `+labelled, mainFormat+` `+labelled)
	check(combinedFormat+` $request_time`, combinedFormat+` $request_time`)
	check(combinedFormat+` $request_time $upstream_response_time`, combinedFormat+` $request_time $upstream_response_time`)
	check(combinedFormat+` $upstream_response_time $request_time`, combinedFormat+` $upstream_response_time $request_time`)
	check(combinedFormat+` $request_time $upstream_response_time $pipe`, combinedFormat+` $request_time $upstream_response_time $pipe`)
	check(combinedFormat+labelled, combinedFormat+labelled)
	check(combinedFormat+` `+labelled, combinedFormat+` `+labelled)
	check(`$host:$server_port `+combinedFormat+` $request_time`, `$host:$server_port `+combinedFormat+` $request_time`)
	check(strings.Replace(timedFormat, "$upstream_response_time $request_time", "$request_time $upstream_response_time", 1),
		strings.Replace(timedFormat, "$upstream_response_time $request_time", "$request_time $upstream_response_time", 1))
	// Of $bytes_sent, in its place in the ingress format, nothing is known.
	check(strings.NewReplacer("$proxy_upstream_name", "shop-web-80", "$proxy_alternative_upstream_name", "", "$upstream_response_length", "-", "$req_id", "$request_id").Replace(ingress), "ingress")
}

// ingressLine is a line of ingress with $request_time and $upstream_response_time.
func ingressLine(whole, part string) string {
	return combinedLine + " 153 " + whole + " [default-svc-80] [] 10.0.0.2:80 6 " + part + " 200 4ade5c365da7a5221703b2583544a881"
}

func TestDetect(t *testing.T) {
	line := func(tail string) string {
		return `192.0.2.7 - - [04/Mar/2018:13:49:52 +0000] "GET / HTTP/1.1" 200 612 "-" "curl/8.5.0"` + tail
	}
	many := func(n int, line string) []string { return slices.Repeat([]string{line}, n) }
	for _, tt := range []struct {
		name  string
		lines []string
		want  string // the format, or with a "!" in front a part of the error
	}{
		{"one line", many(1, combinedLine), "combined"},
		{"empty lines", []string{"", combinedLine, " ", "\r", combinedLine}, "combined"},
		{"TLS hello and an empty request", []string{
			`192.0.2.7 - - [04/Mar/2018:13:49:52 +0000] "\x16\x03\x01" 400 150 "-" "-"`,
			`192.0.2.7 - - [04/Mar/2018:13:49:52 +0000] "" 400 0 "-" "-"`,
		}, "combined"},
		{"forwarded by us", []string{line(` "-"`), line(` "10.0.0.1, 10.0.0.2"`), line(` "2001:db8::1"`), line(` "unknown"`)}, mainFormat},
		{"something else between quotes", []string{line(` "-"`), line(` "2.31"`)}, `!$http_x_forwarded_for`},
		{"an upstream that is not always asked", []string{line(` 0.010`), line(` -`)}, "!seconds such as 0.120 for $request_time"},
		{"upstream lists", []string{line(` 0.130 0.010, 0.020 : 0.100`), line(` 0.120 -`)}, combinedFormat + ` $request_time $upstream_response_time`},
		{"upstream lists first", []string{line(` 0.010, 0.020 0.130`)}, combinedFormat + ` $upstream_response_time $request_time`},
		{"an upstream list of none that answered", []string{line(` 0.130 -, 0.020 : -`), line(` 0.120 -, -`)}, combinedFormat + ` $request_time $upstream_response_time`},
		{"the length of a request, and its time", []string{line(` 330 0.040`)}, "!no known format"},
		{"a time, and the length of a request", []string{line(` 0.040 330`)}, "!no known format"},
		{"a time, and an address", []string{line(` 0.040 127.0.0.1:8080`)}, "!no known format"},
		{"what the cache did, and a time", []string{line(` HIT 0.040`)}, "!no known format"},
		{"lengths of answers, and a time", []string{line(` 612, 0 0.040`)}, "!no known format"},
		{"the whole and its part", []string{line(` 0.130 0.120`), line(` 10.130 9.120`)}, combinedFormat + ` $request_time $upstream_response_time`},
		{"the part and its whole", []string{line(` 0.120 0.130`), line(` 0.120 0.120`)}, combinedFormat + ` $upstream_response_time $request_time`},
		{"clocks that are 4 ms apart", []string{line(` 0.120 0.124`), line(` 0.120 0.124`), line(` 0.120 0.115`)}, combinedFormat + ` $request_time $upstream_response_time`},
		{"times that clocks may have made different", []string{line(` 0.002 0.001`), line(` 0.001 0.001`)}, combinedFormat + ` $request_time $upstream_response_time`},
		{"a part longer than the whole by the clock", many(3, ingressLine("0.000", "0.004")), "ingress"},
		{"a part much longer than the whole", []string{ingressLine("0.001", "0.001"), ingressLine("0.000", "0.005")}, "!part of: \"" + strings.ReplaceAll(ingressLine("0.000", "0.005"), `"`, `\"`)},
		{"a part much longer than the whole, and noise", append(many(19, ingressLine("0.000", "0.005")), "x"), "!upstreams would take longer"},
		{
			"timed, if it were",
			[]string{strings.Replace(timedLine, "1.005 1.854", "1.854 1.005", 1)},
			strings.Replace(timedFormat, "$upstream_response_time $request_time", "$request_time $upstream_response_time", 1),
		},
		{"a part longer than the whole", []string{line(` "-" 0.120`), line(` "-" 0.120`) + ` x`}, "!no known format"},
		{"two equal times", []string{line(` 0.120 0.120`), line(` 0.000 0.000`)}, "!the sample matches several formats ("},
		{"json", []string{jsonLine, `{"msec":"1520171392.123","status":404}`}, "json"},
		{"json with a key time", many(3, `{"time":"04/Mar/2018:13:49:52 +0000","status":200}`), "json"},
		{"json of something else", many(3, `{"level":"info","msg":"started"}`), "!the lines are JSON without a time that is known: there is none in the keys level, msg"},
		{"json with nothing but a time", many(3, `{"time":"2018-03-04T13:49:52+00:00","level":"info","msg":"started"}`), "!the lines are JSON of which nothing but a time is known: level, msg"},
		{"json with holes", many(3, `{"msec":1520171392.123,"upstream_response_time":,"status":404}`), "!line 1 is closest to json, which at column 49 expects a value after the colon"},
		{"json and combined", []string{jsonLine, combinedLine}, "!no known format matches all of the first 2 lines"},

		// One torn line in twenty may be.
		{"1 of 20 is noise", append(many(19, combinedLine), "192.0.2.7 - - [04/Ma"), "combined"},
		{"1 of 19 is noise", append(many(18, combinedLine), "192.0.2.7 - - [04/Ma"), "!line 19 is closest to combined, which at column 21 expects a time"},
		{"2 of 20 are noise", append(many(18, combinedLine), "x", "y"), "!line 19 is closest to combined"},

		{"nothing known", []string{"2026/11/20 10:00:00 [error] 17#17: *1 connect() failed"}, "!set format to the log_format in nginx.conf"},
		{"a variable too many", []string{line(` "-" extra`)}, "!at column 95"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var lines [][]byte
			for _, l := range tt.lines {
				lines = append(lines, []byte(l))
			}
			name, err := logformat.Detect(lines)
			if part, isError := strings.CutPrefix(tt.want, "!"); isError {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("Detect = %q, %v, want an error with %q", name, err, part)
				}
			} else if err != nil || name != tt.want {
				t.Errorf("Detect = %q, %v, want %q", name, err, tt.want)
			}
		})
	}
	for _, lines := range [][][]byte{nil, {nil}, {[]byte(""), []byte(" ")}} {
		if _, err := logformat.Detect(lines); !errors.Is(err, logformat.ErrNoLines) {
			t.Errorf("Detect(%q): %v, want ErrNoLines", lines, err)
		}
	}
}

// What an operator reads.
func TestDetectError(t *testing.T) {
	_, err := logformat.Detect([][]byte{[]byte(`192.0.2.7 - - [04/Mar/2018:13:49:52 +0000] "GET / HTTP/1.1" 200 612 "-" curl`)})
	want := `no known format matches the first line; line 1 is closest to combined, which at column 73 expects a literal ` + "`\" \"`" + ` after $http_referer: ` +
		`"192.0.2.7 - - [04/Mar/2018:13:49:52 +0000] \"GET / HTTP/1.1\" 200 612 \"-\" curl"; set format to the log_format in nginx.conf`
	if err == nil || err.Error() != want {
		t.Errorf("Detect:\n got %v\nwant %s", err, want)
	}
	_, err = logformat.Detect([][]byte{bytes.Repeat([]byte("x"), 65536)})
	if err == nil || len(err.Error()) > 1000 {
		t.Errorf("Detect of a long line: the error is not short: %.2000v", err)
	}
}

func TestNearest(t *testing.T) {
	check := func(line, want string) {
		t.Helper()
		if got, ok := logformat.Nearest([]byte(line)); got != want || ok != (want != "") {
			t.Errorf("Nearest(%q) = %q, %v, want %q", line, got, ok, want)
		}
	}
	check(combinedLine, "combined")
	check(timedLine, "timed")
	check(jsonLine, "json")
	check(combinedLine+` "-"`, mainFormat)
	check("junk", "")
	check("", "")
	check("{}", "")
	for _, name := range []string{"combined", "common", "timed", "vhost_combined"} { // those of the generator
		for _, line := range generated(t, name, 100, 0) {
			check(string(line), name)
		}
	}
}

func BenchmarkDetect(b *testing.B) {
	for _, name := range []string{"timed", "json", "$time_iso8601 $status"} {
		b.Run(fmt.Sprintf("%.5s", name), func(b *testing.B) {
			lines := generated(b, name, 100, 0)
			for b.Loop() {
				logformat.Detect(lines)
			}
		})
	}
}
