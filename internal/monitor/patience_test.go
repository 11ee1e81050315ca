package monitor_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/monitor"
)

// Some thousand requests a second are answered at once, what is beyond that 20 ms later,
// and after a while all are again.
func TestFloodIsAnsweredLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := monitor.Handler(info, busy())
		took := func(requests int) time.Duration {
			begin := time.Now()
			for range requests {
				if w := get(t, h, "/healthz"); w.Code != 200 {
					t.Errorf("/healthz = %d", w.Code)
				}
			}
			return time.Since(begin)
		}
		if d := took(500); d != 0 {
			t.Errorf("500 requests took %v", d)
		}
		if d := took(3); d != 60*time.Millisecond {
			t.Errorf("three more took %v, want 60ms", d)
		}
		time.Sleep(100 * time.Millisecond)
		if d := took(500); d != 0 {
			t.Errorf("100 ms later 500 took %v", d)
		}
	})
}
