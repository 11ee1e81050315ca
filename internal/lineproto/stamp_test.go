package lineproto_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/tailflux/tailflux/internal/lineproto"
)

// What tells by its digits alone whether a point is too old says the same as its
// time does.
func FuzzOlderThan(f *testing.F) {
	for _, at := range []int64{0, 1, -1, 1e18 - 1, 1e18, 1e18 + 1, 946_684_800e9, 1_795_168_800_000_000_007, math.MaxInt64, math.MinInt64} {
		for _, since := range []int64{at - 1, at, at + 1, 0, 1e18, 1_795_168_800_000_000_000} {
			f.Add("m,a=b v=1i", at, since)
		}
	}
	f.Add("m v=1i,t=\"1795168800000000000\"", int64(7), int64(8))
	f.Add("", int64(1e18), int64(2e18))
	f.Fuzz(func(t *testing.T, before string, at, since int64) {
		text := fmt.Appendf(nil, "%s %d\n", before, at)
		if got, ok := lineproto.Stamp(text); got != at || !ok {
			t.Errorf("Stamp(%q) = %d, %t", text, got, ok)
		}
		if got := lineproto.OlderThan(since)(text); got != (at < since) {
			t.Errorf("OlderThan(%d)(%q) = %t", since, text, got)
		}
	})
}
