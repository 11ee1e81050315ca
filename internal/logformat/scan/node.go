package scan

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"unicode"
	"unicode/utf8"
)

// A nodeKind is one of the shapes the scanner knows.
type nodeKind uint8

const (
	nodeSequence nodeKind = iota // subs, one after the other; empty: matches nothing
	nodeLiteral                  // text
	nodeRun                      // min to max bytes of set
	nodeEscaped                  // (?:[set]|\\.)*: bytes of set, and pairs of a backslash and a byte of pair
	nodeCapture                  // subs[0] is capture number capture
	nodeChoice                   // one of subs, in order of preference
	nodeLoop                     // subs[0] again and again: min 0 or 1 times at least
	nodeEnd                      // the end of the line
)

// A node is a piece of the expression. Byte for byte it means what the
// regexp/syntax tree it is made from means rune for rune: sets hold all bytes
// from 0x80 or none, and where a rune must not be cut, translate gives up.
type node struct {
	kind     nodeKind
	text     string
	set      *byteSet
	pair     *byteSet
	min, max int  // max unlimited: no limit
	lazy     bool // prefers less
	capture  int
	subs     []*node

	next  head   // what follows; set by look
	heads []head // of each choice, or of going on and leaving a loop; set by look
}

const unlimited = -1

// A translator makes nodes of a regexp/syntax tree. Its errors complete the
// sentence "no scanner: …".
type translator struct {
	captures map[int]int // number of a wanted group → number of its capture
	looping  bool        // inside a loop
	size     int         // nodes made so far
}

// maxNodes keeps repeated groups from growing without bound.
const maxNodes = 2000

var errTooLong = errors.New("the expression is too long")

func (t *translator) node(re *syntax.Regexp) (*node, error) {
	if t.size++; t.size > maxNodes {
		return nil, errTooLong
	}
	switch re.Op {
	case syntax.OpEmptyMatch:
		return &node{kind: nodeSequence}, nil
	case syntax.OpEndText:
		return &node{kind: nodeEnd}, nil
	case syntax.OpLiteral:
		return literal(re)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return t.run(re, 1, 1, false)
	case syntax.OpStar:
		return t.repeat(re, 0, unlimited)
	case syntax.OpPlus:
		return t.repeat(re, 1, unlimited)
	case syntax.OpQuest:
		return t.repeat(re, 0, 1)
	case syntax.OpRepeat:
		return t.repeat(re, re.Min, re.Max)
	case syntax.OpCapture:
		sub, err := t.node(re.Sub[0])
		number, wanted := t.captures[re.Cap]
		if err != nil || !wanted {
			return sub, err
		}
		return &node{kind: nodeCapture, capture: number, subs: []*node{sub}}, nil
	case syntax.OpConcat:
		return t.sequence(re.Sub)
	case syntax.OpAlternate:
		n := &node{kind: nodeChoice}
		for _, sub := range re.Sub {
			s, err := t.node(sub)
			if err != nil {
				return nil, err
			}
			n.subs = append(n.subs, s)
		}
		return n, nil
	case syntax.OpBeginText, syntax.OpBeginLine, syntax.OpEndLine:
		return nil, fmt.Errorf("%s is only understood as ^ at the beginning and $ without the m flag", re)
	case syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return nil, fmt.Errorf("%s looks at bytes on both sides", re)
	}
	return nil, fmt.Errorf("%s matches nothing", re)
}

// sequence joins what stands side by side, and literals in it to longer ones.
func (t *translator) sequence(res []*syntax.Regexp) (*node, error) {
	seq := &node{kind: nodeSequence}
	for _, re := range res {
		n, err := t.node(re)
		if err != nil {
			return nil, err
		}
		parts := []*node{n}
		if n.kind == nodeSequence {
			parts = n.subs
		}
		for _, p := range parts {
			if k := len(seq.subs) - 1; k >= 0 && p.kind == nodeLiteral && seq.subs[k].kind == nodeLiteral {
				p = &node{kind: nodeLiteral, text: seq.subs[k].text + p.text}
				seq.subs = seq.subs[:k]
			}
			seq.subs = append(seq.subs, p)
		}
	}
	if len(seq.subs) == 1 {
		return seq.subs[0], nil
	}
	return seq, nil
}

