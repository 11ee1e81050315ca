// logrotate's copy leaves the log where it is: it grows on beside copies of what it was.

package tail_test

import (
	"strings"
	"testing"
	"time"
)

func TestCopiesOfALogThatGrowsAreNotRead(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"", ".gz", ".zst"} {
		for name, pad := range map[string]string{"short": "", "longer than a head": strings.Repeat("x", 2000)} {
			t.Run(name+end, func(t *testing.T) {
				line := func(name string) string { return name + pad }
				copied := func(t *testing.T, path, to string) {
					t.Helper()
					later()
					copyTo(t, path, path+to)
					if end != "" {
						compress(t, path+to, end)
					}
				}
				t.Run("killed before anything is acknowledged", func(t *testing.T) {
					both(t, func(t *testing.T, wakeups bool) {
						path := logFile(t)
						file := create(t, path, line("a1")+"\n")
						d := newDaemon(t, wakeups, path)
						d.start()
						d.want(1, line("a1"))
						d.kill()
						copied(t, path, ".2")
						add(t, file, line("a2")+"\n")
						copied(t, path, ".1")
						add(t, file, line("a3")+"\n")
						for range 2 {
							d.start()
							d.want(1, line("a1"), line("a2"), line("a3"))
							d.still()
							d.kill()
						}
					})
				})
				t.Run("and rotated, before any of it is seen", func(t *testing.T) {
					both(t, func(t *testing.T, wakeups bool) {
						path := logFile(t)
						create(t, path, line("a1")+"\n")
						d := newDaemon(t, wakeups, path)
						d.start()
						d.want(1, line("a1"))
						d.stop()
						later()
						file := rotate(t, path, line("b1")+"\n")
						copied(t, path, ".2")
						add(t, file, line("b2")+"\n")
						copied(t, path, ".3")
						add(t, file, line("b3")+"\n")
						rename(t, path+".1", path+".8")
						rotate(t, path, line("c1")+"\n")
						d.start()
						d.want(2, line("b1"), line("b2"), line("b3"))
						d.want(3, line("c1"))
						d.still()
						d.stop()
					})
				})
			})
		}
	}
}

// A worker writes on to a file that was compressed meanwhile. The compressed one is a copy
// of what the file was.
func TestFileGrowsAfterItWasCompressed(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		text, lines := numbered("a", 1, 30)
		path := logFile(t)
		file := create(t, path, text)
		d := newDaemon(t, wakeups, path)
		d.options.RotateWait = time.Minute // it has no name soon
		d.start()
		d.eventually("all lines", func() bool { return d.collected() == len(lines) })
		rotate(t, path, "")
		d.eventually("rotation", func() bool { return d.source().Rotations == 1 })
		compress(t, path+".1", ".gz")
		later()
		add(t, file, "late\n")
		d.eventually("the late line", func() bool { return d.hasSent("late") })
		touch(t, path+".1.gz")
		rotate(t, path, "b1\n")
		d.wantOf(append(lines, "late", "b1")...)
		d.stop()
	})
}

// logrotate's renamecopy renames the log to a name for the time of postrotate, and copies it
// to its own name then.
func TestFileIsRotatedByRenameAndCopy(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.want(1, "a1")
		rotate(t, path, "b1\n") // what is beside the log was looked at once
		d.want(2, "b1")
		later()
		rotate(t, path, "c1\n")
		later()
		rename(t, path, path+".tmp") // all before the next look
		file := create(t, path, "d1\n")
		d.want(3, "c1")
		d.want(4, "d1")
		rename(t, path+".1", path+".3")
		copyTo(t, path+".tmp", path+".1")
		remove(t, path+".tmp")
		d.still()
		add(t, file, "d2\n")
		d.want(4, "d1", "d2")
		rotate(t, path, "e1\n")
		d.want(5, "e1")
		d.still()
		d.stop()
		d.start()
		d.wantNothing()
		d.stop()
	})
}

// A script's file that is called so is no log.
func TestScriptsFileIsCalledLikeARenamedLog(t *testing.T) {
	t.Parallel()
	t.Run("running", func(t *testing.T) {
		path := logFile(t)
		create(t, path, "a1\na2\na3\n")
		d := newDaemon(t, true, path) // births are of the kernel's clock, not of synctest's
		d.start()
		d.want(1, "a1", "a2", "a3")
		later()
		create(t, path+".tmp", "a2\n").Close()
		time.Sleep(1500 * time.Millisecond)
		rotate(t, path, "b1\n")
		d.want(2, "b1")
		d.still()
		d.stop()
	})
	t.Run("stopped", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path := logFile(t)
			file := create(t, path, "a1\na2\na3\n")
			d := newDaemon(t, wakeups, path)
			d.start()
			d.want(1, "a1", "a2", "a3")
			d.stop()
			later()
			create(t, path+".tmp", "a2\n").Close()
			later()
			add(t, file, "a4\n")
			rotate(t, path, "b1\n")
			d.start()
			d.wantOf("a4", "b1")
			d.stop()
		})
	})
	t.Run("with nothing at the path", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path := logFile(t)
			create(t, path, "a1\na2\n")
			d := newDaemon(t, wakeups, path)
			d.start()
			d.want(1, "a1", "a2")
			d.stop()
			later()
			create(t, path+".tmp", "report\n").Close()
			rename(t, path, path+".1")
			d.start()
			d.looked()
			d.wantNothing()
			if n := d.logged("level=ERROR"); n != 0 {
				t.Errorf("%d errors:\n%s", n, &d.log)
			}
			d.stop()
		})
	})
}
