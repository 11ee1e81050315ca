package write_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/write"
)

func points(n int) string { return strings.Repeat(string(point), n) }

func TestRequestsBySize(t *testing.T) {
	for _, tt := range []struct {
		name        string
		batchPoints int
		batches     []string
		at0s, atEnd []int // sizes of requests: at once, and when in is closed
	}{
		{"exactly", 5, []string{"ppppp"}, []int{5}, []int{5}},
		{"one fewer", 5, []string{"pppp"}, nil, []int{4}},
		{"one more", 5, []string{"pppppp"}, []int{5}, []int{5, 1}},
		{"twice as many", 5, []string{points(10)}, []int{5, 5}, []int{5, 5}},
		{"together", 5, []string{"ppp", "pp"}, []int{5}, []int{5}},
		{"second batch cut", 5, []string{"ppp", "pppp"}, []int{5}, []int{5, 2}},
		{"one batch cut often", 2, []string{points(7)}, []int{2, 2, 2}, []int{2, 2, 2, 1}},
		{"one point each", 1, []string{"ppp", "xpx"}, []int{1, 1, 1, 1}, []int{1, 1, 1, 1}},
		{"skipped lines do not count", 3, []string{"xxxxppxxxx"}, nil, []int{2}},
		{"skipped lines alone", 3, []string{"xexfx"}, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := newDeliveries(t)
				b := start(t, write.Config{BatchPoints: tt.batchPoints}, sink{write: got.write}, &rejectFile{})
				for _, kinds := range tt.batches {
					b.send(kinds)
				}
				synctest.Wait()
				if diff := cmp.Diff(tt.at0s, got.sizes()); diff != "" {
					t.Errorf("at once, -want +got:\n%s", diff)
				}
				b.finish()
				if diff := cmp.Diff(tt.atEnd, got.sizes()); diff != "" {
					t.Errorf("at the end, -want +got:\n%s", diff)
				}
			})
		})
	}
}

// Each place at which a batch can be cut, and which skipped lines are near it.
func TestCutBatch(t *testing.T) {
	for _, kinds := range []string{"pp", "ppp", "xpp", "pxp", "ppx", "xpxxpxpx", "exxpfpxpppexpf", "ppppppppx", "xxxxxxxxpp"} {
		for batchPoints := 1; batchPoints <= 4; batchPoints++ {
			t.Run(kinds, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					got, rj := newDeliveries(t), &rejectFile{}
					b := start(t, write.Config{BatchPoints: batchPoints}, sink{write: got.write}, rj)
					whole := b.batch(kinds)
					b.in <- whole
					b.send(kinds)
					b.finish()
					want := newRejects(whole.Start.Line, kinds+kinds)
					if diff := cmp.Diff(want, rj.shown()); diff != "" {
						t.Errorf("BatchPoints %d: rejects, -want +got:\n%s", batchPoints, diff)
					}
					checkAllOnce(t, got, b.numPoints)
				})
			})
		}
	}
}

// checkAllOnce checks that the requests hold the points 1 to n, each once and
// in their order.
func checkAllOnce(t *testing.T, d *deliveries, n int) {
	t.Helper()
	next := 1
	all := d.list()
	slices.SortStableFunc(all, func(a, b delivery) int { return a.points[0] - b.points[0] })
	for _, one := range all {
		for _, number := range one.points {
			if number != next {
				t.Fatalf("point %d came where %d was to come", number, next)
			}
			next++
		}
	}
	if next != n+1 {
		t.Errorf("%d points came, want %d", next-1, n)
	}
}

func TestRequestsByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := newDeliveries(t)
		b := start(t, write.Config{BatchPoints: 100}, sink{write: got.write}, &rejectFile{})
		send := func(kinds string, then time.Duration) {
			b.send(kinds)
			time.Sleep(then)
		}
		time.Sleep(5 * time.Second)
		send("p", 300*time.Millisecond)   // at 5.0 s: the first to wait
		send("pp", 600*time.Millisecond)  // at 5.3 s
		send("p", 350*time.Millisecond)   // at 5.9 s; sent at 6.0 s
		send("ppp", 900*time.Millisecond) // at 6.25 s
		send("x", 5*time.Second)          // at 7.15 s; sent at 7.25 s
		b.finish()
		want := []delivery{{[]int{1, 2, 3, 4}, 6 * time.Second}, {[]int{5, 6, 7}, 7250 * time.Millisecond}}
		if diff := cmp.Diff(want, got.list(), cmp.AllowUnexported(delivery{})); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

