package logformat_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/logformat"
)

// oddExpressions have quotes where a log_format has none.
var oddExpressions = []string{
	`^(?P<a>[^ ]*) "(?P<b>[^"]*)"$`,
	`^(?P<a>[!-~]+) "(?P<b>[^"]*)" (?P<c>x|"y")$`,
	`^(?P<a>"+) (?P<b>(?:"[^"]*")*)(?P<c>"{2,4})?$`,
	`^(?P<a>"?)(?P<b>.*)"$`,
	`(?P<a>\d+) "(?P<b>[^"]*)"$`,
	`^(?P<a>\d+) "(?P<b>[^"]*)"`,
	`(?i)^(?P<a>k) "ſ(?P<b>[^"]*)"$`,
	`^(?P<a>(?i:status))="(?P<b>[^"]*)"\b(?P<c>.*)$`,
	`^(?P<a>[^"]*)\b"\b(?P<b>[^"]*)\B"$`,
	`^(?P<a>[^|]*)\|(?P<b>[^|]*)\|(?P<c>[^|]*)$`,
	`^(?:(?P<a>1")|(?P<b>"2"))(?P<c>[^"]*)$`,
	`^(?P<a>[^"]*"[^"]*)"(?P<b>(?s:.)*)$`,
	`(?m)^(?P<a>[^"]*)"(?P<b>.*)$`,
	`^^(?P<a>\x{fffd}+)"(?P<b>\x{fffd})$$`,
	`^(?P<a>)(?:"(?P<b>)")?$`,
	`^(?P<a>["]|["'])(?P<b>[^"]{3,5}?)"$|^"(?P<c>x)$`,
	`^(?P<a>\pL*?)" (?P<b>[\s"]+)" $`,
	`^(?P<a>[a-z]*?)-(?P<b>[^-]*) (?P<c>(?:x|y)[0-9]{2,3})=$`,
	`^(?P<a>.*):(?P<b>[\x{80}-\x{10ffff}a]+);(?P<c>[^;é]*) (?P<d>[0-9]+)$`,
	`^(?P<a>[^ ]*) (?P<b>(?i:K)[0-9]*)é(?P<c>[0-9]*)"(?P<d>x*)$`,
}

// ownFormats are log_formats of people.
var ownFormats = []string{
	`$remote_addr|$server_name|$request_method|$status|$upstream_addr|$upstream_status|$http_user_agent|$time_iso8601`,
	`"$time_local","$remote_addr","$request",$status,"$http_referer"`,
	`escape=json '{"t":"$time_iso8601","s":$status,"u":"$request_uri","a":"$http_user_agent"}'`,
	`escape=none '$remote_addr [$time_local] "$request" $status "$http_user_agent" $http_x'`,
	`escape=json '$msec|$host|$scheme://$host$request_uri "$http_user_agent" $host'`,
	`escape=none '$msec|$host "$host" $status'`,
	`$time_iso8601 $request $status $http_user_agent "$http_referer"`,
	"time:$time_iso8601\thost:$remote_addr\turi:$uri$is_args$args\tstatus:$status",
	`$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" rt=$request_time`,
}

// guarded are matchers with and without a guard.
type guarded struct {
	format        *logformat.Format
	with, without *logformat.Matcher
	fast          *logformat.Matcher
}

func allGuarded(t testing.TB) (all []*guarded) {
	t.Helper()
	add := func(f *logformat.Format) {
		all = append(all, &guarded{f, f.NewGuardedMatcher(), f.NewSlowMatcher(), f.NewMatcher()})
	}
	for _, name := range logformat.Presets() {
		if f := mustFormat(t, name); f.Kind() != "json" {
			add(f)
		}
	}
	for _, format := range ownFormats {
		add(mustFormat(t, format))
	}
	for _, expr := range append([]string{lineage, "^" + lineage + "$"}, oddExpressions...) {
		add(mustRegexp(t, expr))
	}
	return all
}

