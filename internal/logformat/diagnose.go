package logformat

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"sort"
	"strings"

	"github.com/tailflux/tailflux/internal/nginxvar"
)

// A Diagnosis says why a line does not match. It is zero for one that does.
type Diagnosis struct {
	Column   int    // of the byte that could not be, counted from 1; one more than the line has if it ends too early
	Expected string // in words, for the operator
	After    string // the last variable whose value was found before, or ""
	Variable string // the one whose value was expected, or ""
}

// Diagnose finds the place up to which line is of the format: the end of the
// longest beginning of the format that matches the beginning of the line (or, if
// the format is not anchored, any part of it). Where a format leaves open what
// belongs to a value, that is a guess. It compiles a few expressions and takes
// milliseconds.
func (f *Format) Diagnose(line []byte) Diagnosis {
	if f.isMarked(line) {
		return Diagnosis{Column: 1, Expected: "no byte order mark (EF BB BF) before the line: whatever writes or converts the log has put it there"}
	}
	if f.wrapper != nil || f.json != nil || !f.re.Match(line) {
		if d, ok := f.diagnoseWrapped(line); ok {
			return d
		}
	}
	return f.diagnoseBare(line)
}

// isMarked reports whether a byte order mark is why the line does not match.
func (f *Format) isMarked(line []byte) bool {
	rest, marked := bytes.CutPrefix(line, []byte("\ufeff"))
	if !marked {
		return false
	}
	m := f.NewMatcher()
	if _, ok := m.Match(line); ok {
		return false
	}
	_, ok := m.Match(rest)
	return ok || f.json != nil && opensObject(rest)
}

// diagnoseBare is Diagnose of a line in no wrapper.
func (f *Format) diagnoseBare(line []byte) Diagnosis {
	if f.json != nil {
		d := diagnoseJSON(line)
		if d.Column == 0 && !bytes.Contains(line, f.mark) {
			return Diagnosis{Column: 1, Expected: "a request, with " + string(f.mark)}
		}
		return d
	}
	if f.re.Match(line) {
		return Diagnosis{}
	}
	tree, err := syntax.Parse(f.re.String(), syntax.Perl)
	if err != nil { // it has been compiled before
		return Diagnosis{Column: 1, Expected: "a match"}
	}
	all := elements(nil, tree, "")
	n := sort.Search(len(all), func(n int) bool { return !beginning(all[:n+1], nil).Match(line) })
	if n == len(all) {
		return Diagnosis{Column: 1, Expected: "a match"}
	}
	d := Diagnosis{Column: 1 + stop(all[:n], all[n].re, line), Variable: all[n].variable}
	for _, e := range all[:n] {
		if e.variable != "" {
			d.After = e.variable
		}
	}
	if d.After == d.Variable {
		d.After = ""
	}
	d.Expected = f.expected(all[n])
	if d.Variable == "" && d.After != "" {
		d.Expected += " after $" + d.After
	}
	return d
}

// An element is one of the pieces that an expression puts side by side.
type element struct {
	re       *syntax.Regexp
	variable string // whose value it is, or part of it
}

func elements(all []element, re *syntax.Regexp, variable string) []element {
	switch re.Op {
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			all = elements(all, sub, variable)
		}
		return all
	case syntax.OpCapture:
		if re.Name != "" {
			variable = re.Name
		}
		return elements(all, re.Sub[0], variable)
	}
	return append(all, element{re, variable})
}

// beginning is the expression for elements and, if not nil, another one.
func beginning(all []element, last *syntax.Regexp) *regexp.Regexp {
	var b []byte
	for _, e := range all {
		b = appendText(b, e.re)
	}
	if last != nil {
		b = appendText(b, last)
	}
	re, err := regexp.Compile(string(b))
	if err != nil { // too large, though the whole was not
		return regexp.MustCompile(`$^.`) // matches nothing
	}
	return re
}

// appendText appends re as text, in a group of its own. Its String is prettier,
// and takes milliseconds for a class such as [^"] because it looks at the case
// of every character there is.
func appendText(b []byte, re *syntax.Regexp) []byte {
	b = append(b, "(?:"...)
	suffix := ""
	switch re.Op {
	case syntax.OpCharClass:
		b = append(b, '[')
		for i := 0; i < len(re.Rune); i += 2 {
			b = fmt.Appendf(b, `\x{%x}-\x{%x}`, re.Rune[i], re.Rune[i+1])
		}
		if len(re.Rune) == 0 {
			b = append(b, `^\x00-\x{10FFFF}`...)
		}
		b = append(b, ']')
	case syntax.OpConcat, syntax.OpAlternate, syntax.OpCapture:
		for i, sub := range re.Sub {
			if i > 0 && re.Op == syntax.OpAlternate {
				b = append(b, '|')
			}
			b = appendText(b, sub)
		}
	case syntax.OpStar:
		suffix = "*"
	case syntax.OpPlus:
		suffix = "+"
	case syntax.OpQuest:
		suffix = "?"
	case syntax.OpRepeat:
		suffix = fmt.Sprintf("{%d,%d}", re.Min, re.Max)
		if re.Max < 0 {
			suffix = fmt.Sprintf("{%d,}", re.Min)
		}
	default:
		b = append(b, re.String()...)
	}
	if suffix != "" {
		b = append(appendText(b, re.Sub[0]), suffix...)
		if re.Flags&syntax.NonGreedy != 0 {
			b = append(b, '?')
		}
	}
	return append(b, ')')
}

