// nginx goes on writing to a rotated file: it was not told to reopen its logs, or does so late.

package tail_test

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// logrotate's signal is denied, for instance: the new file stays empty.
func TestNginxIsNeverToldToReopen(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		old := create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.want(1, "a1")
		rotate(t, path, "")
		want := []string{"a1"}
		for i := range 3 {
			time.Sleep(700 * time.Millisecond) // more than rotate_wait
			want = append(want, fmt.Sprint("late ", i))
			add(t, old, want[i+1]+"\n")
			d.want(1, want...)
		}
		d.eventually("a word", func() bool { return d.source().WrittenLate == 1 && d.logged("still written to") == 1 })
		d.stop()
		add(t, old, "while stopped\n")
		d.start()
		d.want(1, "while stopped")
		time.Sleep(700 * time.Millisecond)
		add(t, old, "after that\n")
		d.want(1, "while stopped", "after that")
		d.stop()
	})
}

// One worker has reopened the log, another writes to the old file every now and then
// (open_log_file_cache).
func TestOldFileGrowsAfterItWasLeft(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		old := create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.wantOf("a1")
		rotate(t, path, "b1\n")
		want := []string{"a1", "b1"}
		d.wantOf(want...)
		for i := range 3 {
			d.acknowledge()
			time.Sleep(1500 * time.Millisecond)
			want = append(want, fmt.Sprint("late ", i))
			add(t, old, fmt.Sprint("late ", i, "\n"))
			d.wantOf(slices.Clone(want)...)
			if i == 1 {
				shift(t, path) // under another name now
			}
		}
		d.stop()
		d.start()
		d.looked()
		time.Sleep(1500 * time.Millisecond)
		add(t, old, "after a restart\n")
		d.wantOf("after a restart")
		d.stop()
		d.start()
		d.wantNothing()
		d.stop()
	})
}

// The old file had no line when it was left, so that nothing but its inode is known. What comes
// to it is read, also after a restart, and may be a copy of another one.
func TestOldFileWithoutALineGrowsAfterItWasLeft(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		old := create(t, path, "")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.looked()
		next := rotate(t, path, "b1\n")
		d.wantOf("b1")
		d.acknowledge()
		time.Sleep(1500 * time.Millisecond)
		add(t, old, "late\n")
		d.wantOf("b1", "late")
		d.acknowledge()

		last := rotate(t, path, "")
		d.eventually("the next rotation", func() bool { return d.source().Rotations == 2 })
		empty := rotate(t, path, "d1\n")
		d.wantOf("b1", "late", "d1")
		d.acknowledge()
		time.Sleep(1500 * time.Millisecond)
		d.stop()
		d.start()
		d.looked()
		time.Sleep(1500 * time.Millisecond)
		add(t, next, "later\n")
		add(t, last, "after a restart\n")
		d.wantOf("later", "after a restart")
		add(t, empty, "d2\n")
		d.wantOf("later", "after a restart", "d2")
		d.stop()
	})
}

func TestOldFileWithoutALineBecomesACopyAfterItWasLeft(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		create(t, path, "").Close()
		d := newDaemon(t, wakeups, path)
		d.start()
		d.looked()
		log := rotate(t, path, "b1\nb2\n")
		d.wantOf("b1", "b2")
		d.left(path + ".1")
		copyFile(t, path, path+".1")
		truncate(t, log, 0)
		add(t, log, "c1\n")
		d.wantOf("b1", "b2", "c1")
		time.Sleep(3 * time.Second)
		d.wantOf("b1", "b2", "c1")
		d.stop()
	})
}

// leftOld is a log with a text, and another one in its place for so long that the old one was left.
func leftOld(t *testing.T, wakeups bool, text string, lines ...string) (d *daemon, path string, old, log *os.File) {
	t.Helper()
	path = logFile(t)
	old = create(t, path, text)
	d = newDaemon(t, wakeups, path)
	d.start()
	d.wantOf(slices.Clone(lines)...)
	log = rotate(t, path, "b1\n")
	d.wantOf(append(slices.Clone(lines), "b1")...)
	d.acknowledge()
	time.Sleep(2 * time.Second)
	return d, path, old, log
}

// It has grown and was compressed, or copied elsewhere, while tailflux was stopped: what was read
// of it is not read again.
func TestOldFileGrowsAndIsCompressedWhileStopped(t *testing.T) {
	for _, end := range []string{".gz", ".zst", ""} {
		t.Run(cmp.Or(end, "copied"), func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				text, want := numbered("a", 0, 100)
				d, path, old, _ := leftOld(t, wakeups, text, want...)
				d.stop()
				later()
				add(t, old, "late 1\nlate 2\n")
				if end != "" {
					compress(t, path+".1", end)
				} else {
					copyFile(t, path+".1", path+".2")
					remove(t, path+".1")
				}
				d.start()
				d.wantOf("late 1", "late 2")
				d.acknowledge()
				d.stop()
				d.start()
				d.wantNothing()
				d.stop()
			})
		})
	}
}

// The same while tailflux runs, between two looks at it.
func TestOldFileGrowsAndIsCompressedBeforeItIsSeen(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		text, want := numbered("a", 0, 100)
		d, path, old, log := leftOld(t, wakeups, text, want...)
		add(t, old, "late\n")
		compress(t, path+".1", ".gz")
		later()
		add(t, log, "b2\n")
		want = append(want, "b1", "late", "b2")
		d.wantOf(slices.Clone(want)...)
		time.Sleep(3 * time.Second)
		d.wantOf(slices.Clone(want)...)
		d.stop()
	})
}

