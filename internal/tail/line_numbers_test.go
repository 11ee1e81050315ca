// Line numbers stay the same after a restart, and no two generations share one.

package tail_test

import (
	"strings"
	"testing"
	"testing/synctest"
)

func TestLineNumbersAfterAKill(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "a1\na2\n")
		l := newLives(t, wakeups, path)
		l.start()
		l.want(1, "a1", "a2")
		l.acknowledge()
		add(t, file, "a3\na4\n")
		l.want(1, "a1", "a2", "a3", "a4")
		l.kill()
		add(t, file, "a5\n") // so that the next generation would begin elsewhere now
		l.start()
		l.want(1, "a3", "a4", "a5")
		if at := l.file(1).start.Line; at != 3 {
			t.Errorf("a3 is line %d, want 3", at)
		}
		rotate(t, path, "b1\nb2\n")
		l.want(2, "b1", "b2")
		first := l.file(2).start.Line
		if want := int64(6 + gap); first != want {
			t.Errorf("b1 is line %d, want %d", first, want)
		}
		l.kill()
		rotate(t, path, "c1\n")
		l.start()
		l.want(1, "a3", "a4", "a5")
		l.want(2, "b1", "b2")
		l.want(3, "c1")
		if at := l.file(2).start.Line; at != first {
			t.Errorf("b1 is line %d, want %d as before", at, first)
		}
		third := l.file(3).start.Line
		if third < first+gap {
			t.Errorf("c1 is line %d, want it %d beyond %d", third, gap, first)
		}
		l.kill()
		l.start()
		l.want(1, "a3", "a4", "a5")
		l.want(2, "b1", "b2")
		l.want(3, "c1")
		if at := l.file(3).start.Line; at != third {
			t.Errorf("c1 is line %d, want %d as before", at, third)
		}
		l.stop()
	})
}

// Every unread byte may be a line.
func TestMoreIsUnreadThanTheGapBetweenGenerations(t *testing.T) {
	t.Parallel()
	const lines = gap + 100_000
	text := strings.Repeat("\n", lines)
	check := func(t *testing.T, l *lives) {
		t.Helper()
		l.eventually("all lines", func() bool { return l.collected() == 1+lines+2 })
		l.stop()
		a, b, c := l.file(1), l.file(2), l.file(3)
		if a.end.Line != 2+lines || b.start.Line < a.end.Line || c.start.Line < b.end.Line {
			t.Errorf("numbers are %d to %d, %d to %d, and from %d on: want none twice",
				a.start.Line, a.end.Line, b.start.Line, b.end.Line, c.start.Line)
		}
	}
	ticks := func(name string, test func(t *testing.T)) { // it takes too long for real time
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, test)
		})
	}
	ticks("running", func(t *testing.T) {
		path := logFile(t)
		create(t, path, "a\n"+text)
		l := newLives(t, false, path)
		l.uncounted = true
		l.prepare()
		l.eventually("the first chunk", func() bool { return len(l.chunks) > 0 })
		rotate(t, path, "b1\n")
		l.eventually("a rotation", func() bool { return l.source().Rotations == 1 })
		rotate(t, path, "c1\n")
		l.eventually("another rotation", func() bool { return l.source().Rotations == 2 })
		go l.drain()
		check(t, l)
	})
	ticks("stopped", func(t *testing.T) {
		path := logFile(t)
		create(t, path, "a\n")
		l := newLives(t, false, path)
		l.uncounted = true
		l.start()
		l.want(1, "a")
		l.kill()
		appendTo(t, path, text)
		rotate(t, path, "b1\n")
		rotate(t, path, "c1\n")
		l.start()
		check(t, l)
	})
}

// Numbers of the lines of a compressed file, whose size nobody knows, and of those
// that came after it.
func TestMoreIsUnreadInACompressedFileThanTheGapBetweenGenerations(t *testing.T) {
	t.Parallel()
	const lines = gap + 100_000
	for _, end := range []string{".gz", ".zst"} {
		t.Run(end[1:], func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				path := logFile(t)
				create(t, path, "a\n")
				l := newLives(t, false, path)
				l.uncounted = true
				l.start()
				l.want(1, "a")
				l.kill()
				appendTo(t, path, strings.Repeat("\n", lines))
				rotate(t, path, "b1\n")
				compress(t, path+".1", end)
				rotate(t, path, "c1\n")
				l.start()
				l.eventually("all lines", func() bool { return l.collected() == 1+lines+2 })
				l.stop()
				a, b, c := l.file(1), l.file(2), l.file(3)
				if a.end.Line != 2+lines || b.start.Line < a.end.Line || c.start.Line < b.end.Line {
					t.Errorf("numbers are %d to %d, %d to %d, and from %d on: want none twice",
						a.start.Line, a.end.Line, b.start.Line, b.end.Line, c.start.Line)
				}
			})
		})
	}
}
