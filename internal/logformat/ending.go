package logformat

import (
	"bytes"
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// An ending is what the last pieces of an expression match, the last one first, as far as
// there is one way to do so only when a text is read from its end: literals, and runs of a
// class in which the literal before them does not end. Such a run begins behind the first
// byte that is not of its class.
type ending []lastPiece

type lastPiece struct {
	literal []byte
	class   *[256]bool // nil: it is the literal
	least   int        // bytes of the class
}

// newEnding returns the ending of pieces that follow each other up to the end of a text.
func newEnding(all []*syntax.Regexp) (e ending) {
	all = flat(nil, all)
	for i, piece := range slices.Backward(all) {
		if literal, ok := literalOf(piece); ok {
			e = append(e, lastPiece{literal: literal})
			continue
		}
		class, least, ok := runOf(piece)
		if !ok || i == 0 {
			break
		}
		before, ok := literalOf(all[i-1])
		if !ok || class[before[len(before)-1]] {
			break
		}
		e = append(e, lastPiece{class: class, least: least})
	}
	return e
}

// mayEnd reports whether a text has the ending.
func (e ending) mayEnd(text []byte) bool {
	for i := range e {
		p := &e[i]
		if p.class == nil {
			if !bytes.HasSuffix(text, p.literal) {
				return false
			}
			text = text[:len(text)-len(p.literal)]
			continue
		}
		n := len(text)
		for n > 0 && p.class[text[n-1]] {
			n--
		}
		if len(text)-n < p.least {
			return false
		}
		text = text[:n]
	}
	return true
}

// flat appends pieces without the groups around them.
func flat(dst, all []*syntax.Regexp) []*syntax.Regexp {
	for _, piece := range all {
		if piece.Op == syntax.OpCapture || piece.Op == syntax.OpConcat {
			dst = flat(dst, piece.Sub)
		} else {
			dst = append(dst, piece)
		}
	}
	return dst
}

// literalOf is the text of a literal that is written in one way only. (One that is no
// UTF-8 could stand for any such byte.)
func literalOf(tree *syntax.Regexp) (text []byte, ok bool) {
	if tree.Op != syntax.OpLiteral || tree.Flags&syntax.FoldCase != 0 {
		return nil, false
	}
	for _, r := range tree.Rune {
		if r >= utf8.RuneSelf {
			return nil, false
		}
		text = append(text, byte(r))
	}
	return text, len(text) > 0
}

// runOf is the class of which a piece takes a run, and how many bytes of it at least. In
// the class all bytes are that are not ASCII, or none.
func runOf(tree *syntax.Regexp) (class *[256]bool, least int, ok bool) {
	switch tree.Op {
	case syntax.OpStar:
	case syntax.OpPlus:
		least = 1
	case syntax.OpRepeat:
		least = tree.Min
	default:
		return nil, 0, false
	}
	if tree = tree.Sub[0]; tree.Op != syntax.OpCharClass {
		return nil, 0, false
	}
	class = new([256]bool)
	for i := 0; i+1 < len(tree.Rune); i += 2 {
		lo, hi := tree.Rune[i], tree.Rune[i+1]
		if hi >= utf8.RuneSelf {
			if lo > utf8.RuneSelf || hi != utf8.MaxRune {
				return nil, 0, false
			}
			for c := utf8.RuneSelf; c < len(class); c++ {
				class[c] = true
			}
		}
		for c := lo; c <= hi && c < utf8.RuneSelf; c++ {
			class[c] = true
		}
	}
	return class, least, true
}
