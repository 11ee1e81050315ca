package write_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/write"
)

var errAway = errors.New("connection refused")

// As many requests as are wanted are on the way, and never more.
func TestInFlight(t *testing.T) {
	for _, inFlight := range []int{1, 2, 3} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			now, most := 0, 0
			count := func(n int) {
				mu.Lock()
				defer mu.Unlock()
				now += n
				most = max(most, now)
			}
			got := newDeliveries(t)
			s := sink{write: func(_ context.Context, body string) error {
				count(1)
				defer count(-1)
				got.add(body)
				time.Sleep(time.Duration(10+numbers(t, body)[0]%7) * time.Millisecond)
				return nil
			}}
			b := start(t, write.Config{BatchPoints: 10, InFlight: inFlight}, s, &rejectFile{})
			for range 200 {
				b.send("xppxpp")
			}
			b.finish()
			checkAllOnce(t, got, b.numPoints)
			if most != inFlight {
				t.Errorf("InFlight %d: %d requests were on the way at once", inFlight, most)
			}
		})
	}
}

// The second request is acknowledged first, and settled second.
func TestSettledAsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := make(chan struct{})
		s := sink{write: func(_ context.Context, body string) error {
			if numbers(t, body)[0] == 1 {
				<-first
			}
			return nil
		}}
		rj := &rejectFile{}
		b := start(t, write.Config{BatchPoints: 2}, s, rj)
		b.send("pxp")
		b.send("pxp")
		time.Sleep(time.Minute)
		snap := b.stats.Snapshot(time.Now())
		if snap.InfluxDB.Batches != 1 {
			t.Errorf("%d requests are acknowledged, want the second one", snap.InfluxDB.Batches)
		}
		if snap.Books.InFlight != 6 || rj.shown() != "" {
			t.Errorf("before the first one is, the books are %+v, rejects %q", snap.Books, rj.shown())
		}
		close(first)
		b.finish()
		if diff := cmp.Diff(newRejects(1, "pxppxp"), rj.shown()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

// While InfluxDB is away each request is tried again, unchanged, after growing
// and jittered pauses; little is received, and this is said once.
func TestOutage(t *testing.T) {
	const away = 20 * time.Minute
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var mu sync.Mutex
		tries := map[string][]time.Time{} // by body
		s := sink{write: func(_ context.Context, body string) error {
			mu.Lock()
			defer mu.Unlock()
			tries[body] = append(tries[body], time.Now())
			if time.Since(began) < away {
				return errAway
			}
			return nil
		}}
		b := start(t, write.Config{BatchPoints: 10}, s, &rejectFile{})
		received, next := 0, b.batch("p")
		for b.offer(next) {
			received, next = received+1, b.batch("p")
		}
		if received != 3*10 {
			t.Errorf("%d points were received, want two requests in flight and one to come", received)
		}
		time.Sleep(away / 2)
		if b.offer(next) {
			t.Error("one more was received later")
		}
		db := b.stats.Snapshot(time.Now()).InfluxDB
		if db.Up || db.LastError != errAway.Error() || db.Outage < away/2-time.Second || db.Outage > away/2 {
			t.Errorf("in the middle InfluxDB is %+v", db)
		}
		time.Sleep(away)
		b.in <- next
		b.finish()
		if len(tries) != 4 {
			t.Errorf("%d bodies were sent, want 4", len(tries))
		}
		retries := 0
		for body, at := range tries {
			retries += len(at) - 1
			if len(at) > 1 {
				checkPauses(t, at)
			}
			delete(tries, body)
		}
		db = b.stats.Snapshot(time.Now()).InfluxDB
		if !db.Up || db.Outage != 0 || db.LastError != errAway.Error() || db.Batches != 4 || db.Retries != int64(retries) {
			t.Errorf("afterwards InfluxDB is %+v, want 4 requests and %d retries", db, retries)
		}
		if n, m := b.log.count(outageBegins), b.log.count(outageEnds); n != 1 || m != 1 {
			t.Errorf("said %d times that it began, %d times that it ended", n, m)
		}
	})
}

// checkPauses checks the times at which one request was tried, over minutes.
func checkPauses(t *testing.T, at []time.Time) {
	t.Helper()
	var pauses []time.Duration
	distinct := map[time.Duration]bool{}
	for i := 1; i < len(at); i++ {
		pause := at[i].Sub(at[i-1])
		pauses = append(pauses, pause)
		distinct[pause] = true
		if pause > 10*time.Second {
			t.Errorf("pause %d is %s", i, pause)
		}
	}
	if pauses[0] > 200*time.Millisecond || pauses[1] > 400*time.Millisecond {
		t.Errorf("pauses begin with %s", pauses[:2])
	}
	late := pauses[len(pauses)/2:]
	for _, pause := range late {
		if pause < 2*time.Second {
			t.Errorf("a late pause is %s", pause)
		}
	}
	if len(distinct) < len(pauses)*9/10 {
		t.Errorf("%d of %d pauses are distinct: no jitter", len(distinct), len(pauses))
	}
}

