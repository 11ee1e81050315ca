// Package redeliver reads rejected lines back out of the reject files and sends them through
// the stages parse and write, each with the number that it had: so it becomes the point that
// it would have been. It stands in for the stage that reads logs, and for the reject file
// and the checkpoint of the stage that writes: a line that is rejected again keeps its
// entry, and the position in no log changes.
//
// A line that could not be read is added up now, too, alone: its point in a rollup has a stamp
// that depends on its number, and that no cut has. One whose point was refused has been added
// up when it was read. A refused point of a rollup is sent as it is.
//
// Nothing is noted of a line before it is settled. A line that was sent before the process
// was killed is sent again by the next one, and is the same point.
package redeliver

import (
	"cmp"
	"context"
	"math"
	"sync"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/rollup"
	"github.com/tailflux/tailflux/internal/shape"
	"github.com/tailflux/tailflux/internal/stats"
)

// Config is what a [Redelivery] is made of.
type Config struct {
	Pending *rejects.Pendings
	// Sources are those whose lines are redelivered, by name.
	Sources map[string]*flow.Source
	// Shape returns how the lines of a source become points.
	Shape   func(*flow.Source) (*shape.Lines, error)
	MaxLine int
	Pool    *flow.Pool
	Stats   *stats.Stats
	// Rollups are those that are configured.
	Rollups []rollup.Definition
	Raw     bool // lines become points, too
}

// Redelivery is three parts of a pipeline: what Run sends, Lines shapes, Append and
// Acknowledge settle. Only Run is for another goroutine than the rest.
type Redelivery struct {
	Config
	Outcome Outcome // valid when the pipeline has ended

	generations map[generation]*flow.Generation
	ids         int64  // of generations that were made up
	text        []byte // of the chunk that is being made
	lines       []item // of it
	pieces      pieces

	mu        sync.Mutex                 // guards what follows
	sent      []item                     // and not settled, oldest first
	waiting   map[*flow.Generation]*item // for their cuts
	rejected  map[line]bool
	answer    flow.Reason        // the first of InfluxDB
	standsFor map[int64]original // by the ID of what was made up
	resent    bool               // points of rollups are sent now
}

// Outcome is what became of the lines.
type Outcome struct {
	Settled  []rejects.Entry     // that they are points now, or filtered
	Refused  []rejects.Entry     // points of rollups that were made of them
	Rejected map[flow.Reason]int // again; whatever InfluxDB answers, its first answer stands for all
	Partial  int                 // whose entries do not hold them as they were
	Points   int                 // that were refused, and that nobody wants now: Raw is false
	Gone     int                 // points of rollups that are configured no more
	Complete bool                // no pending line was left out because the context ended
}

type generation struct {
	source string
	id     int64
}

type line struct {
	source         string
	generation, no int64
}

// item is a line on its way.
type item struct {
	generation *flow.Generation
	entry      rejects.Entry
	pieces     []rejects.Entry // of lines before it that it is joined with, and settled
	cuts       int             // that it waits for
}

func (i *item) line() line { return line{i.entry.Source, i.generation.ID, i.entry.Number} }

// New returns a redelivery of the lines that are pending.
func New(c Config) *Redelivery {
	return &Redelivery{
		Config: c, Outcome: Outcome{Rejected: map[flow.Reason]int{}}, generations: map[generation]*flow.Generation{},
		rejected: map[line]bool{}, waiting: map[*flow.Generation]*item{}, standsFor: map[int64]original{},
	}
}

// maxText is how much of neighbouring lines is sent at once.
const maxText = 64 << 10