// agree reports whether the matchers say the same of a line.
func (g *guarded) agree(t testing.TB, line []byte) {
	t.Helper()
	want, wantOK := g.without.Match(line)
	want = cloneAll(want)
	for name, m := range map[string]*logformat.Matcher{"a guard": g.with, "a scanner": g.fast} {
		got, gotOK := m.Match(line)
		if gotOK != wantOK || !slices.EqualFunc(got, want, func(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }) {
			t.Errorf("%s\nguard: %s\nline:  %q\nwith %s %q, %v, without %q, %v", g.format.Regexp(), g.format.Guard(), line, name, got, gotOK, want, wantOK)
		}
		if aside := g.without.Aside(); m.Aside() != aside {
			t.Errorf("%s\nline: %q is aside without %s: %v", g.format.Regexp(), line, name, aside)
		}
	}
}

func cloneAll(captures [][]byte) (all [][]byte) {
	for _, c := range captures {
		all = append(all, bytes.Clone(c))
	}
	return all
}

// damagedLines are of many formats, and of none.
func damagedLines() (all [][]byte) {
	var lines [][]byte
	for _, format := range append([]string{timedFormat, combinedFormat, jsonFormat, objectFormat, ownFormats[6]}, ownFormats[:2]...) {
		lines = append(lines, logLines(20, format)...)
	}
	for _, text := range append([]string{timedLine, combinedLine, jsonLine, `1 "x"`, `""`, `"`, `k "sx"`, `1"2`, `a" "" `, "\xff\"\ufffd", "a-b x123="}, oddLines...) {
		line, _, _ := strings.Cut(text, "\n")
		lines = append(lines, []byte(line))
	}
	r := rand.New(rand.NewPCG(7, 7))
	for _, line := range lines {
		all = append(all, damaged(r, line, lines[r.IntN(len(lines))])...)
	}
	return all
}

// A line is refused by the guard only if no match is there: of lines as they should be, cut,
// torn, joined, in wrappers, with other bytes in them, and of other formats.
func TestGuardRefusesNoMatch(t *testing.T) {
	all := allGuarded(t)
	for i, line := range damagedLines() {
		for at := i % 2; at < len(all) && !t.Failed(); at += 2 {
			all[at].agree(t, line)
		}
	}
}

// Nearest is what it is without guards.
func TestNearestIsThatWithoutGuards(t *testing.T) {
	for i, line := range damagedLines() {
		if i%3 > 0 && !strings.HasPrefix(string(line), "{") {
			continue
		}
		got, gotOK := logformat.Nearest(line)
		if want, wantOK := logformat.NearestSlowly(line); gotOK != wantOK || gotOK && got != want {
			t.Errorf("Nearest(%q) = %q, %v, want %q, %v", line, got, gotOK, want, wantOK)
		}
	}
}

// damaged are a line and what may become of it.
func damaged(r *rand.Rand, line, other []byte) [][]byte {
	cut := r.IntN(len(line) + 1)
	changed := bytes.Clone(line)
	if len(changed) > 0 {
		changed[r.IntN(len(changed))] = "\"\\ []0a-\xff\x00|"[r.IntN(11)]
	}
	docker := fmt.Sprintf(`{"log":%q,"stream":"stdout","time":"2026-11-20T10:00:00Z"}`, string(line)+"\n")
	return [][]byte{
		line, line[:cut], line[cut:], slices.Concat(line[:cut], other), slices.Concat(line[:cut], []byte(`"`), line[cut:]), changed,
		bytes.ReplaceAll(line, []byte(`"-"`), []byte(`""`)), bytes.Replace(line, []byte(`e`), []byte(`\"`), 1),
		[]byte(docker), slices.Concat([]byte("2026-11-20T10:00:00.1Z stderr F "), line), slices.Concat([]byte("<190>Nov 20 10:00:00 web nginx: "), line),
	}
}

