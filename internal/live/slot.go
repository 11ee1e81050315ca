package live

import (
	"math"

	"github.com/tailflux/tailflux/internal/rollup"
)

// slot is what is counted of the requests of some seconds of the log's time.
type slot struct {
	number   int64 // its begin, in steps since 1970; 0: there is nothing in it
	requests int64
	bytes    int64
	sized    int64                  // requests that have a size
	classes  [numClasses]int64      // of status
	greatest int64                  // time in milliseconds
	times    [rollup.Buckets]uint32 // of requests that have a time
}

// Classes of status: that of another status is the first one.
const numClasses = 6

var classNames = [numClasses]string{"other", "1xx", "2xx", "3xx", "4xx", "5xx"}

// add adds a request; ms is -1 without a time, bytes without a size.
func (s *slot) add(class int, ms, bytes int64) {
	s.requests++
	s.classes[class]++
	if bytes >= 0 {
		s.bytes += bytes
		s.sized++
	}
	if ms >= 0 {
		s.times[rollup.Bucket(ms)]++
		s.greatest = max(s.greatest, ms)
	}
}

// merge adds what is in another one.
func (s *slot) merge(o *slot) {
	s.requests += o.requests
	s.bytes += o.bytes
	s.sized += o.sized
	for i, n := range o.classes {
		s.classes[i] += n
	}
	for i, n := range o.times {
		s.times[i] += n
	}
	s.greatest = max(s.greatest, o.greatest)
}

// widths are how many whole milliseconds a bucket can hold; of the last one it is up to the
// longest time.
var widths = func() (w [rollup.Buckets]float64) {
	last := int64(-1)
	for i := range rollup.Buckets - 1 {
		ms := rollup.Upper(i) / 1000
		w[i] = float64(ms - last)
		last = ms
	}
	return w
}()

// lastBound is the last millisecond of the last bucket but one.
var lastBound = rollup.Upper(rollup.Buckets-2) / 1000

// percentiles sets those at the quantiles, in seconds, of times of which the longest is known
// in milliseconds. They are worked out as InfluxDB does for tailflux query: package query
// says how.
func percentiles(times *[rollup.Buckets]uint32, greatest int64, quantiles []float64, to []Number) {
	total := 0.0
	for _, n := range times {
		total += float64(n)
	}
	for i, q := range quantiles {
		if to[i] = None(); total > 0 {
			to[i] = Number(min(walk(times, greatest, q*total), float64(greatest)) / 1000)
		}
	}
}

// walk is the time with a rank, in milliseconds.
func walk(times *[rollup.Buckets]uint32, greatest int64, rank float64) float64 {
	passed, before := 0.0, 0.0
	for i, n := range times {
		if rank <= before {
			break
		}
		width := widths[i]
		if i == rollup.Buckets-1 {
			width = float64(greatest - lastBound)
		}
		passed += width * min(1, (rank-before)/(float64(n)+0.001))
		before += float64(n)
	}
	return math.Ceil(passed-0.005) - 1
}

// quantiles are those that are shown.
var quantiles = []float64{0.50, 0.95, 0.99}
