package logformat

import (
	"fmt"
	"strings"

	"github.com/tailflux/tailflux/internal/nginxvar"
)

// CompileJSON is CompileJSONIn with nginx's own names.
func CompileJSON(more ...string) *Format { return CompileJSONIn(nginxvar.Dialect{}, more...) }

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

// NearestSlowly is Nearest without guards.
func NearestSlowly(line []byte) (name string, ok bool) {
	for _, k := range allKnown() {
		m := k.format.NewSlowMatcher()
		m.bare = true
		if _, ok := k.fits(m, line); ok {
			return k.name, true
		}
	}
	if w, inner := unwrapAll([][]byte{line}); w != nil {
		name, ok = NearestSlowly(inner[0])
		return w.name + " " + name, ok
	}
	return "", false
}

// Wrapped reports whether a line is in a wrapper, and is a piece, and whether these can
// be ruled out by its beginning.
func Wrapped(line []byte) (is, isPiece, isNot, isNoPiece bool) {
	for _, w := range wrappers {
		_, what := w.unwrap(line, nil)
		is, isPiece = is || what != otherwise, isPiece || what == aPiece
	}
	return is, isPiece, !mayBeWrapped(line), !mayBePiece(line)
}

// Guard is what a line must have, in words.
func (f *Format) Guard() string {
	g := f.guard()
	all := []string{fmt.Sprintf("%d bytes", g.least)}
	for _, c := range g.counts {
		most := "or more"
		if c.most < endless {
			most = fmt.Sprintf("to %d", c.most)
		}
		all = append(all, fmt.Sprintf("%d %s of %q", c.least, most, c.of))
	}
	if g.ending != nil {
		all = append(all, "ends with "+g.ending.String())
	}
	if g.rest != nil {
		all = append(all, fmt.Sprintf("%d quotes before the rest", g.before))
	}
	if g.front != nil {
		all = append(all, "before it "+g.front.String())
	}
	return strings.Join(all, ", ")
}

// String has a dot for each class.
func (e ending) String() string {
	var text string
	for _, p := range e {
		if p.class != nil {
			text = strings.Repeat(".", max(1, p.least)) + text
		}
		text = string(p.literal) + text
	}
	return fmt.Sprintf("%q", text)
}

// LearnNext makes a matcher learn the skeleton of the next line, if that is parsed.
func (m *Matcher) LearnNext() { m.object.skeletons.left, m.object.skeletons.useful = 0, true }

// Filled are the captures that the last line has, for JSON, in no order.
func (m *Matcher) Filled() []int { return m.object.filled }

// BySkeleton reports whether the last line that matched, of JSON, was not parsed.
func (m *Matcher) BySkeleton() bool { return m.object.skeletons.last != nil }

// WithoutMarks makes the matcher use no marks.
func (m *Matcher) WithoutMarks() *Matcher {
	for _, m := range []*Matcher{m, m.kin, m.likely} {
		if m != nil && m.prog != nil {
			m.scanWith(m.prog.WithoutMarks())
		}
	}
	return m
}
