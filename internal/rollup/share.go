package rollup

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"time"
)

// share is what is open of one rollup and one generation: the lines that were added since
// the last cut.
type share struct {
	rollup *rollup
	salt   uint64
	begin  int64    // number of the first line of the cut to come: the end of the one before
	next   int64    // lines before this one are not counted, or were
	marks  []int64  // it is cut before the lines of these numbers, ascending, and nowhere else until then
	bound  []Intent // whose cuts are to come, in any order

	base, newest int64 // of the cut to come; see Intent

	first, last *cell // in the order in which they were made
	cells       int
	bytes       int
	oldest      int64 // window of a cell, in nanoseconds since 1970, if there are any
	lines       int64 // that became part of cells since begin
	since       time.Time
	full        bool          // of an import: it has as many cells as a cut may have
	opened      int64         // time of the first line since the last cut
	turn        int64         // begin of the window behind the newest one that is open; 0: none is
	late        time.Duration // how much later than their times lines came since then, at most
	turned      int64         // number of the line with which a later window began, before which it is cut; 0: there is none
}

// never is the number of no line.
const never = math.MaxInt64

// isBound reports whether it may only be cut where it was cut before a crash.
func (s *share) isBound() bool { return len(s.marks) > 0 }

// isOpen reports whether lines wait in it that a cut at a line would end.
func (s *share) isOpen(line int64) bool { return line > s.begin }

// due is the number of the line before which it must be cut.
func (s *share) due(g *Generation) int64 {
	switch {
	case s.isBound():
		return s.marks[0]
	case s.turned > 0:
		return s.turned
	case !g.isImported():
		return never
	case s.full:
		return s.next
	}
	// By the file's own numbers: each importer of the file cuts here.
	first, lines := g.FirstLine, g.sums.imports.lines
	at := first + ((s.begin-first)/lines+1)*lines
	if clash(at, s.begin, s.rollup.Interval) {
		at += lines
	}
	return at
}

// isRipe reports whether it may be cut at a line and has been open for so long.
func (s *share) isRipe(line int64, now time.Time, age time.Duration) bool {
	return s.isOpen(line) && !s.isBound() && !s.since.IsZero() && now.Sub(s.since) >= age
}

// isOver reports whether its newest window has ended so long ago that no more of it will come:
// that is after grace, or after twice the time by which lines came late so far. So a log that is
// written in bursts, as with nginx's buffer=, has its next one before that, and a backlog waits.
func (s *share) isOver(now time.Time) bool {
	return s.turn > 0 && now.UnixNano()-s.turn >= int64(max(s.rollup.grace(), 2*s.late))
}

// push adds a cell at the end.
func (s *share) push(c *cell) {
	if s.cells == 0 || c.window < s.oldest {
		s.oldest = c.window
	}
	s.link(c)
	s.cells++
	s.bytes += c.size()
}

func (s *share) link(c *cell) {
	if s.last == nil {
		s.first = c
	} else {
		s.last.after = c
	}
	s.last = c
}

// pop removes the first cell.
func (s *share) pop() {
	s.bytes -= s.first.size()
	s.cells--
	if s.first = s.first.after; s.first == nil {
		s.last = nil
	}
}

// sort puts the windows of each series beside each other. A store keeps a series for each
// field: it looks it up once for all windows that come in one request.
func (s *share) sort() {
	all := make([]*cell, 0, s.cells)
	for c := s.first; c != nil; c = c.after {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *cell) int {
		return cmp.Or(bytes.Compare(a.key, b.key), cmp.Compare(a.window, b.window))
	})
	s.first, s.last = nil, nil
	for _, c := range all {
		c.after = nil
		s.link(c)
	}
}

// rebase takes over what the stamps of a cut were made of that was begun before.
func (s *share) rebase() {
	n := slices.IndexFunc(s.bound, func(i Intent) bool { return i.Begin == s.begin })
	if n >= 0 {
		s.base, s.newest = s.bound[n].Base, s.bound[n].Newest
	}
}

// newestOpen is the newest window that is open.
func (s *share) newestOpen() (window int64) {
	for c := s.first; c != nil; c = c.after {
		window = max(window, c.window)
	}
	return window
}
