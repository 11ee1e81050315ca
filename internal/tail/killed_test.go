// The daemon is killed before it has read, delivered or acknowledged anything.

package tail_test

import (
	"io"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/stats"
)

func TestKilledBeforeAnythingIsAcknowledged(t *testing.T) {
	t.Parallel()
	for _, fromEnd := range []bool{false, true} {
		t.Run(map[bool]string{false: "beginning", true: "end"}[fromEnd], func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				file := create(t, path, "old\n")
				d := newDaemon(t, wakeups, path)
				d.options.fromEnd = fromEnd
				d.start()
				d.looked()
				want := []string{"old", "a1", "a2", "a3"}
				if fromEnd {
					want = want[1:]
				}
				add(t, file, "a1\na2\n")
				d.want(1, want[:len(want)-1]...)
				d.kill()
				add(t, file, "a3\n")
				for range 2 {
					d.start()
					d.want(1, want...)
					d.kill()
				}
				rotate(t, path, "b1\n")
				d.start()
				d.wantAll(want, []string{"b1"})
				d.kill()
				d.start()
				d.wantAll(want, []string{"b1"})
				d.stop()
				d.start()
				d.wantNothing()
				d.stop()
			})
		})
	}
}

func TestKilledBeforeAnythingIsRead(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "old\nol")
		d := newDaemon(t, wakeups, path)
		d.options.fromEnd = true
		d.start()
		d.wantNothing()
		d.kill()
		add(t, file, "d\na1\n")
		rotate(t, path, "b1\n")
		d.start()
		d.wantAll([]string{"old", "a1"}, []string{"b1"})
		d.stop()
	})
}

// What start says is of the very first start only.
func TestFileIsMissingAtTheVeryFirstStart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		end  func(*daemon)
	}{{"stopped", (*daemon).stop}, {"killed", (*daemon).kill}} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				d := newDaemon(t, wakeups, path)
				d.options.fromEnd = true
				d.start()
				d.wantNothing()
				c.end(d)
				create(t, path, "a1\na2\nha")
				d.start()
				d.want(1, "a1", "a2")
				if at := d.file(1).start; at.Offset != 0 || at.Line != 1 {
					t.Errorf("begins at offset %d, line %d, want 0 and 1", at.Offset, at.Line)
				}
				d.kill()
				appendTo(t, path, "lf\n")
				d.start()
				d.wantAll([]string{"a1", "a2", "half"})
				d.stop()
			})
		})
	}
}

// An empty file at the path is saved as well: it may be rotated, and older than another
// one, when its first line comes.
func TestKilledWhileTheNewFileIsEmpty(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.want(1, "a1")
		d.acknowledge()
		b := rotate(t, path, "")
		d.eventually("the new file in the checkpoint", func() bool {
			saved := openCheckpoint(t, d.state, stats.New(time.Now()), io.Discard).Ledger("s0").Copy()
			return len(saved.Open) == 2
		})
		d.kill()
		rename(t, path, path+".2")
		rename(t, path+".1", path)
		touch(t, path)
		d.start()
		d.looked()
		add(t, b, "b1\n")
		d.want(2, "b1")
		d.stop()
	})
}
