package write_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/write"
)

const holding = "influxdb refuses most points of a batch; holding them and retrying, reading is paused (on_reject: hold)"

// on_reject: hold: more than half of a batch is refused. Nothing is rejected until
// InfluxDB takes them, and then everything is stored.
func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.types = "wrong"
		b := start(t, write.Config{BatchPoints: 10, Hold: func() bool { return true }}, sink{write: s.write}, &rejectFile{})
		b.send(points(9) + "xp" + points(3))
		time.Sleep(time.Hour)
		if line, _, _ := b.acks.state(); line != 0 || b.rejects.shown() != "" {
			t.Errorf("line %d is acknowledged, rejected are %q", line, b.rejects.shown())
		}
		db := b.stats.Snapshot(time.Now()).InfluxDB
		if db.Up || !strings.Contains(db.LastError, "on_reject: hold") || !strings.Contains(db.LastError, "field type conflict") {
			t.Errorf("InfluxDB is %+v", db)
		}
		if n, m := b.log.count(holding), b.log.count(outageBegins); n != 1 || m != 0 {
			t.Errorf("said %d times that it holds, %d times that it is away", n, m)
		}
		synctest.Wait()
		if n := len(s.at); n > 3600 { // two requests, each every 5 to 10 s
			t.Errorf("%d requests were sent in an hour", n)
		}
		s.mu.Lock()
		s.types = "right"
		s.wrong[2], s.wrong[3] = true, true // not more than half
		s.mu.Unlock()
		b.finish()
		s.check(b, 2, 3)
		if b.log.count(outageEnds) != 1 {
			t.Error("that it is over was not said once")
		}
	})
}

// Half of a batch, and not more, is rejected.
func TestHalfIsNotHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, 1, 3, 5, 8)
		b := start(t, write.Config{BatchPoints: 8, Hold: func() bool { return true }}, sink{write: s.write}, &rejectFile{})
		b.send(points(8))
		b.finish()
		s.check(b, 1, 3, 5, 8)
		if b.log.count(holding) != 0 {
			t.Error("it was held")
		}
	})
}

// on_reject: file: a batch that is refused as a whole is rejected, with an answer
// about each line.
func TestAllRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.types = "wrong"
		b := start(t, write.Config{BatchPoints: 50}, sink{write: s.write}, &rejectFile{})
		b.send(points(100))
		b.finish()
		s.check(b, upTo(100)...)
	})
}
