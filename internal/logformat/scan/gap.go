package scan

// join makes one step of two where the second is a repeat such as the \s+
// between two variables, for the case that is nearly always met: it takes a
// single space. Where the line is otherwise, the two steps follow as ever.
//
// It is right because the one step does what the two would do, or nothing. The
// repeat is greedy; where a space stands and then a byte that is not in its set,
// it takes the space alone. What it would have asked of the bytes behind its run
// is asked here as well.
func (p *Program) join() {
	for i := range len(p.steps) - 1 {
		p.steps[i].join(&p.steps[i+1])
	}
}

func (s *step) join(repeat *step) {
	switch s.op {
	case opOpen, opChoose, opJump, opEnd:
		return
	}
	switch repeat.op {
	case opSpan, opLongest, opCount:
	default:
		return
	}
	if int(s.skip) != len(s.text) || repeat.capture >= 0 || repeat.min > 1 || repeat.max == 0 || repeat.back != 0 || !repeat.set[' '] {
		return
	}
	var after *byteSet
	if repeat.text == "" {
		after = new(byteSet)
		for b := range after {
			after[b] = !repeat.set[b] && (repeat.first == nil || repeat.first[b])
		}
	} else if repeat.set[repeat.text[0]] || repeat.first != nil {
		return
	}
	plain := *s
	s.plain, s.after = &plain, after
	s.prefix = newPrefix(plain.text + " " + repeat.text)
	s.skip = int32(len(plain.text)) + 1 + repeat.skip
}

// goesAfter tells whether one of after comes behind the text at line[end:].
func (s *step) goesAfter(line []byte, end int) bool {
	next := end + len(s.text)
	return next < len(line) && s.after[line[next]]
}
