package parse

import (
	"fmt"
	"time"

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
	trailing int64       // misfits at the end
}

func countOf(b *flow.Batch) count {
	c := count{judged: b.NumLines()}
	for _, s := range b.Skipped {
		switch {
		case s.Filtered:
			c.filtered++
		case isMisfit(s.Reason):
			if c.misfits++; c.misfits == 1 {
				c.first = s.Reason
			}
		default:
			c.judged--
		}
	}
	for i, at := len(b.Skipped)-1, b.NumLines()-1; i >= 0 && int64(b.Skipped[i].Line) == at && !b.Skipped[i].Filtered; i, at = i-1, at-1 {
		if isMisfit(b.Skipped[i].Reason) {
			c.trailing++
		}
	}
	return c
}

func isMisfit(why flow.Reason) bool { return why == flow.NoMatch || why == flow.BadTime }

func (c *count) addTo(s *stats.Source) {
	if s.Misfits == 0 {
		s.FirstMisfit = string(c.first)
	}
	s.Lines += c.judged
	s.Misfits += c.misfits
}

// A source is in trouble when so many lines in a row are not in its format, and also when
// that is true of the first ones for as long as patience.
const (
	manyMisfits = 20
	patience    = 10 * time.Second
)

// fit is whether the lines of a source are in its format just now.
type fit struct {
	matched bool      // a line was
	misfits int64     // since the last one that was
	since   time.Time // when the first of them was read
	why     flow.Reason
	line    []byte // the first of them, as far as it is known
	trouble bool
	quiet   int64 // lines until it may be logged again
}

// warnEvery is how many lines there are at least between two warnings of a source.
const warnEvery = 1000

// judge notes how the lines of a batch go with their format.
func (p *Parser) judge(s *source, b *flow.Batch, c count) {
	f := &s.fit
	f.quiet = max(0, f.quiet-c.judged)
	if c.judged > c.misfits {
		f.matched, f.misfits = true, 0
		if f.trouble && c.trailing < manyMisfits {
			f.trouble = false
			p.stats.UpdateSource(s.flow.Index, func(st *stats.Source) { st.Unfit = "" })
		}
	}
	if c.trailing == 0 {
		return
	}
	if f.misfits == 0 {
		f.since, f.why, f.line = time.Now(), c.first, append(f.line[:0], firstRejected(b)...)
		if !f.matched && !p.waiting {
			p.waiting = true
			p.patience.Reset(patience)
		}
	}
	if f.misfits += c.trailing; f.misfits >= manyMisfits {
		p.fitsNot(s)
	}
}

// losePatience looks at the sources of which no line was in the format yet.
func (p *Parser) losePatience() {
	var next time.Duration
	for _, s := range p.sources {
		if s == nil || s.fit.matched || s.fit.misfits == 0 || s.fit.trouble {
			continue
		}
		if left := patience - time.Since(s.fit.since); left > 0 {
			if next == 0 || left < next {
				next = left
			}
			continue
		}
		p.fitsNot(s)
	}
	if p.waiting = next > 0; p.waiting {
		p.patience.Reset(next)
	}
}

// fitsNot says that the lines of a source are not in its format, and why.
func (p *Parser) fitsNot(s *source) {
	f := &s.fit
	all := "the last %d lines rejected (%s)"
	if !f.matched {
		all = "all of the first %d lines rejected (%s)"
	}
	trouble := fmt.Sprintf(all+": they are not in its format; try tailflux explain --file %s", f.misfits, f.why, s.file)
	p.stats.UpdateSource(s.flow.Index, func(st *stats.Source) { st.Unfit = trouble })
	if !f.trouble && f.quiet == 0 {
		f.quiet = warnEvery
		p.about(s, f.line).Warn("lines are not in the format of their source: they are rejected until one is; compare them with tailflux explain",
			"lines", f.misfits, "reason", string(f.why))
	}
	f.trouble = true
}
