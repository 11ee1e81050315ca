package logformat

import (
	"bytes"
	"math"
	"regexp/syntax"
	"slices"
	"unicode/utf8"

	"github.com/tailflux/tailflux/internal/logformat/scan"
)

// A guard knows what each line has that an expression matches, and refuses others before
// package regexp is asked, which takes microseconds to find out. It is derived from the
// expression alone; what it lets pass need not match.
//
//   - Each piece of the expression takes at least so many of some byte, and at most so
//     many. So does the whole, and where that is anchored at both ends the line has as
//     many: in the preset combined, six quotes and at least eight spaces.
//   - Where what stands before a quote takes so many quotes and not one more or less, that
//     quote is the same one in whatever way the line is cut. So what stands behind it must
//     match the rest of the line by itself, which a scanner can often tell: in front of it
//     there may have been more than one way.
type guard struct {
	least  int // bytes
	counts []count
	before int           // quotes in front of the one behind which rest begins
	rest   *scan.Program // nil: nothing is known
}

// A count is how many of a byte there are.
type count struct {
	of byte
	span
}

// A span is from least to most; endless if there is no most.
type span struct{ least, most int }

const endless = math.MaxInt

// mostCounts bounds what is counted in a line.
const mostCounts = 2

// newGuard returns the guard of an expression that was parsed and not simplified.
func newGuard(tree *syntax.Regexp) *guard {
	g := &guard{least: spanOf(tree, takes).least}
	begins, ends := isAnchored(tree)
	for _, c := range marks(tree) {
		s := spanOf(tree, only(c))
		if !begins || !ends {
			s.most = endless
		}
		if s.least > 0 || s.most < endless {
			g.counts = append(g.counts, count{c, s})
		}
	}
	slices.SortStableFunc(g.counts, func(a, b count) int { return b.least - a.least })
	g.counts = slices.DeleteFunc(g.counts, func(c count) bool { return c.of != '"' && c.least == 0 })
	if at := slices.IndexFunc(g.counts, func(c count) bool { return c.of == '"' }); at > 0 { // it tells most
		g.counts[0], g.counts[at] = g.counts[at], g.counts[0]
	}
	g.counts = g.counts[:min(len(g.counts), mostCounts)]
	if begins {
		g.before, g.rest = certain(tree)
	}
	return g
}

// mayMatch reports whether the line has what it must have.
func (g *guard) mayMatch(line []byte) bool {
	if len(line) < g.least {
		return false
	}
	for i := range g.counts {
		c := &g.counts[i]
		if n := bytes.Count(line, []byte{c.of}); n < c.least || n > c.most {
			return false
		}
	}
	return g.rest == nil || g.restMayMatch(line)
}

// restMayMatch looks at what stands behind a quote that is the same one in whatever way
// the line is cut. There are no captures.
func (g *guard) restMayMatch(line []byte) bool {
	for range g.before + 1 {
		at := bytes.IndexByte(line, '"')
		if at < 0 {
			return false
		}
		line = line[at+1:]
	}
	return g.rest.Scan(line, nil, nil) != scan.Refused
}

// isAnchored reports whether a match begins where the line does, and ends where that ends.
func isAnchored(tree *syntax.Regexp) (begins, ends bool) {
	if tree.Op != syntax.OpConcat || len(tree.Sub) == 0 {
		return false, false
	}
	first, last := tree.Sub[0].Op, tree.Sub[len(tree.Sub)-1].Op
	return first == syntax.OpBeginText, last == syntax.OpEndText
}

// certain finds the first quote of which it is certain that it is the same one in whatever
// way a line is cut: how many others are before it, and what must match behind it.
func certain(tree *syntax.Regexp) (before int, rest *scan.Program) {
	for i, sub := range tree.Sub {
		at := slices.Index(sub.Rune, '"') // of a literal; a class has ranges
		if s := spanOf(sub, only('"')); sub.Op != syntax.OpLiteral || at < 0 {
			if before += s.least; s.least != s.most {
				return 0, nil
			}
			continue
		}
		behind := &syntax.Regexp{Op: syntax.OpConcat, Sub: []*syntax.Regexp{{Op: syntax.OpBeginText}}}
		if literal := *sub; at+1 < len(sub.Rune) {
			literal.Rune = sub.Rune[at+1:]
			behind.Sub = append(behind.Sub, &literal)
		}
		behind.Sub = append(behind.Sub, tree.Sub[i+1:]...)
		rest, err := scan.Compile(behind, nil)
		if err != nil {
			return 0, nil
		}
		return before, rest
	}
	return 0, nil
}

// marks are the bytes of literals that are no letters or digits: they separate values.
func marks(tree *syntax.Regexp) (all []byte) {
	if tree.Op == syntax.OpLiteral {
		for _, r := range tree.Rune {
			if r < utf8.RuneSelf && !syntax.IsWordChar(r) && !slices.Contains(all, byte(r)) {
				all = append(all, byte(r))
			}
		}
	}
	for _, sub := range tree.Sub {
		for _, c := range marks(sub) {
			if !slices.Contains(all, c) {
				all = append(all, c)
			}
		}
	}
	return all
}
