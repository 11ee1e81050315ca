package parse

import (
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/stats"
)

// count says how the lines of a batch go with their format. Empty lines, and those that
// are too long, say nothing of it.
type count struct {
	filtered int64
	judged   int64
	misfits  int64       // of these
	first    flow.Reason // of the first misfit
}

func countOf(b *flow.Batch) count {
	c := count{judged: b.NumLines()}
	for _, s := range b.Skipped {
		switch {
		case s.Filtered:
			c.filtered++
		case s.Reason == flow.NoMatch, s.Reason == flow.BadTime:
			if c.misfits++; c.misfits == 1 {
				c.first = s.Reason
			}
		default:
			c.judged--
		}
	}
	return c
}

func (c *count) addTo(s *stats.Source) {
	if s.Misfits == 0 {
		s.FirstMisfit = string(c.first)
	}
	s.Lines += c.judged
	s.Misfits += c.misfits
}
