package write_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/write"
)

// newRejects shows the entries that lines of these kinds, the first of which is
// line number first, must give.
func newRejects(first int64, kinds string) string {
	var all []string
	for i, kind := range []byte(kinds) {
		line := fmt.Sprintf("line %d is %c", first+int64(i), kind)
		switch kind {
		case noMatch:
			all = append(all, fmt.Sprintf("web 7:%d no match %q %d", first+int64(i), line, len(line)))
		case empty:
			all = append(all, fmt.Sprintf(`web 7:%d empty "" 0`, first+int64(i)))
		}
	}
	return strings.Join(all, "\n")
}

func TestEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rj := &rejectFile{}
		b := start(t, write.Config{BatchPoints: 3}, sink{}, rj)
		b.send("xppfpex")
		b.in <- b.tooLong("GET /aaaa", 70_001)
		b.send("px")
		time.Sleep(5 * time.Second)
		b.finish()
		if age := time.Since(rj.entries[0].Time); age < 4*time.Second || age > 5*time.Second {
			t.Errorf("the first entry is %s old after 5s", age)
		}
		want := `web 7:1 no match "line 1 is x" 11
web 7:6 empty "" 0
web 7:7 no match "line 7 is x" 11
web 7:8 too long "GET /aaaa" 70000
web 7:10 no match "line 10 is x" 12`
		if diff := cmp.Diff(want, rj.shown()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		snap := b.stats.Snapshot(time.Now())
		if diff := cmp.Diff(map[string]int64{"no match": 3, "empty": 1, "too long": 1}, snap.RejectedReasons); diff != "" {
			t.Errorf("reasons, -want +got:\n%s", diff)
		}
		if s := snap.Sources[0]; s.LastRejected != "line 10 is x" || s.LastReason != "no match" {
			t.Errorf("last rejected is %q, %q", s.LastRejected, s.LastReason)
		}
		if books := snap.Books; books.Written != 4 || books.Rejected != 5 || books.Filtered != 1 {
			t.Errorf("books are %+v", books)
		}
	})
}

// An entry has the line without the CR of CR LF. Of a line that is too long it has the
// head, where a CR is no end.
func TestEntriesOfLinesThatEndWithCRLF(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rj := &rejectFile{}
		b := start(t, write.Config{BatchPoints: 3}, sink{}, rj)
		b.send("pr")
		b.in <- b.tooLong("GET /aaaa\r", 70_001)
		b.finish()
		want := `web 7:2 no match "line 2 is r" 11
web 7:3 too long "GET /aaaa\r" 70000`
		if diff := cmp.Diff(want, rj.shown()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if last := b.stats.Snapshot(time.Now()).Sources[0].LastRejected; last != "GET /aaaa\r" {
			t.Errorf("last rejected is %q", last)
		}
	})
}

// Rejected lines appear within flush_interval, points or none.
func TestRejectedByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rj := &rejectFile{}
		b := start(t, write.Config{BatchPoints: 3}, sink{write: func(context.Context, string) error {
			t.Error("a request without points was sent")
			return nil
		}}, rj)
		b.send("xx")
		time.Sleep(time.Second)
		synctest.Wait()
		if diff := cmp.Diff(newRejects(1, "xx"), rj.shown()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		b.finish()
	})
}

const (
	rejectsStuck  = "cannot write the reject file; retrying, reading is paused"
	rejectsAgain  = "reject file is writable again"
	noSpace       = "no space left on device"
	manyRejected  = 1000 // more than are written at once
	secondsOfFull = 300
)

// A disk that is full is waited for; then every entry is there once.
func TestRejectFileFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, calls := time.Now(), 0
		rj := &rejectFile{fail: func() error {
			if calls++; calls > 1 && time.Since(began) < secondsOfFull*time.Second {
				return errors.New(noSpace)
			}
			return nil
		}}
		got := newDeliveries(t)
		b := start(t, write.Config{BatchPoints: 2, InFlight: 1}, sink{write: got.write}, rj)
		kinds := "p" + strings.Repeat(string(noMatch), manyRejected) + "p"
		b.send(kinds)
		time.Sleep(secondsOfFull / 2 * time.Second)

		snap := b.stats.Snapshot(time.Now())
		checkBalance(t, snap.Books)
		if snap.RejectsTrouble != noSpace {
			t.Errorf("trouble is %q", snap.RejectsTrouble)
		}
		if in := snap.Books; in.Written != 2 || in.Rejected == 0 || in.InFlight != manyRejected-in.Rejected {
			t.Errorf("while the disk is full the books are %+v", in)
		}
		next := b.batch("p")
		if b.offer(next) {
			t.Error("a batch was received while entries wait for the disk")
		}
		time.Sleep(secondsOfFull * time.Second)
		snap = b.stats.Snapshot(time.Now())
		if snap.RejectsTrouble != "" || snap.Books.Rejected != manyRejected {
			t.Errorf("afterwards trouble is %q, books are %+v", snap.RejectsTrouble, snap.Books)
		}
		if n, m := b.log.count(rejectsStuck), b.log.count(rejectsAgain); n != 1 || m != 1 {
			t.Errorf("said %d times that it fails, %d times that it works again", n, m)
		}
		if tries := calls - manyRejected/256; tries > secondsOfFull/2 {
			t.Errorf("%d tries in %d s: pauses do not grow", tries, secondsOfFull)
		}
		if diff := cmp.Diff(newRejects(1, kinds), rj.shown()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		b.in <- next
		b.finish()
	})
}

// What is acknowledged, or in the file already, is not counted as left over.
func TestStoppedWhileRejectFileFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		rj := &rejectFile{fail: func() error {
			if calls++; calls > 1 {
				return errors.New(noSpace)
			}
			return nil
		}}
		b := start(t, write.Config{BatchPoints: 2}, sink{}, rj)
		b.send("p" + strings.Repeat(string(noMatch), manyRejected) + "fp")
		synctest.Wait()
		b.cancel()
		<-b.ended
		left := b.books().InFlight
		if want := fmt.Sprintf("%d lines not delivered", left); !errors.Is(b.err, write.ErrUndelivered) || b.err.Error() != want {
			t.Errorf("Run = %v, want %s", b.err, want)
		}
		if left <= 0 || left >= manyRejected {
			t.Errorf("%d lines are left over of %d", left, manyRejected)
		}
	})
}
