package logformat

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/tailflux/tailflux/internal/nginxvar"
)

// A template is a log_format cut into literals and variables.
type template struct {
	source  source
	dialect nginxvar.Dialect
	pieces  []piece
	kin     bool // the expression is for lines as Apache writes them
	likely  bool // the expression is for what values nearly always are

	written  []string // the variables, as they are called without a rename
	touching []touch
	stand    map[string]string // see standIns
}

// A piece is a literal, or a variable when name is set.
type piece struct {
	literal string
	name    string
	at      int // byte offset in the source's text
}

// parseTemplate reads a log_format by nginx's rules: $name or ${name}, and no
// way to write a lone dollar sign.
func parseTemplate(d nginxvar.Dialect, format string) (*template, error) {
	src, err := readSource(format)
	if err != nil {
		return nil, err
	}
	t := &template{source: src, dialect: d}
	text := src.text
	for i := 0; i < len(text); {
		if text[i] != '$' {
			end := strings.IndexByte(text[i:], '$')
			if end < 0 {
				end = len(text) - i
			}
			t.pieces = append(t.pieces, piece{literal: text[i : i+end], at: i})
			i += end
			continue
		}
		begin := i
		i++
		braced := strings.HasPrefix(text[i:], "{")
		if braced {
			i++
		}
		name := text[i : i+nameLen(text[i:])]
		i += len(name)
		name = strings.ToLower(name) // as nginx does
		switch {
		case name == "" && braced:
			return nil, t.errorf(begin, "a variable without a name; write ${name}")
		case name == "":
			return nil, t.errorf(begin,
				`a "$" without the name of a variable after it; nginx cannot log a dollar sign, so take it out or complete it`)
		case braced && !strings.HasPrefix(text[i:], "}"):
			return nil, t.errorf(begin, `"${%s" is not closed; write ${%s}`, name, name)
		}
		if braced {
			i++
		}
		t.written = append(t.written, name)
		t.pieces = append(t.pieces, piece{name: d.Name(name), at: begin})
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	if err := t.join(); err != nil {
		return nil, err
	}
	return t, nil
}

// check refuses what no line could match.
func (t *template) check() error {
	text := t.source.text
	if strings.TrimSpace(text) == "" {
		return fmt.Errorf("an empty format; want one of %s, or an nginx log_format", strings.Join(Presets(), ", "))
	}
	if mistake := recognise(text); mistake != "" {
		return errors.New(mistake)
	}
	if !strings.Contains(text, "$") {
		return fmt.Errorf("%q is not a preset and has no variable; want one of %s, or an nginx log_format with variables such as $status",
			text, strings.Join(Presets(), ", "))
	}
	if at := strings.IndexByte(text, '\n'); at >= 0 {
		return t.errorf(at,
			"a line break in the format, but a line of the log has none; write it on one line, or paste the pieces with nginx's quotes around them")
	}
	for i, r := range text {
		if _, size := utf8.DecodeRuneInString(text[i:]); r == utf8.RuneError && size == 1 {
			return t.errorf(i, "the byte 0x%02X is not UTF-8; describe the line with a regexp instead", text[i])
		}
	}
	return nil
}

// nameLen is the length of the variable's name that text begins with.
func nameLen(text string) int {
	for i := range len(text) {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_':
		default:
			return i
		}
	}
	return len(text)
}

func (t *template) errorf(at int, format string, args ...any) error {
	return fmt.Errorf("%s: "+format, append([]any{where(t.source.origin, t.source.at[at])}, args...)...)
}

// regexp is the expression that defines what the template matches: the literals
// and, for each variable, the class of its values.
func (t *template) regexp() string {
	var b strings.Builder
	b.WriteByte('^')
	seen := map[string]bool{ignored: true}
	group := func(name, class string) string {
		defer func() { seen[name] = true }()
		if seen[name] {
			return "(?:" + class + ")"
		}
		return "(?P<" + name + ">" + class + ")"
	}
	for i := 0; i < len(t.pieces); i++ {
		p := t.pieces[i]
		if p.name == "" {
			b.WriteString(regexp.QuoteMeta(p.literal))
			continue
		}
		s := t.slot(i)
		if t.isURI(i) {
			s.ends = "?"
			b.WriteString(group(p.name, s.begun(s.class())))
			b.WriteString("(?:" + group("is_args", `\?`))
			i += 2
			b.WriteString(group(t.pieces[i].name, t.slot(i).class()))
			if t.source.escape == escapeDefault {
				b.WriteString("|-")
			}
			b.WriteString("|)")
			continue
		}
		if likely := t.narrowed(p.name, s).usual(); t.likely && s.ends+s.begins == "" && !s.quoted() && likely != "" {
			b.WriteString(group(p.name, likely))
			continue
		}
		if t.kin && s.text() && !s.quoted() {
			b.WriteString(`(?:""|` + group(p.name, s.begun(s.class())) + ")")
			continue
		}
		b.WriteString(group(p.name, s.begun(s.class())))
	}
	b.WriteByte('$')
	return b.String()
}

