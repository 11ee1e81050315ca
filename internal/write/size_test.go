package write_test

import (
	"context"
	"strings"
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
		time.Sleep(time.Minute)
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

// A single line that is too large is rejected; the others are not.
func TestOneLineIsTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.answers = func(_ []int, body string) error {
			if strings.Contains(body, "v=77i") {
				return answer(413, "")
			}
			return nil
		}
		b := start(t, write.Config{BatchPoints: 100}, sink{write: s.write}, &rejectFile{})
		b.send(points(200))
		b.finish()
		s.check(b, 77)
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
