package redeliver

import (
	"context"
	"maps"
	"slices"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/rollup"
)

// Sums are those of the rollups, to which lines are added one by one.
func (r *Redelivery) Sums(host string) *rollup.Sums {
	const cellBytes = 1 << 20 // they are cut at once
	return rollup.New(r.Rollups, host, cellBytes).Alone()
}

// cuts is how many a line becomes a part of. One whose point was refused is in all rollups
// since it was read: what becomes of a point changes no cell.
func (r *Redelivery) cuts(why flow.Reason) int {
	if why.IsOfPoint() {
		return 0
	}
	return len(r.Rollups)
}

// alone is a generation of one line, so that it is cut alone. One in pieces has the number
// of the last of them, with which its cut begins.
func (r *Redelivery) alone(source *flow.Source, p, last *rejects.Pending) *flow.Generation {
	r.ids++
	g := &flow.Generation{Source: source, ID: r.ids, FirstLine: p.Number, Earlier: p.LineNumber - 1}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.standsFor[g.ID] = original{p.Generation, last.Number, r.cuts(last.Reason) > 0}
	return g
}

// original is what a generation of one line stands for.
type original struct {
	id     int64
	number int64 // of the line
	added  bool  // it is added up
}

// From is the number of the first line of a generation that a destination gets.
func (r *Redelivery) From(g *flow.Generation, destination string) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	is := r.standsFor[g.ID]
	switch {
	case destination == checkpoint.Raw || destination == checkpoint.Lines:
		return g.FirstLine
	case !is.added:
		return is.number + 1
	}
	return is.number
}

// leave says that nothing more of a line's generation comes, so that it is cut.
func (r *Redelivery) leave(ctx context.Context, at flow.Position, out chan<- flow.Chunk) error {
	if len(r.Rollups) == 0 {
		return nil
	}
	select {
	case out <- flow.Chunk{Start: at, End: at, Left: true}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Register has nothing to note: a line that is sent again is the same point, whatever was
// sent with it.
func (*Redelivery) Register(*flow.Cut) (millis int64) { return 0 }

// AcknowledgeCut settles a line with its last cut, or a point of a rollup.
func (r *Redelivery) AcknowledgeCut(c *flow.Cut) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g := c.End.Generation
	one := r.waiting[g]
	if one == nil {
		return
	}
	if one.cuts--; one.cuts == 0 {
		r.settle(one)
		delete(r.waiting, g)
	}
}

// refused notes a point of a rollup that is refused, perhaps again.
func (r *Redelivery) refused(e rejects.Entry) {
	if r.resent {
		maps.DeleteFunc(r.waiting, func(g *flow.Generation, _ *item) bool { return g.ID == e.Generation })
		r.rejectLocked(e.Reason)
		return
	}
	e.Generation = r.standsFor[e.Generation].id
	e.Line = slices.Clone(e.Line)
	r.Outcome.Refused = append(r.Outcome.Refused, e)
}

// RunDeltas sends refused points of rollups as they are, and closes out. It is called when
// the lines are settled, and ends as Run does.
func (r *Redelivery) RunDeltas(ctx context.Context, out chan<- flow.Batch) error {
	defer close(out)
	r.mu.Lock()
	r.resent = true
	clear(r.waiting)
	r.mu.Unlock()
	err := r.Pending.Each(func(p rejects.Pending) error {
		if p.Rollup == "" {
			return nil
		}
		return r.resend(ctx, &p, out)
	})
	if err != nil {
		r.Outcome.Complete = false
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// resend sends one, behind the zeros that stand before it.
func (r *Redelivery) resend(ctx context.Context, p *rejects.Pending, out chan<- flow.Batch) error {
	of := slices.IndexFunc(r.Rollups, func(d rollup.Definition) bool { return d.Key() == p.Rollup })
	switch {
	case of < 0:
		r.Outcome.Gone++
		return nil
	case !p.Whole:
		r.Outcome.Partial++
		return nil
	}
	text := append(rollup.ZerosFor(p.Line), append(p.Line, '\n')...)
	room, err := r.Pool.Room(ctx, len(text))
	if err != nil {
		return err
	}
	copy(room, text)
	r.ids++
	g := &flow.Generation{Source: r.Sources[p.Source], ID: r.ids, FirstLine: p.Number, Earlier: p.LineNumber - 1}
	at := flow.Position{Generation: g, Line: p.Number}
	b := flow.Batch{Start: at, End: at, NumPoints: 2, Cut: &flow.Cut{
		Rollup: p.Rollup, RetentionPolicy: r.Rollups[of].RetentionPolicy, Begin: p.Number, End: at, Deltas: 1,
	}}
	b.Points, b.PointsBlock = r.Pool.Cut(len(text))
	r.mu.Lock()
	r.waiting[g] = &item{generation: g, cuts: 1, entry: rejects.Entry{
		Source: p.Source, Generation: p.Generation, LineNumber: p.LineNumber, Number: p.Number, Kind: rejects.Redelivered,
		Rollup: p.Rollup, Reason: p.Reason, Line: slices.Clone(p.Line), LineBytes: int64(len(p.Line)),
	}}
	r.mu.Unlock()
	select {
	case out <- b:
		return nil
	case <-ctx.Done():
		b.Release()
		return ctx.Err()
	}
}
