package write_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/write"
)

// Whether points could be written is known without a line: from the start, and within
// seconds of a change.
func TestUpWithoutALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var away, refusing atomic.Bool
		away.Store(true)
		var probes atomic.Int64
		b := start(t, write.Config{BatchPoints: 10}, sink{
			probe: func(context.Context) error {
				probes.Add(1)
				if away.Load() {
					return errAway
				}
				return nil
			},
			write: func(context.Context, string) error {
				if refusing.Load() {
					return errAway
				}
				return nil
			},
		}, &rejectFile{})
		check := func(what string, up bool) {
			t.Helper()
			synctest.Wait()
			if db := b.stats.Snapshot(time.Now()).InfluxDB; db.Up != up || !up && db.LastError != errAway.Error() {
				t.Errorf("%s: %+v, want up %t", what, db, up)
			}
		}
		check("at the start", false)
		away.Store(false)
		time.Sleep(time.Second)
		check("it answers", true)
		away.Store(true)
		time.Sleep(11 * time.Second)
		check("it is gone", false)
		if n := b.log.count(outageBegins); n != 2 {
			t.Errorf("%d outages were logged, want 2", n)
		}
		away.Store(false)
		time.Sleep(time.Second)
		check("it is there again", true)
		// Answers about points are as good as any: nothing else is asked.
		before := probes.Load()
		for range 60 {
			b.send("p")
			time.Sleep(time.Second)
		}
		if n := probes.Load() - before; n > 1 {
			t.Errorf("it was asked %d times while points were written", n)
		}
		// A server that takes points and refuses to be asked is up.
		away.Store(true)
		for range 30 {
			b.send("p")
			time.Sleep(time.Second)
		}
		check("points are written", true)
		refusing.Store(true)
		b.send("p")
		time.Sleep(5 * time.Second)
		check("requests fail", false)
		away.Store(false)
		refusing.Store(false)
		time.Sleep(20 * time.Second)
		check("at the end", true)
		b.finish()
	})
}
