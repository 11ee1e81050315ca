package logformat

import (
	"bytes"

	"github.com/tailflux/tailflux/internal/flow"
)

// A container's runtime writes a line of more than 16 KiB in several lines of its own.
// They are joined to one line, which has the number of the last of them. Whether they are
// is to depend on nothing but the bytes of the file, so that they are again when they are
// read again: whoever reads a file in blocks ends none of them where [Pieces] finds that
// an end is still to come.

// PiecesBytes is how many bytes of a file the pieces of one line may take at most, with
// what stands between them, when lines have at most so many: it is the least size of a
// block. Those that take more are not joined.
func PiecesBytes(most int) int { return max(256<<10, 2*(most+1)) }

// MatchPieces is Match of a line in several lines of its wrapper, with which text begins;
// each ends with a newline. lines is how many they are: 0 if text does not begin with such
// a line, if its end is not in text, if it or one of its pieces has more than most bytes, or
// all of it in the file more than [PiecesBytes], or if it does not match.
func (m *Matcher) MatchPieces(text []byte, most int) (captures [][]byte, lines int) {
	m.unfinished = false
	room := PiecesBytes(most)
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
			m.unfinished = lines > 0 && len(text) <= most && len(text) < room
			return nil, 0
		}
		if room -= end + 1; room < 0 || end > most {
			return nil, 0
		}
		inner, what := m.unwrapped(w, flow.TrimCR(text[:end]))
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
	first = flow.TrimCR(first)
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

// Unfinished reports whether MatchPieces was given the beginning of such a line, and its
// end may come.
func (m *Matcher) Unfinished() bool { return m.unfinished }

// Pieces finds lines in pieces whose end is still to come, of any wrapper. It is not safe
// for concurrent use.
type Pieces struct {
	most, bytes int
	room        []byte // for a line that is decoded
}

// NewPieces is for lines of at most so many bytes, read in blocks of so many.
func NewPieces(most, block int) *Pieces {
	return &Pieces{most: most, bytes: min(PiecesBytes(most), block)}
}

// Whole returns how many bytes of a text, which is whole lines, can be read without what
// comes behind them: all, but for pieces at its end that may yet be joined with others.
// behind is how many more bytes of the file are known, which are no whole line. Of a text
// that ends with another line, which is nearly every one, only that line is looked at.
func (p *Pieces) Whole(text []byte, behind int) int {
	whole, joined := len(text), 0
	if behind > p.most {
		return whole
	}
	for end := len(text); end > 0; {
		start := flow.AfterNewline(text[:end-1])
		inner, what := p.unwrap(text[start : end-1])
		if what == aPiece {
			joined += len(inner)
		}
		if what == otherwise || what == aLine || joined > p.most || len(text)-start+behind >= p.bytes {
			break
		}
		if what == aPiece {
			whole = start
		}
		end = start
	}
	return whole
}

// unwrap returns what a line holds, in whatever wrapper.
func (p *Pieces) unwrap(line []byte) (inner []byte, what wrapped) {
	if len(line) > p.most || !mayBePiece(line) {
		return nil, otherwise
	}
	line = flow.TrimCR(line)
	if isISOStamp(line) {
		return unwrapCRI(line, nil)
	}
	inner, what = unwrapDocker(line, p.room)
	if cap(inner) > cap(p.room) {
		p.room = inner[:0]
	}
	return inner, what
}

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
