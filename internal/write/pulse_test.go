package write_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/write"
)

// The watchdog of these tests waits for a minute; a request may last 10 s, and so may
// the pause after it, and lines wait a second for others: something must move within
// patience, and the watchdog barks a minute after it was last told so.
const (
	minute   = time.Minute
	patience = minute + 10*time.Second + 10*time.Second + time.Second
)

// dog is a watchdog that notes how long it was ever left alone.
type dog struct {
	heard   atomic.Int64 // since start
	longest atomic.Int64
	start   time.Time
	every   time.Duration
}

func (d *dog) config(every time.Duration) write.Config {
	d.start, d.every = time.Now(), every
	return write.Config{BatchPoints: 10, Timeout: 10 * time.Second, Watchdog: write.Watchdog{Every: every, Alive: d.alive}}
}

func (d *dog) alive() {
	now := int64(time.Since(d.start))
	d.longest.Store(max(d.longest.Load(), now-d.heard.Load()))
	d.heard.Store(now)
}

// barks reports whether it would have ended the process by now.
func (d *dog) barks() bool {
	return time.Duration(d.longest.Load()) >= d.every || time.Since(d.start)-time.Duration(d.heard.Load()) >= d.every
}

// sleep is a time in which the reader looks at its logs, as it always does.
func (b *bench) sleep(d time.Duration) {
	for until := time.Now().Add(d); time.Now().Before(until); time.Sleep(250 * time.Millisecond) {
		b.stats.Looked(time.Now())
	}
}

// waiting is a reason for which nothing moves.
type waiting struct {
	name  string
	sink  sink
	lines string
	full  bool // the disk of the reject file
	flush time.Duration
}

// While the pipeline waits for a reason, for ever if need be, the watchdog hears that
// all is well, however short its time is.
func TestWatchdogHearsOfWaiting(t *testing.T) {
	away := sink{
		write: func(context.Context, string) error { return errAway },
		probe: func(context.Context) error { return errAway },
	}
	unprepared := sink{prepare: func(context.Context) error { return errAway }}
	silent := sink{write: func(context.Context, string) error {
		time.Sleep(10 * time.Second)
		return context.DeadlineExceeded
	}}
	for _, w := range []waiting{
		{name: "quiet log"},
		{name: "InfluxDB away", sink: away, lines: points(3)},
		{name: "InfluxDB away, nothing more fits", sink: away, lines: points(50)},
		{name: "InfluxDB away, no line", sink: away},
		{name: "InfluxDB away from the start", sink: unprepared, lines: points(3)},
		{name: "InfluxDB away from the start, no line", sink: unprepared},
		{name: "InfluxDB does not answer in time", sink: silent, lines: points(3)},
		{name: "reject file's disk full", lines: "xxx", full: true},
		{name: "reject file's disk full, InfluxDB away", sink: away, lines: "pxx", full: true},
		{name: "lines wait long for others", lines: points(3), flush: 10 * time.Minute},
	} {
		t.Run(w.name, func(t *testing.T) {
			for _, every := range []time.Duration{3 * time.Second, minute} {
				synctest.Test(t, func(t *testing.T) { w.check(t, every) })
			}
		})
	}
}

func (w waiting) check(t *testing.T, every time.Duration) {
	var d dog
	c := d.config(every)
	c.FlushInterval = w.flush
	rj := &rejectFile{}
	if w.full {
		rj.fail = func() error { return errors.New("no space left on device") }
	}
	b := start(t, c, w.sink, rj)
	for rest := w.lines; rest != ""; {
		n := min(len(rest), 10)
		if !b.offer(b.batch(rest[:n])) {
			break
		}
		rest = rest[n:]
	}
	b.sleep(10 * minute)
	if d.barks() {
		t.Errorf("every %v: it was left alone for %v, and now for %v", every, time.Duration(d.longest.Load()), time.Since(d.start)-time.Duration(d.heard.Load()))
	}
	b.cancel()
	<-b.ended
}

