package write_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/write"
)

// Whatever comes, however it is cut, and however often requests and the reject
// file fail: every line has one end, a repeated request is the same request, and
// no line waits longer than it may.
func TestEveryLineHasOneEnd(t *testing.T) {
	for seed := range uint64(200) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runSeed(t, rand.New(rand.NewPCG(seed, 0))) })
		})
		if t.Failed() {
			return
		}
	}
}

func runSeed(t *testing.T, dice *rand.Rand) {
	t.Helper()
	var mu sync.Mutex // of dice, in the sink
	chance := func(percent int) bool {
		mu.Lock()
		defer mu.Unlock()
		return dice.IntN(100) < percent
	}
	c := write.Config{
		BatchPoints:   1 + dice.IntN(12),
		InFlight:      1 + dice.IntN(3),
		FlushInterval: time.Duration(1+dice.IntN(2000)) * time.Millisecond,
	}
	failures := dice.IntN(40) // percent
	slowness := dice.IntN(50)
	got := newDeliveries(t)
	bodies := map[int]string{} // by first point
	s := sink{write: func(_ context.Context, body string) error {
		first := numbers(t, body)[0]
		mu.Lock()
		if before, again := bodies[first]; again && before != body {
			t.Errorf("request %q was sent again as %q", before, body)
		}
		bodies[first] = body
		mu.Unlock()
		for chance(slowness) {
			time.Sleep(100 * time.Millisecond)
		}
		if chance(failures) {
			return errAway
		}
		got.add(body)
		return nil
	}}
	rj := &rejectFile{fail: func() error {
		if chance(failures) {
			return errAway
		}
		return nil
	}}
	b := start(t, c, s, rj)
	var all strings.Builder
	for range dice.IntN(60) {
		mu.Lock()
		kinds := make([]byte, 1+dice.IntN(15))
		for i := range kinds {
			kinds[i] = "ppppppppxxef"[dice.IntN(12)]
		}
		pause := time.Duration(max(0, dice.IntN(1000)-700)) * time.Millisecond
		mu.Unlock()
		all.Write(kinds)
		b.send(string(kinds))
		time.Sleep(pause)
		b.books()
	}
	b.finish()
	if diff := cmp.Diff(newRejects(1, all.String()), rj.shown()); diff != "" {
		t.Errorf("rejects, -want +got:\n%s", diff)
	}
	checkAllOnce(t, got, b.numPoints)
	for _, one := range got.list() {
		if len(one.points) > c.BatchPoints {
			t.Errorf("a request has %d points, may have %d", len(one.points), c.BatchPoints)
		}
	}
	checkEnd(t, b.books(), all.String())
	time.Sleep(time.Second)
	if age := b.stats.Snapshot(time.Now()).Undelivered; age != 0 {
		t.Errorf("at the end a line waits since %s", age)
	}
}

// The age of the oldest line that is not acknowledged, whatever became of the others.
func TestUndelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var back atomic.Bool
		b := start(t, write.Config{BatchPoints: 2}, sink{write: func(context.Context, string) error {
			if !back.Load() {
				return errAway
			}
			return nil
		}}, &rejectFile{})
		check := func(want time.Duration) {
			t.Helper()
			synctest.Wait()
			if got := b.stats.Snapshot(time.Now()).Undelivered; got != want {
				t.Errorf("Undelivered = %s, want %s", got, want)
			}
		}
		check(0)
		b.send("ppxf")
		time.Sleep(4 * time.Second)
		b.send("pxxf")
		time.Sleep(2 * time.Second)
		check(6 * time.Second)
		back.Store(true)
		time.Sleep(20 * time.Second)
		check(0)
		b.finish()
	})
}

// checkEnd checks every term of the books against the lines.
func checkEnd(t *testing.T, books stats.Books, kinds string) {
	t.Helper()
	count := func(kinds string, of ...rune) (n int64) {
		for _, kind := range of {
			n += int64(strings.Count(kinds, string(kind)))
		}
		return n
	}
	want := stats.Books{
		Read:     int64(len(kinds)),
		Written:  count(kinds, point),
		Rejected: count(kinds, noMatch, empty),
		Filtered: count(kinds, filtered),
	}
	if diff := cmp.Diff(want, books); diff != "" {
		t.Errorf("books, -want +got:\n%s", diff)
	}
}

// Snapshots that are taken at any instant, on other processors, balance.
func TestBooksBalanceAlways(t *testing.T) {
	st := stats.New(time.Now())
	f := newFeed(t, st)
	var calls atomic.Int64
	s := sink{write: func(context.Context, string) error {
		if calls.Add(1)%400 == 1 {
			return errAway
		}
		return nil
	}}
	rj := &rejectFile{}
	w := write.New(write.Config{BatchPoints: 50, FlushInterval: time.Second, InFlight: 2}, s, rj, &acks{}, st, slog.New(slog.DiscardHandler))
	in := make(chan flow.Batch, 8)
	over := make(chan struct{})
	var hammer, writer sync.WaitGroup
	snapshots := 0
	hammer.Go(func() {
		for {
			select {
			case <-over:
				return
			default:
				checkBalance(t, st.Snapshot(time.Now()).Books)
				snapshots++
			}
		}
	})
	writer.Go(func() {
		if err := w.Run(t.Context(), in); err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	const kinds = "ppxpfppppppppeppppppppppppppp"
	const times = 2000
	for range times {
		in <- f.batch(kinds)
	}
	close(in)
	writer.Wait()
	close(over)
	hammer.Wait()
	if snapshots < 10 {
		t.Errorf("%d snapshots were taken, too few to prove anything", snapshots)
	}
	checkEnd(t, st.Snapshot(time.Now()).Books, strings.Repeat(kinds, times))
	if n, want := len(rj.entries), 2*times; n != want {
		t.Errorf("%d entries, want %d", n, want)
	}
	f.checkReleased()
}

// The channel's load is back at zero when everything was received.
func TestLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, write.Config{BatchPoints: 100}, sink{}, &rejectFile{})
		batch := b.batch("pxp")
		if load := b.stats.Snapshot(time.Now()).Write; load.Lines != 3 || load.Bytes != int64(len(batch.Points)) {
			t.Errorf("sent: load is %+v", load)
		}
		b.in <- batch
		synctest.Wait()
		if load := b.stats.Snapshot(time.Now()).Write; load != (stats.Load{}) {
			t.Errorf("received: load is %+v", load)
		}
		b.finish()
	})
}
