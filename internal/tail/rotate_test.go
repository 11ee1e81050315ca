// The log is renamed, deleted, or its symlink is swapped while the daemon runs.

package tail_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/tail"
)

// rotateWait is long enough for what the tests write late.
const rotateWait = 2 * time.Second

func rotating(wakeups bool) options {
	return options{Config: tail.Config{Wakeups: wakeups, RotateWait: rotateWait}}
}

func TestFileIsRenamedAndTheOldOneStillWritten(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		old := create(t, path, "a1\na2\n")
		f := follow(t, rotating(wakeups), path)
		f.want(1, "a1", "a2")
		rename(t, path, path+".1")
		add(t, old, "a3\n")
		f.want(1, "a1", "a2", "a3") // nothing else is at the path
		file := create(t, path, "b1\n")
		f.want(2, "b1") // at once: beside the old one
		add(t, old, "a4\na")
		add(t, file, "b2\nb")
		f.want(1, "a1", "a2", "a3", "a4")
		f.want(2, "b1", "b2")
		add(t, file, "3\n")
		add(t, old, "5\n")
		f.want(2, "b1", "b2", "b3")
		f.want(1, "a1", "a2", "a3", "a4", "a5")
		if a, b := f.file(1), f.file(2); a.start.Line != 1 || b.start.Line != 4+gap || b.start.Offset != 0 {
			t.Errorf("first lines are %d and %d, want 1 and %d beyond the 4th", a.start.Line, b.start.Line, gap)
		}
		f.eventually("the books", func() bool {
			s := f.source()
			return s.Rotations == 1 && s.Offset == 9 && s.Size == 9 && s.Truncations == 0 && s.Open
		})
		if n := f.logged("log file was rotated"); n != 1 {
			t.Errorf("logged %d rotations", n)
		}
	})
}

func TestLastLineWithoutNewlineComesWhenTheOldFileIsLeft(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		old := create(t, path, "a1\nhal")
		f := follow(t, rotating(wakeups), path)
		f.want(1, "a1")
		rename(t, path, path+".1")
		create(t, path, "b1\n")
		f.want(2, "b1")
		time.Sleep(rotateWait / 2)
		f.check()
		add(t, old, "f") // which makes it wait anew
		grown := time.Now()
		f.want(1, "a1", "half")
		if after := time.Since(grown); after < rotateWait {
			t.Errorf("left %v after it grew, want %v", after, rotateWait)
		} else if after > rotateWait+500*time.Millisecond && !wakeups { // only then is time exact
			t.Errorf("left %v after it grew, want hardly more than %v", after, rotateWait)
		}
		if got := f.file(1).end; got.Offset != 7 || got.Line != 3 {
			t.Errorf("ends at %+v, want offset 7, line 3", got)
		}
		f.still()
	})
}

// A reader that stood still, because the machine did or its log is not taken, has not seen that
// the old file was quiet: who writes it may have stood still, too.
func TestReaderStandsStillForLongerThanRotateWait(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		old := create(t, path, "a1\nhal")
		o := rotating(wakeups)
		goesOn := make(chan struct{})
		o.logs = func(line string) {
			if strings.Contains(line, "log file was rotated") {
				time.Sleep(3 * rotateWait)
				close(goesOn)
			}
		}
		f := follow(t, o, path)
		f.want(1, "a1")
		rename(t, path, path+".1")
		create(t, path, "b1\n")
		<-goesOn
		f.want(2, "b1")
		time.Sleep(rotateWait / 4)
		add(t, old, "f\n")
		f.want(1, "a1", "half")
		if n := f.logged("is still written to"); n != 0 {
			t.Errorf("complained %d times", n)
		}
	})
}

func TestOldFileGrowsWithoutNewlineForLong(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		old := create(t, path, "")
		f := follow(t, rotating(wakeups), path)
		f.eventually("the first look", func() bool { return f.source().Open })
		rename(t, path, path+".1")
		create(t, path, "b1\n")
		f.want(2, "b1")
		line := ""
		for range 15 {
			add(t, old, "abc")
			line += "abc"
			time.Sleep(200 * time.Millisecond)
		}
		if got := f.got(1); got != nil {
			t.Fatalf("while it grew: %q", got)
		}
		add(t, old, "\nlast")
		f.want(1, line, "last")
	})
}

