package rollup_test

import (
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/rollup"
)

// The number of a line is known from a stamp, whatever the window, and whether it is between
// two others, around the second after which numbers begin anew.
func TestNumberInStamps(t *testing.T) {
	const second = int64(time.Second)
	for _, interval := range []time.Duration{time.Second, 10 * time.Second, time.Minute, 24 * time.Hour} {
		d := rollup.Definition{Interval: interval}
		window := int64(interval) * 1000
		for _, number := range []int64{1, 2, 500_000, second - 1, second, second + 1, 7*second + 5} {
			if got := d.Number(window + number%second); got != number%second || d.Window(window+number%second) != window {
				t.Errorf("%s: Number = %d, Window = %d; want %d, %d", interval, got, d.Window(window+number%second), number%second, window)
			}
		}
	}
	for _, tt := range []struct {
		number, from, to int64
		want             bool
	}{
		{5, 5, 6, true},
		{5, 6, 7, false},
		{5, 4, 5, false},
		{5, 5, 5, false},
		{5, second + 5, second + 6, true},
		{second - 1, second - 1, second + 1, true},
		{0, second - 1, second + 1, true},
		{1, second - 1, second + 1, false},
		{5, 0, 1 << 62, true},
	} {
		if got := rollup.Between(tt.number, tt.from, tt.to); got != tt.want {
			t.Errorf("Between(%d, %d, %d) = %t", tt.number, tt.from, tt.to, got)
		}
	}
	for _, number := range []int64{1, 1000, second / 2, second - 1, 3*second + 7} {
		of := rollup.Redelivered(number)
		if of < 0 || of >= second || rollup.Redelivered(of) != number%second || rollup.Between(of, number-1e8, number+1e8) {
			t.Errorf("Redelivered(%d) = %d", number, of)
		}
	}
}
