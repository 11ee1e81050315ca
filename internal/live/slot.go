package live

import (
	"github.com/tailflux/tailflux/internal/rollup"
)

// slot is what is counted of the requests of some seconds of the log's time.
type slot struct {
	number   int64 // its begin, in steps since 1970; never: there is nothing in it
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

// percentiles sets those at the quantiles, in seconds, of times of which the longest is known
// in milliseconds.
func percentiles(times *[rollup.Buckets]uint32, greatest int64, quantiles []float64, to []Number) {
	var ms [3]float64
	ok := rollup.Percentiles(times, greatest, quantiles, ms[:])
	for i := range to {
		if to[i] = None(); ok {
			to[i] = Number(ms[i] / 1000)
		}
	}
}

// quantiles are those that are shown.
var quantiles = [3]float64{0.50, 0.95, 0.99}
