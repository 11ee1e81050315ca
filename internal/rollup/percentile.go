package rollup

import "math"

// widths are how many whole milliseconds a bucket can hold; of the last one it is up to the
// longest time.
var widths = func() (w [Buckets]float64) {
	last := int64(-1)
	for i := range Buckets - 1 {
		ms := Upper(i) / 1000
		w[i] = float64(ms - last)
		last = ms
	}
	return w
}()

// lastBound is the last millisecond of the last bucket but one.
var lastBound = Upper(Buckets-2) / 1000

// Percentiles sets to those at the quantiles, in milliseconds, of times of which the numbers in
// buckets and the longest are known; ok is false if there are none. They are worked out as
// InfluxDB does for tailflux query: package query says how.
func Percentiles[N uint32 | int64](of *[Buckets]N, longest int64, quantiles, to []float64) (ok bool) {
	total := 0.0
	for _, n := range of {
		total += float64(n)
	}
	if total == 0 {
		return false
	}
	for i, q := range quantiles {
		to[i] = min(walk(of, longest, q*total), float64(longest))
	}
	return true
}

// walk is the time with a rank.
func walk[N uint32 | int64](of *[Buckets]N, longest int64, rank float64) float64 {
	passed, before := 0.0, 0.0
	for i, n := range of {
		if rank <= before {
			break
		}
		width := widths[i]
		if i == Buckets-1 {
			width = float64(longest - lastBound)
		}
		passed += width * min(1, (rank-before)/(float64(n)+0.001))
		before += float64(n)
	}
	return math.Ceil(passed-0.005) - 1
}
