package logformat

import (
	"fmt"
	"strings"
)

// NewGuardedMatcher makes a matcher that asks the guard about every line, and the standard
// library about those that it lets pass.
func (f *Format) NewGuardedMatcher() *Matcher {
	m := f.NewSlowMatcher()
	m.guard = f.guard
	if m.kin != nil {
		m.kin.guard = f.kin.guard
	}
	if m.likely != nil {
		m.likely.guard = f.likely.guard
	}
	return m
}

// Guard is what a line must have, in words.
func (f *Format) Guard() string {
	g := f.guard
	all := []string{fmt.Sprintf("%d bytes", g.least)}
	for _, c := range g.counts {
		most := "or more"
		if c.most < endless {
			most = fmt.Sprintf("to %d", c.most)
		}
		all = append(all, fmt.Sprintf("%d %s of %q", c.least, most, c.of))
	}
	if g.rest != nil {
		all = append(all, fmt.Sprintf("%d quotes before the rest", g.before))
	}
	return strings.Join(all, ", ")
}
