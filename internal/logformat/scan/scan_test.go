package scan_test

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/logformat/scan"
)

// twins are the ways to match an expression: package regexp, and the program with marks
// and without. They are used for line after
// line, because what is left from one line must not show in the next.
type twins struct {
	re      *regexp.Regexp
	groups  []int // the named ones, and captures in their order
	program *scan.Program
	plain   *scan.Program // without marks
	err     error         // why there is no program

	captures, want [][]byte
	scratch        *scan.Scratch
	plainScratch   *scan.Scratch
	known, unknown int // outcomes
}

func compile(t testing.TB, expr string) *twins {
	t.Helper()
	re, err := regexp.Compile(expr)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		t.Fatal(err)
	}
	w := &twins{re: re}
	for group, name := range re.SubexpNames() {
		if name != "" {
			w.groups = append(w.groups, group)
		}
	}
	w.program, w.err = scan.Compile(tree, w.groups)
	if (w.program == nil) != (w.err != nil) {
		t.Fatalf("Compile(%s) = %v, %v, want one of them", expr, w.program, w.err)
	}
	w.captures, w.want = make([][]byte, len(w.groups)), make([][]byte, len(w.groups))
	if w.program != nil {
		w.scratch = w.program.NewScratch()
		w.plain = w.program.WithoutMarks()
		w.plainScratch = w.plain.NewScratch()
	}
	return w
}

// agree scans line, if there is a program, and reports every difference from
// what package regexp says. It returns the outcome, and whether line matches.
func (w *twins) agree(t testing.TB, line []byte) (outcome scan.Outcome, ok bool) {
	t.Helper()
	at := w.re.FindSubmatchIndex(line)
	if w.program == nil {
		return scan.Unknown, at != nil
	}
	w.plainly(t, line)
	outcome = w.program.Scan(line, w.captures, w.scratch)
	if outcome == scan.Unknown {
		w.unknown++
		return outcome, at != nil
	}
	w.known++
	same := (outcome == scan.Matched) == (at != nil)
	for i, group := range w.groups {
		w.want[i] = nil
		if at == nil || !same {
			continue
		}
		if from, to := at[2*group], at[2*group+1]; from >= 0 {
			w.want[i] = line[from:to]
		}
		// Where a capture begins matters too.
		got, want := w.captures[i], w.want[i]
		same = string(got) == string(want) && (got == nil) == (want == nil) && (len(got) == 0 || &got[0] == &want[0])
	}
	if !same {
		t.Errorf("Scan and regexp differ\nexpression: %s\nline:       %q\nScan:       %v %q\nregexp:     %v %q",
			w.re, line, outcome, w.captures, at != nil, w.want)
	}
	return outcome, at != nil
}

// plainly reports where the program without marks says otherwise.
func (w *twins) plainly(t testing.TB, line []byte) {
	t.Helper()
	want := make([][]byte, len(w.groups))
	plain := w.plain.Scan(line, want, w.plainScratch)
	if outcome := w.program.Scan(line, w.captures, w.scratch); outcome != plain {
		t.Errorf("%s: Scan(%q) = %v, without marks %v", w.re, line, outcome, plain)
	}
	if plain != scan.Matched {
		return
	}
	for i, got := range w.captures {
		if string(got) != string(want[i]) || (got == nil) != (want[i] == nil) {
			t.Errorf("%s: Scan(%q) makes %q of group %d, without marks %q", w.re, line, got, i, want[i])
		}
	}
}