// The same after a start, since which nobody holds it.
func TestOldFileOfBeforeAStartGrowsAndIsCompressedBeforeItIsSeen(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		text, lines := numbered("a", 0, 100)
		d, path, old, log := leftOld(t, wakeups, text, lines...)
		d.stop()
		d.start()
		d.looked()
		add(t, old, "late\n")
		compress(t, path+".1", ".gz")
		later()
		add(t, log, "b2\n")
		d.wantOf("late", "b2")
		time.Sleep(3 * time.Second)
		d.wantOf("late", "b2")
		d.stop()
	})
}

// It was written to soon after a stop, and the next start is hours later: what was not looked at
// for an hour is looked at once.
func TestOldFileGrewLongBeforeAStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := logFile(t)
		old := create(t, path, "a1\n")
		d := newDaemon(t, false, path)
		d.start()
		d.wantOf("a1")
		if err := os.Chtimes(path, time.Now(), time.Now()); err != nil { // else it is the kernel's time
			t.Fatal(err)
		}
		rotate(t, path, "b1\n")
		d.wantOf("a1", "b1")
		d.acknowledge()
		time.Sleep(1500 * time.Millisecond)
		d.stop()
		add(t, old, "late\n")
		time.Sleep(3 * time.Hour)
		d.start()
		d.wantOf("late")
		d.acknowledge()
		time.Sleep(2 * time.Second) // it is open again, and watched as any other
		add(t, old, "later\n")
		d.wantOf("late", "later")
		d.stop()
	})
}

// At a start other files come first, and it comes in the same look all the same: a run may be short.
func TestOldFileGrewBeforeAStartAtWhichMoreIsFound(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		d, path, old, _ := leftOld(t, wakeups, "a1\n", "a1")
		d.stop()
		add(t, old, "late\n")
		rotate(t, path, "c1\n")
		rotate(t, path, "d1\n")
		d.start()
		started := time.Now()
		d.eventually("all of it", func() bool { return d.collected() == 3 })
		if took := time.Since(started); took > 50*time.Millisecond && !wakeups { // only then is time exact
			t.Errorf("it took %v", took)
		}
		d.wantOf("late", "c1", "d1")
		d.stop()
	})
}

// The new file's lines are numbered when they come, beyond all that was written to the
// old one until then.
func TestOldFileIsWrittenForLongWhileTheNewOneIsEmpty(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		old := create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.options.uncounted = true
		d.start()
		d.eventually("the first line", func() bool { return d.collected() == 1 })
		next := rotate(t, path, "")
		d.eventually("the rotation", func() bool { return d.source().Rotations == 1 })
		const lines = gap + 10
		text := make([]byte, 0, 2*lines)
		for range lines {
			text = append(text, "x\n"...)
		}
		add(t, old, string(text))
		d.eventually("all of them", func() bool { return d.collected() == 1+lines })
		add(t, next, "b1\n")
		d.eventually("the new line", func() bool { return d.collected() == 2+lines })
		if a, b := d.file(1), d.file(2); b.start.Line < a.end.Line {
			t.Errorf("the old file's numbers end at %d, the new one's begin at %d", a.end.Line, b.start.Line)
		}
	})
}

// It came to the path and was rotated between two looks. As long as nothing else is there,
// nginx has no reason to be done with it, and for rotate_wait after that.
func TestUnseenFileIsWrittenWhileNothingIsAtThePath(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		create(t, path, "a1\n").Close()
		d := newDaemon(t, wakeups, path)
		d.options.RotateWait = rotateWait
		d.start()
		d.want(1, "a1")
		b := rotate(t, path, "b1\nhal")
		shift(t, path)
		rename(t, path, path+".1")
		d.want(2, "b1")
		time.Sleep(rotateWait + time.Second)
		add(t, b, "f\nla")
		d.want(2, "b1", "half")
		time.Sleep(rotateWait + time.Second)
		create(t, path, "c1\n")
		d.want(3, "c1")
		time.Sleep(rotateWait / 2)
		add(t, b, "st\n")
		d.want(2, "b1", "half", "last")
		d.stop()
	})
}

// It was deleted, and another file is at the path: logrotate compresses without delaycompress, and its
// postrotate fails; or somebody deletes a log, and makes an empty one.
func TestDeletedFileGrowsAfterItWasLeft(t *testing.T) {
	for name, text := range map[string]string{"behind lines": "b1\n", "behind an empty file": ""} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				old := create(t, path, "a1\n")
				d := newDaemon(t, wakeups, path)
				d.start()
				d.wantOf("a1")
				rotate(t, path, text)
				compress(t, path+".1", ".gz")
				want := []string{"a1"}
				if text != "" {
					want = append(want, "b1")
				}
				d.wantOf(slices.Clone(want)...)
				for i := range 3 {
					d.acknowledge()
					time.Sleep(3 * time.Second)
					want = append(want, fmt.Sprint("late ", i))
					add(t, old, fmt.Sprint("late ", i, "\n"))
					d.wantOf(slices.Clone(want)...)
				}
				d.stop()
			})
		})
	}
}

// The old log was compressed, and had lines after that, when it had no name any more: what was
// compressed is less than what was read of it, and none of it is read again.
func TestCompressedFileIsLessThanWhatWasReadOfTheLog(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		old := create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.wantOf("a1")
		log := rotate(t, path, "")
		later()
		add(t, old, "a2\n")
		d.wantOf("a1", "a2")
		compress(t, path+".1", ".gz")
		add(t, old, "a3\n")
		d.wantOf("a1", "a2", "a3")
		d.acknowledge()
		time.Sleep(3 * time.Second)
		add(t, log, "b1\n")
		d.wantOf("a1", "a2", "a3", "b1")
		d.acknowledge()
		time.Sleep(time.Second)
		d.wantOf("a1", "a2", "a3", "b1")
		d.stop()
		d.start()
		d.wantNothing()
		d.stop()
	})
}
