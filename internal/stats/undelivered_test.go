package stats_test

import (
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/stats"
)

// The age is that of the oldest line that is not settled.
func TestUndelivered(t *testing.T) {
	s := stats.New(began)
	check := func(at, want float64) {
		t.Helper()
		got := s.Snapshot(after(at)).Undelivered.Seconds()
		if got < want || got > want*1.01+0.11 {
			t.Errorf("after %v s it is %v s, want %v", at, got, want)
		}
	}
	check(5, 0)
	s.Read(after(10), 100, 1000)
	s.Read(after(10.05), 100, 1000)
	s.Read(after(12), 50, 500)
	check(16, 6)
	s.Settled(199)
	check(17, 7)
	s.Settled(1)
	check(18, 6)
	s.Settled(50)
	check(19, 0)
	s.Read(after(20), 10, 100)
	s.Read(after(20), -10, -100) // nobody took them
	check(30, 0)
	s.Read(after(40), 1, 10)
	check(43, 3)
	s.Settled(1)
	check(50, 0)
	// A clock that was set back.
	s.Read(after(60), 1, 10)
	check(30, 0)
	s.Settled(1)
	// During a long outage, a line now and then.
	for i := range 10_000 {
		s.Read(after(100+float64(i)), 1, 10)
	}
	check(10_100, 10_000)
	s.Settled(5_000)
	if got := s.Snapshot(after(10_100)).Undelivered; got < 5_000*time.Second || got > 5_020*time.Second {
		t.Errorf("half of them are delivered, and it is %v, want 5000 s", got)
	}
	s.Settled(5_000)
	check(20_000, 0)
}
