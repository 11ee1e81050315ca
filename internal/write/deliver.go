package write

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/lineproto"
	"github.com/tailflux/tailflux/internal/stats"
)

// delivery is a request on its way.
//
// It keeps a list of runs of points, with one item as long as all is well. If a
// point of an item is refused, the item is halved, down to single points. The older
// half is sent first, because the first point decides the type of a new field. If
// points are too old it is the newer half, because whatever is older than a point
// that is too old need not be sent.
//
// Points that are sent again although they are stored change nothing.
type delivery struct {
	sink    Sink
	outage  *outage
	limit   *sizeLimit
	limiter *limiter
	stats   *stats.Stats
	hold    bool // a batch of which more than half is refused

	request  *request
	list     []points
	since    int64 // older points are not kept
	halving  bool  // a point was refused
	held     bool  // more of them were than may be rejected
	refusals int   // points refused, but not for their age
}

// deliver sends the points of a request until each one is acknowledged or
// refused, or ctx ends.
func (w *Writer) deliver(ctx context.Context, r *request) {
	d := delivery{
		sink: w.sink, outage: &w.outage, limit: &w.limit, limiter: &w.limiter, stats: w.stats, hold: w.config.Hold,
		request: r, since: w.retention.since(ctx),
	}
	d.begin()
	r.err = d.run(ctx)
}

// begin lists everything that is not in the reject file.
func (d *delivery) begin() {
	r := d.request
	r.refused, d.refusals = r.refused[:r.replayed], 0
	all := r.all()
	if r.replayed > 0 {
		all = all.without(func(point int, _ []byte) bool {
			_, found := slices.BinarySearchFunc(r.refused, point, func(is refusal, point int) int { return is.point - point })
			return found
		})
	}
	d.list = []points{all}
	d.expire()
}

func (d *delivery) run(ctx context.Context) error {
	retry := d.outage.retry()
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
		switch means {
		case influx.Retry, influx.Slow:
			if means == influx.Slow {
				d.limit.tooSlow(head.bytes())
			}
			if err := retry.wait(ctx, err); err != nil {
				return err
			}
			continue
		case influx.Stored, influx.TooLarge, influx.Refused, influx.TooOld:
			retry.over()
		}
		switch {
		case means == influx.Stored && d.held:
			d.held = false
			d.begin() // the others may be taken now, too
		case means == influx.Stored:
			d.limit.enough()
			d.list[0] = rest
		case means == influx.TooLarge && head.count() > 1:
			d.limit.tooLarge(head.bytes())
		case head.count() == 1:
			d.list[0] = rest
			d.refuse(head, means, err)
		default:
			d.list[0] = rest
			d.halve(head, means)
		}
	}
	return nil
}

// send sends some points once.
func (d *delivery) send(ctx context.Context, some points) (influx.Verdict, error) {
	start := time.Now()
	err := d.sink.Write(ctx, some.body())
	means := influx.VerdictOf(err)
	switch means {
	case influx.Stored:
		now := time.Now()
		d.stats.Acknowledged(now, now.Sub(start))
	case influx.Refused, influx.TooLarge:
		if d.hold && some.count() == 1 && 2*(d.refusals+1) > d.request.points {
			d.held = true
			return influx.Retry, fmt.Errorf("%w: %w", errHeld, err)
		}
	case influx.Retry, influx.Slow, influx.TooOld:
	}
	return means, err
}

// refuse gives one point up.
func (d *delivery) refuse(one points, means influx.Verdict, err error) {
	if means == influx.TooOld {
		if at, ok := lineproto.Stamp(one[0].text); ok {
			d.since = max(d.since, at+1)
			d.expire()
		}
		d.request.refuse(one[0].first, flow.Expired)
		return
	}
	d.refusals++
	d.request.refuse(one[0].first, flow.Refused(err.Error()))
}

// halve lists points, of which at least one is refused, in two halves.
func (d *delivery) halve(some points, means influx.Verdict) {
	d.halving = true
	first, second := some.cut(some.count() / 2)
	if means == influx.TooOld {
		first, second = second, first
	}
	d.list = slices.Insert(d.list, 0, first, second)
}

// outOfOrder is by how much a line may be older than the first one of its batch
// and yet be found without being sent.
const outOfOrder = time.Hour

// expire rejects points that are older than InfluxDB keeps.
func (d *delivery) expire() {
	if d.since == forever {
		return
	}
	older, near := lineproto.OlderThan(d.since), lineproto.OlderThan(d.since+int64(outOfOrder))
	for i := range d.list {
		if !slices.ContainsFunc(d.list[i], func(p piece) bool { return near(p.text[:bytes.IndexByte(p.text, '\n')+1]) }) {
			continue // as in a log that is not far behind: nothing is looked at
		}
		d.list[i] = d.list[i].without(func(point int, text []byte) bool {
			if !older(text) {
				return false
			}
			d.request.refuse(point, flow.Expired)
			return true
		})
	}
}

// prepare prepares the sink, or tries until ctx ends.
func (w *Writer) prepare(ctx context.Context) {
	retry := w.outage.retry()
	for {
		err := w.sink.Prepare(ctx)
		if err == nil {
			retry.over()
			w.stats.Answered()
			w.retention.since(ctx)
			return
		}
		if retry.wait(ctx, err) != nil {
			return
		}
	}
}
