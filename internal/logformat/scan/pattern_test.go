package scan_test

import (
	"fmt"
	"math/rand/v2"
	"regexp/syntax"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzPattern holds Scan against package regexp with patterns of all the kinds
// that a program may be made of, and lines made to fit them, or nearly.
func FuzzPattern(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		f.Add(randomBytes(r))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		w, lines := patternAndLines(t, data)
		for _, line := range lines {
			w.agree(t, line)
		}
	})
}

// The same without the fuzzer, and a look at whether such a test is worth
// anything: many patterns must have a program, and most programs decide.
func TestPatterns(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	patterns, programs, known, unknown, matched := 0, 0, 0, 0, 0
	for range 4000 {
		w, lines := patternAndLines(t, randomBytes(r))
		patterns++
		if w.program != nil {
			programs++
		}
		for _, line := range lines {
			if _, ok := w.agree(t, line); ok {
				matched++
			}
		}
		known, unknown = known+w.known, unknown+w.unknown
	}
	t.Logf("%d patterns, %d programs; %d outcomes known, %d unknown; %d lines match", patterns, programs, known, unknown, matched)
	if programs < patterns/3 || known < unknown || matched < patterns {
		t.Errorf("patterns like these do not test the programs")
	}
}

func randomBytes(r *rand.Rand) []byte {
	data := make([]byte, 10+r.IntN(150))
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

// A maker turns bytes into decisions.
type maker struct {
	data   []byte
	groups int
}

// below is a decision between n things; the first one when the bytes are used up.
func (m *maker) below(n int) int {
	if len(m.data) == 0 {
		return 0
	}
	b := m.data[0]
	m.data = m.data[1:]
	return int(b) % n
}

func (m *maker) pick(s ...string) string { return s[m.below(len(s))] }

// patternAndLines makes a pattern and lines out of data.
func patternAndLines(t testing.TB, data []byte) (*twins, [][]byte) {
	m := &maker{data: data}
	expr := m.pick("", "^", "^") + m.sequence(3)
	if m.groups == 0 {
		expr += "(?P<g>" + m.run() + ")"
	}
	expr += m.pick("", "$", "$")
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		t.Fatalf("the maker made %q: %v", expr, err)
	}
	var lines [][]byte
	for range 4 {
		line := []byte(m.fitting(tree))
		lines = append(lines, line)
		for range 1 + m.below(2) {
			line = m.spoiled(line)
		}
		lines = append(lines, line)
	}
	return compile(t, expr), lines
}

func (m *maker) sequence(depth int) string {
	var b strings.Builder
	for range 1 + m.below(5) {
		b.WriteString(m.item(depth - 1))
	}
	return b.String()
}

func (m *maker) item(depth int) string {
	kind := m.below(20)
	if depth <= 0 && kind < 17 {
		kind %= 10
	}
	switch kind {
	case 0, 1, 2:
		return m.literal()
	case 3, 4, 5:
		return m.run()
	case 6, 7:
		m.groups++
		return fmt.Sprintf("(?P<g%d>%s)", m.groups, m.run())
	case 8:
		return m.pick(`[^ ,"]+(?:(?:,| :) [^ ,"]*)*`, `[^ ,"]+(?:(?:,| :) [^ ,"]+)*`, `[^ ,"]*(?:, [^ ,"]*)*`, `[ab]+(?:(?:a|,)[ab]*)*`)
	case 9:
		return m.pick(`(?:[^"\\]|\\.)*`, `(?:[^"\\]|\\.)*?`, `(?:\\.|[^"\\a])*`, `(?s:(?:[^"\\]|\\.)*)`) + m.pick(`"`, `" `, `a`, ``)
	case 10, 11:
		m.groups++
		name := m.groups
		return fmt.Sprintf("(?P<g%d>%s)", name, m.sequence(depth))
	case 12, 13:
		var choices []string
		for range 2 + m.below(2) {
			choices = append(choices, m.sequence(depth))
		}
		return "(?:" + strings.Join(choices, "|") + ")"
	case 17, 18, 19: // as in the formats of logs
		m.groups++
		return fmt.Sprintf("(?P<g%d>%s)", m.groups, m.run()) +
			m.pick(`\s+`, " ", `\s*`, `" `, `"\s+"`, `\s+\[`, `\]\s+`, `[\t ]*?`, `\s{2,}`)
	case 14:
		return "(?:" + m.sequence(depth) + ")" + m.pick("?", "??", "{2}", "{0}")
	default:
		return "(?:" + m.sequence(depth) + ")" + m.pick("*", "+", "*?", "+?")
	}
}

