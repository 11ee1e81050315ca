package logformat_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tailflux/tailflux/internal/logformat"
)

// Lines that are nearly in a wrapper are not taken for it, and nothing is cut out of range.
func TestNotWrapped(t *testing.T) {
	const line = `192.0.2.7 - - [20/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 8073`
	docker := func(log, rest string) string {
		quoted, _ := json.Marshal(log)
		return `{"log":` + string(quoted) + rest
	}
	for _, tt := range []struct{ wrapper, line string }{
		{"docker", docker(line+"\n", ``)},
		{"docker", docker(line+"\n", `,"stream":"stdin","time":"x"}`)},
		{"docker", docker(line+"\n", `,"stream":"stdout`)},
		{"docker", docker(line, `,"stream":"stdout","time":"x"}`)},
		{"docker", `{"log":"` + line + `\`},
		{"docker", `{"log":"\u12`},
		{"docker", line},
		{"cri", "2026-11-20T10:00:00Z stdout"},
		{"cri", "2026-11-20T10:00:00Z stdout F"},
		{"cri", "2026-11-20T10:00:00Z stdout X " + line},
		{"cri", "2026-11-20T10:00:00Z stdout P " + line},
		{"cri", "2026-11-2 stdout F " + line},
		{"cri", line},
		{"syslog", "<190>"},
		{"syslog", "<190>1"},
		{"syslog", "<190>1 "},
		{"syslog", "<190>1 2026-11-20T10:00:00Z web1 nginx - - "},
		{"syslog", `<190>1 2026-11-20T10:00:00Z web1 nginx - - [x a="\`},
		{"syslog", "Nov 20 10:00:00"},
		{"syslog", "Nov 20 10:00:00 "},
		{"syslog", "Nov 20 10:00:00 web1 nginx " + line},
		{"syslog", "<x>Nov 20 10:00:00 web1 nginx: " + line},
		{"syslog", line},
		{"syslog", ""},
	} {
		f := mustFormat(t, tt.wrapper+" common")
		if captures, ok := f.NewMatcher().Match([]byte(tt.line)); ok {
			t.Errorf("%s: %q gives %q", tt.wrapper, tt.line, captures)
		}
		if d := f.Diagnose([]byte(tt.line)); d.Column == 0 || d.Expected == "" {
			t.Errorf("%s: nothing is said of %q: %+v", tt.wrapper, tt.line, d)
		}
	}
}

// A log_format may begin with the name of a wrapper, in quotes.
func TestFormatBeginsWithANameOfAWrapper(t *testing.T) {
	for _, name := range []string{"docker", "cri", "syslog"} {
		f := mustFormat(t, fmt.Sprintf(`'%s $remote_addr [$time_local] $status'`, name))
		if _, ok := f.NewMatcher().Match([]byte(name + ` 192.0.2.7 [20/Nov/2026:10:00:00 +0000] 200`)); !ok {
			t.Errorf("%s: the line does not match", name)
		}
	}
}

// Docker's line holds what was written, whatever that was.
func FuzzDocker(f *testing.F) {
	f.Add("GET /a\\b\"c\u2028\x00é😀")
	f.Fuzz(func(t *testing.T, value string) {
		if !utf8.ValidString(value) || strings.ContainsAny(value, "\n\r\"") {
			t.Skip("Docker replaces the one, and these end a line or a value")
		}
		text, err := json.Marshal(`"` + value + "\" 200 1795168800.123\n")
		if err != nil {
			t.Fatal(err)
		}
		format, err := logformat.CompileFormat(`docker '"$http_x" $status $msec'`)
		if err != nil {
			t.Fatal(err)
		}
		m := format.NewMatcher()
		captures, ok := m.Match([]byte(`{"log":` + string(text) + `,"stream":"stdout","time":"2026-11-20T10:00:00Z"}`))
		if !ok || string(captures[0]) != value {
			t.Errorf("%q became %q, %v", value, captures, ok)
		}
	})
}

// A line in a wrapper costs no allocation.
func TestWrappersAllocateNothing(t *testing.T) {
	const line = `192.0.2.7 - - [20/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 8073`
	quoted, _ := json.Marshal(line + "\n")
	for wrapper, text := range map[string]string{
		"docker": `{"log":` + string(quoted) + `,"stream":"stdout","time":"2026-11-20T10:00:00Z"}`,
		"cri":    "2026-11-20T10:00:00Z stdout F " + line,
		"syslog": "<190>Nov 20 10:00:00 web1 nginx: " + line,
	} {
		m, line := mustFormat(t, wrapper+" common").NewMatcher(), []byte(text)
		if n := testing.AllocsPerRun(100, func() {
			if _, ok := m.Match(line); !ok {
				t.Fatalf("%s does not match", wrapper)
			}
		}); n > 0 {
			t.Errorf("%s: %v allocations a line", wrapper, n)
		}
	}
}

// A format without a wrapper's name reads lines in lines, too, and leaves out the same ones.
func TestLinesInLinesOfAPlainFormat(t *testing.T) {
	const (
		combined = `192.0.2.7 - - [20/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 8073 "-" "-"`
		object   = `{"time_iso8601":"2026-11-20T10:00:00+00:00","status":"200"}`
		failed   = `2026/11/20 10:00:00 [error] 29#29: *1 open() failed`
	)
	docker := func(line, stream string) string {
		quoted, _ := json.Marshal(line + "\n")
		return `{"log":` + string(quoted) + `,"stream":"` + stream + `","time":"2026-11-20T10:00:00Z"}`
	}
	expr, err := logformat.CompileRegexp(`^(?P<remote_addr>\S+) .* (?P<status>\d{3}) \d+ "-" "-"$`)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		format *logformat.Format
		line   string
		aside  string
	}{
		{"docker", mustFormat(t, "combined"), docker(combined, "stdout"), docker(failed, "stderr")},
		{"cri", mustFormat(t, "combined"), "2026-11-20T10:00:00.1Z stdout F " + combined, "2026-11-20T10:00:00.1Z stderr F " + failed},
		{"syslog", mustFormat(t, "combined"), "<190>Nov 20 10:00:00 web1 nginx: " + combined, ""},
		{"docker, JSON", mustFormat(t, "json"), docker(object, "stdout"), docker(failed, "stderr")},
		{"cri, JSON", mustFormat(t, "json"), "2026-11-20T10:00:00.1Z stdout F " + object, "2026-11-20T10:00:00.1Z stderr F " + failed},
		{"docker, regexp", expr, docker(combined, "stdout"), docker(failed, "stderr")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := tt.format.NewMatcher()
			for range 2 {
				captures, ok := m.Match([]byte(tt.line))
				at := slices.Index(tt.format.Names(), "status")
				if !ok || string(captures[at]) != "200" || m.Aside() {
					t.Fatalf("%s is %q, %v, aside %v", tt.line, captures, ok, m.Aside())
				}
				if tt.aside == "" {
					continue
				}
				if _, ok := m.Match([]byte(tt.aside)); ok || !m.Aside() {
					t.Errorf("%s is %v, aside %v, want it left out", tt.aside, ok, m.Aside())
				}
			}
			if d := tt.format.Diagnose([]byte(tt.line)); d.Column != 0 {
				t.Errorf("Diagnose = %+v of a line that matches", d)
			}
			if _, ok := m.Match([]byte("nonsense")); ok || m.Aside() {
				t.Errorf("nonsense is %v, aside %v", ok, m.Aside())
			}
		})
	}
}