// stop is the offset where the element that fails after the others stops: as far
// as a piece of it goes, otherwise as far as the others go.
func stop(before []element, failing *syntax.Regexp, line []byte) int {
	part := *failing
	switch failing.Op {
	case syntax.OpLiteral:
		for n := len(failing.Rune) - 1; n > 0; n-- {
			part.Rune = failing.Rune[:n]
			if at := beginning(before, &part).FindIndex(line); at != nil {
				return at[1]
			}
		}
	case syntax.OpRepeat:
		for n := failing.Min - 1; n > 0; n-- {
			part.Min, part.Max = n, n
			if at := beginning(before, &part).FindIndex(line); at != nil {
				return at[1]
			}
		}
	}
	re := beginning(before, nil)
	re.Longest()
	if at := re.FindIndex(line); at != nil {
		return at[1]
	}
	return 0
}

func (f *Format) expected(e element) string {
	switch e.re.Op {
	case syntax.OpLiteral:
		text := string(e.re.Rune)
		if strings.Contains(text, `"`) {
			return fmt.Sprintf("a literal %#q", text)
		}
		return fmt.Sprintf("a literal %q", text)
	case syntax.OpBeginText, syntax.OpBeginLine:
		return "the beginning of the line"
	case syntax.OpEndText, syntax.OpEndLine:
		return "the end of the line"
	}
	what := kindWords[f.dialect.Lookup(e.variable).Kind]
	if e.variable == "" || f.byHand {
		what = e.re.String()
		if words, ok := classWords[what]; ok {
			what = words
		}
	}
	if e.variable != "" {
		what += " for $" + e.variable
	}
	return what
}

var kindWords = [...]string{
	nginxvar.String:      "text",
	nginxvar.Token:       "a word",
	nginxvar.Int:         "digits",
	nginxvar.Float:       "a number",
	nginxvar.Status:      "digits",
	nginxvar.TimeLocal:   "a time such as 04/Mar/2018:13:49:52 +0000",
	nginxvar.TimeISO8601: "a time such as 2018-03-04T13:49:52+00:00",
	nginxvar.Msec:        "seconds since 1970 such as 1520171392.123",
	nginxvar.Request:     "a request such as GET / HTTP/1.1",
}

// classWords are for what package syntax makes of common pieces.
var classWords = map[string]string{
	`[0-9]`: "a digit", `[0-9]+`: "digits", `[0-9]{3}`: "three digits",
	`[a-z]+`: "small letters", `[\.0-9]+`: "digits and points", `[\-\.0-9]+`: "a number",
	`[\t\n\f\r ]`: "a space", `[\t\n\f\r ]+`: "a space",
	`[^\t\n\f\r ]+`: "a word",
}

// diagnoseJSON asks the standard library, which is stricter and knows where it
// stopped.
func diagnoseJSON(line []byte) Diagnosis {
	if newObject(nil, nil).match(line) {
		return Diagnosis{}
	}
	if !opensObject(line) {
		return Diagnosis{Column: 1 + len(line) - len(bytes.TrimLeft(line, " \t\r\n")), Expected: `a JSON object, beginning with "{"`}
	}
	var v any
	err := json.Unmarshal(line, &v)
	if e := new(json.SyntaxError); errors.As(err, &e) {
		d := Diagnosis{Column: int(e.Offset), Expected: "JSON: " + e.Error()}
		before := bytes.TrimRight(line[:max(d.Column-1, 0)], " \t")
		at := line[min(max(d.Column-1, 0), len(line)-1)]
		switch {
		case d.Column == len(line) && strings.HasPrefix(e.Error(), "unexpected end"):
			d.Column, d.Expected = len(line)+1, "the rest of a JSON object"
		case bytes.HasSuffix(before, []byte{','}) && at == '}':
			d.Expected = "another key after the comma, or no comma before the }"
		case bytes.HasSuffix(before, []byte{','}) && at == ']':
			d.Expected = "another value after the comma, or no comma before the ]"
		case strings.HasSuffix(e.Error(), "looking for beginning of object key string"):
			d.Expected = "a key in double quotes"
		case bytes.HasSuffix(before, []byte{':'}):
			d.Expected = "a value after the colon; where one may be absent, log_format needs quotes around it"
		}
		return d
	}
	return Diagnosis{Column: 1, Expected: "a simpler JSON object"}
}