func TestLineLongerThanABlockHasNoEndWhenTheOldFileIsLeft(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		o := rotating(wakeups)
		o.RotateWait = time.Second
		path := logFile(t)
		old := create(t, path, "a1\n"+strings.Repeat("x", 2*blockSize))
		f := follow(t, o, path)
		f.want(1, "a1")
		rename(t, path, path+".1")
		create(t, path, "b1\n")
		f.want(2, "b1")
		add(t, old, strings.Repeat("x", blockSize))
		f.want(1, "a1", strings.Repeat("x", longHead))
		if got := f.file(1); got.end.Offset != 3+3*blockSize || got.tooLong[0] != 3*blockSize+1 {
			t.Errorf("ends at %d with TooLong %d, want the size of the file, %d, and one more than the line",
				got.end.Offset, got.tooLong, 3+3*blockSize)
		}
		f.still()
	})
}

func TestOldFileIsLeftAtOnceWithoutRotateWait(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		o := rotating(wakeups)
		o.RotateWait = 0
		line := strings.Repeat("a", 250) + "\n"
		path := logFile(t)
		create(t, path, strings.Repeat(line, 3*blockSize/len(line))+"half")
		f := start(t, o, path)
		f.eventually("the first chunk", func() bool { return len(f.chunks) > 0 })
		rename(t, path, path+".1")
		create(t, path, "b1\n")
		f.eventually("the rotation", func() bool { return f.source().Rotations == 1 })
		f.drain(0)
		f.want(2, "b1")
		want := strings.Split(strings.Repeat(line, 3*blockSize/len(line))+"half", "\n")
		f.want(1, want...)
		f.still()
	})
}

func TestFileIsDeletedAndRecreated(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		old := create(t, path, "a1\n")
		f := follow(t, rotating(wakeups), path)
		f.want(1, "a1")
		remove(t, path)
		add(t, old, "a2\n")
		f.want(1, "a1", "a2")
		f.eventually("a word about it", func() bool { return strings.Contains(f.source().Trouble, "no such file") })
		create(t, path, "b1\nb2\n")
		f.want(2, "b1", "b2")
		add(t, old, "a3\n") // by a worker that still has it open
		f.want(1, "a1", "a2", "a3")
		f.eventually("the end of trouble", func() bool { s := f.source(); return s.Trouble == "" && s.Open && s.Rotations == 1 })
	})
}

// Nothing of a file that was left stays behind, even if it is still watched: its
// name has not changed.
func TestQuietFileIsLeft(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		o := rotating(wakeups)
		o.RotateWait = 100 * time.Millisecond
		path := logFile(t)
		create(t, path+".a", "a1\n").Close()
		create(t, path+".b", "b1\n").Close()
		link(t, path+".a", path)
		f := follow(t, o, path)
		f.want(1, "a1")
		time.Sleep(1500 * time.Millisecond) // quiet since 1 s
		remove(t, path)
		f.still()
		if !isOpen(t, path+".a") {
			t.Error("closed, while nothing else is at the path")
		}
		link(t, path+".b", path)
		f.want(2, "b1")
		f.eventually("it to be closed", func() bool { return !isOpen(t, path+".a") })
	})
}

// isOpen reports whether this process has the file open.
func isOpen(t *testing.T, path string) bool {
	t.Helper()
	return slices.Contains(openNames(t), path)
}

func TestSymlinkIsSwapped(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		a := create(t, path+".a", "a1\n")
		create(t, path+".b", "b1\n")
		link(t, path+".a", path)
		f := follow(t, rotating(wakeups), path)
		f.want(1, "a1")
		link(t, path+".b", path+".new")
		rename(t, path+".new", path)
		f.want(2, "b1")
		add(t, a, "a2\n")
		f.want(1, "a1", "a2")
	})
}

// A file that is still open is the same when it is back, and not read again.
func TestFileComesBackToThePath(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		a := create(t, path, "a1\na")
		f := follow(t, rotating(wakeups), path)
		f.want(1, "a1")
		rename(t, path, path+".a")
		rename(t, path+".a", path)
		f.still()
		rename(t, path, path+".a")
		b := create(t, path, "b1\n")
		f.want(2, "b1")
		rename(t, path, path+".b")
		rename(t, path+".a", path)
		f.eventually("the second rotation", func() bool { return f.source().Rotations == 2 })
		add(t, a, "2\na3\n")
		add(t, b, "b2\nhalf")
		f.want(1, "a1", "a2", "a3")
		f.want(2, "b1", "b2", "half") // when it is left
		add(t, a, "a4\n")             // this one is not left
		f.want(1, "a1", "a2", "a3", "a4")
		rename(t, path, path+".a")
		create(t, path, "c1\n")
		f.want(3, "c1")
		// b's lines were 4 + gap, and further
		if b, c := f.file(2), f.file(3); b.start.Line != 2+gap || c.start.Line < b.end.Line+gap-4 {
			t.Errorf("line numbers: b %d to %d, c from %d", b.start.Line, b.end.Line, c.start.Line)
		}
	})
}

