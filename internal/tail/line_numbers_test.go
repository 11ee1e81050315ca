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
		d := newDaemon(t, wakeups, path)
		d.start()
		d.want(1, "a1", "a2")
		d.acknowledge()
		add(t, file, "a3\na4\n")
		d.want(1, "a1", "a2", "a3", "a4")
		d.kill()
		add(t, file, "a5\n") // so that the next generation would begin elsewhere now
		d.start()
		d.want(1, "a3", "a4", "a5")
		if at := d.file(1).start.Line; at != 3 {
			t.Errorf("a3 is line %d, want 3", at)
		}
		rotate(t, path, "b1\nb2\n")
		d.want(2, "b1", "b2")
		first := d.file(2).start.Line
		if want := int64(6 + gap); first != want {
			t.Errorf("b1 is line %d, want %d", first, want)
		}
		d.kill()
		rotate(t, path, "c1\n")
		d.start()
		d.want(1, "a3", "a4", "a5")
		d.want(2, "b1", "b2")
		d.want(3, "c1")
		if at := d.file(2).start.Line; at != first {
			t.Errorf("b1 is line %d, want %d as before", at, first)
		}
		third := d.file(3).start.Line
		if third < first+gap {
			t.Errorf("c1 is line %d, want it %d beyond %d", third, gap, first)
		}
		d.kill()
		d.start()
		d.want(1, "a3", "a4", "a5")
		d.want(2, "b1", "b2")
		d.want(3, "c1")
		if at := d.file(3).start.Line; at != third {
			t.Errorf("c1 is line %d, want %d as before", at, third)
		}
		d.stop()
	})
}

// Every unread byte may be a line.
func TestMoreIsUnreadThanTheGapBetweenGenerations(t *testing.T) {
	t.Parallel()
	const lines = gap + 100_000
	text := strings.Repeat("\n", lines)
	check := func(t *testing.T, d *daemon) {
		t.Helper()
		d.eventually("all lines", func() bool { return d.collected() == 1+lines+2 })
		d.stop()
		a, b, c := d.file(1), d.file(2), d.file(3)
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
		d := newDaemon(t, false, path)
		d.options.uncounted = true
		d.prepare()
		d.eventually("the first chunk", func() bool { return len(d.chunks) > 0 })
		rotate(t, path, "b1\n")
		d.eventually("a rotation", func() bool { return d.source().Rotations == 1 })
		rotate(t, path, "c1\n")
		d.eventually("another rotation", func() bool { return d.source().Rotations == 2 })
		go d.drain()
		check(t, d)
	})
	ticks("stopped", func(t *testing.T) {
		path := logFile(t)
		create(t, path, "a\n")
		d := newDaemon(t, false, path)
		d.options.uncounted = true
		d.start()
		d.want(1, "a")
		d.kill()
		appendTo(t, path, text)
		rotate(t, path, "b1\n")
		rotate(t, path, "c1\n")
		d.start()
		check(t, d)
	})
}

// Numbers of the lines of a compressed file, whose size is unknown, and of those
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
				d := newDaemon(t, false, path)
				d.options.uncounted = true
				d.start()
				d.want(1, "a")
				d.kill()
				appendTo(t, path, strings.Repeat("\n", lines))
				rotate(t, path, "b1\n")
				compress(t, path+".1", end)
				rotate(t, path, "c1\n")
				d.start()
				d.eventually("all lines", func() bool { return d.collected() == 1+lines+2 })
				d.stop()
				a, b, c := d.file(1), d.file(2), d.file(3)
				if a.end.Line != 2+lines || b.start.Line < a.end.Line || c.start.Line < b.end.Line {
					t.Errorf("numbers are %d to %d, %d to %d, and from %d on: want none twice",
						a.start.Line, a.end.Line, b.start.Line, b.end.Line, c.start.Line)
				}
			})
		})
	}
}
