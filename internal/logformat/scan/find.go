package scan

import "bytes"

// find is the end of the run that begins at line[pos:], or -1.
func (s *step) find(line []byte, pos int, last uint64) int {
	switch s.op {
	case opNothing:
		return pos
	case opSpan:
		return min(s.span(line, pos, last), len(line)) - int(s.back)
	case opUntil:
		n := bytes.IndexByte(line[pos:], s.stop)
		if n < 0 {
			n = len(line) - pos
		}
		return pos + n - int(s.back)
	case opExact:
		if end := pos + int(s.max); end <= len(line) && s.all(line, pos, end, last) {
			return end
		}
		return -1
	case opList:
		end := min(s.span(line, pos, last), len(line))
		if end < pos+int(s.min) {
			return -1
		}
		return s.more(s.texts, line, end, last)
	case opCount:
		return s.longestRun(line, pos) - int(s.back)
	case opShortest:
		return s.shortest(line, pos, last)
	case opLongest:
		if s.wide && s.max == unlimited {
			// Mostly the longest run is it.
			if end := min(s.span(line, pos, last), len(line)); s.goesOn(line, end, last) {
				return end
			}
		}
		return s.longest(line, pos, last)
	case opIndex:
		return s.index(line, pos)
	case opEscaped:
		return s.escaped(line, pos, last)
	case opEscapedText:
		return s.escapedText(line, pos, last)
	}
	panic("logformat: a step that finds nothing")
}

// longestRun is the end of the bytes of the set, at most max of them.
func (s *step) longestRun(line []byte, pos int) int {
	limit := len(line)
	if s.max != unlimited {
		limit = min(limit, pos+int(s.max))
	}
	for pos < limit && s.set[line[pos]] {
		pos++
	}
	return pos
}

// goesOn reports whether the bytes at line[end:] do not exclude what must follow.
func (s *step) goesOn(line []byte, end int, last uint64) bool {
	switch {
	case s.first == nil:
		return s.begins(line, end, last)
	case end == len(line):
		return s.atEnd
	}
	return s.first[line[end]]
}

// shortest is the end of the shortest run of at least min bytes of the set, and
// at most max, after which the line goes on; or -1.
func (s *step) shortest(line []byte, pos int, last uint64) int {
	for end := pos; ; end++ {
		if end-pos >= int(s.min) {
			if s.first == nil {
				if s.begins(line, end, last) {
					return end
				}
			} else if s.goesOn(line, end, last) {
				return end
			}
		}
		if end == len(line) || !s.set[line[end]] || end-pos == int(s.max) {
			return -1
		}
	}
}

// longest is the end of the longest run of at most max bytes of the set after
// which the line goes on, or -1. It may be shorter than min.
func (s *step) longest(line []byte, pos int, last uint64) int {
	for end := s.longestRun(line, pos); end >= pos; end-- {
		if s.goesOn(line, end, last) {
			return end
		}
	}
	return -1
}

// index is the same as shortest, for opIndex.
func (s *step) index(line []byte, pos int) int {
	from := pos + int(s.min)
	if from > len(line) {
		return -1
	}
	n := bytes.IndexByte(line[from:], s.stop)
	if n < 0 {
		return -1
	}
	return from + n
}

// element is the end of the byte of the set, or of the pair of a backslash and
// another byte, that begins at line[pos:], or -1.
func (s *step) element(line []byte, pos int) int {
	switch {
	case pos == len(line):
		return -1
	case s.set[line[pos]]:
		return pos + 1
	case line[pos] == '\\' && pos+1 < len(line) && s.pair[line[pos+1]]:
		return pos + 2
	}
	return -1
}

// escaped is the end of the elements.
func (s *step) escaped(line []byte, pos int, last uint64) int {
	for {
		if s.wide {
			pos = min(s.span(line, pos, last), len(line))
		}
		next := s.element(line, pos)
		if next < 0 {
			return pos
		}
		pos = next
	}
}

// escapedText is the first place between elements where the text occurs, or -1.
func (s *step) escapedText(line []byte, pos int, last uint64) int {
	for !s.begins(line, pos, last) {
		if pos = s.element(line, pos); pos < 0 {
			return -1
		}
	}
	return pos
}
