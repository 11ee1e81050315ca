// A rotated file that was left is held for a while, whatever becomes of its name.

package tail_test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// It is held, and its space on the disk with it, no longer than ten minutes.
func TestDeletedFileIsNotHeldForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, path, old, _ := leftOld(t, false, "a1\n", "a1")
		remove(t, path+".1")
		time.Sleep(9 * time.Minute)
		add(t, old, "a2\n")
		d.wantOf("a1", "b1", "a2")
		d.acknowledge()
		time.Sleep(9 * time.Minute)
		if isHeld := func() bool { _, held := namesOfDescriptors(t); return slices.Contains(held, path+".1 (deleted)") }; !isHeld() {
			t.Error("the deleted file is not held")
		} else if time.Sleep(2 * time.Minute); isHeld() {
			t.Error("the deleted file is held after ten minutes")
		}
		d.stop()
	})
}

// Somebody finds out why postrotate fails, and has logrotate run again and again meanwhile.
func TestDeletedFileIsHeldThroughSomeRotations(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := logFile(t)
		old := create(t, path, "a1\n")
		d := newDaemon(t, false, path)
		d.start()
		d.wantOf("a1")
		for range 3 {
			rotate(t, path, "")
			remove(t, path+".1")
			time.Sleep(3 * time.Second)
		}
		d.acknowledge()
		add(t, old, "late\n")
		d.wantOf("a1", "late")
		d.stop()
	})
}

// leftUnprivileged is leftOld with a daemon that may not read every file.
func leftUnprivileged(t *testing.T) (d *daemon, path string, old *os.File) {
	t.Helper()
	path = logFile(t)
	old = create(t, path, "a1\n")
	d = unprivileged(t, false, path)
	d.wantOf("a1")
	rotate(t, path, "b1\n")
	d.wantOf("a1", "b1")
	d.acknowledge()
	time.Sleep(3 * time.Second)
	return d, path, old
}

// What it has got is not given up, however long the new log may not be read, which is looked at
// first.
func TestDeletedFileIsHeldAsLongAsItIsUnread(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, path, old := leftUnprivileged(t)
		remove(t, path+".1")
		create(t, path+".new", "c1\n")
		chmod(t, path+".new", 0)
		rename(t, path, path+".1")
		rename(t, path+".new", path)
		time.Sleep(3 * time.Second)
		add(t, old, "late\n")
		time.Sleep(11 * time.Minute)
		chmod(t, path, 0o644)
		d.wantOf("a1", "b1", "c1", "late")
		d.stop()
	})
}

// A rotated file that may not be read for a moment is read when it may be.
func TestOldFileThatHasGrownMayNotBeReadForAMoment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, path, old := leftUnprivileged(t)
		chmod(t, path+".1", 0)
		add(t, old, "late\n")
		d.eventually("trouble", func() bool { return d.source().Trouble != "" })
		chmod(t, path+".1", 0o644)
		add(t, old, "later\n")
		d.wantOf("a1", "b1", "late", "later")
		d.eventually("its end", func() bool { return d.source().Trouble == "" })
		d.stop()
	})
}

// Somebody copies the log every ten minutes, before it is deleted: there are more copies than
// are noted, and the file is closed all the same.
func TestDeletedFileHasManyCopies(t *testing.T) {
	t.Parallel()
	path := logFile(t)
	text, lines := numbered("a", 0, 20)
	old := create(t, path, text)
	d := newDaemon(t, true, path)
	d.start()
	d.eventually("all", func() bool { return d.collected() == len(lines) })
	for i := range 70 {
		copyTo(t, path, fmt.Sprintf("%s-%02d%02d", path, i/6, i%6*10))
		add(t, old, fmt.Sprintf("more %d\n", i))
	}
	log := rotate(t, path, "b1\n")
	remove(t, path+".1")
	d.eventually("all", func() bool { return d.collected() == len(lines)+71 })
	d.eventually("the end of the old file", func() bool { return d.source().Files == 1 })
	add(t, log, "b2\n")
	d.eventually("all", func() bool { return d.collected() == len(lines)+72 })
	d.stop()
}

// The source has another path since it was closed, and another source reads it.
func TestHeldFileIsAnotherSources(t *testing.T) {
	t.Parallel()
	for _, second := range []string{"old=old.log", "old=o*.log"} {
		t.Run(second, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := &renamed{t: t, dir: t.TempDir(), state: stateDir(t), numbers: map[string]string{}}
				r.write("old.log", 5)
				r.follow("web=old.log")
				r.write("new.log", 2)
				r.follow("web=new.log")
				r.follow("web=new.log", second) // reads old.log from its beginning
				r.read = nil
				r.write("old.log", 3)
				r.follow("web=new.log", second)
				if len(r.read) != 3 {
					t.Errorf("3 new lines of old.log were read as %q", r.read)
				}
			})
		})
	}
}

// The source has another path since it was closed, and is stopped when it is open again: it is
// looked for beside the path that it had.
func TestHeldFileIsOfThePathBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &renamed{t: t, dir: t.TempDir(), state: stateDir(t), numbers: map[string]string{}}
		r.write("old.log", 5)
		r.follow("web=old.log")
		r.write("new.log", 2)
		r.follow("web=new.log")
		go func() { time.Sleep(9500 * time.Millisecond); r.write("old.log", 1) }()
		r.follow("web=new.log")
		r.reader.Close()
		r.restart = true
		r.write("old.log", 2)
		r.follow("web=new.log")
		got, want := slices.Clone(r.read), slices.Clone(r.written)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) || r.logged("lost") > 0 {
			t.Errorf("read %q\nwant %q\n%s", got, want, &r.log)
		}
	})
}
