package stats

import "time"

// Rates are means per second over the last whole seconds.
type Rates struct{ Over1s, Over10s, Over60s float64 }

const rateSeconds = 64 // a power of two above 60

// rate counts lines and bytes in each second of Unix time.
type rate struct {
	buckets [rateSeconds]struct{ second, lines, bytes int64 }
}

func (r *rate) add(now time.Time, lines, bytes int64) {
	second := now.Unix()
	b := &r.buckets[second&(rateSeconds-1)]
	if b.second != second {
		b.second, b.lines, b.bytes = second, 0, 0
	}
	b.lines += lines
	b.bytes += bytes
}

// over returns the means over the last whole seconds before now. While the
// process is younger than a window, the window is as long as the process has run.
func (r *rate) over(now, started time.Time) (lines, bytes Rates) {
	mean := func(seconds int64) (l, b float64) {
		last := now.Unix() - 1
		seconds = max(1, min(seconds, last-started.Unix()+1))
		var sumLines, sumBytes int64
		for second := last - seconds + 1; second <= last; second++ {
			if bucket := r.buckets[second&(rateSeconds-1)]; bucket.second == second {
				sumLines += bucket.lines
				sumBytes += bucket.bytes
			}
		}
		return float64(sumLines) / float64(seconds), float64(sumBytes) / float64(seconds)
	}
	lines.Over1s, bytes.Over1s = mean(1)
	lines.Over10s, bytes.Over10s = mean(10)
	lines.Over60s, bytes.Over60s = mean(60)
	return lines, bytes
}
