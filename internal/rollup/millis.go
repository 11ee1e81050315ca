package rollup

import (
	"bytes"
	"strconv"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
)

// In a store that keeps milliseconds, and overwrites nothing, the stamps of two cuts of one
// window must differ by whole ones, and each has a window of interval/1ms of them:
//
//	begin                    middle                    end
//	  │ 1 … of followed logs │ … of imported ones        │
//
// A followed log counts its cuts, and begins anew after half a window. For an imported one,
// which must get the same stamps from wherever it is imported, the first line tells. No cut has
// the begin itself as its stamp: MetricsQL counts that with the window before.

// middle is the first one of imports.
func middle(interval time.Duration) int64 { return interval.Milliseconds() / 2 }

// millis is what a new intent gets.
func (b *Book) millis(i Intent, interval time.Duration) int64 {
	middle := middle(interval)
	if i.Generation < 0 {
		return middle + i.Begin%middle
	}
	return b.last[i.line()].Millis%(middle-1) + 1
}

// clash reports whether two cuts of an imported file that begin at these lines have the same
// stamps.
func clash(a, b int64, interval time.Duration) bool { return (a-b)%middle(interval) == 0 }

// Restamp gives deltas of a cut the stamps that [Book.Register] said. 0 leaves them as they
// are. Points of zeros keep theirs: they add nothing, however often they are there.
func Restamp(deltas []byte, c *flow.Cut, millis int64) {
	if millis == 0 {
		return
	}
	for len(deltas) > 0 {
		end := bytes.IndexByte(deltas, '\n')
		digits := deltas[bytes.LastIndexByte(deltas[:end], ' ')+1 : end]
		at, err := strconv.ParseInt(string(digits), 10, 64)
		if text := strconv.FormatInt(at-at%int64(c.Interval)+millis*1e6, 10); err == nil && len(text) == len(digits) &&
			!IsZeros(deltas[:end]) { // which differ around one window of 2001
			copy(digits, text)
		}
		deltas = deltas[end+1:]
	}
}
