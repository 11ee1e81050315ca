package parse

import (
	"context"
	"log/slog"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/rollup"
	"github.com/tailflux/tailflux/internal/stats"
)

// Rollups is what lines are added up to, beside their points or in place of them.
type Rollups struct {
	Keys []string // of the rollups; the schemas of the shaper have their tags, in this order
	Sums *rollup.Sums
	Book *rollup.Book
	Raw  bool // lines have points, too
	// Last is the place of the rollup with which a line that has no point counts as
	// written; -1 if each has one.
	Last int
	// From is the number of the first line of a generation that a destination did not get.
	From func(of *flow.Generation, destination string) int64

	tags []byte
}

// AddUp makes the parser add lines up. It is called before Run.
func (p *Parser) AddUp(r *Rollups) { p.rollups = r }

// of returns the generation that is read from a position on; nil without rollups.
func (r *Rollups) of(at flow.Position, log *slog.Logger) *rollup.Generation {
	if r == nil {
		return nil
	}
	g := r.Sums.Of(at.Generation)
	if g == nil {
		r.giveUp(at.Generation, log)
		g = r.Sums.Begin(at,
			func(key string) int64 { return r.From(at.Generation, key) },
			func(key string) []rollup.Intent { return r.Book.Of(at.Generation, key) })
		g.Raw, g.Lines = r.From(at.Generation, checkpoint.Raw), r.From(at.Generation, checkpoint.Lines)
	}
	return g
}

// giveUp removes the intents that are none of a generation, but have its name and number.
func (r *Rollups) giveUp(g *flow.Generation, log *slog.Logger) {
	lines := map[string]int64{}
	for _, i := range r.Book.Renumbered(g) {
		lines[i.Rollup] += i.End - i.Begin
	}
	for _, key := range slices.Sorted(maps.Keys(lines)) {
		log.Warn("lines that were on the way to a rollup are numbered otherwise now, and may count twice in it: "+
			"the checkpoint could not be saved when their log file was new, or sources have exchanged names",
			"source", g.Source.Name, "file", g.File(), "measurement", rollup.Measurement(key), "lines", lines[key])
	}
}

// until is the number of the line after a line before which a batch must end, because
// points or entries are needed of those that come.
func until(g *rollup.Generation, line int64) int64 {
	until := int64(math.MaxInt64)
	if g == nil {
		return until
	}
	for _, from := range [...]int64{g.Raw, g.Lines} {
		if line < from {
			until = min(until, from)
		}
	}
	return until
}

// due is the number of the line before which something must be cut.
func due(g *rollup.Generation) int64 {
	if g == nil {
		return math.MaxInt64
	}
	return g.Due()
}

// add adds the line that was last encoded to the rollups that did not get it, and reports
// whether it counts as written only with them.
func (p *Parser) add(g *rollup.Generation, by *accesslog.Encoder, captures [][]byte, line int64) (waits bool) {
	if !g.CountsAny(line) {
		return false
	}
	r := p.rollups
	waits = r.Last >= 0 && g.Counts(r.Last, line)
	m, series := by.Measures(captures), by.Series(captures)
	for i := r.Sums.AddRemembered(g, 0, line, m, series); i < len(r.Keys); i = r.Sums.AddRemembered(g, i+1, line, m, series) {
		r.tags = by.AppendRollupTags(r.tags[:0], i, captures)
		r.Sums.Add(g, i, line, m, r.tags)
		r.Sums.Remember(&series[i])
	}
	return waits
}

// cutDue cuts what is due behind a batch.
func (p *Parser) cutDue(ctx context.Context, g *rollup.Generation, b *flow.Batch, out chan<- flow.Batch) error {
	if g == nil {
		return nil
	}
	g.Reach(b.End, b.Ending(), time.Now())
	if err := p.cutAt(ctx, g, b.End.Line, out); err != nil {
		return err
	}
	for most, ok := p.rollups.Sums.Largest(); ok; most, ok = p.rollups.Sums.Largest() {
		if err := p.cut(ctx, most, out); err != nil {
			return err
		}
	}
	return nil
}