// What is left over from a full request has waited since it was received, no
// longer and no shorter.
func TestLeftOverWaitsFromItsArrival(t *testing.T) {
	for _, tt := range []struct {
		name   string
		slow   time.Duration // of the first request
		second time.Duration // when the batch comes that is cut
		want   time.Duration
	}{
		{"taken later", 900 * time.Millisecond, 0, time.Second},
		{"taken at once", 0, 600 * time.Millisecond, 1600 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := newDeliveries(t)
				slow := sink{write: func(_ context.Context, body string) error {
					got.add(body)
					if len(got.list()) == 1 {
						time.Sleep(tt.slow)
					}
					return nil
				}}
				b := start(t, write.Config{BatchPoints: 10, InFlight: 1}, slow, &rejectFile{})
				b.send(points(19)) // ten go at once, nine wait
				synctest.Wait()
				time.Sleep(tt.second)
				b.send("pp") // ten go when they can, one waits
				time.Sleep(10 * time.Second)
				b.finish()
				last := got.list()[2]
				if len(last.points) != 1 || last.at != tt.want {
					t.Errorf("the last point went with %d after %s, want 1 after %s", len(last.points), last.at, tt.want)
				}
			})
		})
	}
}

// Lines that wait longer than flush_interval because all requests are on the way
// go as soon as one is back.
func TestOverdueGoesWhenItCan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := newDeliveries(t)
		slow := sink{write: func(_ context.Context, body string) error {
			got.add(body)
			time.Sleep(7 * time.Second)
			return nil
		}}
		b := start(t, write.Config{BatchPoints: 10, InFlight: 1}, slow, &rejectFile{})
		b.send(points(10))
		synctest.Wait()
		b.send("p")
		time.Sleep(20 * time.Second)
		b.finish()
		if last := got.list()[1]; last.at != 7*time.Second {
			t.Errorf("sent after %s, want 7s", last.at)
		}
	})
}

// Nothing wakes a writer without lines.
func TestIdleSleeps(t *testing.T) {
	began := time.Now()
	synctest.Test(t, func(t *testing.T) {
		b := start(t, write.Config{BatchPoints: 10, FlushInterval: 10 * time.Millisecond}, sink{}, &rejectFile{})
		b.send("pppp")
		time.Sleep(100 * time.Hour)
		b.finish()
	})
	if took := time.Since(began); took > 20*time.Second { // 36 million wake-ups take longer
		t.Errorf("100 hours of doing nothing took %s", took)
	}
}

func TestRequestsByBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, rj := newDeliveries(t), &rejectFile{}
		b := start(t, write.Config{BatchPoints: 1_000_000, InFlight: 1}, sink{write: got.write}, rj)
		sent := 0
		for sent < write.MaxRequestBytes { // lines are longer than points here
			if len(got.list()) > 0 {
				t.Fatalf("a request was sent after %d bytes", sent)
			}
			batch := b.batch(points(3000))
			sent += len(batch.Lines)
			b.in <- batch
			synctest.Wait()
		}
		if got := got.sizes(); len(got) != 1 || got[0] != b.numPoints {
			t.Errorf("requests of %d after %d points in %d bytes", got, b.numPoints, sent)
		}
		b.finish()
	})
}

// Rejected lines have weight, too: without points they go by bytes. What was
// cut and sent before no longer counts.
func TestRejectedByBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rj := &rejectFile{}
		b := start(t, write.Config{BatchPoints: 10}, sink{}, rj)
		for range 10 {
			b.send(points(1000)) // each is cut a hundred times
		}
		time.Sleep(time.Minute)
		for sent := 0; sent < write.MaxRequestBytes; {
			batch := b.batch(strings.Repeat(string(noMatch), 2000))
			sent += len(batch.Lines) + len(batch.Skipped)*int(unsafe.Sizeof(flow.Skip{}))
			b.in <- batch
		}
		synctest.Wait()
		if books := b.books(); books.InFlight != 0 || books.Rejected != b.at.Line-1-10_000 {
			t.Errorf("at once the books are %+v, want none in flight", books)
		}
		b.finish()
	})
}
