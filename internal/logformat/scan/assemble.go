package scan

import (
	"regexp/syntax"
	"strings"
)

// Compile makes a program of a parsed expression, which must not have been
// simplified. Capture i of the program is the expression's group number
// groups[i]; other groups are not captured.
//
// The error names a piece of the expression and says why lines cannot be scanned
// for it. Package regexp can still use the expression.
func Compile(tree *syntax.Regexp, groups []int) (*Program, error) {
	anchored := false
	for tree.Op == syntax.OpBeginText || tree.Op == syntax.OpConcat && len(tree.Sub) > 0 && tree.Sub[0].Op == syntax.OpBeginText {
		anchored = true
		rest := &syntax.Regexp{Op: syntax.OpEmptyMatch}
		if tree.Op == syntax.OpConcat {
			rest = &syntax.Regexp{Op: syntax.OpConcat, Sub: tree.Sub[1:]}
		}
		tree = rest
	}
	t := translator{captures: make(map[int]int)}
	for i, g := range groups {
		t.captures[g] = i
	}
	root, err := t.node(tree)
	if err != nil {
		return nil, err
	}
	root.look(head{open: true})
	a := assembler{steady: make([]bool, len(groups)), tail: -1}
	a.captures = len(groups)
	if err := a.emit(root, true); err != nil {
		return nil, err
	}
	for _, steady := range a.steady {
		a.partial = a.partial || !steady
	}
	if anchored {
		a.prove(a.loops)
	} else {
		a.lead = newLead(root)
	}
	a.shorten()
	return &a.Program, nil
}

// An assembler writes the steps of a tree, from left to right.
type assembler struct {
	Program
	loops  [][2]int
	steady []bool // captures that take part in every match

	// tail is the last step if a literal after it may become part of it: it takes
	// a run or a literal, and nothing but it leads to what comes next; else -1.
	tail int
}

// add writes a step.
func (a *assembler) add(s step) {
	a.steps = append(a.steps, s)
	a.tail = len(a.steps) - 1
	switch s.op {
	case opOpen, opChoose, opJump, opEnd:
		a.tail = -1
	}
}

// emit writes n. Steady means that every match goes through n.
func (a *assembler) emit(n *node, steady bool) error {
	switch n.kind {
	case nodeLiteral:
		a.literal(n)
	case nodeEnd:
		a.add(step{op: opEnd, capture: -1, forced: true})
	case nodeRun:
		return a.run(n)
	case nodeEscaped:
		return a.escaped(n)
	case nodeCapture:
		return a.capture(n, steady)
	case nodeSequence:
		for i := 0; i < len(n.subs); i++ {
			if i+1 < len(n.subs) && a.list(n.subs[i], n.subs[i+1]) {
				i++
				continue
			}
			if err := a.emit(n.subs[i], steady); err != nil {
				return err
			}
		}
	case nodeChoice:
		return a.choose(n)
	case nodeLoop:
		return a.loop(n, steady)
	}
	return nil
}

// literal writes a literal, if it can be as part of the step before it.
func (a *assembler) literal(n *node) {
	text, skip := newPrefix(n.text), int32(len(n.text))
	if a.tail >= 0 {
		tail := &a.steps[a.tail]
		if tail.op == opNothing && tail.skip == 0 {
			tail.prefix, tail.skip = text, skip
			return
		}
		if tail.skip == 0 && strings.HasPrefix(tail.text, n.text) {
			tail.skip = skip
			return
		}
	}
	a.add(step{op: opNothing, capture: -1, forced: true, skip: skip, prefix: text})
}

// capture writes a group, if it can be as part of its only step.
func (a *assembler) capture(n *node, steady bool) error {
	a.steady[n.capture] = steady
	first, number := len(a.steps), int32(n.capture)
	a.add(step{op: opOpen, capture: number, forced: true})
	if err := a.emit(n.subs[0], steady); err != nil {
		return err
	}
	if a.tail == first+1 && a.steps[a.tail].capture < 0 && a.steps[a.tail].skip == 0 {
		// One step, and the group is its run.
		a.steps = append(a.steps[:first], a.steps[a.tail])
		a.tail = first
		a.steps[first].capture = number
		return nil
	}
	a.add(step{op: opNothing, capture: number, since: true, forced: true})
	return nil
}