// However long it was quiet before, somebody may still write to it.
func TestQuietFileIsRotatedAndWrittenLate(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		old := create(t, path, "a1\n")
		f := follow(t, rotating(wakeups), path)
		f.want(1, "a1")
		time.Sleep(rotateWait + time.Second)
		rename(t, path, path+".1")
		create(t, path, "b1\n")
		f.want(2, "b1")
		time.Sleep(rotateWait / 2)
		add(t, old, "a2\n")
		f.want(1, "a1", "a2")
	})
}

// What was in it is read late because InfluxDB was away: nobody writes to it.
func TestRotatedFileIsReadLate(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		text, lines := numbered("a", 0, 5*blockSize/100)
		create(t, path, text)
		d := newDaemon(t, wakeups, path)
		d.prepare()
		d.eventually("a full channel", func() bool { return d.stats.Snapshot(time.Now()).Books.Read == 2*(blockSize/100) })
		rotate(t, path, "b1\n")
		d.eventually("the next one", func() bool { return d.source().Rotations == 1 })
		time.Sleep(1500 * time.Millisecond)
		go d.drain()
		d.wantOf(append(lines, "b1")...)
		if s := d.source(); s.WrittenLate != 0 || d.logged("still written to") != 0 {
			t.Errorf("WrittenLate = %d; the log:\n%s", s.WrittenLate, &d.log)
		}
		d.stop()
	})
}

// A file that was read from its end and never grew is left like any other. When it grows
// after that, it is read on.
func TestOldFileNeverGrew(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		o := rotating(wakeups)
		o.fromEnd = true
		path := logFile(t)
		old := create(t, path, "a1\n")
		f := follow(t, o, path)
		f.eventually("the first look", func() bool { return f.source().Open })
		rename(t, path, path+".1")
		create(t, path, "b1\n")
		f.want(2, "b1")
		time.Sleep(2 * rotateWait)
		f.still()
		add(t, old, "a2\n")
		f.want(1, "a2")
		if s := f.source(); s.WrittenLate != 1 || f.logged("still written to") != 1 {
			t.Errorf("WrittenLate = %d; the log:\n%s", s.WrittenLate, &f.log)
		}
	})
}

// While the end of the old file waits to be taken, the file is at the path
// again: it is not left, and not read again.
func TestFileComesBackWhileItIsBeingLeft(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		o := rotating(wakeups)
		o.RotateWait = time.Second
		path, other := logFile(t), logFile(t)
		file := create(t, path, "a1\nhalf")
		f := start(t, o, path, other)
		read := func(n int64) {
			t.Helper()
			f.eventually("the next line", func() bool { return f.stats.Snapshot(time.Now()).Books.Read == n })
		}
		read(1)
		create(t, other, "full channel\n")
		rename(t, path, path+".1")
		create(t, path, "b1\n")
		for n := range int64(2) {
			c := <-f.chunks
			f.collect(c)
			c.Block.Release()
			read(3 + n) // the last of which is on its way
		}
		rename(t, path+".1", path)
		f.eventually("the second rotation", func() bool { return f.source().Rotations == 2 })
		f.drain(0)
		f.eventually("half", func() bool { return len(f.got(1)) > 0 && f.got(1)[len(f.got(1))-1] == "half" })
		add(t, file, "-line\na2\n")
		f.eventually("the rest", func() bool { return f.collected() == 6 })
		f.stop()
		var all [][]string // in any order: which of the other two was seen first is luck
		for _, file := range f.files {
			all = append(all, file.lines)
		}
		slices.SortFunc(all, slices.Compare)
		if diff := cmp.Diff([][]string{{"a1", "half", "-line", "a2"}, {"b1"}, {"full channel"}}, all); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
	})
}

// Another source has taken most of the block that it was first read into.
func TestLastLineIsLongerThanTheRoomThatIsLeft(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		dir := t.TempDir()
		path, other := filepath.Join(dir, "access.log"), filepath.Join(dir, "other.log")
		long := strings.Repeat("x", 20<<10)
		create(t, path, long)
		text, lines := numbered("o", 0, 200)
		o := rotating(wakeups)
		o.uncounted = true
		f := follow(t, o, path, other)
		f.eventually("the long line", func() bool { return f.source().Size == int64(len(long)) })
		time.Sleep(300 * time.Millisecond)
		create(t, other, text)
		f.eventually("the other lines", func() bool {
			f.mu.Lock()
			defer f.mu.Unlock()
			return len(f.files) == 1 && len(f.files[0].lines) == len(lines)
		})
		rotate(t, path, "b1\n")
		f.eventually("the long line", func() bool {
			f.mu.Lock()
			defer f.mu.Unlock()
			return slices.ContainsFunc(f.files, func(file *file) bool { return slices.Equal(file.tooLong, []int64{int64(len(long)) + 1}) })
		})
	})
}
