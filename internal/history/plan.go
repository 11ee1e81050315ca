package history

import (
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/query"
)

// span is which time is shown, in buckets.
type span struct {
	from, to time.Time     // of whole windows of all rollups that are asked
	every    time.Duration // a bucket
	window   time.Duration // the longest of the rollups that are asked
	shift    time.Duration // how much earlier the time before it is; it ends where this begins, or before
}

// widths of buckets.
var widths = []time.Duration{
	10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 6 * time.Hour, 12 * time.Hour, day,
}

// mostBuckets is how many there are at most, unless a bucket is a day.
const mostBuckets = 200

// chooseSpan finds the span: the narrowest bucket of which a rollup has whole windows, and a
// time of which all that are asked have whole ones, so that all figures are of the same.
func (a *asking) chooseSpan() error {
	span := a.To.Sub(a.From)
	widths := slices.Clone(widths)
	for _, d := range a.rollups {
		widths = append(widths, d.Interval)
	}
	slices.Sort(widths)
	var every time.Duration
	var wrong error
	for _, width := range widths {
		if width < day && width*mostBuckets < span {
			continue
		}
		q := a.question("errors")
		q.Every = width
		if _, wrong = a.plan(q); wrong != nil {
			q.Measures = a.question("requests").Measures
			_, wrong = a.plan(q)
		}
		if wrong == nil {
			every = width
			break
		}
	}
	if wrong != nil {
		return wrong
	}
	var step time.Duration
	for _, q := range a.tentative(every) {
		if plan, err := a.plan(q); err == nil {
			step = max(step, plan.Rollup.Interval)
		}
	}
	a.to = query.Begin(a.To.Add(step-1), step)
	for _, q := range a.tentative(every) {
		q.To = a.to
		if plan, err := a.plan(q); err == nil && plan.To.Before(a.to) {
			a.to = plan.To
		}
	}
	a.window = step
	step = common(step, every)
	a.from = query.Begin(a.From, step)
	for a.Range != "" && a.to.Sub(a.from) > span { // so that the time before is the same time of another day
		a.from = a.from.Add(step)
	}
	span = max(span, a.to.Sub(a.from)) // of whole windows it is longer
	a.shift = (span + step - 1).Truncate(step)
	a.every = every
	if !a.from.Before(a.to) {
		_, wrong = a.plan(a.question("requests"))
		return wrong
	}
	return nil
}

// tentative are the questions of all parts, before the span is known.
func (a *asking) tentative(every time.Duration) (all []query.Question) {
	course := a.question("requests")
	course.Every = every
	all = []query.Question{course, a.question("p95", "host"), a.question("p95", "source")}
	for _, by := range tableTags {
		all = append(all, a.question("requests", by...))
		if q, err := a.byClass(a.question("requests", by...)); err == nil {
			all = append(all, q)
		}
	}
	return all
}

// common is the shortest time of which both are a part. Windows are parts of a day.
func common(a, b time.Duration) time.Duration {
	for c := max(a, b); c < day; c += max(a, b) {
		if c%a == 0 && c%b == 0 {
			return c
		}
	}
	return day
}
