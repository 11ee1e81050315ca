package scan

// An Outcome is what Scan knows about a line.
type Outcome uint8

// What package regexp would say about the line.
const (
	Unknown Outcome = iota // either; ask it
	Matched                // a match, with the same captures
	NoMatch                // no match
)

// Scan runs the program over line, which must not be nil and has no newline in
// it. The captures are slices of line; those of groups that took no part are nil.
// Captures have a place for each group; unless the outcome is Matched, they hold nothing
// of use. The scratch is the program's. Scan allocates nothing.
//
// It is right because of this. Package regexp (Perl syntax, leftmost-first)
// tries to match at each byte of the line in turn, the first one first. At a
// given start it behaves like a backtracking search: wherever the expression
// leaves a choice (how far a repeat goes, which alternative) the choices have an
// order of preference, and the answer is the first success in that order.
//
// Scan starts at byte 0 and never goes back. At each choice it takes the most
// preferred one that is not excluded, where a choice is excluded if the bytes
// right after it are not what must come next (head: a text, a set of bytes, the
// end of the line). An excluded choice leads to failure whatever comes later,
// so in the search every choice preferred to the one taken here fails too.
//
//   - If the path reaches the end of the program, it is a success, and all the
//     search would have tried before it are failures: it is the search's answer
//     for start 0, and no match starts further left. Hence Matched.
//   - If a step has no choice that is not excluded, the path fails. The search
//     would now go back to an earlier step that had another choice. If no
//     earlier step had one (step.forced: by the look of the expression, at most
//     one choice can ever escape exclusion), the search fails at start 0, and if
//     the expression is anchored at the beginning there is no other start. Hence
//     NoMatch, on a step that is sure. Otherwise nothing is known: Unknown.
//
// Steps count bytes where regexp counts runes. For literals, and for runs of
// sets without bytes from 0x80 on, these are the same. Sets with all of them
// are repeated without limit only, so a run takes whole runes if it ends before
// an ASCII byte, at the end of the line, or where a byte that is not in the set
// follows; assembler.run and translator.run see to it that it does.
//
// Where byte 0 gives nothing, an expression that is not anchored may begin
// further on: see lead.
//
// A program without captures needs no scratch.
func (p *Program) Scan(line []byte, captures [][]byte, scratch *Scratch) Outcome {
	if p.layout != nil && scratch != nil && p.layout.take(line, captures, scratch) {
		return Matched
	}
	out := p.scan(line, captures, scratch)
	if out != Unknown || p.lead == nil {
		return out
	}
	switch start := p.lead.start(line); {
	case start < 0:
		return NoMatch
	case start > 0 && p.scan(line[start:], captures, scratch) == Matched:
		return Matched
	default:
		return Unknown
	}
}

// scan is Scan from byte 0 alone.
func (p *Program) scan(line []byte, captures [][]byte, scratch *Scratch) Outcome {
	if p.partial {
		clear(captures)
	}
	last := lastWord(line)
	pos := 0
	for pc := 0; pc < len(p.steps); pc++ {
		s := &p.steps[pc]
		if s.chain != nil {
			if l := s.chain.layout; l != nil && pc > 0 && scratch != nil && l.take(line[pos:], captures, scratch) {
				return Matched
			}
			if scratch == nil {
				pos, pc = s.chain.takeAlone(line, pos, last)
			} else {
				pos, pc = s.chain.take(line, pos, last, captures, &scratch.hopped)
			}
			if pc == len(p.steps) {
				break
			}
			s = &p.steps[pc] // where another chain does not begin
		}
		switch s.op {
		case opOpen:
			scratch.opens[s.capture] = pos
			continue
		case opChoose:
			if pc = s.choice.next(line, pos, last); pc < 0 {
				return s.failure()
			}
			pc--
			continue
		case opJump:
			pc = int(s.target) - 1
			continue
		case opEnd:
			if pos != len(line) {
				return s.failure()
			}
			continue
		}
		end := s.find(line, pos, last)
		if end < pos+int(s.min) || !s.begins(line, end, last) {
			return s.failure()
		}
		if s.capture >= 0 {
			if s.since {
				pos = scratch.opens[s.capture]
			}
			captures[s.capture] = line[pos:end]
		}
		pos = end + int(s.skip)
	}
	return Matched
}

func (s *step) failure() Outcome {
	if s.sure {
		return NoMatch
	}
	return Unknown
}

// next is the step of the first target that line[pos:] does not exclude, or -1.
func (c *choice) next(line []byte, pos int, last uint64) int {
	open := c.atEnd
	if pos < len(line) {
		open = c.byNext[line[pos]]
	}
	for i := 0; open != 0; i, open = i+1, open>>1 {
		if open&1 != 0 && c.targets[i].comesNext(line, pos, last) {
			return c.targets[i].step
		}
	}
	return -1
}

func (t *target) comesNext(line []byte, pos int, last uint64) bool {
	for i := range t.texts {
		if t.texts[i].begins(line, pos, last) {
			return true
		}
	}
	return len(t.texts) == 0
}