// Patterns at the edge of what a scanner may do, with lines on both sides of it.
func TestEdges(t *testing.T) {
	agree := func(expr, before string, lines []string) {
		t.Helper()
		w := compile(t, expr)
		if w.program == nil {
			t.Errorf("Compile(%s): %v", expr, w.err)
			return
		}
		for _, line := range lines {
			w.agree(t, []byte(before+line))
		}
	}
	check := func(expr string, lines ...string) {
		t.Helper()
		agree(expr, "", lines)
		// Short lines are not as others.
		if rest, ok := strings.CutPrefix(expr, "^"); ok {
			agree("^a longer line: "+rest, "a longer line: ", lines)
		}
	}
	// Both alternatives seem possible at the end of the line; only one is.
	check(`^(?:$a|(?P<b>b*))$`, "", "b", "a")
	// Lists: an empty first element, other elements, lazy, ends that are not certain.
	check(`^(?P<a>[^ ,"]+(?:, [^ ,"]*)*)$`, "a, b", ", b", "a, ", "a, , b", "a,b")
	check(`^(?P<a>[^ ,"]+(?:, \d*)*)(?P<b>.*)$`, "a, 1, b", "a, 1, 2x")
	check(`^(?P<a>[^ ,"]+(?:, [^ ,"]*)*?)(?P<b>.*)$`, "a, b")
	check(`^(?P<a>[^ ,"]+(?:, \d*)*) (?P<b>.*)$`, "a, 1 b", "a, x y", "a x")
	check(`^(?P<a>[^ ,"]+(?:, [^ ,"]*)*?)(?P<b>, x)?$`, "a, x", "a, y, x", "a", "a, ")
	check(`^(?P<a>[ab]+(?:ab[ab]*)*)(?P<b>.*)$`, "aab", "aabab", "baab b")
	check(`^(?P<a>[ab]+(?:,[ab]*)*)(?P<b>a)$`, "a,aa", "a,a", "aa", "a,")
	check(`^(?P<a>[ab]+(?:,[ab]*)*)(?P<b>,a)$`, "a,a", "a,b,a", "a,a,")
	// A run that must end before a text with a byte that is not in it.
	check(`^(?P<a>[!#%')+/=? ]*) "x`, `! # "x`, `! # " x`, ` "x`, `"x`)
	check(`^(?P<a>[^"]+) "x`, `a "x`, ` "x`, `  "x`)
	// The shortest run, and what may not be in it.
	check(`^"(?P<a>.*?)" x`, `"a" x`, `"a" b" x`)
	check(`^"(?P<a>.*?)"\s*(?P<b>.*)$`, `"a" x`, `"a"`, `"`, `""`)
	check(`^"(?P<a>.+?)"\s*(?P<b>.*)$`, `""" x`, `"" x`, `""`, `"`, ``)
	check(`^"(?P<a>.+?)" x`, `"" x`, `""" x`, `"`, ``)
	check(`^(?P<a>[ab]{1,3}?)b$`, "ab", "aab", "aaab", "aaaab", "b", "bb")
	// A single space where more would do, or must be.
	check(`^(?P<a>[^ ]+)\s+(?P<b>[^"]*)"$`, `x y"`, `x  y"`, "x \ty\"", "x\ty\"", `x "`)
	check(`^(?P<a>[^ ]+)\s+(?P<b>"[^"]*")$`, `x "y"`, `x  "y"`, `x"y"`)
	check(`^(?P<a>a+)\s{2,}(?P<b>b)$`, "a b", "a  b")
	check(`^(?P<a>a+)\s*(?P<b>.*)$`, "a b", "ab", "a  b", "a ", "a")
	check(`^(?P<a>a+)\s*?(?P<b>.*)`, "a b", "a  b")
	check(`^(?P<a>a+)[\x00\x02\x04\x06\x08 ]*?(?P<b>.*)`, "a b")
	check(`^(?P<a>a+)\s+  (?P<b>.*)$`, "a   x", "a     x")
	check(`^(?P<a>a+)\t*(?P<b>.*)$`, "a x", "a\tx")
	check(`^(?P<a>a+)(?P<b>\s+)(?P<c>.*)$`, "a x", "a  x")
	check(`^(?P<a>a*)01234567890123456789012345678901\s+(?P<b>.*)$`, "a01234567890123456789012345678901  x")
	check(`^(?P<a>a*)0123456\s+(?P<b>.*)$`, "a0123456 x", "a0123456  x")
	// Backslashes.
	check(`^(?P<a>(?:[^"\\]|\\.)*?)\\"x`, `a\"x`, `a\\"x`, `a\\\"x`, `\"x`)
	check(`^"(?P<a>(?:[^"\\]|\\.)*)"$`, `"a\"b"`, `"a\\"`, `"a\"`, "\"\\é\"", "\"\\\xff\"", `"`)
	// Texts with zeros, near the end of a line and longer than a word.
	check("^(?P<a>a*)\\x00$", "a", "a\x00", "a\x00\x00", "")
	check("^(?P<a>a*)b\\x00\\x00(?P<b>.*)$", "ab", "ab\x00", "ab\x00\x00", "ab\x00\x00c")
	check("^(?P<a>a*)0123456789(?P<b>.*)$", "a012345678", "a0123456789", "a0123456780", "a01234567890")
	check(`^(?P<a>[^"]*)(?P<b>"?)$`, "1234567", "12345678", "123456789", `1234567"`, `12345678"`, "\x00", "")
	check(`^(?P<a>[\x00-\x20a]+)(?P<b>b?)$`, "a", "aaaaaaa", "aaaaaaaa", "ab", "\x00b")
	// A time that is that of the line before, or begins like it, or is not followed by the same.
	const time = "04/Mar/2018:13:49:52 +0000"
	for _, class := range []string{`[ +-:A-Za-z]{19,}`, `[^\]]+`, `[ +-:A-Za-z]{26}`, `[ +-:A-Za-z]{27,}`} {
		check(`^(?P<a>[^ ]*) \[(?P<b>`+class+`)\] (?P<c>[^ ]*)$`, "a ["+time+"] b", "aa ["+time+"] bb", "a ["+time+"0] b", "a ["+time+"0",
			"a ["+time[:25]+"] b", "a ["+time+"]", "a ["+time, "a ["+time[:25], "a ["+time+"] b", "a ["+strings.Repeat("\x00", 26)+"] b", "a ["+time[:25]+"1] b")
		for i := range time { // a byte of no class
			check(`^(?P<a>[^ ]*) \[(?P<b>`+class+`)\] (?P<c>[^ ]*)$`, "a ["+time+"] b", "a ["+time[:i]+"]"+time[i+1:]+"] b", "a ["+time[:i]+";"+time[i+1:]+"] b")
		}
	}
	// Runs of a fixed length, near the end of a line.
	check(`^(?P<a>\d{3}) (?P<b>[^ ]*)$`, "123 456789", "1234 56789", "12 3456789", "1x3 456789")
	check(`^(?P<a>[^ ]*) (?P<b>\d{3})$`, "12345678 123", "12345678 12", "12345678 1234", "12345678 ", "12345678 1\x003")
	check("^(?P<a>[^ ]*) (?P<b>[\\x00-9]{3})$", "12345678 12", "12345678 123", "12345678 1\x00\x00", "12345678 1\x00", "12345678 ")
	check("^(?P<a>[^ ]*) (?P<b>[\\x00-9]{3})", "12345678 12", "12345678 123", "12345678 1", "1 12", "1 123")
	// Runes of several bytes, and bytes that are no rune.
	check(`^(?P<a>[^a]+)(?P<b>[^b]*)$`, "é", "éa", "\xc3", "\xc3a\xa9", "世b")
	check(`^(?P<a>[^a]*?)(?P<b>[^b]+)$`, "é", "bé", "b\xa9", "bbé")
	// Captures in repeats keep what they last took.
	check(`^(?:(?P<a>a)|(?P<b>b))+$`, "a", "ab", "aba", "b")
	check(`^(?P<a>(?P<b>x)y)*(?P<c>z)?$`, "", "xyxy", "xyz", "z")
}

