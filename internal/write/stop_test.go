package write_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/write"
)

// When in is closed, what was collected goes at once, full or not.
func TestClosedFlushesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, rj := newDeliveries(t), &rejectFile{}
		b := start(t, write.Config{BatchPoints: 100, FlushInterval: time.Hour}, sink{write: got.write}, rj)
		b.send("xppp")
		began := time.Now()
		b.finish()
		if took := time.Since(began); took != 0 {
			t.Errorf("took %s", took)
		}
		checkAllOnce(t, got, 3)
		if rj.shown() != newRejects(1, "x") {
			t.Errorf("rejects are %q", rj.shown())
		}
	})
}

// More than fits in the requests in flight is there when in is closed.
func TestClosedWithFullBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := newDeliveries(t)
		s := sink{write: func(_ context.Context, body string) error {
			got.add(body)
			time.Sleep(time.Second)
			return nil
		}}
		b := start(t, write.Config{BatchPoints: 10, FlushInterval: time.Hour}, s, &rejectFile{})
		b.send(points(95) + "x")
		began := time.Now()
		b.finish()
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("10 requests of 1 s each, two at once, took %s, want 5s", took)
		}
		checkAllOnce(t, got, 95)
	})
}

// A stop during an outage: what is left over is counted, and nothing goes on.
func TestStoppedDuringOutage(t *testing.T) {
	for _, tt := range []struct {
		name  string
		write func(ctx context.Context, body string) error
	}{
		{"refused", func(context.Context, string) error { return errAway }},
		{"hangs", func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sending atomic.Int32
				s := sink{write: func(ctx context.Context, body string) error {
					sending.Add(1)
					defer sending.Add(-1)
					return tt.write(ctx, body)
				}}
				b := start(t, write.Config{BatchPoints: 10}, s, &rejectFile{})
				b.send(points(10) + "x") // one request
				b.send(points(13) + "f") // another one, and three points and an f left
				b.send("px")
				close(b.in)
				time.Sleep(10 * time.Second)
				began := time.Now()
				b.cancel()
				<-b.ended
				if took := time.Since(began); took != 0 {
					t.Errorf("Run took %s to return", took)
				}
				const want = "26 lines not delivered" // the f is no line that is owed
				if !errors.Is(b.err, write.ErrUndelivered) || b.err.Error() != want {
					t.Errorf("Run = %v, want %s", b.err, want)
				}
				if n := sending.Load(); n != 0 {
					t.Errorf("%d requests are on the way after Run", n)
				}
				if books := b.books(); books.InFlight != 26 {
					t.Errorf("books are %+v", books)
				}
			})
		})
	}
}

// Nothing is to be delivered: whether the sink was prepared does not matter.
func TestClosedWhilePreparing(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(ctx context.Context) error
	}{
		{"fails", func(context.Context) error { return errAway }},
		{"hangs", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := start(t, write.Config{BatchPoints: 10, InFlight: 1}, sink{prepare: tt.prepare}, &rejectFile{})
				time.Sleep(time.Minute)
				began := time.Now()
				b.finish()
				if took := time.Since(began); took != 0 {
					t.Errorf("took %s", took)
				}
			})
		})
	}
}

// Neither does it matter to a stop with lines, but they are counted.
func TestStoppedWhilePreparing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sink{prepare: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
		b := start(t, write.Config{BatchPoints: 10}, s, &rejectFile{})
		b.send("pxp")
		close(b.in)
		time.Sleep(time.Minute)
		b.cancel()
		<-b.ended
		if b.err == nil || b.err.Error() != "3 lines not delivered" {
			t.Errorf("Run = %v", b.err)
		}
	})
}

// With nothing left over the error is the context's.
func TestStoppedWithNothingLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, write.Config{BatchPoints: 1}, sink{}, &rejectFile{})
		b.send("pxf")
		time.Sleep(time.Minute)
		b.cancel()
		<-b.ended
		if !errors.Is(b.err, context.Canceled) || errors.Is(b.err, write.ErrUndelivered) {
			t.Errorf("Run = %v, want %v", b.err, context.Canceled)
		}
		b.checkReleased()
	})
}

// An acknowledgement that comes although the context has ended counts, but the
// stop does not wait for it.
func TestAcknowledgedWhileStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sink{write: func(ctx context.Context, _ string) error { <-ctx.Done(); return nil }}
		b := start(t, write.Config{BatchPoints: 1}, s, &rejectFile{})
		b.send("p")
		synctest.Wait()
		b.cancel()
		<-b.ended
		if b.err == nil || !strings.Contains(b.err.Error(), "1 lines") {
			t.Errorf("Run = %v", b.err)
		}
		if in := b.books().InFlight; in != 1 {
			t.Errorf("in flight are %d lines, want 1", in)
		}
	})
}
