package scan

import "errors"

// run writes a run. The choices are its ends; which one is preferred, and
// whether what follows excludes all others, decides how to look for it.
func (a *assembler) run(n *node) error {
	next, text := &n.next, n.next.literal()
	s := step{
		op: opCount, capture: -1, min: int32(n.min), max: int32(n.max),
		prefix: newPrefix(text),
	}
	s.takes(n.set)
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
		if len(missing) == 0 && len(text) == 1 {
			s.op, s.stop = opIndex, text[0]
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

// takes makes set the set of the step's run.
func (s *step) takes(set *byteSet) {
	s.set = set
	s.ranges, s.wide = newRanges(set)
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
		prefix: newPrefix(text),
	}
	s.takes(n.set)
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

// list writes a run and a loop as one step if together they are a list:
// [^ ,"]+(?:(?:,| :) [^ ,"]*)*, elements of the same set with literals between
// them. It reports whether they are.
//
// The step does what the steps of the run and of the loop would do; it is there
// because upstream times and addresses are such lists, mostly of one element.
func (a *assembler) list(run, loop *node) bool {
	if run.kind != nodeRun || run.max != unlimited || loop.kind != nodeLoop || loop.min != 0 || loop.lazy {
		return false
	}
	body := loop.subs[0].subs
	if loop.subs[0].kind != nodeSequence || len(body) < 2 {
		return false
	}
	element := body[len(body)-1]
	if element.kind != nodeRun || element.min != 0 || element.max != unlimited || *element.set != *run.set {
		return false
	}
	forced := loop.heads[0].excludes(&loop.heads[1])
	var texts []string
	switch separator := body[:len(body)-1]; {
	case len(separator) == 1 && separator[0].kind == nodeLiteral:
		texts = []string{separator[0].text}
	case len(separator) == 2 && separator[0].kind == nodeChoice && separator[1].kind == nodeLiteral:
		for i, s := range separator[0].subs {
			if s.kind != nodeLiteral {
				return false
			}
			texts = append(texts, s.text+separator[1].text)
			for j := range i {
				forced = forced && separator[0].heads[i].excludes(&separator[0].heads[j])
			}
		}
	default:
		return false
	}
	// Elements must end in one place only, before a separator or what follows the
	// list. (The same can come next after the first element and after others.)
	if run.next.open || run.set.overlaps(&run.next.first) {
		return false
	}
	s := step{
		op: opList, capture: -1, min: int32(run.min), max: unlimited, forced: forced,
		prefix: newPrefix(loop.next.literal()),
	}
	s.takes(run.set)
	if !s.wide {
		return false
	}
	for _, text := range texts {
		s.texts = append(s.texts, newPrefix(text))
	}
	a.add(s)
	return true
}
