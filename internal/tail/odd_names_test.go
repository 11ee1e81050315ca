// Rotated files with names that logrotate's configuration, or somebody, made up.

package tail_test

import (
	"os"
	"testing"
	"time"
)

// The log is rotated twice while the daemon is stopped, the first time to a name that is
// not one of those that are known.
func TestFileIsRotatedWhileStoppedToAnOddName(t *testing.T) {
	for _, name := range []string{
		"-202611", "-2026-48", ".2026-11-28T10:00:00", "_1", ".1,v", "-week48.old", ".7.log",
	} {
		to := func(t *testing.T, path string, file *os.File) {
			t.Helper()
			add(t, file, "a3\n")
			rotate(t, path, "b1\n")
			later()
			rename(t, path, path+name)
			later()
			create(t, path, "c1\n")
		}
		t.Run(name, func(t *testing.T) {
			restarts(t, stopped{name: "plain", meanwhile: to, want: [][]string{{"a3"}, {"b1"}, {"c1"}}})
		})
	}
}

// gzip access.log, and nothing else.
func TestLogIsCompressedWhereItIs(t *testing.T) {
	restarts(t,
		stopped{
			name: "once",
			meanwhile: func(t *testing.T, path string, file *os.File) {
				t.Helper()
				add(t, file, "a3\n")
				compress(t, path, ".gz")
				later()
				create(t, path, "b1\n")
			},
			want: [][]string{{"a3"}, {"b1"}},
		},
		stopped{
			name: "after a rotation",
			meanwhile: func(t *testing.T, path string, file *os.File) {
				t.Helper()
				add(t, file, "a3\n")
				rotate(t, path, "b1\n")
				compress(t, path, ".gz")
				later()
				create(t, path, "c1\n")
			},
			want: [][]string{{"a3"}, {"b1"}, {"c1"}},
		},
		stopped{
			name: "as it was read",
			meanwhile: func(t *testing.T, path string, _ *os.File) {
				t.Helper()
				compress(t, path, ".gz")
				later()
				create(t, path, "b1\n")
			},
			want: [][]string{nil, {"b1"}},
		},
	)
}

// Nothing tells what is in it, so it is named and counted, and the others are read.
func TestFileInTheMiddleCannotBeUnpacked(t *testing.T) {
	t.Parallel()
	for _, end := range []string{".2.xz", ".2.bz2", "-20261127.xz"} {
		t.Run(end, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				file := create(t, path, "a1\n")
				d := newDaemon(t, wakeups, path)
				d.start()
				d.want(1, "a1")
				d.stop()
				add(t, file, "a2\n")
				rename(t, path, path+".3")
				later()
				create(t, path+end, map[bool]string{true: "BZh91AY&SY and so on", false: "\xfd7zXZ\x00 and so on"}[end == ".2.bz2"])
				later()
				create(t, path, "c1\n")
				d.start()
				d.want(1, "a2")
				d.want(2, "c1")
				if s := d.source(); s.Unreadable != 1 || s.Trouble != "" || d.logged(path+end) == 0 {
					t.Errorf("Unreadable = %d, Trouble = %q; the log:\n%s", s.Unreadable, s.Trouble, &d.log)
				}
				d.stop()
				d.start()
				d.wantNothing()
				d.stop()
			})
		})
	}
}

// It is what was read: whatever compresses a file gives it the time of that.
func TestWhatWasReadIsCompressedAndCannotBeUnpacked(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.want(1, "a1")
		rotate(t, path, "b1\n")
		d.want(2, "b1")
		time.Sleep(time.Second)
		d.stop()
		info, err := os.Stat(path + ".1")
		if err != nil {
			t.Fatal(err)
		}
		create(t, path+".1.xz", "\xfd7zXZ\x00 and so on").Close()
		remove(t, path+".1")
		if err := os.Chtimes(path+".1.xz", info.ModTime(), info.ModTime()); err != nil {
			t.Fatal(err)
		}
		touch(t, path)
		d.start()
		d.wantNothing()
		if s := d.source(); s.Unreadable != 0 || s.Lost != 0 {
			t.Errorf("Unreadable = %d, Lost = %d; the log:\n%s", s.Unreadable, s.Lost, &d.log)
		}
		d.stop()
	})
}

// Another log is called like that, and is still written to.
func TestAnotherLogIsCalledOddly(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.want(1, "a1")
		d.stop()
		add(t, file, "a2\n")
		create(t, path+"-web2", "other\n")
		soon := time.Now().Add(time.Hour)
		if err := os.Chtimes(path+"-web2", soon, soon); err != nil {
			t.Fatal(err)
		}
		d.start()
		d.want(1, "a2")
		d.stop()
	})
}
