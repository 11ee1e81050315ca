package logformat

import (
	"regexp/syntax"
	"unicode"
	"unicode/utf8"
)

// spanOf is how much of something a match of a piece of an expression takes: counted is
// how much of it the runes from lo to hi are, each of them.
func spanOf(tree *syntax.Regexp, counted func(lo, hi rune) span) span {
	switch tree.Op {
	case syntax.OpNoMatch, syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return span{}
	case syntax.OpLiteral:
		return spanOfLiteral(tree, counted)
	case syntax.OpCharClass:
		return spanOfClass(tree.Rune, counted)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return counted(0, utf8.MaxRune)
	case syntax.OpCapture:
		return spanOf(tree.Sub[0], counted)
	case syntax.OpStar:
		return spanOf(tree.Sub[0], counted).times(0, endless)
	case syntax.OpPlus:
		return spanOf(tree.Sub[0], counted).times(1, endless)
	case syntax.OpQuest:
		return spanOf(tree.Sub[0], counted).times(0, 1)
	case syntax.OpRepeat:
		most := tree.Max
		if most < 0 {
			most = endless
		}
		return spanOf(tree.Sub[0], counted).times(tree.Min, most)
	case syntax.OpConcat:
		all := span{}
		for _, sub := range tree.Sub {
			all = all.and(spanOf(sub, counted))
		}
		return all
	case syntax.OpAlternate:
		all := spanOf(tree.Sub[0], counted)
		for _, sub := range tree.Sub[1:] {
			all = all.or(spanOf(sub, counted))
		}
		return all
	}
	return span{0, endless} // nothing is known of it
}

func spanOfLiteral(tree *syntax.Regexp, counted func(lo, hi rune) span) (all span) {
	for _, r := range tree.Rune {
		one := counted(r, r)
		if tree.Flags&syntax.FoldCase != 0 { // or it is written in another case
			for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
				one = one.or(counted(other, other))
			}
		}
		all = all.and(one)
	}
	return all
}

// spanOfClass is spanOf of one rune of a class, which is a list of ranges.
func spanOfClass(ranges []rune, counted func(lo, hi rune) span) (all span) {
	for i := 0; i+1 < len(ranges); i += 2 {
		one := counted(ranges[i], ranges[i+1])
		if i == 0 {
			all = one
		}
		all = all.or(one)
	}
	return all
}

// takes counts the bytes of a line. One that is no UTF-8 is a rune by itself.
func takes(lo, hi rune) span {
	if n := utf8.RuneLen(lo); lo == hi && lo != utf8.RuneError && n > 0 {
		return span{n, n}
	}
	return span{1, utf8.UTFMax}
}

// only counts one ASCII byte, which is in no other rune.
func only(c byte) func(lo, hi rune) span {
	return func(lo, hi rune) span {
		switch {
		case lo == rune(c) && hi == rune(c):
			return span{1, 1}
		case lo <= rune(c) && rune(c) <= hi:
			return span{0, 1}
		}
		return span{}
	}
}

// and is what one piece takes and another behind it.
func (s span) and(t span) span {
	return span{s.least + t.least, sum(s.most, t.most)}
}

// or is what one of two pieces takes.
func (s span) or(t span) span {
	return span{min(s.least, t.least), max(s.most, t.most)}
}

// times is what a piece takes that comes so often.
func (s span) times(least, most int) span {
	switch {
	case s.most == 0 || most == 0:
		most = 0
	case s.most == endless || most == endless:
		most = endless
	default:
		most *= s.most
	}
	return span{s.least * least, most}
}

func sum(a, b int) int {
	if a == endless || b == endless {
		return endless
	}
	return a + b
}
