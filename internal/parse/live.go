package parse

import (
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
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

// shownOf is about a generation, of which a line comes.
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

// show shows the line that was last encoded.
func (p *Parser) show(src *source, by *accesslog.Encoder, captures [][]byte, line int64) {
	if line >= src.showing.next {
		src.showing.next = line + 1
		p.board.Add(by, captures, src.flow.Name)
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
