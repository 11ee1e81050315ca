package logformat

import "bytes"

// A container's runtime writes a line of more than 16 KiB in several lines of its own.
// They are joined where all of them are at hand; the line has the number of its last one.

// MatchPieces is Match of a line in several lines of its wrapper, with which text begins;
// each ends with a newline. lines is how many they are: 0 if text does not begin with such
// a line, if its end is not in text, if it has more than most bytes, or does not match.
func (m *Matcher) MatchPieces(text []byte, most int) (captures [][]byte, lines int) {
	m.unfinished = false
	w := m.format.wrapper
	if w == nil {
		if w = m.inPieces(text); w == nil {
			return nil, 0
		}
	}
	m.joined = m.joined[:0]
	for {
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			m.unfinished = lines > 0
			return nil, 0
		}
		inner, what := m.unwrapped(w, text[:end])
		if what == otherwise || what != aPiece && lines == 0 {
			return nil, 0
		}
		text = text[end+1:]
		lines++
		if what == aside { // of the other stream, which came between
			continue
		}
		if m.joined = append(m.joined, inner...); len(m.joined) > most {
			return nil, 0
		}
		if what == aLine {
			break
		}
	}
	f, bare := m.format, *m.format
	bare.wrapper, m.format, m.bare, m.special = nil, &bare, true, f.units != nil
	captures, ok := m.Match(m.joined)
	if m.format, m.bare, m.special = f, false, f.wrapper != nil || f.units != nil; !ok {
		return nil, 0
	}
	return captures, lines
}

// inPieces returns the wrapper of which text begins with a piece; nil if it does not.
func (m *Matcher) inPieces(text []byte) *wrapper {
	if !mayBePiece(text) { // as nearly no line that does not match
		return nil
	}
	first, _, _ := bytes.Cut(text, []byte{'\n'})
	for _, w := range wrappers {
		if _, what := m.unwrapped(w, first); what == aPiece {
			return w
		}
	}
	return nil
}

// mayBePiece reports whether a text begins as a line does that may be a piece: syslog has
// none.
func mayBePiece(text []byte) bool { return opensObject(text) || isISOStamp(text) }

// Unfinished reports whether MatchPieces was given the beginning of such a line, and not
// its end.
func (m *Matcher) Unfinished() bool { return m.unfinished }

// notInPieces are the lines that are not pieces of longer ones.
func notInPieces(w *wrapper, lines [][]byte) (all [][]byte) {
	inPieces := false
	for _, line := range lines {
		_, what := w.unwrap(line, nil)
		if what != aPiece && !inPieces {
			all = append(all, line)
		}
		inPieces = what == aPiece
	}
	return all
}