func (m *maker) literal() string {
	return m.pick("a", " ", `"`, ", ", " : ", `\[`, "b", "-", ":", "ab", `" "`, `\\`, "a long literal", `\x00`, "", "$")
}

func (m *maker) run() string {
	// The first kind may take runes of several bytes, so has no scanner when it
	// is counted. Once in a while it is, to see that.
	if m.below(2) == 0 {
		return m.pick(`[^ "]`, `[^"]`, `.`, `\S`, `[^,]`, `(?s:.)`, `[^a]`, `[^ab,]`, `[[:^ascii:]b]`) +
			m.pick("+", "*", "+", "*", "+?", "*?", "+?", "*?", "+", "*", "{2,}", "")
	}
	return m.pick(`\d`, `\s`, `[ab]`, `[a-c ]`, `[0-9.-]`, `(?i:b)`, `[\w:]`, `[!#%')+/=?]`, `[\x00-\x20a]`) +
		m.pick("+", "*", "", "+?", "*?", "?", "??", "{2}", "{1,3}", "{1,3}?", "{2,}", "{26}")
}

// fitting is a text that re matches, unless the pattern around it objects.
func (m *maker) fitting(re *syntax.Regexp) string {
	times := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteString(m.fitting(re.Sub[0]))
		}
		return b.String()
	}
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		return m.char(func(c rune) bool {
			for i := 0; i < len(re.Rune); i += 2 {
				if re.Rune[i] <= c && c <= re.Rune[i+1] {
					return true
				}
			}
			return false
		})
	case syntax.OpAnyChar:
		return m.char(func(rune) bool { return true })
	case syntax.OpAnyCharNotNL:
		return m.char(func(c rune) bool { return c != '\n' })
	case syntax.OpStar:
		return times(m.below(4))
	case syntax.OpPlus:
		return times(1 + m.below(12)*m.below(2))
	case syntax.OpQuest:
		return times(m.below(2))
	case syntax.OpRepeat:
		if re.Max < 0 {
			return times(re.Min + m.below(3))
		}
		return times(re.Min + m.below(re.Max-re.Min+1))
	case syntax.OpConcat:
		var b strings.Builder
		for _, sub := range re.Sub {
			b.WriteString(m.fitting(sub))
		}
		return b.String()
	case syntax.OpAlternate:
		return m.fitting(re.Sub[m.below(len(re.Sub))])
	case syntax.OpCapture:
		return m.fitting(re.Sub[0])
	}
	return ""
}

// chars are what lines are made of: delimiters, runes of several bytes, and
// bytes that are no runes.
var chars = []string{"a", "b", " ", `"`, ",", ":", "0", "-", "[", "]", `\`, "é", "\r", "\x00", "\xff", "\xe2\x82", "z", "\t", "世", "\x80"}

// char is one of chars that is in a class, or any when none is.
func (m *maker) char(in func(rune) bool) string {
	from := m.below(len(chars))
	for i := range chars {
		c := chars[(from+i)%len(chars)]
		if r, _ := utf8.DecodeRuneInString(c); in(r) {
			return c
		}
	}
	return ""
}

// spoiled is line with a few bytes put in, taken out, or doubled.
func (m *maker) spoiled(line []byte) []byte {
	at := 0
	if len(line) > 0 {
		at = m.below(len(line))
	}
	before, after := string(line[:at]), string(line[at:])
	switch m.below(4) {
	case 0:
		return []byte(before + chars[m.below(len(chars))] + after)
	case 1:
		return []byte(before + after[min(1, len(after)):])
	case 2:
		return []byte(before + chars[m.below(len(chars))] + after[min(1, len(after)):])
	default:
		return []byte(before + after + after)
	}
}
