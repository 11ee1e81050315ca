package logformat

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// ignored is the name of groups whose text nobody wants. Unlike any other it
// may be used more than once, which is not RE2: dropIgnored takes care of it.
const ignored = "_"

// A group is the opening of a named group: "(?P<name>" or "(?<name>".
type group struct {
	name string
	at   int // byte offset of its "("
	len  int // of the opening, up to and with ">"
}

// findGroups lists the named groups of expr, which need not be valid.
func findGroups(expr string) []group {
	var groups []group
	for i := 0; i < len(expr); i++ {
		switch rest := expr[i:]; {
		case strings.HasPrefix(rest, `\Q`):
			end := strings.Index(rest, `\E`)
			if end < 0 {
				return groups
			}
			i += end + 1
		case rest[0] == '\\':
			i++
		case rest[0] == '[':
			i += classLen(rest) - 1
		case strings.HasPrefix(rest, "(?P<"), strings.HasPrefix(rest, "(?<"):
			begin := strings.IndexByte(rest, '<') + 1
			if end := strings.IndexByte(rest, '>'); end > begin {
				groups = append(groups, group{name: rest[begin:end], at: i, len: end + 1})
			}
		}
	}
	return groups
}

// classLen is the length of the bracketed class that expr begins with.
func classLen(expr string) int {
	i := 1
	if strings.HasPrefix(expr[i:], "^") {
		i++
	}
	if strings.HasPrefix(expr[i:], "]") {
		i++
	}
	for i < len(expr) {
		switch rest := expr[i:]; {
		case rest[0] == ']':
			return i + 1
		case rest[0] == '\\':
			i += 2
		case strings.HasPrefix(rest, "[:") && strings.Contains(rest, ":]"):
			i += strings.Index(rest, ":]") + 2
		default:
			i++
		}
	}
	return len(expr)
}

// dropIgnored makes the groups called "_" groups without a name that do not
// capture.
func dropIgnored(expr string, groups []group) string {
	var b strings.Builder
	from := 0
	for _, g := range groups {
		if g.name == ignored {
			b.WriteString(expr[from:g.at] + "(?:")
			from = g.at + g.len
		}
	}
	return b.String() + expr[from:]
}

// remedies are for the mistakes people make who know another dialect.
var remedies = map[syntax.ErrorCode]string{
	syntax.ErrInvalidPerlOp:         "RE2 has no lookahead, lookbehind, atomic or conditional groups",
	syntax.ErrInvalidEscape:         "RE2 has no backreferences, and not every escape of Perl; a literal backslash is \\\\",
	syntax.ErrInvalidNamedCapture:   "a group is written (?P<name>…) with letters, digits and _ in its name",
	syntax.ErrInvalidRepeatOp:       `RE2 has no possessive repeats; write \*, \+ or \? for a literal *, + or ?`,
	syntax.ErrMissingRepeatArgument: `write \*, \+ or \? for a literal *, + or ?`,
	syntax.ErrMissingBracket:        `close it with ], or write \[ for a literal [`,
	syntax.ErrMissingParen:          `close it with ), or write \( for a literal (`,
	syntax.ErrUnexpectedParen:       `write \) for a literal )`,
	syntax.ErrInvalidRepeatSize:     "a repeat may be at most 1000",
}

// explain rewrites an error of regexp/syntax for the operator.
func explain(expr string, err error) error {
	var e *syntax.Error
	if !errors.As(err, &e) {
		return err
	}
	remedy := remedies[e.Code]
	if remedy == "" {
		remedy = "the syntax is RE2's"
	}
	if at := strings.Index(expr, e.Expr); at >= 0 && e.Expr != "" && e.Expr != expr {
		return fmt.Errorf("%s: %w; %s", where(expr, at), err, remedy)
	}
	return fmt.Errorf("%w; %s", err, remedy)
}

// where is the place of a byte offset as an editor shows it: counted in
// characters from 1, with the line when text has several.
func where(text string, offset int) string {
	before := text[:offset]
	begin := strings.LastIndexByte(before, '\n') + 1
	column := 1 + utf8.RuneCountInString(before[begin:])
	if line := 1 + strings.Count(before, "\n"); line > 1 {
		return fmt.Sprintf("line %d, column %d", line, column)
	}
	return fmt.Sprintf("column %d", column)
}
