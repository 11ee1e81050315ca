// The daemon is killed before it has read, delivered or acknowledged anything.

package tail_test

import (
	"testing"
)

func TestKilledBeforeAnythingIsAcknowledged(t *testing.T) {
	t.Parallel()
	for _, fromEnd := range []bool{false, true} {
		t.Run(map[bool]string{false: "beginning", true: "end"}[fromEnd], func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				file := create(t, path, "old\n")
				l := newLives(t, wakeups, path)
				l.options.fromEnd = fromEnd
				l.start()
				l.looked()
				want := []string{"old", "a1", "a2", "a3"}
				if fromEnd {
					want = want[1:]
				}
				add(t, file, "a1\na2\n")
				l.want(1, want[:len(want)-1]...)
				l.kill()
				add(t, file, "a3\n")
				for range 2 {
					l.start()
					l.want(1, want...)
					l.kill()
				}
				rotate(t, path, "b1\n")
				l.start()
				l.wantAll(want, []string{"b1"})
				l.kill()
				l.start()
				l.wantAll(want, []string{"b1"})
				l.stop()
				l.start()
				l.wantNothing()
				l.stop()
			})
		})
	}
}

func TestKilledBeforeAnythingIsRead(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "old\nol")
		l := newLives(t, wakeups, path)
		l.options.fromEnd = true
		l.start()
		l.wantNothing()
		l.kill()
		add(t, file, "d\na1\n")
		rotate(t, path, "b1\n")
		l.start()
		l.wantAll([]string{"old", "a1"}, []string{"b1"})
		l.stop()
	})
}

// What start says is of the very first start only.
func TestFileIsMissingAtTheVeryFirstStart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		end  func(*lives)
	}{{"stopped", (*lives).stop}, {"killed", (*lives).kill}} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				l := newLives(t, wakeups, path)
				l.options.fromEnd = true
				l.start()
				l.wantNothing()
				c.end(l)
				create(t, path, "a1\na2\nha")
				l.start()
				l.want(1, "a1", "a2")
				if at := l.file(1).start; at.Offset != 0 || at.Line != 1 {
					t.Errorf("begins at offset %d, line %d, want 0 and 1", at.Offset, at.Line)
				}
				l.kill()
				appendTo(t, path, "lf\n")
				l.start()
				l.wantAll([]string{"a1", "a2", "half"})
				l.stop()
			})
		})
	}
}