// What a line must have is derived from the expression.
func TestGuard(t *testing.T) {
	format := func(s string) string { return mustFormat(t, s).Guard() }
	expr := func(s string) string { return mustRegexp(t, s).Guard() }
	for _, tt := range []struct{ what, got, want string }{
		{"combined", format("combined"), `39 bytes, 6 to 6 of '"', 8 or more of ' ', ends with " [...................] \".\" . . \".\" \".\"", 0 quotes before the rest, before it " [...................] "`},
		{"timed", format("timed"), `48 bytes, 8 to 8 of '"', 12 or more of ' ', ends with " .", 0 quotes before the rest, before it " [...................] . "`},
		{"JSON", format(ownFormats[2]), `27 bytes, 14 or more of '"', 4 or more of ':', ends with "\"}", 0 quotes before the rest, before it "{"`},
		{"none", format(ownFormats[3]), `30 bytes, 4 or more of '"', 5 or more of ' ', 0 quotes before the rest, before it " [...................] "`},
		{"pipes", format(ownFormats[0]), `12 bytes, 7 or more of '|', ends with "|."`},
		{"the tutorials'", expr(lineage), `36 bytes, 8 or more of '"', 1 or more of '['`},
		{"a class with a quote", expr(oddExpressions[0]), `3 bytes, 2 or more of '"', 1 or more of ' ', ends with " \".\""`},
		{"a range with a quote, and an alternative", expr(oddExpressions[1]), `6 bytes, 2 or more of '"', 2 or more of ' '`},
		{"loops", expr(oddExpressions[2]), `2 bytes, 1 or more of '"', 1 or more of ' '`},
		{"begins anywhere", expr(oddExpressions[4]), `4 bytes, 2 or more of '"', 1 or more of ' ', ends with " \".\""`},
		{"ends anywhere", expr(oddExpressions[5]), `4 bytes, 2 or more of '"', 1 or more of ' ', 0 quotes before the rest, before it " "`},
		{"any case", expr(oddExpressions[6]), `5 bytes, 2 to 2 of '"', 1 or more of ' '`},
		{"alternatives", expr(oddExpressions[10]), `2 bytes, 1 to 2 of '"'`},
		{"a quote in a group", expr(oddExpressions[11]), `2 bytes, 2 or more of '"', 1 quotes before the rest, before it "\"."`},
		{"of lines", expr(oddExpressions[12]), `1 bytes, 1 or more of '"'`},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: a line must have %s, want %s", tt.what, tt.got, tt.want)
		}
	}
}

// A line that is cut off, or of another format, is refused without package regexp.
func TestGuardRefuses(t *testing.T) {
	lines := logLines(100, timedFormat)
	for _, name := range []string{"timed", "combined", "ingress"} {
		m := mustFormat(t, name).NewMatcher()
		for _, line := range lines {
			cut := line[:90]
			if name != "timed" {
				cut = line
			}
			if _, ok := m.Match(cut); ok || m.Slow > 0 {
				t.Fatalf("%s: %q: matched %v, asked package regexp %d times", name, cut, ok, m.Slow)
			}
		}
	}
	if raceEnabled {
		return
	}
	m := mustFormat(t, "timed").NewMatcher()
	cut := lines[0][:90]
	if n := testing.AllocsPerRun(100, func() { m.Match(cut) }); n != 0 {
		t.Errorf("a line that is cut off allocates %v times", n)
	}
}

// FuzzGuard holds matchers with a guard against those without.
func FuzzGuard(f *testing.F) {
	all := allGuarded(f)
	for _, line := range oddLines {
		f.Add([]byte(line), uint8(0))
	}
	for i, line := range []string{timedLine, combinedLine, strings.Replace(combinedLine, "- ada", `- ""`, 1), `k "sx"`, `1"2`, "\xff\"\ufffd"} {
		f.Add([]byte(line), uint8(3*i))
	}
	f.Fuzz(func(t *testing.T, text []byte, which uint8) {
		line, _, _ := bytes.Cut(text, []byte("\n"))
		all[int(which)%len(all)].agree(t, line)
	})
}
