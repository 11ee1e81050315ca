// The files change while the reader is looking at them.

package tail_test

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/stats"
)

// A chunk that waits to be taken is of the file, and what follows it of the copy.
func TestFileIsCopiedAndTruncatedWhileItsChunkWaits(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		text, lines := numbered("a", 0, 5*blockSize/100)
		file := create(t, path, text+"half")
		d := newDaemon(t, wakeups, path)
		d.prepare()
		d.eventually("a full channel", func() bool { return d.stats.Snapshot(time.Now()).Books.Read == 2*(blockSize/100) })
		copyTruncate(t, path, file)
		d.eventually("notice", func() bool { return d.source().Truncations == 1 })
		add(t, file, "b1\n")
		recovered(t, d, append(lines, "half"))
		d.stop()
	})
}

// Its copy is there, and empty, when the reader looks beside the log; when it is
// read, the log has been truncated.
func TestFileIsTruncatedWhenItsCopyWasSeenInTheMaking(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, late string }{{"all was read", ""}, {"some was not", "b3\nb4\n"}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				path := logFile(t)
				file := create(t, path, "a1\n")
				d := newDaemon(t, false, path)
				d.start()
				d.wantOf("a1")
				copyTruncate(t, path, file)
				d.eventually("notice", func() bool { return d.source().Truncations == 1 })
				shift(t, path)
				later()
				add(t, file, "b1\nb2\n") // with which the reader looks beside the log
				copied := create(t, path+".1", "")
				d.eventually("b1 and b2", func() bool { return d.collected() == 3 })
				time.Sleep(time.Millisecond) // less than a tick
				add(t, file, c.late)
				add(t, copied, "b1\nb2\n"+c.late)
				later()
				truncate(t, file, 0)
				add(t, file, "c1\n")
				d.wantOf(append(strings.Fields(c.late), "a1", "b1", "b2", "c1")...)
				if s := d.source(); s.Lost != 0 {
					t.Errorf("%d generations lost; the log:\n%s", s.Lost, &d.log)
				}
				d.stop()
				d.start()
				d.wantNothing()
				d.stop()
			})
		})
	}
}

// Nothing is known of the copy but its inode.
func TestKilledWhenACopyWasSeenInTheMaking(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, late string
		truncated  bool
	}{
		{"all was read", "", true},
		{"some was not", "b3\nb4\n", true},
		{"it is made and the log is still there", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				path := logFile(t)
				file := create(t, path, "a1\n")
				d := newDaemon(t, false, path)
				d.start()
				d.wantOf("a1")
				copyTruncate(t, path, file)
				d.eventually("notice", func() bool { return d.source().Truncations == 1 })
				shift(t, path)
				later()
				add(t, file, "b1\nb2\n") // with which the reader looks beside the log
				copied := create(t, path+".1", "")
				d.eventually("b1 and b2", func() bool { return d.collected() == 3 })
				d.acknowledge()
				d.kill()
				add(t, file, c.late)
				add(t, copied, "b1\nb2\n"+c.late)
				later()
				if c.truncated {
					truncate(t, file, 0)
				}
				add(t, file, "c1\n")
				want := append(strings.Fields(c.late), "c1")
				for _, end := range []func(){d.kill, d.stop} {
					d.start()
					d.wantOf(want...)
					if s := d.source(); s.Lost != 0 {
						t.Errorf("%d generations lost; the log:\n%s", s.Lost, &d.log)
					}
					end()
				}
				d.start()
				d.wantNothing()
				d.stop()
			})
		})
	}
}

// What a file begins with is judged before it is read: by a scene that has it. If it came
// after that, there is another scene.
func TestFileBeginsWhileItIsLookedAt(t *testing.T) {
	t.Parallel()
	type step = func(t *testing.T, file *os.File)
	nothing := func(*testing.T, *os.File) {}
	line := func(t *testing.T, file *os.File) { add(t, file, "a1\n") }
	cycle := func(t *testing.T, file *os.File) { // which its time tells
		add(t, file, "a1\n")
		truncate(t, file, 0)
	}
	for _, c := range []struct {
		name       string
		before, do step
		want       bool
	}{
		{"with nothing", nothing, nothing, false},
		{"with a line", nothing, line, true},
		{"as a gzip stream", nothing, func(t *testing.T, file *os.File) { add(t, file, gzipped(t, "a1\n")) }, true},
		{"and was copied and truncated", nothing, cycle, true},
		{"and was copied and truncated before", cycle, nothing, false},
		{"with a line after it was copied and truncated", cycle, line, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := logFile(t)
			file := create(t, path, "")
			f := prepare(t, options{}, path)
			defer f.reader.Close()
			f.reader.Look()
			later()
			c.before(t, file)
			later()
			if is := f.reader.Moves(func() { c.do(t, file) }); is != c.want {
				t.Errorf("the scene says nothing any more: %v, want %v", is, c.want)
			}
		})
	}
}

