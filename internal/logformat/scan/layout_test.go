package scan

import (
	"regexp/syntax"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/logformat/scan/marks"
)

// timed is the expression of the preset.
const timed = `^(?P<a>[^ "]+) - (?P<b>[^"]*?) \[(?P<c>[ +-:A-Za-z]{19,})\] (?P<d>[^ "]+) "(?P<e>[^"]*)" (?P<f>[0-9.-]+) (?P<g>[0-9.-]+)` +
	` "(?P<h>[^"]*)" "(?P<i>[^"]*)" "(?P<j>[^"]*)" (?P<k>[^ ,"]+(?:(?:,| :) [^ ,"]*)*) (?P<l>[0-9.-]+)$`

// Which lines a layout takes. This is about speed, not about answers; but one that takes
// none would pass every other test, and one that takes too many shows here first.
func TestLayout(t *testing.T) {
	defer func(was bool) { hasLayouts = was }(hasLayouts)
	hasLayouts = true // in plain Go, where there are no vectors
	check := func(expr string, groups int, line string, want bool) {
		t.Helper()
		tree, err := syntax.Parse(expr, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		var numbers []int
		for i := range groups {
			numbers = append(numbers, i+1)
		}
		p, err := Compile(tree, numbers)
		if err != nil {
			t.Fatal(err)
		}
		took := p.layout != nil && p.layout.take([]byte(line), make([][]byte, groups), p.NewScratch())
		if took != want {
			t.Errorf("%s: take(%q) = %v, want %v", expr, line, took, want)
		}
	}
	const line = `172.0.0.12 - - [04/Mar/2018:13:49:52 +0000] http "GET /foo?query=t HTTP/1.0" 200 2133 "-" "Keep Alive" "-" 1.005 1.854`
	check(timed, 12, line, true)
	changed := func(from, to string, want bool) {
		t.Helper()
		check(timed, 12, strings.Replace(line, from, to, 1), want)
	}
	changed("- -", "- ada", true)
	changed("- -", "- ada lovelace", false)
	changed(" - ", " : ", false)
	changed("+0000", "+00;0", false)
	changed("04/Mar/2018:13:49:52", "2018", false)
	changed("Keep Alive", "", true)
	changed("Keep Alive", `\x22 é`, true)
	changed("Keep Alive", `Keep" "Alive`, false)
	changed("200", "2a0", false)
	changed("200", "", false)
	changed("200", strings.Repeat("1", marks.MostInClass), true)
	changed("200", strings.Repeat("1", marks.MostInClass+1), false)
	changed("1.005", "1,005", false)
	changed("1.005", "1.005, 0.1", false)
	changed("1.854", "1.854 ", false)
	changed("1.854", "1.85é", false)
	changed("Keep", strings.Repeat("k", longest-len(line)+4), true)
	changed("Keep", strings.Repeat("k", longest-len(line)+5), false)
	check(timed, 12, "", false)

	// From here on: blanks that are more than one, a group that a choice leads to, a
	// backslash, separators, fixed lengths.
	agent := ` "` + strings.Repeat("agent ", 12) + `"`
	check(`(?P<a>[\d.]+)\s+(?P<b>[^ \[]+)\s+"(?P<c>[^"]+)"`, 3, `10.0.0.1 x`+agent, false) // not up to the end of a line
	check(`^(?P<a>[\d.]+)\s+(?P<b>[^ \[]+)\s+"(?P<c>[^"]+)"$`, 3, `10.0.0.1 x`+agent, true)
	check(`^(?P<a>[\d.]+)\s+(?P<b>[^ \[]+)\s+"(?P<c>[^"]+)"$`, 3, "10.0.0.1 \tx"+agent, false)
	check(`^(?P<a>[\d.]+)\s+(?P<b>[^ \[]+)\s+"(?P<c>[^"]+)"$`, 3, `10.0.0.1 [`+agent, false)
	check(`^(?P<a>\d{3}) "(?P<c>(?:[^"\\]|\\.)*)" x$`, 2, `200`+agent+` x`, true)
	check(`^(?P<a>\d{3}) "(?P<c>(?:[^"\\]|\\.)*)" x$`, 2, `2000`+agent+` x`, false)
	check(`^(?P<a>\d{3}) "(?P<c>(?:[^"\\]|\\.)*)" x$`, 2, `200`+strings.Replace(agent, " ", `\`, 2)+` x`, false)
	check(`^(?P<a>[^ ,"]+(?:(?:,| :) [^ ,"]*)*) (?P<b>[^ "]*) "(?P<c>[^"]*)"$`, 3, `a b`+agent, true)
	check(`^(?P<a>[^ ,"]+(?:(?:,| :) [^ ,"]*)*) (?P<b>[^ "]*) "(?P<c>[^"]*)"$`, 3, `a :`+agent, false)

	// A quote where a time should have its space turns all inside out.
	long := strings.Repeat("x", 64)
	check(`^\[(?P<a>[^\]]+)\]"(?P<b>[^"]*)"(?P<c>[^ "]+)"(?P<d>[^"]*)"$`, 4, `[a a]"`+long+`"cc"d"`, true)
	check(`^\[(?P<a>[^\]]+)\]"(?P<b>[^"]*)"(?P<c>[^ "]+)"(?P<d>[^"]*)"$`, 4, `[a"a]"`+long+`"c c"d"`, false)
}
