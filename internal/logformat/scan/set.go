package scan

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"
)

// A byteSet says which bytes a class matches. regexp matches runes, and takes a
// byte that is not UTF-8 for U+FFFD. So a class is a set of bytes exactly if it
// has all runes from 0x80 on or none of them; then each byte from 0x80, part of
// a rune or not, is in the set or is not.
type byteSet [256]bool

// setOf is the set for a class, a dot or a single literal character.
func setOf(re *syntax.Regexp) (*byteSet, error) {
	var ranges []rune
	switch re.Op {
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL: // in a line there is no newline
		ranges = []rune{0, unicode.MaxRune}
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase != 0 {
			return foldSet(re.Rune[0])
		}
		ranges = []rune{re.Rune[0], re.Rune[0]}
	default:
		ranges = re.Rune
	}
	set := new(byteSet)
	for i := 0; i < len(ranges); i += 2 {
		from, to := ranges[i], ranges[i+1]
		if to >= utf8.RuneSelf {
			if from > utf8.RuneSelf || to != unicode.MaxRune {
				return nil, fmt.Errorf("%s has some characters outside ASCII and not others", re)
			}
			to = 255
		}
		for c := from; c <= to; c++ {
			set[c] = true
		}
	}
	return set, nil
}

// high reports whether the set has the bytes from 0x80 on.
func (s *byteSet) high() bool { return s[utf8.RuneSelf] }

// blank reports whether the set has the space, and no byte above it.
func (s *byteSet) blank() bool {
	return s[' '] && !slices.Contains(s[' '+1:], true)
}

func (s *byteSet) overlaps(t *byteSet) bool {
	for c := range s {
		if s[c] && t[c] {
			return true
		}
	}
	return false
}

// missing are the bytes not in the set.
func (s *byteSet) missing() []byte {
	var m []byte
	for c := range s {
		if !s[c] {
			m = append(m, byte(c))
		}
	}
	return m
}

// without is the set without some bytes.
func (s *byteSet) without(bytes ...byte) *byteSet {
	t := *s
	for _, b := range bytes {
		t[b] = false
	}
	return &t
}
