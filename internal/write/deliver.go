package write

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/stats"
)

// delivery is a request on its way to one of its targets.
//
// It keeps a list of runs of points, with one item as long as all is well. If a
// point of an item is refused, the item is halved, down to single points. The older
// half is sent first, because the first point decides the type of a new field. If
// points are refused for their time, the halves are of their times (time.go).
//
// Points that are sent again although they are stored change nothing.
type delivery struct {
	// What all requests share.
	outage   *outage
	limit    *sizeLimit
	limiter  *limiter
	stats    *stats.Stats
	hold     func() bool // a batch of which more than half is refused; nil: no
	answered *atomic.Int64
	tries    *atomic.Int64

	// The request, and its target.
	request *request
	retry   *retry
	sink    Sink
	doubts  *doubts
	policy  string // whose points these are
	base    int    // refused before, by replay or for another policy

	// How far it is.
	list     []points
	kept     span   // of time; points outside are not kept
	halving  bool   // a point was refused
	refusals [2]int // points refused, but not for their time: of lines, and deltas
	held     bool   // more of them were than may be rejected

	// The search for a boundary in time.
	searches   int
	searched   points // the control at the last one
	noneStored bool   // of the points that the last one sent

	// Answers that are unclear.
	suspected string // how one begins that is about points
	tried     int    // points as a control
}

// deliver sends the points of a request until each one is acknowledged or
// refused, or ctx ends.
func (w *Writer) deliver(ctx context.Context, r *request) {
	retry := w.outage.retry()
	for _, to := range r.targets {
		d := delivery{
			outage: &w.outage, limit: &w.limit, limiter: &w.limiter, stats: w.stats, hold: w.config.Hold,
			answered: &w.answered, tries: &w.tries, request: r, retry: retry,
			sink: to.sink, doubts: &to.doubts, kept: to.retention.span(ctx), policy: to.policy, base: len(r.refused),
		}
		d.begin()
		if r.err = d.run(ctx); r.err != nil {
			return
		}
	}
}

// begin lists everything that is not in the reject file.
func (d *delivery) begin() {
	r := d.request
	r.refused, d.refusals = r.refused[:d.base], [2]int{}
	all := r.all(d.policy)
	if r.replayed > 0 {
		all = all.without(func(point int, _ []byte) bool {
			_, found := slices.BinarySearchFunc(r.refused[:r.replayed], point, func(is refusal, point int) int { return is.point - point })
			return found
		})
	}
	d.list = []points{all}
	d.expire()
}

func (d *delivery) run(ctx context.Context) error {
	for len(d.list) > 0 {
		if len(d.list[0]) == 0 {
			d.list = d.list[1:]
			continue
		}
		head, rest := d.list[0].within(d.limit.bytes())
		if d.halving {
			if err := d.limiter.wait(ctx); err != nil {
				return err
			}
		}
		means, err := d.send(ctx, head)
		if means == influx.Unclear {
			means, err = d.judge(ctx, head, err)
		}
		if means, err = d.holds(head, means, err); means == influx.Retry || means == influx.Slow {
			if means == influx.Slow {
				d.limit.tooSlow(head.bytes())
			}
			if err := d.retry.wait(ctx, err); err != nil {
				return err
			}
			continue
		}
		d.retry.over()
		switch {
		case means == influx.Stored && d.held:
			d.held = false
			d.begin() // the others may be taken now, too
		case means == influx.Stored:
			d.limit.enough(head.bytes())
			d.list[0] = rest
		case means == influx.TooLarge && head.count() > 1:
			d.limit.tooLarge(head.bytes())
		case head.count() == 1:
			d.list[0] = rest
			d.refuse(head, means, err)
		default:
			d.list[0] = rest
			if err := d.divide(ctx, head, means, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// send sends some points once.
func (d *delivery) send(ctx context.Context, some points) (influx.Verdict, error) {
	start := time.Now()
	err := d.sink.Write(ctx, some.body())
	d.tries.Add(1)
	means := influx.VerdictOf(err)
	if means != influx.Retry && means != influx.Slow {
		d.answered.Store(time.Now().UnixNano())
	}
	if means == influx.Stored {
		now := time.Now()
		d.stats.Acknowledged(now, now.Sub(start))
		d.doubts.stored(some)
	}
	if influx.IsForbidden(err) {
		means = influx.Unclear
	}
	return means, err
}

// holds turns a point's refusal into an outage, if points are to be held for it, or if so many
// are forbidden that it must be about permissions: on a measurement, or to create series.
// Points of lines and deltas are counted separately: there are many deltas where there are few
// lines.
func (d *delivery) holds(head points, means influx.Verdict, err error) (influx.Verdict, error) {
	refused := means == influx.Refused || means == influx.TooLarge
	if !refused || head.count() != 1 {
		return means, err
	}
	if means == influx.TooLarge && head.bytes() < leastTooLarge {
		d.limit.nonsense()
		return influx.Retry, err
	}
	const few = 5 // or a fiftieth
	kind, of := d.request.kind(head[0].first)
	switch n := d.refusals[kind] + 1; {
	case influx.IsForbidden(err) && n > max(few, of/50):
		d.held = true
		return influx.Retry, err
	case d.hold != nil && 2*n > of && d.hold():
		d.held = true
		return influx.Retry, fmt.Errorf("%w: %w", errHeld, err)
	}
	return means, err
}

// refuse gives one point up.
func (d *delivery) refuse(one points, means influx.Verdict, err error) {
	if means == influx.OutOfTime {
		d.refuseTime(one[0])
		return
	}
	kind, _ := d.request.kind(one[0].first)
	d.refusals[kind]++
	d.request.refuse(one[0].first, flow.Refused(err.Error()))
}

// divide lists points, at least one of which is refused, in smaller parts.
func (d *delivery) divide(ctx context.Context, some points, means influx.Verdict, err error) error {
	d.halving = true
	if means == influx.OutOfTime {
		first, second := halvesOfTime(some)
		d.list = slices.Insert(d.list, 0, first, second)
		return nil
	}
	// Rights are of no time.
	searches := some.count() >= minSearch && !influx.KnownReason(err) && !influx.IsForbidden(err)
	if searches {
		if lines, deltas := d.kinds(some); len(lines) > 0 && len(deltas) > 0 {
			d.list = slices.Insert(d.list, 0, lines, deltas) // deltas are older, which explains nothing
			return nil
		}
		if d.worthSearching() {
			if found, err := d.rejectByTime(ctx, some); found || err != nil {
				return err
			}
		}
	}
	first, second := some.cut(some.count() / 2)
	d.list = slices.Insert(d.list, 0, first, second)
	return nil
}

// kinds divides points into those of lines, and deltas.
func (d *delivery) kinds(some points) (lines, deltas points) {
	isDelta := func(point int, _ []byte) bool {
		kind, _ := d.request.kind(point)
		return kind == 1
	}
	lines = some.without(isDelta)
	deltas = some.without(func(point int, text []byte) bool { return !isDelta(point, text) })
	return lines, deltas
}
