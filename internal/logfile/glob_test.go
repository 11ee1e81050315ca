// How a pattern names the files that it matches.

package logfile_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/logfile"
)

func TestLabels(t *testing.T) {
	for _, tt := range []struct{ glob, path, want string }{
		{"/logs/*.log", "/logs/a.log", "a"},
		{"/logs/*.log", "/logs/a,b.log", "a,b"},
		{"/logs/*.log", `/logs/"a",b.log`, `"a",b`},
		{"/logs/*/*.log", "/logs/shop/access.log", "shop,access"},
		{"/logs/*/*.log", `/logs/"shop"/access.log`, `"shop",access`},
		{"/logs/*/*.log", "/logs/a,b/c.log", `"a,b",c`},
		{"/logs/*/*.log", "/logs/a/b,c.log", `a,"b,c"`},
		{"/logs/*/*.log", `/logs/"a,b"/c.log`, `"""a,b""",c`},
		{"/logs/*/*.log", `/logs/a,b/".log`, `"a,b",""""`},
		{"/logs/*/?.log", "/logs/a,b/c.log", "a,b,c"}, // ? is one character: it can only be this
		{"/logs/[a-c]-*.log", "/logs/a-b,c.log", "a,b,c"},
		{"/logs/*.log*", "/logs/a.log", "a,"},
		{"/logs/é/*.log", "/logs/é/ü.log", "ü"},
		{`/logs/\é\*/*.log`, "/logs/é*/ü.log", "ü"},
		{`/logs/[\]é]*.log`, "/logs/].log", "],"},
		{`/logs/[^\\]*.log`, "/logs/é1.log", "é,1"},
	} {
		if ok, err := filepath.Match(tt.glob, tt.path); !ok || err != nil {
			t.Errorf("%q does not match %q: %v", tt.path, tt.glob, err)
		}
		if got, date := logfile.CompilePattern(tt.glob).Label(tt.path); got != tt.want || date != "" {
			t.Errorf("Label(%q) of %q = %q, want %q", tt.path, tt.glob, got, tt.want)
		}
	}
}

// Two logs of one name would share a checkpoint, and each would be read from where
// the other one is. Whatever the pattern, different paths have different labels, and
// a path without a comma has the label that it always had.
func TestTwoLogsNeverShareAName(t *testing.T) {
	const patterns = 2000
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	one := func(of []string) string { return of[random.IntN(len(of))] }
	parts := []string{"*", "* / *", "* / *", "?", "[a,é]", `[^\]b]`, "/", ",", "a", "é", `"`, `\*`, `\,`}
	texts := []string{"", "", "a", "a", ",", ",", `"`, `","`, "é", "\xff"} // few, so that many paths are alike
	fill := func(pattern []string) (path string) {
		for _, part := range pattern {
			switch part {
			case "*":
				path += one(texts) + one(texts)
			case "?":
				path += one([]string{"a", ",", `"`, "é", "\xff"})
			case "[a,é]":
				path += one([]string{"a", ",", "é"})
			case `[^\]b]`:
				path += one([]string{"a", ",", `"`, "é"})
			default:
				path += strings.TrimPrefix(part, `\`)
			}
		}
		return path
	}
	collided := 0 // as labels were before
	for range patterns {
		var pattern []string
		for range 1 + random.IntN(6) {
			pattern = append(pattern, strings.Split(one(parts), " ")...)
		}
		glob := strings.Join(pattern, "")
		compiled := logfile.CompilePattern(glob)
		paths, before := map[string]string{}, map[string]string{}
		for range 40 {
			path := fill(pattern)
			if ok, err := filepath.Match(glob, path); err != nil || !ok {
				t.Fatalf("seed %d: %q does not match %q: %v", seed, path, glob, err)
			}
			label, _ := compiled.Label(path)
			plain := joined(pattern, path)
			if other, taken := paths[label]; taken && other != path {
				t.Fatalf("seed %d: pattern %q: %q and %q are both called %q", seed, glob, other, path, label)
			}
			paths[label] = path
			if other, taken := before[plain]; taken && other != path {
				collided++
			}
			before[plain] = path
			if stars := strings.Count(glob, "*") - strings.Count(glob, `\*`); label != plain && (stars < 2 || !strings.Contains(path, ",")) {
				t.Fatalf("seed %d: pattern %q: %q is called %q, and was called %q", seed, glob, path, label, plain)
			}
		}
	}
	if collided == 0 {
		t.Errorf("seed %d: no two paths had one name in the old way: the test shows nothing", seed)
	}
}

// joined is the label as it was before: the matches, with commas between them.
func joined(pattern []string, path string) string {
	expr := "^"
	for _, part := range pattern {
		switch {
		case part == "*":
			expr += `([^/]*)`
		case part == "?" || strings.HasPrefix(part, "["):
			expr += `([^/])`
		default:
			expr += regexp.QuoteMeta(strings.TrimPrefix(part, `\`))
		}
	}
	matched := regexp.MustCompile(expr + "$").FindStringSubmatch(path)
	if matched == nil {
		return fmt.Sprintf("no match of %q", expr)
	}
	return strings.Join(matched[1:], ",")
}