// Times of named formats become seconds, as nginx writes them.
func TestTimesInOtherUnits(t *testing.T) {
	const head = `192.0.2.7 - - [20/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "-" 1 "r" "u" `
	f := mustFormat(t, "traefik")
	m, at := f.NewMatcher(), slices.Index(f.Names(), "request_time")
	for in, want := range map[string]string{"0": "0.000", "7": "0.007", "24": "0.024", "999": "0.999", "1000": "1.000", "123456": "123.456", "-1": "-", "-": "-"} {
		captures, ok := m.Match([]byte(head + in + "ms"))
		if !ok || string(captures[at]) != want {
			t.Errorf("%sms is %q, %v, want %q", in, captures, ok, want)
		}
	}
	for in, want := range map[string]string{"+7": "0.007", "x": "x", "": ""} { // what HAProxy writes, and what is no number
		haproxy := "192.0.2.7:1 [20/Nov/2026:10:00:00.1] f b/s 0/0/" + in + "/0/0 200 0 - - ---- 1 0 \"GET /a HTTP/1.1\""
		f := mustFormat(t, "haproxy")
		captures, ok := f.NewMatcher().Match([]byte(haproxy))
		if at := slices.Index(f.Names(), "upstream_connect_time"); ok != (in != "") || ok && string(captures[at]) != want {
			t.Errorf("%s is %q, %v, want %q", in, captures, ok, want)
		}
	}
	line := []byte(head + "24ms")
	if n := testing.AllocsPerRun(100, func() { m.Match(line) }); n > 0 {
		t.Errorf("%v allocations a line", n)
	}
}

