// Line numbers stay the same after a restart, and no two generations share one.

package tail_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/growing"
	"github.com/tailflux/tailflux/internal/tail"
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
	ticks("lost", func(t *testing.T) {
		path := logFile(t)
		create(t, path, "a\n")
		d := newDaemon(t, false, path)
		d.options.uncounted = true
		d.start()
		d.eventually("a line", func() bool { return d.collected() == 1 })
		d.acknowledge()
		appendTo(t, path, text)
		d.eventually("all lines", func() bool { return d.collected() == 1+lines })
		d.looked()
		d.kill()
		if err := d.sink.checkpoint.Save(); err != nil {
			t.Fatal(err)
		}
		rename(t, path, filepath.Join(t.TempDir(), "away.log"))
		create(t, path, "b1\n")
		d.start()
		d.eventually("another log", func() bool { return d.collected() == 1 })
		if s := d.source(); s.Lost != 1 {
			t.Errorf("%d generations are lost, want 1", s.Lost)
		}
		if at := d.file(2).start.Line; at < 2+lines {
			t.Errorf("b1 is line %d, want it beyond the %d of the lost log", at, 1+lines)
		}
		d.stop()
	})
}

// A worker writes more lines to the old file than there are numbers before those of the
// new one: it is said, and counted.
func TestMoreIsWrittenToASupersededFileThanTheGapBetweenGenerations(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := logFile(t)
		file := create(t, path, "a1\n")
		d := newDaemon(t, false, path)
		d.options.uncounted = true
		d.options.RotateWait = time.Minute
		d.start()
		d.eventually("the first line", func() bool { return slices.Equal(d.got(1), []string{"a1"}) })
		rotate(t, path, "b1\n")
		d.want(2, "b1")
		add(t, file, strings.Repeat("\n", gap)) // one for each number before that of b1
		d.eventually("all lines", func() bool { return len(d.got(1)) == 1+gap })
		if s := d.source(); s.Beyond != 0 {
			t.Errorf("%d lines have a number of the next file, want none yet", s.Beyond)
		}
		add(t, file, strings.Repeat("\n", 7))
		d.eventually("lines that have a number of the next file", func() bool { return d.source().Beyond == 7 })
		add(t, file, "\n")
		d.eventually("one more", func() bool { return d.source().Beyond == 8 })
		if n := d.logged("has been written to for very long"); n != 1 {
			t.Errorf("it is logged %d times, want once", n)
		}
		d.want(1, append([]string{"a1"}, make([]string, gap+8)...)...)
		d.stop()
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

// Numbers of one file's lines are those of another's once they have reached them from
// below, whichever of the two is the younger generation.
func TestUsedTwice(t *testing.T) {
	t.Parallel()
	file := func(id, first, lines int64) *growing.File {
		return &growing.File{At: flow.Position{Generation: &flow.Generation{ID: id, FirstLine: first}, Line: first + lines}}
	}
	for _, tt := range []struct {
		f, other *growing.File
		want     int64
	}{
		{file(1, 1, gap), file(2, 1+gap, 200), 0},
		{file(1, 1, gap+7), file(2, 1+gap, 200), 7},
		{file(2, 1+gap, 200), file(1, 1, gap+7), 0}, // counted once
		{file(3, 1+3*gap, 200), file(4, 1+2*gap, 200), 0},
		{file(4, 1+2*gap, gap+7), file(3, 1+3*gap, 200), 7},
		{file(2, -gap, 200), file(3, 1, 200), 0}, // of an imported file
	} {
		if got := tail.UsedTwice(tt.f, tt.other); got != tt.want {
			t.Errorf("%d lines from number %d beside one from number %d: %d used twice, want %d",
				tt.f.At.Line-tt.f.At.Generation.FirstLine, tt.f.At.Generation.FirstLine, tt.other.At.Generation.FirstLine, got, tt.want)
		}
	}
}