// asked is an error with a wish.
type asked time.Duration

func (a asked) Error() string        { return "busy" }
func (a asked) Pause() time.Duration { return time.Duration(a) }

func TestRetryAfter(t *testing.T) {
	for _, tt := range []struct{ asked, least, most time.Duration }{
		{0, 0, 200 * time.Millisecond},
		{4 * time.Second, 4 * time.Second, 4 * time.Second},
		{time.Hour, 10 * time.Second, 10 * time.Second},
		{-time.Hour, 0, 200 * time.Millisecond},
	} {
		t.Run(tt.asked.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := newDeliveries(t)
				s := sink{write: func(_ context.Context, body string) error {
					got.add(body)
					if len(got.list()) == 1 {
						return fmt.Errorf("write: %w", asked(tt.asked))
					}
					return nil
				}}
				b := start(t, write.Config{BatchPoints: 1}, s, &rejectFile{})
				b.send("p")
				b.finish()
				if all := got.list(); len(all) != 2 || all[1].at < tt.least || all[1].at > tt.most {
					t.Errorf("tried %v, want the second time after %s to %s", all, tt.least, tt.most)
				}
			})
		})
	}
}

// An outage that both requests see is one; it ends when both are through.
func TestOutageOfBothRequestsIsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s := sink{write: func(_ context.Context, body string) error {
			if time.Since(began) < time.Duration(numbers(t, body)[0])*time.Minute {
				return errAway
			}
			return nil
		}}
		b := start(t, write.Config{BatchPoints: 1}, s, &rejectFile{})
		b.send("pp") // away for one minute, and for two
		time.Sleep(90 * time.Second)
		if b.stats.Snapshot(time.Now()).InfluxDB.Up || b.log.count(outageEnds) != 0 {
			t.Error("the outage is over while a request fails")
		}
		b.finish()
		if n, m := b.log.count(outageBegins), b.log.count(outageEnds); n != 1 || m != 1 {
			t.Errorf("said %d times that it began, %d times that it ended", n, m)
		}
	})
}

// Nothing is written before the database was created, however few requests may
// be in flight: a 404 would look like an outage.
func TestPreparedFirst(t *testing.T) {
	for _, inFlight := range []int{1, 2} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			got := newDeliveries(t)
			s := sink{write: got.write, prepare: func(context.Context) error {
				time.Sleep(time.Second)
				if time.Since(began) < time.Minute {
					return errAway
				}
				return nil
			}}
			b := start(t, write.Config{BatchPoints: 10, InFlight: inFlight}, s, &rejectFile{})
			b.send(points(10))
			time.Sleep(59 * time.Second)
			if db := b.stats.Snapshot(time.Now()).InfluxDB; db.Up || db.Answered || len(got.list()) != 0 {
				t.Errorf("before it succeeded InfluxDB is %+v, %d requests were sent", db, len(got.list()))
			}
			time.Sleep(30 * time.Second)
			if db := b.stats.Snapshot(time.Now()).InfluxDB; !db.Up || db.Batches != 1 {
				t.Errorf("afterwards InfluxDB is %+v", db)
			}
			b.finish()
			if n, m := b.log.count(outageBegins), b.log.count(outageEnds); n != 1 || m != 1 {
				t.Errorf("said %d times that it began, %d times that it ended", n, m)
			}
		})
	}
}

// A prepared sink is up before the first line.
func TestPreparedIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, write.Config{BatchPoints: 1}, sink{}, &rejectFile{})
		synctest.Wait()
		if db := b.stats.Snapshot(time.Now()).InfluxDB; !db.Up {
			t.Errorf("InfluxDB is %+v", db)
		}
		b.finish()
	})
}

// A failing request in front holds what was acknowledged behind it, and no more
// than that: in_flight - 1 requests.
func TestFirstRequestFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var mu sync.Mutex
		var sent []string
		s := sink{write: func(_ context.Context, body string) error {
			first := numbers(t, body)[0] == 1
			if first && time.Since(began) < time.Hour {
				return errAway
			}
			mu.Lock()
			defer mu.Unlock()
			sent = append(sent, strings.TrimSpace(body))
			return nil
		}}
		b := start(t, write.Config{BatchPoints: 1, InFlight: 3}, s, &rejectFile{})
		b.send(points(9))
		time.Sleep(59 * time.Minute)
		mu.Lock()
		if len(sent) != 2 {
			t.Errorf("%d requests overtook the first one: %q", len(sent), sent)
		}
		mu.Unlock()
		b.finish()
		if len(sent) != 9 {
			t.Errorf("acknowledged were %q", sent)
		}
	})
}
