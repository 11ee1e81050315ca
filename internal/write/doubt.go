package write

import (
	"bytes"
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/tailflux/tailflux/internal/influx"
)

// Some answers may be about points or about any request: a 400 from a server whose wording is
// not known, or from a proxy. The two are told apart by another point, which was stored
// before: the control. If it is taken, and these points are refused again and again, the
// refusal is about them.

// confirmations is how often a point must be refused again, and the controls between be taken,
// before it is rejected. A page is mostly of something that does not know what points are.
const (
	confirmations       = 4
	confirmationsOfPage = 7
)

// mostControls is how many there are between two refusals: one to so many, each number at
// some time, and in no order. A balancer that gives requests to one server after another, of
// which one is none, would take just the controls if they came in turn with the point.
const mostControls = 3

const maxConfirmationPause = time.Second

// controls are the numbers of controls after each of some refusals.
func controls(refusals int) (each []int) {
	for i := range refusals {
		each = append(each, 1+i%mostControls)
	}
	rand.Shuffle(len(each), func(i, j int) { each[i], each[j] = each[j], each[i] })
	return each
}

// doubts is what requests in flight share of that.
type doubts struct {
	mu      sync.Mutex      // guards what follows
	control []byte          // the last point that was stored; nil before
	proven  map[string]bool // beginnings of answers that were about a point
}

const maxProven = 64

// stored keeps one of some points that were stored.
func (d *doubts) stored(some points) {
	last := some[len(some)-1].text
	line := last[bytes.LastIndexByte(last[:len(last)-1], '\n')+1:]
	d.mu.Lock()
	defer d.mu.Unlock()
	d.control = append(d.control[:0], line...)
}

func (d *doubts) controlPoint() points {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.control) == 0 {
		return nil
	}
	return points{{text: bytes.Clone(d.control), n: 1}}
}

func (d *doubts) prove(words string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.proven == nil || len(d.proven) >= maxProven {
		d.proven = map[string]bool{}
	}
	d.proven[words] = true
}

func (d *doubts) isProven(words string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.proven[words]
}

// judge decides what an unclear answer means. It may send more requests; if it ends
// with ctx the verdict means nothing.
func (d *delivery) judge(ctx context.Context, some points, err error) (influx.Verdict, error) {
	words := influx.Words(err)
	forbidden := influx.IsForbidden(err) // mostly it is about who sends the points, whatever it was before
	page := influx.IsPage(err)
	proven := d.doubts.isProven(words) && !forbidden && !page
	suspected := proven || words == d.suspected
	switch {
	case !suspected && !d.retry.failing:
		return influx.Retry, err // most such answers are not about points, and pass
	case suspected && some.count() > 1:
		return influx.Refused, err // to be halved, which does no harm
	case some.count() > 1 || proven:
		if !d.control(ctx, some) {
			return influx.Retry, err
		}
		d.suspected = words
		return influx.Refused, err
	}
	return d.confirm(ctx, some, err, page)
}

// confirm sends one point again and again, and controls between.
func (d *delivery) confirm(ctx context.Context, one points, err error, page bool) (influx.Verdict, error) {
	more := confirmations
	if page {
		more = confirmationsOfPage
	}
	pauses := newPauses()
	for i, n := range controls(1 + more) {
		if i > 0 {
			select {
			case <-time.After(min(pauses.next(0), maxConfirmationPause)):
			case <-ctx.Done():
				return influx.Retry, ctx.Err()
			}
			means, answer := d.send(ctx, one)
			if means != influx.Unclear {
				return means, answer
			}
			err = answer
		}
		for range n {
			if !d.control(ctx, one) {
				return influx.Retry, err
			}
		}
	}
	if !influx.IsForbidden(err) && !influx.IsPage(err) {
		d.doubts.prove(influx.Words(err))
	}
	return influx.Refused, err
}

// control reports whether the server takes a point now, or refuses it in words that
// are known to be about points. Before any was stored, it is one of those that are
// being sent.
func (d *delivery) control(ctx context.Context, some points) bool {
	other := d.doubts.controlPoint()
	if other == nil {
		if some.count() == 1 {
			return false
		}
		other = d.candidate(some)
	}
	switch means, _ := d.send(ctx, other); means {
	case influx.Stored, influx.Refused, influx.OutOfTime:
		return true
	case influx.Retry, influx.Slow, influx.TooLarge, influx.Unclear:
	}
	return false
}

// candidate is a point that may be taken, another one each time: first the one nearest
// to now.
func (d *delivery) candidate(some points) points {
	all := each(some)
	best := d.tried * 7919 % len(all)
	for i := range all {
		if at := all[i].at; d.tried == 0 && !future(at) && (future(all[best].at) || at > all[best].at) {
			best = i
		}
	}
	d.tried++
	return points{all[best].piece}
}
