package parse

import (
	"math"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/live"
)

// Show makes the parser show its lines on a board; nil: on none. It is called before Run,
// or between two.
func (p *Parser) Show(b *live.Board) { p.board = b }

// shown is up to which line those of a generation were shown: some are read again when the
// store has lost them.
type shown struct {
	generation int64
	next       int64
}

// maxShown is of how many generations of a source that is remembered.
const maxShown = 4

// showFrom is the number of the line from which on those of a generation are shown.
func (p *Parser) showFrom(s *source, g *flow.Generation) int64 {
	if s.showing = nil; p.board == nil {
		return math.MaxInt64
	}
	s.showing = s.shownOf(g)
	return s.showing.next
}

// shownOf is about a generation, of which lines come.
func (s *source) shownOf(g *flow.Generation) *shown {
	for i := range s.shown {
		if s.shown[i].generation == g.ID {
			return &s.shown[i]
		}
	}
	if len(s.shown) == maxShown {
		s.shown = append(s.shown[:0], s.shown[1:]...)
	}
	s.shown = append(s.shown, shown{generation: g.ID})
	return &s.shown[len(s.shown)-1]
}

// shownTo notes that all lines before one were shown.
func (s *source) shownTo(line int64) {
	if s.showing != nil {
		s.showing.next = max(s.showing.next, line)
	}
}

// publish makes visible what was shown.
func (p *Parser) publish(now time.Time) {
	if p.board == nil {
		return
	}
	p.board.Observed(p.stats.Reached())
	p.board.Publish(now)
}
