package rollup

import (
	"math"
)

// Buckets is the number of buckets of a time, with the one for all that is longer. The
// scale is fixed: points of years are added up by it. docs/rollups.md has it as a table.
const Buckets = 63

// Upper is the upper bound of a bucket in microseconds, which the bucket includes: a fifth
// more than that of the one before. The first holds all up to 1 ms; the last has no bound,
// and returns 0.
func Upper(bucket int) (microseconds int64) {
	if bucket == Buckets-1 {
		return 0
	}
	return bounds[bucket]
}

// bounds are the upper ones in microseconds, with which each begins a fifth above the one
// before, rounded down.
var bounds = func() (b [Buckets - 1]int64) {
	b[0] = 1000
	for i := range len(b) - 1 {
		b[i+1] = b[i] * 6 / 5
	}
	return b
}()

// A time is looked up in one of two tables: up to a second each millisecond has its bucket.
// Above, buckets are wider than a step, so a step has at most one bound in it.
const (
	fineEnd = 1024
	step    = 64
)

var (
	whole  = wholeBounds()
	fine   = table(fineEnd, 1)
	coarse = table(1<<16/step, step)
)

// table has the buckets of so many times, each a step after the one before.
func table(n, step int64) []uint8 {
	buckets := make([]uint8, n)
	b := 0
	for i := range buckets {
		for int64(i)*step > whole[b] {
			b++
		}
		buckets[i] = uint8(b)
	}
	return buckets
}

// wholeBounds are the last whole milliseconds of the buckets.
func wholeBounds() (ms [Buckets]int64) {
	for i := range bounds {
		ms[i] = bounds[i] / 1000
	}
	ms[Buckets-1] = math.MaxInt64
	return ms
}

// Bucket is the bucket of a time in whole milliseconds, which is not negative.
func Bucket(ms int64) int {
	switch {
	case ms < fineEnd:
		return int(fine[ms])
	case ms < 1<<16:
		b := int(coarse[ms/step])
		if ms > whole[b] {
			b++
		}
		return b
	case ms <= whole[Buckets-2]:
		return Buckets - 2
	default:
		return Buckets - 1
	}
}
