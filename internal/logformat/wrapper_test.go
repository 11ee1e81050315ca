package logformat_test

import (
	"encoding/json"
	"fmt"
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
