package shape_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/shape"
)

// What an escape means does not depend on what else is in the line, which may be cut by
// another expression.
func TestEscapesMeanTheSameInAnyLine(t *testing.T) {
	const (
		head   = `192.0.2.7 - USER [20/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 5 `
		quotes = head + `"REFERER" "AGENT"`
	)
	agent := regexp.MustCompile(`http_user_agent="((?:[^"\\]|\\.)*)"`)
	of := func(format, line string) string {
		c := config.Default()
		c.Fields = []string{"http_user_agent"}
		lines, err := shape.New(&c, config.Source{Name: "web", Format: format}, "h", nil)
		if err != nil {
			t.Fatal(err)
		}
		point, _, _ := lines.Append(nil, []byte(line), 1)
		found := agent.FindSubmatch(point)
		if found == nil {
			return "no agent: " + string(point)
		}
		return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(string(found[1]))
	}
	for _, tt := range []struct{ name, format, line string }{
		{"combined", "combined", quotes},
		{"vhost_combined", "vhost_combined", "example.com:443 " + quotes},
		{"docker", "docker combined", `{"log":` + "`" + quotes + "`" + `,"stream":"stdout","time":"2026-11-20T10:00:00Z"}`},
		{"cri", "cri combined", "2026-11-20T10:00:00.1Z stdout F " + quotes},
		{"inside", "combined", "2026-11-20T10:00:00.1Z stdout F " + quotes},
		{"times", "timed", strings.Replace(head, `] "GET`, `] https "GET`, 1) + `"REFERER" "AGENT" "-" 0.1 0.2`},
		{"without quotes", `$remote_addr - $remote_user [$time_local] "$request" $status $bytes_sent "$http_referer" agent $http_user_agent`, head + `"REFERER" agent AGENT`},
		{"likely", `$remote_addr - $remote_user [$time_local] "$request" $status $bytes_sent $http_referer "$http_user_agent"`, head + `REFERER "AGENT"`},
	} {
		for value, want := range map[string]string{
			`C:\\x`:            `C:\x`,
			`\\\\host`:         `\\host`,
			`a\x22b\x5Cc`:      `a"b\c`,
			`\xd0\x9f\xD0\x9F`: `ПП`,
			`a\tb`:             "a\uFFFDb",
			`\x5Cn\q\x41`:      `\n\q\x41`,
		} {
			for _, other := range [][2]string{{"-", "-"}, {`\"`, "-"}, {`a\\\"b`, "-"}, {"-", `""`}, {"-", `a\"`}} {
				line := strings.NewReplacer("REFERER", other[0], "USER", other[1], "AGENT", value).Replace(tt.line)
				if before, inner, ok := strings.Cut(line, "`"); ok { // a string of JSON
					inner, after, _ := strings.Cut(inner, "`")
					line = before + `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(inner) + `\n"` + after
				}
				if got := of(tt.format, line); got != want {
					t.Errorf("%s: agent %s beside %q = %q, want %q", tt.name, value, other, got, want)
				}
			}
		}
	}
	if got := of("combined", head+`"-" "say \"\\\""`); got != `say "\"` {
		t.Errorf("agent with quotes = %q", got)
	}
}
