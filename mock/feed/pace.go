package feed

import (
	"math"
	"time"
)

const (
	tick      = 10 * time.Millisecond
	unpaced   = 512 // lines at once when there is no rate
	catchUp   = 1.0 // seconds of lines made up for after a stall
	freeSteps = time.Millisecond
)

// pace decides how many lines are due and what time they carry.
type pace struct {
	rate     float64
	limit    int64 // lines in all
	duration time.Duration

	imagined bool
	start    time.Time // of the imagined time, else when we began
	step     time.Duration

	began   time.Time // wall clock
	from    time.Time // wall clock up to which lines were due so far
	to      time.Time
	made    int64
	skipped int64 // lines not made up for
}

func newPace(o Options, now time.Time) *pace {
	p := &pace{rate: o.Rate, limit: o.Lines, duration: o.Duration, began: now, from: now, to: now}
	if p.limit == 0 {
		p.limit = math.MaxInt64
	}
	if o.Start.IsZero() {
		return p
	}
	p.imagined, p.start, p.step = true, o.Start, o.Step
	if p.step == 0 {
		p.step = freeSteps
		if p.rate > 0 {
			p.step = max(1, time.Duration(math.Round(float64(time.Second)/p.rate)))
		}
	}
	if p.duration > 0 {
		p.limit = min(p.limit, int64((p.duration+p.step-1)/p.step))
	}
	return p
}

// due returns how many lines must be written now, and whether they are the last
// ones. Line i is due i/rate seconds after the beginning.
func (p *pace) due(now time.Time) (n int64, last bool) {
	p.from, p.to = p.to, now
	elapsed := now.Sub(p.began)
	if !p.imagined && p.duration > 0 && elapsed >= p.duration {
		elapsed, last = p.duration, true
	}
	switch {
	case p.rate > 0:
		n = int64(math.Ceil(elapsed.Seconds()*p.rate)) - p.skipped - p.made
		if most := int64(math.Ceil(p.rate * catchUp)); n > most {
			p.skipped += n - most
			n = most
		}
	case !last:
		n = unpaced
	}
	n = min(n, p.limit-p.made)
	return n, last || p.made+n == p.limit
}

// at returns the time of line i of the n lines due: live lines are spread over
// the time since the previous ones.
func (p *pace) at(i, n int64) time.Time {
	if p.imagined {
		return p.start.Add(time.Duration(p.made+i) * p.step)
	}
	return p.from.Add(p.to.Sub(p.from) / time.Duration(n) * time.Duration(i+1))
}
