package live

import (
	"time"

	"github.com/tailflux/tailflux/internal/rollup"
)

// frame is what was published at one time. It never changes.
type frame struct {
	at       time.Time
	ring     []slot
	step     int64
	observed int64 // number of the newest slot up to which all lines were read; never: nobody says
	first    int64 // as in slots
	newest   int64
	older    int64
	early    int64
	top      *Top
}

// end is the number behind the newest slot that is shown. While old lines are
// read, or no lines, the last ones that are known stay in sight: at most a third of the
// window is empty then.
func (f *frame) end(now time.Time) int64 {
	clock := now.UnixNano() / f.step
	switch {
	case f.observed == never && f.newest == never:
		return clock + 1
	case f.observed == never:
		return f.newest + 1
	}
	reached := max(f.observed, f.newest)
	return max(f.newest, min(clock, reached+int64(len(f.ring)/3))) + 1
}

// slot returns the one with a number; nil if it has no requests. Numbers before 1970 are
// shown where the newest slots are in the first ones since.
func (f *frame) slot(number int64) *slot {
	if number < 0 {
		return nil
	}
	if s := &f.ring[number%int64(len(f.ring))]; s.number == number && s.requests > 0 {
		return s
	}
	return nil
}

// isObserved reports whether all lines of a slot were read. If it has no requests then, there
// really were none.
func (f *frame) isObserved(number int64) bool {
	reached := f.observed
	if reached == never {
		reached = f.newest
	}
	return f.first != never && f.first <= number && number <= reached
}

// snapshot is what is shown of the slots before one.
func (f *frame) snapshot(end int64) *Snapshot {
	n := int64(len(f.ring))
	s := &Snapshot{At: f.at, Top: *f.top, Slots: Slots{
		Step: f.step / int64(time.Second), Time: make([]int64, n),
		Requests: make([]Number, n), Bytes: make([]Number, n), Classes: map[string][]int64{},
		P50: make([]Number, n), P95: make([]Number, n), P99: make([]Number, n),
	}}
	var classes [numClasses][]int64
	for i, name := range classNames {
		classes[i] = make([]int64, n)
		s.Slots.Classes[name] = classes[i]
	}
	var all slot
	for i := range n {
		number := end - n + i
		s.Slots.Time[i] = number * f.step / int64(time.Second)
		is := f.slot(number)
		if is == nil {
			s.Slots.Requests[i], s.Slots.Bytes[i] = f.nothing(number), f.nothing(number)
			s.Slots.P50[i], s.Slots.P95[i], s.Slots.P99[i] = None(), None(), None()
			continue
		}
		s.Slots.Requests[i], s.Slots.Bytes[i] = Number(is.requests), is.size()
		for class, n := range is.classes {
			classes[class][i] = n
		}
		s.Slots.P50[i], s.Slots.P95[i], s.Slots.P99[i] = shown(&is.times, is.greatest)
		all.merge(is)
	}
	s.Total = Total{
		Requests: all.requests, ClientErrors: all.classes[4], ServerErrors: all.classes[5], Bytes: all.bytes,
		Older: f.older, Ahead: f.early,
	}
	s.Total.P50, s.Total.P95, s.Total.P99 = shown(&all.times, all.greatest)
	return s
}

// nothing is 0 if nothing was there, and no number if nobody knows.
func (f *frame) nothing(number int64) Number {
	if f.isObserved(number) {
		return 0
	}
	return None()
}

func (s *slot) size() Number {
	if s.sized == 0 {
		return None()
	}
	return Number(s.bytes)
}

// shown are the percentiles that are shown.
func shown(times *[rollup.Buckets]uint32, greatest int64) (p50, p95, p99 Number) {
	var all [3]Number
	percentiles(times, greatest, quantiles[:], all[:])
	return all[0], all[1], all[2]
}
