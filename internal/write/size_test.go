package write_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/write"
)

const tooLarge = "influxdb refuses requests of this size; sending smaller ones"

// 413: half as much at once, and the size is remembered.
func TestTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 1000 // bytes
		s := newServer(t)
		tooLarges := 0
		s.answers = func(_ []int, body string) error {
			if len(body) > most {
				tooLarges++
				return answer(413, "Request Entity Too Large")
			}
			return nil
		}
		b := start(t, write.Config{BatchPoints: 1000, InFlight: 1}, sink{write: s.write}, &rejectFile{})
		b.send(points(1000))
		time.Sleep(20 * time.Second)
		synctest.Wait()
		first := tooLarges
		if first < 3 || first > 6 {
			t.Errorf("%d requests were too large", first)
		}
		if told := b.log.count(tooLarge); told != first {
			t.Errorf("told %d times, want %d", told, first)
		}
		b.send(points(5000))
		b.finish()
		if tooLarges != first {
			t.Errorf("%d requests more were too large: the size was not remembered", tooLarges-first)
		}
		s.check(b)
		if b.log.count(outageBegins) != 0 {
			t.Error("it was said to be an outage")
		}
		if len(s.sizes) > 200 { // of about 60 points of 9 bytes
			t.Errorf("%d requests for 6,000 points: far fewer points than would fit", len(s.sizes))
		}
	})
}

// It is tried now and then whether more is taken by now.
func TestNoLongerTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		var most atomic.Int64
		most.Store(1000)
		tooLarges := 0
		s.answers = func(_ []int, body string) error {
			if int64(len(body)) > most.Load() {
				tooLarges++
				return answer(413, "Request Entity Too Large")
			}
			return nil
		}
		b := start(t, write.Config{BatchPoints: 1000, InFlight: 1}, sink{write: s.write}, &rejectFile{})
		hours := func(n int) {
			for range n * 12 {
				b.send(points(400))
				time.Sleep(5 * time.Minute)
			}
			synctest.Wait()
		}
		hours(1)
		told := b.log.count(tooLarge) // while it is found out
		hours(23)
		if tooLarges > 40 || b.log.count(tooLarge) != told {
			t.Errorf("in a day %d requests were too large, and %d times it was said, %d at first", tooLarges, b.log.count(tooLarge), told)
		}
		most.Store(1 << 20)
		hours(48)
		s.sizes = nil
		b.send(points(400))
		b.finish()
		if len(s.sizes) > 1 {
			t.Errorf("400 points go in %d requests, and nothing is too large for two days", len(s.sizes))
		}
	})
}

// Next to nothing is too large for a while: client_max_body_size 100, where 100m was meant. That
// is about no line.
func TestNothingIsSmallEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		var most atomic.Int64
		most.Store(5)
		s.answers = func(_ []int, body string) error {
			if int64(len(body)) > most.Load() {
				return answer(413, "Request Entity Too Large")
			}
			return nil
		}
		b := start(t, write.Config{BatchPoints: 1000, InFlight: 1}, sink{write: s.write}, &rejectFile{})
		b.send(points(1000))
		time.Sleep(time.Minute)
		synctest.Wait()
		if b.log.count(outageBegins) != 1 || b.books().Rejected != 0 {
			t.Errorf("%d outages, %+v, want one, and nothing rejected", b.log.count(outageBegins), b.books())
		}
		most.Store(1 << 20)
		began := time.Now()
		for range 60 {
			b.send(points(1000))
		}
		b.finish()
		s.check(b)
		if took := time.Since(began); took > 15*time.Second || len(s.sizes) > 200 {
			t.Errorf("after that 61,000 points took %s and %d requests", took, len(s.sizes))
		}
	})
}

// A single line that is too large is rejected; the others are not.
func TestOneLineIsTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.answers = func(_ []int, body string) error {
			if len(body) > 5000 {
				return answer(413, "")
			}
			return nil
		}
		b := start(t, write.Config{BatchPoints: 100}, sink{write: s.write}, &rejectFile{})
		b.text = func(n int) string {
			if n == 77 {
				return fmt.Sprintf("m v=77i,long=%q", strings.Repeat("x", 6000))
			}
			return fmt.Sprintf("m v=%di", n)
		}
		b.send(points(200))
		b.finish()
		s.check(b, 77)
		if got := b.stats.Snapshot(time.Now()).RejectedReasons; got["refused: too large"] != 1 {
			t.Errorf("reasons are %v", got)
		}
	})
}

// A link that carries some bytes a second: what is too much for the time-out is
// sent in smaller requests.
func TestSlowLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const bytesInTime = 1000
		s := newServer(t)
		late := 0
		s.answers = func(_ []int, body string) error {
			if len(body) > bytesInTime {
				late++
				time.Sleep(10 * time.Second)
				return lateError{}
			}
			time.Sleep(time.Duration(len(body)) * 10 * time.Second / bytesInTime)
			return nil
		}
		b := start(t, write.Config{BatchPoints: 5000, InFlight: 1}, sink{write: s.write}, &rejectFile{})
		b.send(points(5000))
		b.finish()
		s.check(b)
		if late > len(s.sizes)/4 {
			t.Errorf("%d of %d requests were late", late, len(s.sizes))
		}
	})
}

// A server that hung for long: once it answers, requests are soon large again.
func TestLargeAgainAfterHanging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s := newServer(t)
		b := start(t, write.Config{BatchPoints: 5000, InFlight: 2}, sink{write: func(ctx context.Context, body string) error {
			if time.Since(began) < time.Hour {
				time.Sleep(10 * time.Second)
				return lateError{}
			}
			time.Sleep(5 * time.Millisecond)
			return s.write(ctx, body)
		}}, &rejectFile{})
		for range 20 {
			b.send(points(5000))
		}
		back := time.Now()
		b.finish()
		s.check(b)
		if took := time.Since(back); took > 5*time.Second {
			t.Errorf("the backlog took %s", took)
		}
		if last := s.sizes[len(s.sizes)-2:]; last[0] < 5000 && last[1] < 5000 {
			t.Errorf("the last requests have %d points", last)
		}
	})
}