// slot is the place of the variable that is a piece.
func (t *template) slot(i int) slot {
	s := slot{variable: t.dialect.Lookup(t.pieces[i].name), escape: t.source.escape, last: i+1 == len(t.pieces), kin: t.kin, likely: t.likely}
	if i > 0 {
		s.before = t.pieces[i-1].literal
	}
	if !s.last {
		s.after = t.pieces[i+1].literal
	}
	if !s.last && s.after == "" {
		s.ends = between(t.pieces[i].name, t.pieces[i+1].name)
	}
	if i > 0 && t.pieces[i-1].name != "" {
		s.begins = between(t.pieces[i-1].name, t.pieces[i].name)
	}
	ofTime := true // what stands between is
	for j := i - 1; j >= 0 && !strings.Contains(t.pieces[j].literal, `"`); j-- {
		ofTime = ofTime && strings.Trim(t.pieces[j].literal, timeBytes) == ""
		before, end := slot{variable: t.dialect.Lookup(t.pieces[j].name)}, t.pieces[j+1].literal
		if t.pieces[j].name == "" || end == "" || !before.text() || !before.mayHold(end[0]) {
			continue
		}
		s.fences += end[:1]
		s.follows = s.follows || ofTime
	}
	return s
}

// warnings are those of Format.Warnings.
func (t *template) warnings() (all []string) {
	if t.source.escape == escapeNone {
		return []string{"escape=none: values are logged as the client sent them, so it can forge lines: " +
			"a request for /a%0a… writes a newline through $uri, a TLS hello NUL bytes through $request, and what follows either is a line of its own; " +
			"a quote or a space in a header shifts the values after it; use escape=default or escape=json"}
	}
	if text := strings.TrimSpace(t.source.text); text == strings.TrimSpace(t.source.origin) && strings.Index(text, ";") == len(text)-1 {
		all = append(all, `the format ends with the ";" of nginx.conf; if the lines of the log do not, leave it out`)
	}
	for i, p := range t.pieces {
		if p.name == "" {
			continue
		}
		s, end := t.slot(i), i
		if t.isURI(i) {
			end = i + 2
			s.after = t.slot(end).after
		}
		names, isRequest := t.inRequest(i)
		switch {
		case s.after == "" || s.quoted() || isRequest:
		case s.variable.List && (s.after == ", " || s.after == " : "):
			all = append(all,
				fmt.Sprintf("$%s: %q follows it in the format and also separates its entries, so lines with several upstream servers are split in the wrong place; "+
					"put quotes around $%[1]s in log_format", p.name, s.after))
		case s.text() && s.mayHold(s.after[0]) && t.shifts(end+1) && names != nil:
			all = append(all, fmt.Sprintf("$%s: it shares its quotes with other variables and may contain %q, which shifts the values after it; "+
				"%s, or put quotes around each of them in log_format", p.name, s.after[:1], t.asRequest(names)))
		case s.text() && s.mayHold(s.after[0]) && t.shifts(end+1):
			all = append(all, fmt.Sprintf("$%s: it is not in quotes and may contain %q, which shifts the values after it; "+
				"put quotes around $%[1]s in log_format", p.name, s.after[:1]))
		}
	}
	return all
}

// shifts reports whether there is more than one way to cut what begins with a
// piece, the literal behind a text, because spaces are possible in another value before
// the next quote, or that literal is. (No value has a quote in it. Other words and
// numbers, and times, have one place each, from the quote, or the end of the line, back.)
func (t *template) shifts(from int) bool {
	for i := from; i < len(t.pieces); i++ {
		if p := t.pieces[i]; strings.Contains(p.literal, `"`) {
			return false
		} else if s := t.slot(i); p.name != "" && (s.text() || s.variable.List || s.holds(t.pieces[from].literal)) {
			return true
		}
	}
	return false
}
