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

// The second of two requests in flight is stored first: nothing is acknowledged
// before the first one is.
func TestNothingIsAcknowledgedBeforeWhatCameBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := make(chan error)
		b := start(t, write.Config{BatchPoints: 3}, sink{write: func(_ context.Context, body string) error {
			if strings.Contains(body, "v=1i") {
				return <-first
			}
			return nil
		}}, &rejectFile{})
		b.send("ppp")
		b.send("pxfp")
		b.send("ppp")
		time.Sleep(time.Minute)
		if line, saved, _ := b.acks.state(); line != 0 || saved != 0 {
			t.Errorf("line %d is acknowledged, %d saved, while the first request is on its way", line, saved)
		}
		first <- errors.New("once more")
		first <- nil
		b.finish()
	})
}

// A batch may encode to nothing; then it is acknowledged in its turn all the same.
func TestLinesWithoutPointsAreAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, write.Config{BatchPoints: 3}, sink{}, &rejectFile{})
		b.send("ff")
		b.send("xe")
		time.Sleep(3 * time.Second)
		if line, saved, _ := b.acks.state(); line != 5 || saved != 5 {
			t.Errorf("acknowledged up to line %d, saved up to %d, want 5", line, saved)
		}
		b.finish()
	})
}

// What cannot be written to the reject file is not acknowledged, nor what comes
// after it.
func TestNothingIsAcknowledgedThatIsNotInTheRejectFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var full atomic.Bool
		full.Store(true)
		rj := &rejectFile{fail: func() error {
			if full.Load() {
				return errors.New("no space left on device")
			}
			return nil
		}}
		b := start(t, write.Config{BatchPoints: 3}, sink{}, rj)
		b.send("ppx")
		b.send("ppp")
		time.Sleep(time.Minute)
		if line, _, _ := b.acks.state(); line != 0 {
			t.Errorf("line %d is acknowledged while the disk is full", line)
		}
		full.Store(false)
		time.Sleep(time.Minute)
		b.finish()
	})
}

func TestCheckpointIsSavedOnceASecondAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, write.Config{BatchPoints: 1}, sink{}, &rejectFile{})
		for range 100 {
			b.send("p")
			time.Sleep(100 * time.Millisecond)
		}
		if _, _, saves := b.acks.state(); saves < 9 || saves > 11 {
			t.Errorf("%d saves in 10 s of points", saves)
		}
		b.finish()
	})
}

// What is told of how the lines end is what stands before the position in the
// file, or nothing.
func TestAcknowledgementTellsHowTheLinesEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, write.Config{BatchPoints: 2}, sink{}, &rejectFile{})
		ends := func(want string) {
			t.Helper()
			time.Sleep(2 * time.Second)
			b.acks.mu.Lock()
			defer b.acks.mu.Unlock()
			if b.acks.last != want {
				t.Errorf("told that they end with %q, want %q", b.acks.last, want)
			}
		}
		b.send("ppp") // is cut
		ends("line 3 is p\n")
		b.in <- b.tooLong("head", 100_000)
		ends("")
		last := b.batch("p") // has a newline that its file does not have
		last.End.Offset--
		b.at = last.End
		b.in <- last
		ends("")
		b.finish()
	})
}
