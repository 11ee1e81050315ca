package logformat

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"strings"
)

// assemble makes a program of an expression. captures numbers the groups that
// are wanted. The error says why there is no program; then the expression is
// none the worse for the standard library.
func assemble(re *syntax.Regexp, captures map[int]int) (*program, error) {
	anchored := false
	for re.Op == syntax.OpBeginText || re.Op == syntax.OpConcat && len(re.Sub) > 0 && re.Sub[0].Op == syntax.OpBeginText {
		anchored = true
		rest := &syntax.Regexp{Op: syntax.OpEmptyMatch}
		if re.Op == syntax.OpConcat {
			rest = &syntax.Regexp{Op: syntax.OpConcat, Sub: re.Sub[1:]}
		}
		re = rest
	}
	t := translator{captures: captures}
	tree, err := t.node(re)
	if err != nil {
		return nil, err
	}
	tree.look(head{open: true})
	a := assembler{steady: make([]bool, len(captures)), tail: -1}
	if err := a.emit(tree, true); err != nil {
		return nil, err
	}
	for _, steady := range a.steady {
		a.partial = a.partial || !steady
	}
	if anchored {
		a.prove(a.loops)
	}
	return &a.program, nil
}

// An assembler writes the steps of a tree, from left to right.
type assembler struct {
	program
	loops  [][2]int
	steady []bool // captures that take part in every match

	// tail is the step that the next one follows wherever the line leads, if it
	// is a run or a literal; else -1.
	tail int
}

// add writes a step.
func (a *assembler) add(s step) {
	a.steps = append(a.steps, s)
	a.tail = len(a.steps) - 1
}

// emit writes n. Steady tells that every match goes through n.
func (a *assembler) emit(n *node, steady bool) error {
	switch n.kind {
	case nodeLiteral:
		a.literal(n)
	case nodeEnd:
		a.add(step{op: opEnd, capture: -1, forced: true})
		a.tail = -1
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

// run writes a run. The choices are its ends; which one is preferred, and
// whether what follows excludes all others, decides how to look for it.
func (a *assembler) run(n *node) error {
	next, text := &n.next, n.next.literal()
	s := step{
		op: opCount, capture: -1, min: int32(n.min), max: int32(n.max),
		prefix: newPrefix(text), spanner: newSpanner(n.set),
	}
	apart := !next.open && !n.set.overlaps(&next.first)
	back := outside(text, n.set)
	missing := n.set.missing()

	if n.lazy && n.min > 0 && n.set.high() && (next.open || next.first.high()) {
		return errors.New("where a lazy repeat ends depends on characters of several bytes")
	}
	switch {
	case n.min == n.max: // one end
		s.forced = true
	case apart, n.max == unlimited && back >= 0:
		// Wherever the run ends, a byte that is not in the set comes back
		// bytes later; so there is one end, lazy or not.
		s.forced = true
		if !apart {
			s.back = int32(back)
		}
		if len(missing) == 1 && n.max == unlimited {
			s.op, s.stop = opUntil, missing[0]
		}
	case n.lazy && next.open:
		s.max = s.min
	case n.lazy && text != "":
		s.op = opShortest
		if len(missing) == 1 && len(text) == 1 && n.max == unlimited {
			s.op, s.stop = opIndex, missing[0]
		}
	case n.lazy:
		s.op, s.first, s.atEnd = opShortest, &next.first, next.end
	case next.open:
	case text != "":
		s.op = opLongest
	case !n.set.high() || !next.first.high():
		s.op, s.first, s.atEnd = opLongest, &next.first, next.end
	default:
		// Going back could end within a character. Take the longest run, and
		// leave lines that do not go on from there to regexp.
	}
	if s.op == opCount && s.max == unlimited && s.wide {
		s.op = opSpan
	}
	if s.op == opCount && s.max == s.min && s.wide {
		s.op = opExact
	}
	a.add(s)
	return nil
}

// outside is the index of the first byte of text that is not in set, or -1.
func outside(text string, set *byteSet) int {
	for i := range len(text) {
		if !set[text[i]] {
			return i
		}
	}
	return -1
}

// escaped writes the body of a JSON string.
func (a *assembler) escaped(n *node) error {
	next, text := &n.next, n.next.literal()
	s := step{
		op: opEscaped, capture: -1, max: unlimited, pair: n.pair,
		prefix: newPrefix(text), spanner: newSpanner(n.set),
	}
	switch {
	case !next.open && !n.set.overlaps(&next.first) && !next.first['\\']:
		s.forced = true
	case n.lazy && text != "":
		s.op = opEscapedText
	default:
		return errors.New(`what follows (?:[^"\\]|\\.)* does not tell where it ends`)
	}
	a.add(s)
	return nil
}

// capture writes a group, if it can be as part of its only step.
func (a *assembler) capture(n *node, steady bool) error {
	a.steady[n.capture] = steady
	first, number := len(a.steps), int32(n.capture)
	a.add(step{op: opOpen, capture: number, forced: true})
	a.tail = -1 // a literal in the group must not become part of a step before it
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

// choose writes alternatives one after the other, each with a jump to the end.
func (a *assembler) choose(n *node) error {
	s, err := chooseStep(n.heads)
	if err != nil {
		return err
	}
	a.add(s)
	var jumps []int
	for i, sub := range n.subs {
		s.choice.targets[i].step = len(a.steps)
		a.tail = -1
		if err := a.emit(sub, false); err != nil {
			return err
		}
		jumps = append(jumps, len(a.steps))
		a.add(jump(0))
	}
	for _, j := range jumps {
		a.steps[j].target = int32(len(a.steps))
	}
	a.tail = -1
	return nil
}

// loop writes a repeat of more than one character.
//
//	min 0:  top: choose(body, out); body; jump top; out:
//	min 1:  top: body; choose(top, out); out:
func (a *assembler) loop(n *node, steady bool) error {
	s, err := chooseStep(n.heads)
	if err != nil {
		return err
	}
	top := len(a.steps)
	if n.min == 0 {
		a.add(s)
	}
	body := len(a.steps)
	a.tail = -1
	if err := a.emit(n.subs[0], steady && n.min > 0); err != nil {
		return err
	}
	if n.min == 0 {
		a.add(jump(top))
	} else {
		a.add(s)
	}
	a.tail = -1
	out := len(a.steps)
	again, leave := &s.choice.targets[0], &s.choice.targets[1]
	if n.lazy {
		again, leave = leave, again
	}
	again.step, leave.step = body, out
	a.loops = append(a.loops, [2]int{top, out})
	return nil
}

func jump(target int) step {
	return step{op: opJump, capture: -1, target: int32(target), forced: true}
}

// chooseStep makes the step that chooses between heads, all but the targets.
func chooseStep(heads []head) (step, error) {
	if len(heads) > maxTargets {
		return step{}, fmt.Errorf("there are more than %d alternatives", maxTargets)
	}
	c := &choice{targets: make([]target, len(heads))}
	s := step{op: opChoose, capture: -1, choice: c, forced: true}
	for i := range heads {
		h, bit := &heads[i], uint8(1)<<i
		for _, text := range h.texts {
			c.targets[i].texts = append(c.targets[i].texts, newPrefix(text))
		}
		for b := range c.byNext {
			if h.open || h.first[b] {
				c.byNext[b] |= bit
			}
		}
		if h.open || h.end {
			c.atEnd |= bit
		}
		for j := range i {
			s.forced = s.forced && h.excludes(&heads[j])
		}
	}
	return s, nil
}