// Run sends the lines and closes out. It ends early, without an error, when ctx does.
func (r *Redelivery) Run(ctx context.Context, out chan<- flow.Chunk) error {
	defer close(out)
	err := r.shapeAll() // before a chunk is out, from when on Lines asks Shape, too
	if err == nil {
		err = r.Pending.Each(func(p rejects.Pending) error { return r.add(ctx, p, out) })
	}
	if err == nil {
		err = r.addPieces(ctx, out)
	}
	if err == nil {
		err = r.flush(ctx, out)
	}
	r.Outcome.Complete = err == nil
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// add makes a line part of the next chunk, or one of the pieces of a line whose end may
// be next.
func (r *Redelivery) add(ctx context.Context, p rejects.Pending, out chan<- flow.Chunk) error {
	switch {
	case p.Rollup != "":
		return nil // RunDeltas sends it
	case !p.Whole:
		r.Outcome.Partial++
		return nil
	case p.Reason.IsOfPoint() && !r.Raw:
		r.Outcome.Points++
		return nil
	case len(p.Line) > r.MaxLine:
		r.reject(flow.TooLong)
		return nil
	}
	return r.join(ctx, p, out)
}

// addLines makes lines that become one, or a single one, part of the next chunk.
func (r *Redelivery) addLines(ctx context.Context, all []rejects.Pending, out chan<- flow.Chunk) error {
	first, last, size := &all[0], &all[len(all)-1], 0
	for i := range all {
		size += len(all[i].Line) + 1
	}
	g := r.generation(first, last)
	if n := len(r.lines); n > 0 && (r.lines[n-1].generation != g || r.lines[n-1].entry.Number != first.Number-1 || len(r.text)+size > maxText) {
		if err := r.flush(ctx, out); err != nil {
			return err
		}
	}
	one := item{generation: g, cuts: r.cuts(last.Reason), entry: settled(last)}
	for i := range all {
		r.text = append(append(r.text, all[i].Line...), '\n')
		if i < len(all)-1 {
			one.pieces = append(one.pieces, settled(&all[i]))
		}
	}
	r.lines = append(r.lines, one)
	return nil
}

// settled is the entry of a line that is one no more.
func settled(p *rejects.Pending) rejects.Entry {
	return rejects.Entry{
		Source: p.Source, Generation: p.Generation, LineNumber: p.LineNumber, Number: p.Number, Kind: rejects.Redelivered, Reason: p.Reason,
	}
}

// generation is the one that a line is sent as a part of, which may be in pieces.
func (r *Redelivery) generation(p, last *rejects.Pending) *flow.Generation {
	source := r.Sources[p.Source]
	if len(r.Rollups) > 0 {
		return r.alone(source, p, last)
	}
	key := generation{p.Source, p.Generation}
	g := r.generations[key]
	if g == nil {
		g = &flow.Generation{Source: source, ID: p.Generation, FirstLine: 1}
		r.generations[key] = g
	}
	return g
}

// flush sends the chunk.
func (r *Redelivery) flush(ctx context.Context, out chan<- flow.Chunk) error {
	if len(r.lines) == 0 {
		return nil
	}
	room, err := r.Pool.Room(ctx, len(r.text))
	if err != nil {
		return err
	}
	copy(room, r.text)
	first, last := &r.lines[0], &r.lines[len(r.lines)-1]
	start := flow.Position{Generation: first.generation, Line: first.entry.Number - int64(len(first.pieces))}
	end := start
	end.Line = last.entry.Number + 1
	end.Offset += int64(len(r.text))
	c := flow.Chunk{Start: start, End: end}
	c.Data, c.Block = r.Pool.Cut(len(r.text))
	r.Stats.Read(time.Now(), c.Lines(), int64(len(c.Data)))
	r.mu.Lock()
	r.sent = append(r.sent, r.lines...)
	r.mu.Unlock()
	r.text, r.lines = r.text[:0], r.lines[:0]
	select {
	case out <- c:
		return r.leave(ctx, end, out)
	case <-ctx.Done():
		r.Stats.Read(time.Now(), -c.Lines(), -int64(len(c.Data))) // nobody got it
		c.Block.Release()
		return ctx.Err()
	}
}

func (r *Redelivery) reject(why flow.Reason) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rejectLocked(why)
}

func (r *Redelivery) rejectLocked(why flow.Reason) {
	if _, ok := why.Answer(); ok { // it quotes the line: there may be as many as lines
		r.answer = cmp.Or(r.answer, why)
		why = r.answer
	}
	r.Outcome.Rejected[why]++
}

// Lines is how the lines of a source become points.
func (r *Redelivery) Lines(at flow.Position, _ []byte) (l *shape.Lines, until int64, err error) {
	l, err = r.Shape(at.Generation.Source)
	return l, math.MaxInt64, err
}

// Missed changes nothing: the format of a source is judged by its log.
func (*Redelivery) Missed(shape.Miss) (*shape.Lines, int64, error) { return nil, 0, nil }

// Append notes lines that are rejected again. Their entries stay as they are.
func (r *Redelivery) Append(entries []rejects.Entry) (n int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range entries {
		e := &entries[i]
		if e.Kind == rejects.Rollup {
			r.refused(*e)
			continue
		}
		r.rejected[line{e.Source, e.Generation, e.Number}] = true
		r.rejectLocked(e.Reason)
	}
	return len(entries), nil
}

// Replays is false: the entries there are are those that are redelivered.
func (*Redelivery) Replays(string, int64, int64) bool { return false }

// Replayed is false.
func (*Redelivery) Replayed(rejects.Entry) (flow.Reason, bool) { return "", false }

// Acknowledge settles the lines that were sent up to a position.
func (r *Redelivery) Acknowledge(end flow.Position, _ []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for last := false; !last && len(r.sent) > 0; r.sent = r.sent[1:] {
		one := &r.sent[0]
		last = one.generation == end.Generation && one.entry.Number == end.Line-1
		switch {
		case r.rejected[one.line()]:
		case one.cuts > 0:
			waits := *one
			r.waiting[one.generation] = &waits
		default:
			r.settle(one)
		}
	}
}

// settle notes that a line is a point now, or filtered.
func (r *Redelivery) settle(one *item) {
	r.Outcome.Settled = append(append(r.Outcome.Settled, one.pieces...), one.entry)
}

// Save has nothing to save: the entries are written when all is over.
func (*Redelivery) Save() error { return nil }