// A log is copied and truncated twice between two looks, and tailflux is killed when it has seen
// the first copy, and begun what is there now: the second copy is not as new as that.
func TestKilledBeforeTheSecondCopyIsSeen(t *testing.T) {
	t.Parallel()
	path := logFile(t)
	file := create(t, path, "a1\n")
	d := newDaemon(t, false, path)
	d.options.Checkpoint = openCheckpoint(t, d.state, stats.New(time.Now()), io.Discard)
	f := prepare(t, d.options, path)
	f.reader.Look()
	for _, line := range []string{"b1\n", "c1\n"} {
		later()
		copyTruncate(t, path, file)
		add(t, file, line)
	}
	if err := f.reader.Step(); err != nil {
		t.Fatal(err)
	}
	if err := f.sink.checkpoint.Save(); err != nil {
		t.Fatal(err)
	}
	f.reader.Close()
	if !strings.Contains(f.log.String(), "the rest of a truncated log file") {
		t.Fatalf("the log was not truncated:\n%s", &f.log)
	}
	d.start()
	d.wantOf("a1", "b1", "c1")
	d.stop()
}

// In real time, in which the reader looks between any two of these steps.
func TestFileIsCopiedAndTruncatedTwiceWhileItIsLookedAt(t *testing.T) {
	t.Parallel()
	for i := range 10 {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			copiedTwice(t, true, "a3\nhalf")
		})
	}
}

func TestFileIsCopiedAndTruncatedOftenWhileItIsLookedAt(t *testing.T) {
	t.Parallel()
	for i := range 10 {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			copiedOften(t, true)
		})
	}
}

// The name of a file is that of another one by the time it is opened.
func TestLongChainOfRotatedFilesIsRenamedWhileItIsLookedAt(t *testing.T) {
	t.Parallel()
	const rotations, kept = 60, 40
	path := logFile(t)
	name := func(n int) string { return fmt.Sprint(path, ".", n) }
	for n := 1; n <= kept; n++ {
		create(t, name(n), fmt.Sprint("older ", n, "\n")).Close()
	}
	later()
	create(t, path, "begin\n").Close()
	d := newDaemon(t, true, path)
	d.start()
	d.wantOf("begin")
	want, last := []string{"begin"}, kept
	for i := range rotations {
		want = append(want, fmt.Sprint("line ", i))
		appendTo(t, path, want[i+1]+"\n")
		for n := last; n > 0; n-- {
			rename(t, name(n), name(n+1))
		}
		last++
		rename(t, path, name(1))
		create(t, path, "").Close()
		later()
	}
	d.wantOf(want...)
	d.stop()
}

func copiedTwice(t *testing.T, wakeups bool, unread string) {
	t.Helper()
	path := logFile(t)
	file := create(t, path, "a1\na2\n")
	d := newDaemon(t, wakeups, path)
	d.start()
	d.wantOf("a1", "a2")
	add(t, file, unread)
	copyTruncate(t, path, file)
	add(t, file, "b1\nb2\n")
	copyTruncate(t, path, file)
	add(t, file, "c1\n")
	want := append(strings.Fields("a1 a2 "+unread), "b1", "b2", "c1")
	d.wantOf(want...)
	if s := d.source(); s.Lost != 0 {
		t.Errorf("%d generations lost; the log:\n%s", s.Lost, &d.log)
	}
	add(t, file, "c2\n")
	d.wantOf(append(want, "c2")...)
	d.stop()
	d.start()
	d.wantNothing()
	d.stop()
}

func copiedOften(t *testing.T, wakeups bool) {
	t.Helper()
	path := logFile(t)
	file := create(t, path, "")
	d := newDaemon(t, wakeups, path)
	d.start()
	d.looked()
	var want []string
	for i := range 8 {
		text, lines := numbered(string(rune('a'+i)), 0, 50*(i%3+1))
		add(t, file, text)
		want = append(want, lines...)
		time.Sleep(time.Duration(i*40) * time.Millisecond)
		copyTruncate(t, path, file)
		if i%2 == 1 {
			compress(t, path+".1", ".gz")
		}
		if i == 5 {
			d.kill()
			d.start()
		}
	}
	add(t, file, "end\n")
	want = append(want, "end")
	d.eventually("all lines", func() bool { return !slices.ContainsFunc(want, func(line string) bool { return !d.hasSent(line) }) })
	d.still()
	d.stop()
	d.start()
	d.wantNothing()
	d.stop()
}
