package write_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/write"
)

// keeping is a server that keeps points for some time.
func keeping(t *testing.T, kept *time.Duration) *server {
	t.Helper()
	s := newServer(t)
	s.answers = func(points []int, _ string) error {
		tooOld := false
		for _, n := range points {
			if *kept > 0 && minutes(n).Before(time.Now().Add(-*kept)) {
				tooOld = true
			} else {
				s.stored[n] = true
			}
		}
		if tooOld {
			return answer(400, "partial write: points beyond retention policy dropped=0")
		}
		return nil
	}
	return s
}

var stampsBegin = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // when the clock of a bubble begins

// minutes is the time of a point: one a minute.
func minutes(n int) time.Time { return stampsBegin.Add(time.Duration(n) * time.Minute) }

func upTo(n int) (all []int) {
	for i := 1; i <= n; i++ {
		all = append(all, i)
	}
	return all
}

// Lines older than the retention policy are rejected without being sent.
func TestExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept, asked := 24*time.Hour, 0
		s := keeping(t, &kept)
		b := start(t, write.Config{BatchPoints: 1000}, sink{write: s.write, retention: func(context.Context) (influx.Window, error) {
			asked++
			return influx.Window{Past: kept}, nil
		}}, &rejectFile{})
		b.stamp = func(n int) int64 { return minutes(n).UnixNano() }
		time.Sleep(7*24*time.Hour + 30*time.Second)
		now := int(time.Since(stampsBegin) / time.Minute)
		for b.numPoints < now {
			b.send(points(1000))
		}
		began := time.Now()
		b.finish()
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("the backlog took %s", took)
		}
		s.check(b, upTo(now-24*60)...)
		if asked != 2 { // at the start, and a week later
			t.Errorf("asked %d times how long points are kept", asked)
		}
		for i, n := range s.sizes {
			if n == 1 {
				t.Errorf("request %d of %d has one point", i, len(s.sizes))
			}
		}
		if reasons := b.stats.Snapshot(time.Now()).RejectedReasons; len(reasons) != 1 || reasons["expired"] != int64(now-24*60) {
			t.Errorf("reasons are %v", reasons)
		}
	})
}

// A line that is far older than those around it is found, too, if by trying.
func TestExpiredOutOfOrder(t *testing.T) {
	for _, old := range []int{1, 2, 57, 500, 999, 1000} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			s.answers = func(points []int, _ string) error {
				for _, n := range points {
					s.stored[n] = n != old
				}
				if slices.Contains(points, old) {
					return answer(400, "partial write: points beyond retention policy dropped=1")
				}
				return nil
			}
			b := start(t, write.Config{BatchPoints: 1000}, sink{write: s.write, retention: func(context.Context) (influx.Window, error) {
				return influx.Window{Past: 24 * time.Hour}, nil
			}}, &rejectFile{})
			time.Sleep(48 * time.Hour) // the last of those minutes is older than the policy keeps, too
			now := time.Now().UnixNano()
			b.stamp = func(n int) int64 {
				if n == old {
					return minutes(n).UnixNano()
				}
				return now + int64(n)
			}
			b.send(points(1000))
			b.finish()
			s.check(b, old)
			if len(s.sizes) > 25 || b.rejects.entries[0].Reason != "expired" {
				t.Errorf("line %d of 1000: %d requests, rejected %q", old, len(s.sizes), b.rejects.shown())
			}
		})
	}
}

// Where it may not be asked for, lines that are too old are found, soon.
func TestExpiredUnasked(t *testing.T) {
	for _, old := range []int{1, 2, 500, 999, 1000} {
		synctest.Test(t, func(t *testing.T) {
			kept := 24 * time.Hour
			s := keeping(t, &kept)
			b := start(t, write.Config{BatchPoints: 1000}, sink{write: s.write, retention: func(context.Context) (influx.Window, error) {
				return influx.Window{}, errors.New("no right")
			}}, &rejectFile{})
			b.stamp = func(n int) int64 { return minutes(n).UnixNano() }
			time.Sleep(time.Duration(old)*time.Minute + kept + 30*time.Second)
			b.send(points(1000))
			b.finish()
			s.check(b, upTo(old)...)
			if len(s.sizes) > 25 {
				t.Errorf("with %d of 1000 too old %d requests were sent", old, len(s.sizes))
			}
			if n := b.log.count("cannot read the retention policy; lines that are too old are found by sending them"); n != 1 {
				t.Errorf("told %d times", n)
			}
		})
	}
}

// The policy is asked for again when an hour is over.
func TestRetentionChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept time.Duration // for ever
		s := keeping(t, &kept)
		b := start(t, write.Config{BatchPoints: 1}, sink{write: s.write, retention: func(context.Context) (influx.Window, error) {
			return influx.Window{Past: kept}, nil
		}}, &rejectFile{})
		b.stamp = func(n int) int64 { return minutes(n).UnixNano() }
		send := func() (requests int) {
			before := len(s.sizes)
			b.send("p")
			synctest.Wait()
			return len(s.sizes) - before
		}
		time.Sleep(2 * time.Hour)
		send() // is kept
		kept = time.Hour
		if n := send(); n != 1 {
			t.Errorf("%d requests, want 1, which is refused", n)
		}
		time.Sleep(time.Hour)
		if n := send(); n != 0 {
			t.Errorf("%d requests with a line that is known to be too old", n)
		}
		b.finish()
		s.check(b, 2, 3)
	})
}

// A month-old point among new ones is expired whether others are refused or not,
// and never counts for on_reject: hold.
func TestExpiredIsNoReasonToHold(t *testing.T) {
	for _, known := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			kept := time.Hour
			s := keeping(t, &kept)
			b := start(t, write.Config{BatchPoints: 100, Hold: func() bool { return true }}, sink{write: s.write, retention: func(context.Context) (influx.Window, error) {
				if known {
					return influx.Window{Past: kept}, nil
				}
				return influx.Window{}, errAway
			}}, &rejectFile{})
			b.stamp = func(n int) int64 { return minutes(n).UnixNano() }
			time.Sleep(24*time.Hour + 30*time.Second)
			b.send(points(200))
			b.finish()
			s.check(b, upTo(200)...)
			if b.log.count(outageBegins) != 0 || b.log.count(holding) != 0 {
				t.Error("it was said to be an outage")
			}
		})
	}
}
