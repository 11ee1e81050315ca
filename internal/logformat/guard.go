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
//     there may have been more than one way. And what stands before it must match up to it.
//   - From its end, the line and what stands before that quote can often be read in one way
//     only, if not to their beginning.
type guard struct {
	least  int // bytes
	counts []count
	ending ending        // of the line
	before int           // quotes in front of the one behind which rest begins
	front  ending        // of what stands before that
	rest   *scan.Program // nil: nothing is known of a quote
}

// A count is how many of a byte there are.
type count struct {
	of byte
	span
}

// rank is how much a count tells: quotes tell most.
func (c count) rank() int {
	if c.of == '"' {
		return endless
	}
	return c.least
}

// A span is from least to most; endless if there is no most.
type span struct{ least, most int }

const endless = math.MaxInt

// mostCounts bounds what is counted in a line.
const mostCounts = 2

// newGuard returns the guard of an expression that was parsed and not simplified.
func newGuard(tree *syntax.Regexp) *guard {
	begins, ends := isAnchored(tree)
	g := &guard{least: spanOf(tree, takes).least, counts: countsOf(tree, begins && ends)}
	if ends {
		g.ending = newEnding(tree.Sub[:len(tree.Sub)-1])
	}
	if begins {
		g.divide(tree)
	}
	return g
}

// countsOf are how many quotes a line has that the expression matches, and how many of
// that byte of which it has most. If more may stand around a match, there is no most.
func countsOf(tree *syntax.Regexp, whole bool) (all []count) {
	for _, c := range marks(tree) {
		s := spanOf(tree, only(c))
		if !whole {
			s.most = endless
		}
		if s.least > 0 || c == '"' && s.most < endless {
			all = append(all, count{c, s})
		}
	}
	slices.SortStableFunc(all, func(a, b count) int { return b.rank() - a.rank() })
	return all[:min(len(all), mostCounts)]
}

// mayMatch reports whether the line has what it must have.
func (g *guard) mayMatch(line []byte) bool {
	return g.hasEnough(line) && g.ending.mayEnd(line) && (g.rest == nil || g.partsMayMatch(line))
}

// hasEnough reports whether a line has as much of everything as it must have.
func (g *guard) hasEnough(line []byte) bool {
	if len(line) < g.least {
		return false
	}
	for i := range g.counts {
		c := &g.counts[i]
		if n := bytes.Count(line, []byte{c.of}); n < c.least || n > c.most {
			return false
		}
	}
	return true
}

// A tally is how many there are of each byte in a line, for many guards.
type tally [256]int32

func (t *tally) count(line []byte) {
	for _, c := range line {
		t[c]++
	}
}

// mayBe is the part of mayMatch that takes next to nothing for a line with a tally.
func (g *guard) mayBe(line []byte, t *tally) bool {
	if len(line) < g.least {
		return false
	}
	for i := range g.counts {
		c := &g.counts[i]
		if n := int(t[c.of]); n < c.least || n > c.most {
			return false
		}
	}
	return g.ending.mayEnd(line)
}

// mayMatch reports whether a line can be of a format that is in no wrapper.
func (f *Format) mayMatch(line []byte, t *tally) bool {
	return f.json != nil || f.guard().mayBe(line, t) || f.kin != nil && f.kin.guard().mayBe(line, t)
}

// partsMayMatch looks at what stands before a quote that is the same one in whatever way the
// line is cut, and behind it. There are no captures.
func (g *guard) partsMayMatch(line []byte) bool {
	rest := line
	for range g.before + 1 {
		at := bytes.IndexByte(rest, '"')
		if at < 0 {
			return false
		}
		rest = rest[at+1:]
	}
	return g.front.mayEnd(line[:len(line)-len(rest)-1]) && g.rest.Scan(rest, nil, nil) != scan.NoMatch
}

// isAnchored reports whether a match begins where the line does, and ends where that ends.
func isAnchored(tree *syntax.Regexp) (begins, ends bool) {
	if tree.Op != syntax.OpConcat || len(tree.Sub) == 0 {
		return false, false
	}
	first, last := tree.Sub[0].Op, tree.Sub[len(tree.Sub)-1].Op
	return first == syntax.OpBeginText, last == syntax.OpEndText
}

// divide finds the first quote of which it is certain that it is the same one in whatever
// way a line is cut: how many others are before it, and what must match before and behind.
func (g *guard) divide(tree *syntax.Regexp) {
	before := 0
	for i, sub := range tree.Sub {
		at := slices.Index(sub.Rune, '"') // of a literal; a class has ranges
		if s := spanOf(sub, only('"')); sub.Op != syntax.OpLiteral || at < 0 {
			if before += s.least; s.least != s.most {
				return
			}
			continue
		}
		begin := &syntax.Regexp{Op: syntax.OpBeginText}
		behind := slices.Concat([]*syntax.Regexp{begin}, literal(sub, sub.Rune[at+1:]), tree.Sub[i+1:])
		rest, err := scan.Compile(&syntax.Regexp{Op: syntax.OpConcat, Sub: behind}, nil)
		if err == nil {
			g.before, g.rest = before, rest
			g.front = newEnding(slices.Concat(tree.Sub[:i], literal(sub, sub.Rune[:at])))
		}
		return
	}
}

// literal is a part of a literal, if there is something in it.
func literal(of *syntax.Regexp, part []rune) []*syntax.Regexp {
	if len(part) == 0 {
		return nil
	}
	some := *of
	some.Rune = part
	return []*syntax.Regexp{&some}
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