// What is left to package regexp although it looks simple, and why.
func TestCompileErrors(t *testing.T) {
	check := func(expr, line, why string) {
		t.Helper()
		w := compile(t, expr)
		if w.err == nil || !strings.Contains(w.err.Error(), why) {
			t.Errorf("Compile(%s): %v, want an error with %q", expr, w.err, why)
		}
		// The line shows what a scan would have to get right.
		if _, ok := w.agree(t, []byte(line)); !ok {
			t.Errorf("%s does not match %q", expr, line)
		}
	}
	check(`(?P<a>(?i)k)`, "\u212a", "without regard to case")
	check(`(?P<a>(?i)ask)`, "a\u017fK", "without regard to case")
	check(`(?P<a>é)`, "é", "not ASCII")
	check(`(?P<a>[à-é])`, "é", "outside ASCII")
	check(`(?P<a>\w+)\b`, "a b", `\b`)
	check(`(?m)^(?P<a>\w+)$`, "-\na", "m flag")
	check(`(?P<a>\w+)(?m:$)`, "a\nb", "m flag")
	check(`a*(?P<a>^b)`, "b", "at the beginning")
	check(`(?P<a>.{2})b$`, "éab", "several bytes")
	check(`(?P<a>.)b$`, "éb", "several bytes")
	check(`(?P<a>(?:a(?:bc)*)+)`, "abcbcabc", "repeat within a repeat")
	check(`(?P<a>(?:a*)*b)`, "aab", "may be empty")
	check(`(?P<a>(?:ab){2,5})`, "ababab", "varying number")
	check(`(?P<a>(?:ab){2,})`, "ababab", "varying number")
	check(`(?P<a>(?:ab){1000}(?:cd){1000}(?:ef){1000})`, strings.Repeat("ab", 1000)+strings.Repeat("cd", 1000)+strings.Repeat("ef", 1000), "too long")
	check(`^(?P<a>(?:aa|bb|cc|dd|ee|ff|gg|hh|ii|jj))$`, "jj", "alternatives")
	check(`^(?P<a>.+?)(?P<b>[^ ]*)$`, "é", "lazy")               // the shortest run is a rune, not a byte
	check(`(?P<a>[^ ]+?)`, "é", "lazy")                          // the same
	check(`^(?P<a>(?:[^"]|\\.)*)"$`, `a\"b"`, "several")         // a backslash begins a pair, or does not
	check(`^(?P<a>(?:[a-z]|\\.)*)"$`, `a\éb"`, "several")        // runes only after a backslash
	check(`^(?P<a>(?:[^"\\]|\\.)*)\\$`, `a\b\`, "does not tell") // what follows may begin a pair
}

// Which lines are decided. This is about speed, not about answers; but a program
// that knows nothing would pass every other test.
func TestOutcome(t *testing.T) {
	check := func(expr, line string, want scan.Outcome) {
		t.Helper()
		if got, _ := compile(t, expr).agree(t, []byte(line)); got != want {
			t.Errorf("%s: Scan(%q) = %v, want %v", expr, line, got, want)
		}
	}
	check(`^(?P<a>\d+) (?P<b>[^ ]+)$`, "12 é", scan.Matched)
	check(`^(?P<a>\d+) (?P<b>[^ ]+)$`, "12 é ", scan.NoMatch)
	check(`^(?P<a>\d+) (?P<b>[^ ]+)$`, "x", scan.NoMatch)
	check(`(?P<a>\d+) (?P<b>[^ ]+)$`, "x", scan.NoMatch)
	check(`(?P<a>\d+) (?P<b>[^ ]+)$`, "x 1: 2 y", scan.Matched) // begins at the 2
	check(`(?P<a>\d+) (?P<b>[^ ]+)$`, "1 2 y", scan.Unknown)    // not at the 1
	check(`(?P<a>\d{1,3}) (?P<b>[^ ]+)$`, "x", scan.Unknown)    // may begin within the digits
	check(`(?P<a>[^ ]+) (?P<b>[^ ]+)$`, "é", scan.Unknown)      // has more than ASCII
	check(`^(?P<a>.*) (?P<b>\d+)$`, "a 1 b 2", scan.Matched)
	check(`^(?P<a>.*) (?P<b>\d+)$`, "a 1 b", scan.Unknown)
	check(`^(?P<a>.*?) (?P<b>.*)$`, "a 1 b 2", scan.Matched)
	check(`^(?P<a>[^"]*) "(?P<b>\d+)$`, `a b "1`, scan.Matched)
	check(`^(?P<a>[^"]*) "(?P<b>\d+)$`, `a b "x`, scan.NoMatch)
	check(`^(?P<a>\d+) (?P<b>[^ ]+)(?:1|xy) c$`, "7 ab1 c", scan.Matched)
	check(`^(?P<a>[\d.]+|-) (?P<b>\d{3})$`, "- 200", scan.Matched)
	check(`^(?P<a>[\d.]+|-) (?P<b>\d{3})$`, "- 20", scan.NoMatch)
	check(`^(?P<a>(?:[^"\\]|\\.)*)"$`, `a\"b"`, scan.Matched)
	check(`^(?P<a>(?:[^"\\]|\\.)*)"$`, `a\"b`, scan.NoMatch)
	check(`^(?P<a>\w+(?:,\w+)*);`, `a,b;`, scan.Matched)
	check(`^(?P<a>\w+(?:,\w+)*);`, `a,b,`, scan.NoMatch)
}

// Those who want no captures need no scratch, wherever there is a short cut.
func TestNoScratch(t *testing.T) {
	const more = `"[^"]*" "[^"]*" "[^"]*"$`
	for _, expr := range []string{"^[^ ]+ " + more, "^(?:ab|cd) x " + more} {
		w := compile(t, expr)
		line := []byte(`ab x "` + strings.Repeat("agent ", 20) + `" "b" "c"`)
		if strings.HasPrefix(expr, "^[") {
			line = append([]byte("ab "), line[5:]...)
		}
		if got := w.program.Scan(line, nil, nil); got != scan.Matched {
			t.Errorf("%s: Scan(%q) = %v, want %v", expr, line, got, scan.Matched)
		}
		if n := testing.AllocsPerRun(100, func() { w.program.Scan(line, nil, nil) }); n != 0 {
			t.Errorf("%s: Scan allocates %v times, want 0", expr, n)
		}
	}
}

func TestScanAllocates(t *testing.T) {
	w := compile(t, `^(?P<a>[^ ,]+(?:, [^ ,]*)*) (?:(?P<b>\d+)|-) "(?P<c>(?:[^"\\]|\\.)*)" (?P<d>.*?) x(?P<e>(?:ab)+)$`)
	line := []byte(`a, b 17 "\"" d x x x xabab`)
	if outcome, _ := w.agree(t, line); outcome != scan.Matched {
		t.Fatalf("Scan(%q) = %v, want %v", line, outcome, scan.Matched)
	}
	if n := testing.AllocsPerRun(100, func() { w.program.Scan(line, w.captures, w.scratch) }); n != 0 {
		t.Errorf("Scan allocates %v times, want 0", n)
	}
}
