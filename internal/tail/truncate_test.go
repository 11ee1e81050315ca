// The log is truncated in place, without a copy.

package tail_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestFileIsTruncated(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "a1\na2\nhalf")
		f := follow(t, rotating(wakeups), path)
		f.want(1, "a1", "a2")
		truncate(t, file, 0)
		f.eventually("notice", func() bool { s := f.source(); return s.Truncations == 1 && s.Offset == 0 && s.Size == 0 })
		add(t, file, "b1\nb2\nb3\n")
		f.want(2, "b1", "b2", "b3")
		if got := f.file(2).start; got.Line != 3+gap || got.Offset != 0 {
			t.Errorf("begins at %+v, want %d beyond line 3", got, gap)
		}
		truncate(t, file, 3) // what is left of it was sent
		f.eventually("notice", func() bool { return f.source().Truncations == 2 })
		add(t, file, "b4\n")
		f.want(3, "b4")
		if got := f.file(3).start; got.Line != 3+gap+3+gap || got.Offset != 3 {
			t.Errorf("goes on at %+v, want offset 3", got)
		}
		if n := f.logged("log file was truncated"); n != 2 || f.source().Truncations != 2 || f.source().Rotations != 0 {
			t.Errorf("logged %d truncations; books: %+v", n, f.source())
		}
	})
}

func TestFileIsTruncatedWithinAHalfLine(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "a1\n")
		f := follow(t, rotating(wakeups), path)
		f.want(1, "a1")
		add(t, file, "halfhalf")
		time.Sleep(300 * time.Millisecond)
		truncate(t, file, 5)
		time.Sleep(600 * time.Millisecond)
		add(t, file, "rd\n")
		f.want(1, "a1", "hard")
		if got := f.source().Truncations; got != 0 {
			t.Errorf("%d truncations: what was sent is still there", got)
		}
	})
}

func TestFileIsTruncatedWithinALineLongerThanABlock(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "a1\n"+strings.Repeat("x", 3*blockSize))
		f := follow(t, rotating(wakeups), path)
		f.want(1, "a1")
		time.Sleep(300 * time.Millisecond)
		truncate(t, file, 3+blockSize)
		time.Sleep(600 * time.Millisecond)
		add(t, file, "end\na2\n")
		f.want(1, "a1", strings.Repeat("x", longHead), "a2")
		if got := f.file(1).tooLong; len(got) != 1 || got[0] != blockSize+4 {
			t.Errorf("TooLong = %d, want %d", got, blockSize+4)
		}
	})
}

func TestFileIsTruncatedBeforeALineLongerThanABlock(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "a1\n"+strings.Repeat("x", 3*blockSize))
		f := follow(t, rotating(wakeups), path)
		f.want(1, "a1")
		time.Sleep(300 * time.Millisecond)
		truncate(t, file, 0)
		f.eventually("notice", func() bool { return f.source().Truncations == 1 })
		add(t, file, "b1\n")
		f.want(2, "b1")
	})
}

func TestOldFileIsTruncated(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		old := create(t, path, "a1\na2\n")
		f := follow(t, rotating(wakeups), path)
		f.want(1, "a1", "a2")
		rename(t, path, path+".1")
		file := create(t, path, "b1\n")
		f.want(2, "b1")
		truncate(t, old, 0)
		f.eventually("notice", func() bool { return f.source().Truncations == 1 })
		add(t, old, "a3\n")
		f.want(3, "a3")
		add(t, file, "b2\n")
		f.want(2, "b1", "b2")
		if b, a := f.file(2).start.Line, f.file(3).start.Line; a < b+gap {
			t.Errorf("first lines are %d and %d, want no number twice", b, a)
		}
	})
}

// What is left of its half line is still to be completed.
func TestOldFileIsTruncatedWithinAHalfLine(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		old := create(t, path, "a1\nhalfhalf")
		f := follow(t, rotating(wakeups), path)
		f.want(1, "a1")
		rename(t, path, path+".1")
		create(t, path, "b1\n")
		f.want(2, "b1")
		truncate(t, old, 5)
		time.Sleep(rotateWait * 3 / 4)
		add(t, old, "r")
		time.Sleep(rotateWait * 3 / 4) // less since it grew
		add(t, old, "d\n")
		f.want(1, "a1", "hard")
	})
}

func TestFileIsTruncatedWhileItsChunkWaits(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		text, want := numbered("a", 0, blockSize/100*3)
		file := create(t, path, text)
		f := start(t, rotating(wakeups), path)
		waiting := 2 * int64(blockSize/100) // one in the channel, one before it
		f.eventually("a full channel", func() bool { return f.stats.Snapshot(time.Now()).Books.Read == waiting })
		truncate(t, file, 0)
		f.eventually("notice", func() bool { return f.source().Truncations == 1 })
		add(t, file, "b1\n")
		f.drain(0)
		f.want(1, want[:waiting]...) // and no more: it is gone
		f.want(2, "b1")
	})
}

// Between two looks, which needs synctest's time to be sure of.
func TestFileIsTruncatedAndGrowsUnseen(t *testing.T) {
	long := strings.Repeat("x", 3*blockSize)
	b, lines := numbered("b", 0, 5*blockSize/100)
	for _, c := range []struct {
		name, before, after string
		lines               []string
	}{
		{"larger", "a1\na2\nha", b, lines},
		{"larger than a line over a block", "a1\na2\n" + long, b, lines},
		{"smaller", "a1\na2\nha", "b\n", []string{"b"}},
		{"to the same size", "a1\na2\nha", "b1\nb2\nb3", []string{"b1", "b2"}},
		{"to the size that was read", "a1\na2\n", "b1\nb2\n", []string{"b1", "b2"}},
		{"and begins as before", "a1\na2\nha", "a1\nb2\nb3\nb4\n", []string{"a1", "b2", "b3", "b4"}},
		{"and begins as before for a kilobyte", long[:1023] + "\na2\n", long[:1023] + "\nb2\n", []string{long[:1023], "b2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := logFile(t)
				file := create(t, path, c.before)
				f := follow(t, rotating(false), path)
				whole := strings.Split(strings.TrimSuffix(c.before, "ha"), "\n")
				f.want(1, whole[0], "a2")
				time.Sleep(2 * time.Second)
				truncate(t, file, 0)
				add(t, file, c.after)
				f.want(2, c.lines...)
				f.still()
				if got := f.source().Truncations; got != 1 {
					t.Errorf("%d truncations", got)
				}
			})
		})
	}
}
