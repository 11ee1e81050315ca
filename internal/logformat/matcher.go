package logformat

import (
	"bytes"

	"github.com/tailflux/tailflux/internal/logformat/scan"
)

// A Matcher cuts lines. It is not safe for concurrent use.
type Matcher struct {
	// Slow counts the lines that the scanner or the JSON parser could not decide, so
	// that the standard library's regexp did. It is a plain integer: the goroutine
	// that calls Match may read it.
	Slow int64

	format   *Format
	prog     *scan.Program // nil: always ask the standard library
	guard    func() *guard // nil: the standard library is asked about any line
	captures [][]byte      // what Match returns
	scratch  *scan.Scratch // for prog
	object   *object       // not nil for JSON

	room   []byte // for a line that is decoded
	joined []byte // for a line in pieces
	aside  bool   // see Aside
	bare   bool   // lines in lines are not looked for

	unfinished bool // see Unfinished

	special bool   // its lines are in a wrapper, or have times in other units
	seconds []byte // such times

	likely *Matcher // for what values nearly always are; may be nil
	kin    *Matcher // for lines as Apache writes them; may be nil
}

// Numbers tells which captures of the last line were numbers, and not strings: JSON
// says so. For other formats it is nil. The slice is the same for all lines.
func (m *Matcher) Numbers() []bool {
	if m.object == nil {
		return nil
	}
	return m.object.number
}

// Match cuts line, which has no newline in it nor at its end, and reports whether
// the format matches it. The captures are in the order of Names and are slices of
// line; a group that took no part is nil, one that matched nothing is empty.
// The outer slice is valid until the next call of Match. When the format does
// not match, captures is nil.
//
// With JSON the captures may be decoded copies, which are valid until the next call of
// Match too.
//
// On lines that the scanner decides, and for JSON objects, nothing is allocated.
func (m *Matcher) Match(line []byte) (captures [][]byte, ok bool) {
	if m.special {
		return m.matchSpecial(line)
	}
	if m.object != nil {
		return m.matchObject(line)
	}
	if line == nil {
		line = []byte{} // so that an empty capture is not nil
	}
	if m.likely != nil {
		if captures, ok := m.matchLikely(line); ok {
			return captures, true
		}
	}
	if m.prog != nil {
		switch m.prog.Scan(line, m.captures, m.scratch) {
		case scan.Matched:
			return m.captures, true
		case scan.NoMatch:
			return m.missed(line)
		}
	}
	if captures, ok := m.matchRegexp(line); ok {
		return captures, true
	}
	return m.missed(line)
}

// matchSpecial is Match of a format that is not nginx's alone.
func (m *Matcher) matchSpecial(line []byte) (captures [][]byte, ok bool) {
	m.special = false
	if w := m.format.wrapper; w != nil {
		inner, what := m.unwrapped(w, line)
		captures, ok = m.matchInner(inner, what)
	} else {
		captures, ok = m.Match(line)
	}
	m.special = true
	if ok && m.format.units != nil {
		m.toSeconds(captures)
	}
	return captures, ok
}

// toSeconds writes times that are in other units as nginx does.
func (m *Matcher) toSeconds(captures [][]byte) {
	m.seconds = m.seconds[:0]
	for i, name := range m.format.names {
		if decimals, ok := m.format.units[name]; ok && captures[i] != nil {
			from := len(m.seconds)
			m.seconds = appendSeconds(m.seconds, captures[i], decimals)
			captures[i] = m.seconds[from:len(m.seconds):len(m.seconds)]
		}
	}
}

// appendSeconds appends a number of parts of a second, of which there are that many
// decimals. HAProxy's -1 is of what did not happen, and its + of what goes on.
func appendSeconds(dst, parts []byte, decimals int) []byte {
	digits := bytes.TrimPrefix(parts, []byte{'+'})
	switch {
	case isDigits(digits):
	case isInteger(parts):
		return append(dst, '-')
	default:
		return append(dst, parts...)
	}
	if decimals == 0 {
		return append(dst, digits...)
	}
	whole := max(0, len(digits)-decimals)
	if whole == 0 {
		dst = append(dst, '0')
	}
	dst = append(append(dst, digits[:whole]...), '.')
	for range decimals - (len(digits) - whole) {
		dst = append(dst, '0')
	}
	return append(dst, digits[whole:]...)
}

// matchObject is Match for JSON. A line of Docker is an object, too.
func (m *Matcher) matchObject(line []byte) (captures [][]byte, ok bool) {
	if isDocker(line) && !m.bare {
		if captures, ok = m.inside(line); ok || m.aside {
			return captures, ok
		}
	}
	if bytes.Contains(line, m.format.mark) && m.object.match(line) {
		if !m.object.wraps || m.bare {
			return m.captures, true
		}
		if _, what := m.unwrapped(wrappers[dockers], line); what == otherwise {
			return m.captures, true
		}
	}
	return m.inside(line)
}

// missed is Match of a line that is not as nginx writes it.
func (m *Matcher) missed(line []byte) (captures [][]byte, ok bool) {
	if captures, ok = m.matchKin(line); ok {
		return captures, true
	}
	return m.inside(line)
}

// matchRegexp asks the standard library, if it can be that the line matches.
func (m *Matcher) matchRegexp(line []byte) (captures [][]byte, ok bool) {
	if m.guard != nil && !m.guard().mayMatch(line) {
		return nil, false
	}
	m.Slow++
	at := m.format.re.FindSubmatchIndex(line)
	if at == nil {
		return nil, false
	}
	for i, group := range m.format.groups {
		from, to := at[2*group], at[2*group+1]
		if from < 0 {
			m.captures[i] = nil
		} else {
			m.captures[i] = line[from:to:to]
		}
	}
	return m.captures, true
}

// matchLikely is Match of the expression that is asked first.
func (m *Matcher) matchLikely(line []byte) (captures [][]byte, ok bool) {
	captures, ok = m.likely.Match(line)
	m.Slow, m.likely.Slow = m.Slow+m.likely.Slow, 0
	return captures, ok
}
