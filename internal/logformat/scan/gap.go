package scan

// A gap is a step and the repeat after it in one look, for the case that is
// nearly always met: the repeat, such as the \s+ between two variables, takes a
// single space.
//
// It is right because it does what the two steps would do, or nothing. The
// repeat is greedy; where a space stands and then a byte that is not in its set,
// it takes the space alone. What the step of the repeat would have asked of the
// bytes behind its run is asked here as well. If the line is otherwise, the two
// steps follow as ever.
type gap struct {
	prefix // the step's text, a space and the repeat's text

	// after are the bytes that may follow when the repeat has no text; nil when
	// it has.
	after *byteSet
	skip  int
}

// join looks for steps with a repeat behind them.
func (p *Program) join() {
	for i := range len(p.steps) - 1 {
		p.steps[i].gap = newGap(&p.steps[i], &p.steps[i+1])
	}
}

// newGap joins two steps, or returns nil.
func newGap(s, repeat *step) *gap {
	switch s.op {
	case opOpen, opChoose, opJump, opEnd:
		return nil
	}
	switch repeat.op {
	case opSpan, opLongest, opCount:
	default:
		return nil
	}
	if int(s.skip) != len(s.text) || repeat.capture >= 0 || repeat.min > 1 || repeat.max == 0 || repeat.back != 0 || !repeat.set[' '] {
		return nil
	}
	g := &gap{prefix: newPrefix(s.text + " " + repeat.text), skip: len(s.text) + 1 + int(repeat.skip)}
	if repeat.text != "" {
		if repeat.set[repeat.text[0]] || repeat.first != nil {
			return nil
		}
		return g
	}
	g.after = new(byteSet)
	for b := range g.after {
		g.after[b] = !repeat.set[b] && (repeat.first == nil || repeat.first[b])
	}
	return g
}

// follows tells whether the gap begins at line[end:].
func (g *gap) follows(line []byte, end int, last uint64) bool {
	if !g.begins(line, end, last) {
		return false
	}
	next := end + len(g.text)
	return g.after == nil || next < len(line) && g.after[line[next]]
}