// Docker's object may have been written anew by a shipper, or have more keys than Docker
// writes by itself: its line is found, whole or in pieces, in every format.
func TestDockersObjectWrittenAnew(t *testing.T) {
	const (
		combined = `192.0.2.7 - - [20/Nov/2026:10:00:00 +0000] "GET /é HTTP/1.1" 200 8073 "-" "a\x22b"`
		object   = `{"time_iso8601":"2026-11-20T10:00:00+00:00","status":200,"uri":"/é"}`
	)
	shapes := []string{
		`{"log": LOG, "stream": "STREAM", "time": "2026-11-20T10:00:00.1Z"}`,
		`{"log":LOG,"stream":"STREAM","attrs":{"tag":"web","env":"a,b"},"time":"2026-11-20T10:00:00.1Z"}`,
		`{"log":LOG,"attrs":{"tag":"web"},"stream":"STREAM","time":"2026-11-20T10:00:00.1Z"}`,
		`{"stream":"STREAM","time":"2026-11-20T10:00:00.1Z","log":LOG}`,
		`{"time":"2026-11-20T10:00:00.1Z","kubernetes":{"pod":"x"},"stream":"STREAM","log":LOG}`,
		` { "time" : "2026-11-20T10:00:00.1Z" , "log" : LOG , "stream" : "STREAM" } `,
		`{"log" :LOG,"stream":"STREAM"}`,
	}
	of := func(shape, log, stream string) []byte {
		quoted, err := json.Marshal(log)
		if err != nil {
			t.Fatal(err)
		}
		return []byte(strings.NewReplacer("LOG", string(quoted), "STREAM", stream).Replace(shape))
	}
	for _, tt := range []struct{ format, line string }{
		{"combined", combined}, {"docker combined", combined}, {"json", object}, {"docker json", object},
	} {
		f := mustFormat(t, tt.format)
		m, status := f.NewMatcher(), slices.Index(f.Names(), "status")
		for _, shape := range shapes {
			if captures, ok := m.Match(of(shape, tt.line+"\n", "stdout")); !ok || string(captures[status]) != "200" {
				t.Errorf("%s: %s: no status 200 in %q, %v", tt.format, shape, captures, ok)
			}
			if captures, ok := m.Match(of(shape, "2026/11/20 10:00:00 [error] 29#29: *1 open() failed\n", "stderr")); ok || !m.Aside() {
				t.Errorf("%s: %s: a line of the standard error is %q, aside %v", tt.format, shape, captures, m.Aside())
			}
			if captures, ok := m.Match(of(shape, tt.line, "stdout")); ok || m.Aside() {
				t.Errorf("%s: %s: a piece is %q, aside %v", tt.format, shape, captures, m.Aside())
			}
			half := len(tt.line) / 2
			for tt.line[half]&0xC0 == 0x80 {
				half++
			}
			pieces := slices.Concat(of(shape, tt.line[:half], "stdout"), []byte("\n"), of(shape, tt.line[half:]+"\n", "stdout"), []byte("\n"))
			if captures, n := m.MatchPieces(pieces, 1000); n != 2 || string(captures[status]) != "200" {
				t.Errorf("%s: %s: pieces are %q, %d", tt.format, shape, captures, n)
			}
		}
	}
	for _, shape := range shapes {
		want := map[string]string{combined: "docker combined", object: "docker json"}
		for line, format := range want {
			if got, err := logformat.Detect([][]byte{of(shape, line+"\n", "stdout")}); got != format {
				t.Errorf("Detect(%s) = %q, %v, want %s", shape, got, err, format)
			}
		}
	}
}

// A log of a program's own may have the same keys.
func TestNotDockersObject(t *testing.T) {
	for _, line := range []string{
		`{"status":200,"log":"x"}`,
		`{"status":200,"log":"x","stream":"events"}`,
		`{"status":200,"log":{"level":"info"},"stream":"stdout"}`,
		`{"status":200,"log":7,"stream":"stdout"}`,
		`{"status":200,"stream":"stdout"}`,
		`{"log":"x","status":200}`,
	} {
		f := mustFormat(t, "json")
		m := f.NewMatcher()
		if captures, ok := m.Match([]byte(line)); !ok || string(captures[slices.Index(f.Names(), "status")]) != "200" {
			t.Errorf("%s is %q, %v", line, captures, ok)
		}
	}
	f := logformat.CompileJSON("log") // somebody wants it as a tag
	if captures, ok := f.NewMatcher().Match([]byte(`{"log":"x\n","stream": "stdout"}`)); !ok || string(captures[slices.Index(f.Names(), "log")]) != "x\n" {
		t.Errorf("it is %q, %v", captures, ok)
	}
}

// FuzzWrapped looks for lines in wrappers that are not taken for such by their beginning.
func FuzzWrapped(f *testing.F) {
	for _, line := range []string{
		"", "<", "<1>1      - ", "<13>Nov 20 10:00:00 web nginx: a", "Nov  2 10:00:00 nginx: ", "Nov  2 10:00:00 ", "2026-11-20T10:00:00 nginx: a",
		"2026-11-20T10:00:00.1Z stdout P a", "2026-11-20T10:00:00.1Z stdout F a", "2026-11-20T10:00:00 a: ",
		` {"log":"a","stream":"stdout"}`, "\t\r\n{\"stream\":\"stderr\",\"log\":\"a\\n\"}", `{"log":"a\n","stream":"stdout","time":""}`,
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		is, isPiece, isNot, isNoPiece := logformat.Wrapped(line)
		if is && isNot || isPiece && isNoPiece {
			t.Errorf("%q: in a wrapper %v, a piece %v, but its beginning rules out %v, %v", line, is, isPiece, isNot, isNoPiece)
		}
	})
}