// repeat translates re, a repeat of its only sub.
func (t *translator) repeat(re *syntax.Regexp, least, most int) (*node, error) {
	sub, lazy := re.Sub[0], re.Flags&syntax.NonGreedy != 0
	if sub.Op == syntax.OpCharClass || sub.Op == syntax.OpAnyChar || sub.Op == syntax.OpAnyCharNotNL ||
		sub.Op == syntax.OpLiteral && len(sub.Rune) == 1 {
		return t.run(sub, least, most, lazy)
	}
	if n := escaped(re); n != nil {
		return n, nil
	}
	switch {
	case least == most: // group{3}: the group three times
		subs := make([]*syntax.Regexp, least)
		for i := range subs {
			subs[i] = sub
		}
		return t.sequence(subs)
	case least == 0 && most == 1:
		n, err := t.node(sub)
		if err != nil {
			return nil, err
		}
		subs := []*node{n, {kind: nodeSequence}}
		if lazy {
			subs[0], subs[1] = subs[1], subs[0]
		}
		return &node{kind: nodeChoice, subs: subs}, nil
	case most != unlimited || least > 1:
		return nil, fmt.Errorf("%s repeats more than one character a varying number of times", re)
	case t.looping:
		return nil, fmt.Errorf("%s is a repeat within a repeat", re)
	}
	t.looping = true
	n, err := t.node(sub)
	t.looping = false
	if err != nil {
		return nil, err
	}
	if n.mayBeEmpty() {
		return nil, fmt.Errorf("%s repeats something that may be empty", re)
	}
	return &node{kind: nodeLoop, min: least, lazy: lazy, subs: []*node{n}}, nil
}

// run makes a run of the characters that class matches.
func (t *translator) run(class *syntax.Regexp, least, most int, lazy bool) (*node, error) {
	set, err := setOf(class)
	if err != nil {
		return nil, err
	}
	if most == 0 {
		return &node{kind: nodeSequence}, nil
	}
	if set.high() && (least > 1 || most != unlimited) {
		return nil, fmt.Errorf("%s is counted, and may be a character of several bytes", class)
	}
	return &node{kind: nodeRun, set: set, min: least, max: most, lazy: lazy}, nil
}

// literal makes a literal, or single characters when case does not matter.
func literal(re *syntax.Regexp) (*node, error) {
	for _, r := range re.Rune {
		if r >= utf8.RuneSelf {
			return nil, fmt.Errorf("%q is not ASCII", r)
		}
	}
	if re.Flags&syntax.FoldCase == 0 {
		return &node{kind: nodeLiteral, text: string(re.Rune)}, nil
	}
	seq := &node{kind: nodeSequence}
	for _, r := range re.Rune {
		set, err := foldSet(r)
		if err != nil {
			return nil, err
		}
		seq.subs = append(seq.subs, &node{kind: nodeRun, set: set, min: 1, max: 1})
	}
	return seq, nil
}

// foldSet is r in all its cases.
func foldSet(r rune) (*byteSet, error) {
	set := new(byteSet)
	for c := r; ; {
		if c >= utf8.RuneSelf {
			return nil, fmt.Errorf("without regard to case, %q matches %q too", r, c)
		}
		set[c] = true
		if c = unicode.SimpleFold(c); c == r {
			return set, nil
		}
	}
}

// escaped recognises the body of a JSON string, (?:[^"\\]|\\.)*, or nil. Since
// the class has no backslash, where an element begins and ends is certain.
func escaped(re *syntax.Regexp) *node {
	if re.Op != syntax.OpStar || re.Sub[0].Op != syntax.OpAlternate || len(re.Sub[0].Sub) != 2 {
		return nil
	}
	plain, pair := re.Sub[0].Sub[0], re.Sub[0].Sub[1]
	if plain.Op == syntax.OpConcat {
		plain, pair = pair, plain
	}
	if plain.Op != syntax.OpCharClass || pair.Op != syntax.OpConcat || len(pair.Sub) != 2 || pair.Sub[0].String() != `\\` ||
		pair.Sub[1].Op != syntax.OpAnyChar && pair.Sub[1].Op != syntax.OpAnyCharNotNL {
		return nil
	}
	set, err := setOf(plain)
	after, errAfter := setOf(pair.Sub[1])
	if err != nil || errAfter != nil || set['\\'] || !set.high() {
		return nil
	}
	return &node{kind: nodeEscaped, set: set, pair: after, max: unlimited, lazy: re.Flags&syntax.NonGreedy != 0}
}

// mayBeEmpty reports whether the node can match without taking a byte.
func (n *node) mayBeEmpty() bool {
	switch n.kind {
	case nodeLiteral:
		return n.text == ""
	case nodeRun:
		return n.min == 0
	case nodeCapture:
		return n.subs[0].mayBeEmpty()
	case nodeLoop:
		return n.min == 0
	case nodeSequence:
		for _, s := range n.subs {
			if !s.mayBeEmpty() {
				return false
			}
		}
		return true
	case nodeChoice:
		for _, s := range n.subs {
			if s.mayBeEmpty() {
				return true
			}
		}
		return false
	}
	return true
}