// cutAt cuts what is due before a line.
func (p *Parser) cutAt(ctx context.Context, g *rollup.Generation, line int64, out chan<- flow.Batch) error {
	for line >= g.Due() {
		for _, i := range p.rollups.Sums.Due(g) {
			if err := p.cut(ctx, rollup.Open{Generation: g, Rollup: i}, out); err != nil {
				return err
			}
		}
	}
	return nil
}

// leave cuts all of a generation.
func (p *Parser) leave(ctx context.Context, g *rollup.Generation, out chan<- flow.Batch) error {
	if g == nil {
		return nil
	}
	return p.cutAll(ctx, p.rollups.Sums.Leave(g), out)
}

// end cuts what may be cut when nothing more will be read.
func (p *Parser) end(ctx context.Context, out chan<- flow.Batch) error {
	if p.rollups == nil {
		return nil
	}
	err := p.cutAll(ctx, p.rollups.Sums.End(), out)
	p.report()
	return err
}

// clock is the timer of tick; with nothing to do for that it never fires.
func (p *Parser) clock() *time.Timer {
	clock := time.NewTimer(0)
	if p.rollups == nil && p.board == nil {
		clock.Stop()
	}
	return clock
}

// tick cuts what the clock says, shows what was parsed, and sets the clock.
func (p *Parser) tick(ctx context.Context, now time.Time, clock *time.Timer, out chan<- flow.Batch) error {
	clock.Reset(time.Second)
	p.publish(now)
	if p.rollups == nil {
		return nil
	}
	err := p.cutAll(ctx, p.rollups.Sums.Tick(now), out)
	p.report()
	return err
}

// report says what is open.
func (p *Parser) report() {
	for _, state := range p.rollups.Sums.States() {
		intents := p.rollups.Book.Len(state.Key)
		p.stats.UpdateRollup(state.Key, func(r *stats.Rollup) {
			r.Cells, r.Bytes, r.OpenSince, r.Intents = state.Cells, state.Bytes, state.Since, intents
		})
	}
}

func (p *Parser) cutAll(ctx context.Context, all []rollup.Open, out chan<- flow.Batch) error {
	for _, o := range all {
		if err := p.cut(ctx, o, out); err != nil {
			return err
		}
	}
	return nil
}

// leastRoom is what a delta fits into, with the zeros that may stand before it.
const leastRoom = 32 << 10

// cut sends the deltas of a cut, in as many batches as it takes.
func (p *Parser) cut(ctx context.Context, o rollup.Open, out chan<- flow.Batch) error {
	c := p.rollups.Sums.Cut(o)
	p.stats.UpdateRollup(c.Rollup, func(r *stats.Rollup) { r.Cuts++ })
	if o.Rollup != p.rollups.Last {
		c.Lines = 0 // they count with another one
	}
	for first := true; first || c.More(); first = false {
		b := flow.Batch{Start: c.End, End: c.End, Cut: &c.Cut}
		if c.More() {
			room, err := p.pool.Room(ctx, min(leastRoom, p.pool.BlockSize()))
			if err != nil {
				return err
			}
			text, n := c.Append(room[:0])
			if n == 0 { // not even one fits
				if room, err = p.pool.Room(ctx, p.pool.BlockSize()); err != nil {
					return err
				}
				text, n = c.Append(room[:0])
			}
			b.NumPoints, b.More = n, c.More()
			b.Points, b.PointsBlock = p.pool.Cut(len(text))
		}
		p.seen(p.sources[c.End.Generation.Source.Index], &b)
		p.stats.Parsed(c.End.Generation.Source.Index, time.Time{}, 0, 0, int64(len(b.Points)), p.sources[c.End.Generation.Source.Index].omitted)
		select {
		case out <- b:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
