package parse

import (
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/internal/rollup"
	"github.com/tailflux/tailflux/internal/shape"
)

// source is one whose lines are parsed.
type source struct {
	flow  *flow.Source
	file  string       // that the lines which are parsed are of
	lines *shape.Lines // nil until the format is known
	// They hold for the lines of these numbers.
	from, until int64
	matcher     *logformat.Matcher // of lines, nil if they are left out
	encoder     *accesslog.Encoder // of lines
	other       *accesslog.Encoder // that was used last for a line of another format

	first  int64 // time in the first line that has one, in nanoseconds since 1970; 0 before
	newest int64 // number of the last line that was read
	miss   int64 // number of the last line that was not
	skips  int   // lines of the last batch that gave no point
	row    int   // so many lines in a row were not

	gen *rollup.Generation // of the lines that are parsed; nil without rollups

	shown    []shown // on the board
	showing  *shown  // of the lines that are parsed; nil without a board
	showFrom int64   // these are shown from the one with that number on

	omitted int64 // field values left out of points
	crlf    bool  // lines end with CR LF, which was logged

	fit fit

	window, rejected int64 // lines since mostly was last decided, and how many of them were rejected
	mostly           bool  // half of the last window was rejected
}

// source is where a chunk came from.
func (p *Parser) source(from *flow.Source) *source {
	for len(p.sources) <= from.Index {
		p.sources = append(p.sources, nil)
	}
	s := p.sources[from.Index]
	if s == nil {
		s = &source{flow: from}
		p.sources[from.Index] = s
	}
	return s
}

// ask finds out how the lines from a position on are read, if that is another way than
// before.
func (p *Parser) ask(s *source, at flow.Position, read []byte) error {
	if s.matcher != nil && s.from <= at.Line && at.Line < s.until {
		return nil
	}
	lines, until, err := p.shaper.Lines(at, read)
	if err != nil {
		return err
	}
	s.from, s.until = at.Line, max(until, at.Line+1)
	p.use(s, lines)
	return nil
}

// use reads the next lines in another way.
func (p *Parser) use(s *source, lines *shape.Lines) {
	s.lines, s.matcher = lines, nil
	if lines == nil || lines.Leave {
		return
	}
	s.matcher, s.encoder = lines.Matcher, lines.Encoder
}

// encoded is what became of a line, and by which encoder.
type encoded struct {
	points   []byte
	outcome  accesslog.Outcome
	matched  bool
	by       *accesslog.Encoder
	captures [][]byte
}

// missed appends the point of a line that is not of the format of its source, or has no
// time that can be read: maybe it is of another one. read begins with it.
func (p *Parser) missed(s *source, at flow.Position, line, read, buf []byte, raw bool) (is encoded, err error) {
	matched := false
	for l := s.lines.Earlier; l != nil; l = l.Earlier {
		is = encodedAs(l, line, at.Line, buf, raw)
		matched = matched || is.matched
		if is.matched && is.outcome != accesslog.Rejected {
			s.other = l.Encoder
			return is, nil
		}
	}
	if s.row++; s.miss+1 != at.Line {
		s.row = 1
	}
	s.miss = at.Line
	other, until, err := p.shaper.Missed(shape.Miss{At: at, Read: read, Row: s.row, Newest: at.Line > s.newest, Fitted: s.fit.matched})
	if other == nil || err != nil {
		return encoded{points: buf, outcome: accesslog.Rejected, matched: matched}, err
	}
	s.from, s.until = at.Line, until
	p.use(s, other)
	if other.Leave {
		return encoded{points: buf, outcome: accesslog.Filtered, matched: true}, nil
	}
	return encodedAs(other, line, at.Line, buf, raw), nil
}

// encodedAs is what becomes of a line in one format.
func encodedAs(l *shape.Lines, line []byte, number int64, buf []byte, raw bool) encoded {
	is := encoded{points: buf, outcome: accesslog.Rejected, by: l.Encoder}
	if is.captures, is.matched = l.Matcher.Match(line); is.matched {
		is.points, is.outcome = encode(l.Encoder, buf, is.captures, number, raw)
	}
	return is
}

// seen says of a batch from which time on the lines of its source were read, up to which
// none of them waits, and whether none does at all.
func (p *Parser) seen(s *source, b *flow.Batch) {
	if at := s.last(); !at.IsZero() {
		b.Seen = at.Truncate(time.Second).UnixNano() // more lines of this second may come
	}
	window, open := int64(0), false
	if p.rollups != nil {
		window, open = p.rollups.Sums.Oldest(s.flow)
	}
	if open {
		b.Seen = min(b.Seen, window)
	}
	b.From, b.Whole = s.first, !open
}

// isLeft reports whether the lines are left out.
func (s *source) isLeft() bool { return s.matcher == nil && s.lines != nil && s.lines.Leave }

// last is the time in the last line.
func (s *source) last() time.Time {
	if s.encoder == nil {
		return time.Time{}
	}
	if s.other != nil && s.other.Time().After(s.encoder.Time()) {
		return s.other.Time()
	}
	return s.encoder.Time()
}
