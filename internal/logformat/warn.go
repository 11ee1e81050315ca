package logformat

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"unicode"

	"github.com/tailflux/tailflux/internal/nginxvar"
)

// Warnings returns, for the operator, how the format can match a line and give wrong
// values, or misses lines that nginx writes every day. Each is a sentence without a
// full stop. A safe format has none: all presets, and every log_format with quotes
// around what clients send.
func (f *Format) Warnings() []string {
	if f.json != nil {
		return nil
	}
	if !f.byHand {
		return f.warnings
	}
	tree, err := syntax.Parse(f.re.String(), syntax.Perl)
	if err != nil { // it has been compiled before
		return nil
	}
	pieces := []*syntax.Regexp{tree}
	if tree.Op == syntax.OpConcat {
		pieces = tree.Sub
	}
	begins := pieces[0].Op == syntax.OpBeginText || pieces[0].Op == syntax.OpBeginLine
	var all []string
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if sub := groupNamed(tree, "remote_addr"); sub != nil && !matches(sub, "2001:db8::17") {
		if !begins && pieces[0] == sub && matches(sub, "17") {
			add("$remote_addr: %s has no colon and may begin anywhere, so it captures only the 17 of the IPv6 address 2001:db8::17; use \\S+ and begin with ^",
				sub.Sub[0])
		} else {
			add("$remote_addr: %s does not match IPv6 addresses such as 2001:db8::17; use \\S+", sub.Sub[0])
		}
	}
	if !begins {
		add("the expression does not begin with ^: on a damaged line it may match from the middle")
	}
	if end := pieces[len(pieces)-1].Op; end != syntax.OpEndText && end != syntax.OpEndLine {
		add("the expression does not end with $: the rest of the line is ignored")
	}
	for i := 1; i+1 < len(pieces); i++ {
		if p := pieces[i]; p.Op == syntax.OpCapture && p.Name != "" && anyQuoted(p.Sub[0]) &&
			quoteAt(pieces[i-1], false) && quoteAt(pieces[i+1], true) {
			add("$%s: %s between quotes can contain quotes, which shift the values after it; use [^\"]*", p.Name, p.Sub[0])
		}
	}
	for i, name := range f.names {
		v := f.dialect.Lookup(name)
		sub := groupNamed(tree, f.re.SubexpNames()[f.groups[i]])
		if !v.List || sub == nil {
			continue
		}
		if list := lists[v.Kind]; list != "" && !matches(sub, list) {
			add("$%s: %s does not match the list that nginx writes when it asks several servers, such as %s; use [^\"]+ between quotes, or (?:[^ ,]+(?:(?:,| :) [^ ,]+)*)",
				name, sub.Sub[0], list)
		}
	}
	return all
}

// lists are what nginx writes into one upstream variable after a failover.
var lists = map[nginxvar.Kind]string{
	nginxvar.Token:  "10.0.0.1:80, 10.0.0.2:80",
	nginxvar.Int:    "0, 612",
	nginxvar.Float:  "0.010, 0.020 : 0.100",
	nginxvar.Status: "502, 200",
}

// groupNamed is the group of that name, or nil.
func groupNamed(re *syntax.Regexp, name string) *syntax.Regexp {
	if re.Op == syntax.OpCapture && re.Name == name {
		return re
	}
	for _, sub := range re.Sub {
		if g := groupNamed(sub, name); g != nil {
			return g
		}
	}
	return nil
}

// matches reports whether the group can be the whole of text.
func matches(group *syntax.Regexp, text string) bool {
	re, err := regexp.Compile("^(?:" + group.Sub[0].String() + ")$")
	return err == nil && re.MatchString(text)
}

// anyQuoted reports whether re repeats characters that include the quote.
func anyQuoted(re *syntax.Regexp) bool {
	if !slices.Contains([]syntax.Op{syntax.OpStar, syntax.OpPlus}, re.Op) {
		return false
	}
	switch sub := re.Sub[0]; sub.Op {
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return true
	case syntax.OpCharClass:
		return includes(sub, unicode.MaxRune) && includes(sub, '"') // [^...]
	}
	return false
}

// includes reports whether a class has a character.
func includes(class *syntax.Regexp, r rune) bool {
	for i := 0; i < len(class.Rune); i += 2 {
		if class.Rune[i] <= r && r <= class.Rune[i+1] {
			return true
		}
	}
	return false
}

// quoteAt reports whether a literal begins, or ends, with a quote.
func quoteAt(re *syntax.Regexp, begin bool) bool {
	if re.Op != syntax.OpLiteral {
		return false
	}
	if begin {
		return re.Rune[0] == '"'
	}
	return re.Rune[len(re.Rune)-1] == '"'
}
