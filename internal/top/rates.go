package top

import (
	"math"
	"time"

	"github.com/tailflux/tailflux/internal/live"
)

// classes are those with a row, in the order of their numbers, which tells them apart
// without colours.
var classes = []struct {
	name  string
	style style
}{{"2xx", good}, {"3xx", moved}, {"4xx", warn}, {"5xx", bad}}

// figures are a snapshot for drawing; it may be missing.
type figures struct{ *live.Snapshot }

func (v *view) figures() figures {
	if v.shown == nil || v.shown.Live == nil {
		none := live.None()
		return figures{&live.Snapshot{Total: live.Total{P50: none, P95: none, P99: none}}}
	}
	return figures{v.shown.Live}
}

func (f figures) requests() float64 { return rate(f.Snapshot, numbers(f.Slots.Requests)) }
func (f figures) bytes() float64    { return rate(f.Snapshot, numbers(f.Slots.Bytes)) }

func (f figures) class(name string) float64 { return rate(f.Snapshot, class(&f.Slots, name)) }

// minutes is the time that the slots span, in words.
func (f figures) minutes() string {
	all := seconds(float64(f.Slots.Step * int64(len(f.Slots.Time))))
	if all == 0 {
		return "so far"
	}
	if until := f.until(); f.At.Sub(until) > late {
		return span(all) + " until " + until.In(f.At.Location()).Format(time.DateTime)
	}
	return "last " + span(all)
}

// late is how old the newest figures are when that is told.
const late = time.Minute

// until is the end of what was observed; the zero time without.
func (f figures) until() time.Time {
	for i := len(f.Slots.Time) - 1; i >= 0 && i < len(f.Slots.Requests); i-- {
		if !math.IsNaN(float64(f.Slots.Requests[i])) {
			return time.Unix(f.Slots.Time[i]+f.Slots.Step, 0)
		}
	}
	return f.At
}

func perSecond(f float64) string {
	if math.IsNaN(f) {
		return unknown
	}
	return short(f) + "/s"
}

func bytesPerSecond(f float64) string {
	if math.IsNaN(f) {
		return unknown
	}
	return size(f) + "/s"
}

// rates draws requests by class at the left, and at the right times and bytes.
func (v *view) rates(c *canvas, y int) int {
	f := v.figures()
	const gap = 2
	right := c.w - max(33, c.w/3)
	row := func(x, end, y int, name, number string, of func(int) float64, s style) {
		at := x + 17
		c.text(x, y, at-x, name, s)
		c.right(at, y, 9, number, bold)
		at++
		c.put(at, y, course(f.Snapshot, end-at, of), s)
	}
	left := right - gap
	row(1, left, y, "requests", perSecond(f.requests()), numbers(f.Slots.Requests), normal)
	for i, of := range classes {
		row(1, left, y+1+i, of.name, perSecond(f.class(of.name)), class(&f.Slots, of.name), of.style)
	}
	end := c.w - 1
	row(right, end, y, "bytes", bytesPerSecond(f.bytes()), numbers(f.Slots.Bytes), normal)
	row(right, end, y+1, "p50", took(f.Total.P50), numbers(f.Slots.P50), normal)
	row(right, end, y+2, "p95", took(f.Total.P95), numbers(f.Slots.P95), normal)
	row(right, end, y+3, "p99", took(f.Total.P99), numbers(f.Slots.P99), normal)
	c.text(right, y+4, c.w-1-right, f.whole(), dim)
	return y + 5
}

// whole is what the percentiles are of.
func (f figures) whole() string {
	if f.Total.Requests == 0 {
		if older := f.Total.Older; older > 0 {
			return "no requests, and " + count(older) + " older"
		}
		return f.minutes() + ": no requests"
	}
	return f.minutes() + ": " + count(f.Total.Requests) + ", " + share(f.Total.ServerErrors, f.Total.Requests) + " 5xx"
}

// ratesBrief is the same without most courses.
func (v *view) ratesBrief(c *canvas, y int) int {
	f := v.figures()
	x := c.text(1, y, c.w, "requests ", normal)
	x = c.text(x, y, c.w, perSecond(f.requests())+" ", bold)
	bytes := bytesPerSecond(f.bytes())
	end := c.w - 2 - columns(bytes)
	c.put(x, y, course(f.Snapshot, end-x, numbers(f.Slots.Requests)), normal)
	c.right(c.w-1, y, c.w, bytes, bold)

	x = 1
	for _, class := range classes {
		x = c.text(x, y+1, c.w, class.name+" ", class.style)
		x = c.text(x, y+1, c.w, perSecond(f.class(class.name))+"  ", bold)
	}
	x = 1
	for _, p := range []struct {
		name string
		took live.Number
	}{{"p50", f.Total.P50}, {"p95", f.Total.P95}, {"p99", f.Total.P99}} {
		x = c.text(x, y+2, c.w, p.name+" ", normal)
		x = c.text(x, y+2, c.w, took(p.took)+"  ", bold)
	}
	if whole := f.whole(); x+columns(whole) < c.w {
		c.right(c.w-1, y+2, c.w, whole, dim)
	}
	return y + 3
}
