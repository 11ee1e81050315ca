package logformat_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/logformat"
)

const apacheHead = `192.0.2.7 - - [20/Nov/2026:10:00:00 +0000] `

// \" is no end of a value, and "" is nothing. What nginx writes is cut as ever.
func TestLinesAsApacheWritesThem(t *testing.T) {
	type values map[string]string
	for _, tt := range []struct {
		format, line string
		want         values // some of them; nil: no match
	}{
		{"combined", apacheHead + `"GET /a HTTP/1.1" 200 8073 "-" "Dalvik/2.1.0 (Linux; U; Alba 10\" Build/X)"`, values{"http_user_agent": `Dalvik/2.1.0 (Linux; U; Alba 10\" Build/X)`, "status": "200"}},
		{"combined", apacheHead + `"GET /\"a\\b\" HTTP/1.1" 200 1 "\t\n\r\b\v" "\xd0\x9f\q\""`, values{"request": `GET /\"a\\b\" HTTP/1.1`, "http_referer": `\t\n\r\b\v`, "http_user_agent": `\xd0\x9f\q\"`}},
		{"combined", apacheHead + `"-" 408 - "-" "\\\""`, values{"http_user_agent": `\\\"`, "request": "-"}},
		{"vhost_combined", "example.com:443 " + apacheHead + `"GET / HTTP/1.1" 200 1 "\"x\"" "\""`, values{"host": "example.com", "http_referer": `\"x\"`, "http_user_agent": `\"`}},
		{"common", apacheHead + `"GET /\" HTTP/1.1" 200 1`, values{"request": `GET /\" HTTP/1.1`}},
		{"combined", strings.Replace(apacheHead, "- -", `- ""`, 1) + `"GET /c HTTP/1.1" 200 1334 "-" "curl"`, values{"remote_addr": "192.0.2.7", "http_user_agent": "curl"}},
		{"vhost_combined", "a:80 " + strings.Replace(apacheHead, "- -", `- ""`, 1) + `"GET /\" HTTP/1.1" 200 1334 "" ""`, values{"remote_addr": "192.0.2.7", "request": `GET /\" HTTP/1.1`, "http_referer": ""}},
		{"$remote_addr $http_x [$msec] $http_y", `::1 "" [1.000] ""`, values{"remote_addr": "::1", "msec": "1.000"}},
		{"combined", strings.Replace(apacheHead, "- -", `- a\"b`, 1) + `"GET /c HTTP/1.1" 200 1334 "-" "curl"`, values{"remote_user": `a\"b`}},

		{"combined", apacheHead + `"GET /\x22\x5C HTTP/1.1" 200 1 "" "a\b\"`, values{"request": `GET /\x22\x5C HTTP/1.1`, "http_user_agent": `a\b\`}}, // nginx's, to the byte
		{"combined", apacheHead + `"GET /a HTTP/1.1" 200 1 "-" "Alba 10" Build"`, nil},
		{"combined", apacheHead + `"GET /a HTTP/1.1" 200 1 "-" "open \"`, values{"http_user_agent": `open \`}},
		{"combined", apacheHead + `"GET /a\" HTTP/1.1" 200 1 "-" "open`, nil},
		{`escape=none '"$http_x" $msec'`, `"a\"b" 1.000`, values{"http_x": `a\"b`}},
	} {
		f := mustFormat(t, tt.format)
		got := values(found(f.NewMatcher(), f.Names(), []byte(tt.line)))
		twinsOf(f).agree(t, []byte(tt.line))
		if (got == nil) != (tt.want == nil) {
			t.Errorf("Match(%q) = %v, want %v", tt.line, got, tt.want)
			continue
		}
		for name := range got {
			if _, wanted := tt.want[name]; !wanted {
				delete(got, name)
			}
		}
		if !cmp.Equal(got, tt.want) && len(tt.want) > 0 {
			t.Errorf("%s: Match(%q): %s", tt.format, tt.line, cmp.Diff(tt.want, got))
		}
	}
}

func TestLinesOfApacheAreDetected(t *testing.T) {
	for want, head := range map[string]string{"combined": "", "vhost_combined": "example.com:443 "} {
		lines := [][]byte{
			[]byte(head + apacheHead + `"GET /a HTTP/1.1" 200 8073 "-" "Alba 10\" Build/X"`),
			[]byte(head + strings.Replace(apacheHead, "- -", `- ""`, 1) + `"GET /a HTTP/1.1" 401 80 "-" "-"`),
		}
		if got, err := logformat.Detect(lines); got != want {
			t.Errorf("Detect(%s) = %q, %v, want %q", lines, got, err, want)
		}
	}
}

func TestLinesOfApacheAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("package regexp allocates under the race detector")
	}
	m := mustFormat(t, "combined").NewMatcher()
	for _, line := range []string{
		apacheHead + `"GET /\"a HTTP/1.1" 200 8073 "-" "Alba 10\" Build/X"`,
		strings.Replace(apacheHead, "- -", `- ""`, 1) + `"GET /a HTTP/1.1" 401 80 "-" "-"`,
	} {
		bytes := []byte(line)
		if n := testing.AllocsPerRun(100, func() { m.Match(bytes) }); n != 0 {
			t.Errorf("Match(%q) allocates %v times, want 0", line, n)
		}
	}
}
