package accesslog

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// rule is a Rule with the quick conditions first.
type rule []condition

type condition struct {
	item
	exact []byte         // the value, if re is nil
	re    *regexp.Regexp // matches it
	memo  *memo          // what re said of values that were met before
}

// newRules compiles rules. One about a variable that the format does not have is
// left out: it is never true.
func (e *Encoder) newRules(names []string, rules []Rule) ([]rule, error) {
	var all []rule
	for _, conditions := range rules {
		var r rule
		possible := len(conditions) > 0
		for _, c := range conditions {
			it, ok := e.find(c.Variable, names)
			possible = possible && ok
			re, exact, err := Pattern(c.Match)
			if err != nil {
				return nil, fmt.Errorf("drop rule for %s: %w", c.Variable, err)
			}
			compiled := condition{item: it, exact: []byte(exact), re: re}
			if re != nil && it.origin != client {
				compiled.memo = newMemo(false)
			}
			r = append(r, compiled)
		}
		if possible {
			slices.SortStableFunc(r, func(a, b condition) int { return a.cost() - b.cost() })
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, func(a, b rule) int { return a[0].cost() - b[0].cost() })
	return all, nil
}

func (c *condition) cost() int {
	if c.re != nil {
		return 1
	}
	return 0
}

// Pattern reads what a condition wants: nil and the value, or an expression.
func Pattern(match string) (re *regexp.Regexp, exact string, err error) {
	switch {
	case strings.HasPrefix(match, "~*"):
		re, err = regexp.Compile("(?i)" + match[2:])
	case strings.HasPrefix(match, "~"):
		re, err = regexp.Compile(match[1:])
	case strings.HasPrefix(match, `\~`):
		exact = match[1:]
	default:
		exact = match
	}
	return re, exact, err
}

// drops reports whether a rule drops the line.
func (e *Encoder) drops(captures [][]byte) bool {
	for _, r := range e.rules {
		matches := true
		for i := range r {
			if matches = e.holds(&r[i], captures); !matches {
				break
			}
		}
		if matches {
			return true
		}
	}
	return false
}

var yes, no = []byte("yes"), []byte("no")

func (e *Encoder) holds(c *condition, captures [][]byte) bool {
	raw := e.raw(&c.item, captures)
	if c.origin == tries && len(raw) > 0 {
		raw = e.text(&c.item, raw)
	}
	if c.re == nil {
		return string(e.texts.decode(raw)) == string(c.exact)
	}
	if len(raw) == 0 {
		return c.re.Match(nil)
	}
	if known := c.memo.find(raw); known != nil {
		return len(known.text()) == len(yes)
	}
	matches := c.re.Match(e.texts.decode(raw))
	verdict := no
	if matches {
		verdict = yes
	}
	c.memo.keep(raw, verdict)
	return matches
}