// A stage hangs: nothing has moved for patience, and the watchdog is left alone.
func TestWatchdogIsLeftAlone(t *testing.T) {
	for _, tt := range []struct {
		name  string
		hangs string // the sink's method
		stuck func(b *bench)
	}{
		{name: "parse holds a chunk", stuck: func(b *bench) {
			b.stats.Read(time.Now(), 5, 500)
			b.stats.Parsing(5, 500)
		}},
		{name: "parse holds a chunk, and the next ones wait", stuck: func(b *bench) {
			b.stats.Read(time.Now(), 5, 500)
			b.stats.Parsing(5, 500)
			b.stats.Read(time.Now(), 7, 700)
		}},
		{name: "parse takes no chunk", stuck: func(b *bench) { b.stats.Read(time.Now(), 5, 500) }},
		{name: "the only request", hangs: "write", stuck: func(b *bench) { b.send(points(3)) }},
		{name: "the second request", hangs: "second write", stuck: func(b *bench) {
			b.send(points(10))
			b.send(points(3))
		}},
		{name: "preparing InfluxDB", hangs: "prepare", stuck: func(*bench) {}},
		{name: "the reject file", hangs: "rejects", stuck: func(b *bench) { b.send("xxx") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hang, n := make(chan struct{}), atomic.Int64{}
				hangs := func(what string) error {
					if tt.hangs == what || tt.hangs == "second "+what && n.Add(1) > 1 {
						<-hang
					}
					return nil
				}
				var d dog
				b := start(t, d.config(minute), sink{
					write:   func(context.Context, string) error { return hangs("write") },
					prepare: func(context.Context) error { return hangs("prepare") },
				}, &rejectFile{fail: func() error { return hangs("rejects") }})
				if tt.hangs != "prepare" {
					b.sleep(10 * minute) // all is well
					if d.barks() {
						t.Error("it was left alone although all was well")
					}
				}
				tt.stuck(b)
				b.sleep(patience + minute + minute/3) // what is left of its own time, too
				if !d.barks() {
					t.Errorf("it heard that all is well %v ago", time.Since(d.start)-time.Duration(d.heard.Load()))
				}
				close(hang)
				b.cancel()
				<-b.ended
			})
		})
	}
}

// What lasts long is no reason, if it goes on: one request after the other of lines that
// are refused one by one.
func TestWatchdogHearsOfSlowWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d dog
		s := newServer(t, 3, 5, 8)
		b := start(t, d.config(minute), sink{write: func(ctx context.Context, body string) error {
			time.Sleep(9 * time.Second)
			return s.write(ctx, body)
		}}, &rejectFile{})
		b.send(points(10))
		b.sleep(10 * minute)
		if d.barks() {
			t.Error("it was left alone")
		}
		b.finish()
		s.check(b, 3, 5, 8)
	})
}

// The reader looks at its logs all the time. A look may last, while a file is unpacked,
// also with lines in its hands that it has counted; but not for ever.
func TestWatchdogAndTheReader(t *testing.T) {
	for _, lines := range []int64{0, 5} {
		synctest.Test(t, func(t *testing.T) {
			var d dog
			b := start(t, d.config(minute), sink{}, &rejectFile{})
			b.sleep(10 * minute)
			b.stats.Read(time.Now(), lines, 500)
			time.Sleep(9 * minute)
			if d.barks() {
				t.Errorf("with %d lines: it was left alone after nine minutes", lines)
			}
			time.Sleep(3 * minute)
			if !d.barks() {
				t.Errorf("with %d lines: it was not left alone after twelve minutes", lines)
			}
			b.cancel()
			<-b.ended
		})
	}
}

// Parse hangs with a chunk, and the reader is looking for long.
func TestWatchdogIsLeftAloneDuringALook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d dog
		b := start(t, d.config(minute), sink{}, &rejectFile{})
		b.sleep(minute)
		b.stats.Read(time.Now(), 5, 500)
		b.stats.Parsing(5, 500)
		time.Sleep(patience + minute + minute/3)
		if !d.barks() {
			t.Error("it heard that all is well")
		}
		b.cancel()
		<-b.ended
	})
}

// A reader that has ended does not look: what it has read is still delivered.
func TestWatchdogAfterTheReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d dog
		b := start(t, d.config(minute), sink{write: func(context.Context, string) error { return errAway }}, &rejectFile{})
		b.send(points(3))
		b.sleep(minute)
		b.stats.Looked(time.Time{})
		time.Sleep(30 * minute)
		if d.barks() {
			t.Error("it was left alone")
		}
		b.cancel()
		<-b.ended
	})
}
