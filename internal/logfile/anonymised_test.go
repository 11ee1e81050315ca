package logfile_test

import (
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/logfile"
)

func TestIsAnonymised(t *testing.T) {
	t.Parallel()
	const (
		line = `203.0.113.77 - - [30/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 612 "-" "Chrome/131.0.0.0"` + "\n"
		next = `2001:db8:1:2:3:4:5:6 - - [30/Nov/2026:10:00:07 +0000] "GET /b HTTP/1.1" 200 612 "-" "curl/8.5"` + "\n"
		json = `{"time":"2026-11-30T10:00:00+00:00","remote_addr":"203.0.113.77","port":":80","via":"198.51.100.1, 10.1.2.3:4567"}` + "\n"
	)
	with := func(text string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(text) }
	for _, c := range []struct {
		name, was, is string
		want          bool
	}{
		{"the last number", line + next, with(line+next, "113.77", "113.0"), true},
		{"the last numbers", line + next, with(line+next, "113.77", "0.0", ":3:4:5:6", "::"), true},
		{"other zeros", next, with(next, "2001:db8:1:2:3:4:5:6", "2001:db8::"), true},
		{"nothing of it", line + next, with(line+next, "203.0.113.77", "0.0.0.0", "2001:db8:1:2:3:4:5:6", "::"), true},
		{"no address", line + next, with(line+next, "203.0.113.77", "-", "2001:db8:1:2:3:4:5:6", "-"), true},
		{"a sum", line, with(line, "203.0.113.77", "a94a8fe5ccb19ba6"), true},
		{"nothing at all", line, with(line, "203.0.113.77", ""), true},
		{"in one of its lines", line + next, with(line+next, "113.77", "113.0"), true},
		{"more lines", line, with(line+next, "113.77", "113.0"), true},
		{"fewer lines", line + next, with(line, "113.77", "113.0"), true},
		{"half a line more", line + next[:30], with(line+next[:10], "113.77", "113.0"), true},
		{"in JSON", json, with(json, "113.77", "113.0"), true},
		{"behind a name", "host:192.0.2.7\ta:b\n", "host:192.0.2.0\ta:b\n", true},
		{"behind a name, and gone", "host:192.0.2.7\ta:b\n", "host:\ta:b\n", true},
		{"with a port", "x 192.0.2.7:4567 y\n", "x 192.0.2.0:4567 y\n", true},
		{"of a proxy", json, with(json, "198.51.100.1", "198.51.100.0", "10.1.2.3", "x"), true},

		{"nothing", line + next, line + next, false},
		{"the host itself", line, with(line, "203.0.113.77", "127.0.0.1"), false}, // asks as others do
		{"another client", line, with(line, "113.77", "113.78"), false},
		{"another client, with zeros", line, with(line, "203.0.113.77", "203.0.114.0"), false},
		{"another time", line + next, with(line+next, "113.77", "113.0", "10:00:07", "10:00:08"), false},
		{"another path", line + next, with(line+next, "113.77", "113.0", "/b", "/c"), false},
		{"a longer path", line, with(line, "113.77", "113.0", "/a", "/ab"), false},
		{"a line more before it", line, with(next+line, "113.77", "113.0"), false},
		{"other words at its end", line, with(line, "113.77", "113.0", `"Chrome`, `"x" "Chrome`), false},
		{"it ends within the line", line, "203.0.113.0", false},
		{"it is empty", line, "", false},
		{"it was empty", "", line, false},
		{"no address in it", "a\nb\n", "a\nc\n", false},
		{"no whole line", line[:40], with(line[:40], "113.77", "113.0"), false},
	} {
		if got := logfile.Head(c.was).IsAnonymised(logfile.Head(c.is)); got != c.want {
			t.Errorf("%s: %v, want %v:\n%s%s", c.name, got, c.want, c.was, c.is)
		}
	}
}

func FuzzIsAnonymised(f *testing.F) {
	f.Add("1.2.3.4 a\n", "1.2.3.0 a\n")
	f.Add("::1 1.2.3.4:5 ff\n", " 1 f\n\n")
	f.Fuzz(func(t *testing.T, was, is string) {
		if was == is && logfile.Head(was).IsAnonymised(logfile.Head(is)) {
			t.Errorf("%q hides what %q has", is, was)
		}
	})
}
