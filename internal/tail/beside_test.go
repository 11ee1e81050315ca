// What lies beside the log is not read: files that were finished, copies an operator made, other logs.

package tail_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// finished is a log that was rotated twice and read to its end, with the older
// files beside it.
func finished(t *testing.T, wakeups bool) (d *daemon, path string) {
	t.Helper()
	path = logFile(t)
	create(t, path+".1", "older\n").Close()
	compress(t, path+".1", ".gz")
	rename(t, path+".1.gz", path+".2.gz")
	create(t, path+".1", "old\n").Close()
	later()
	a := create(t, path, "a1\n")
	d = newDaemon(t, wakeups, path)
	d.start()
	d.want(1, "a1")
	b := rotate(t, path, "b1\n")
	a.Close()
	d.want(2, "b1")
	rotate(t, path, "c1\n").Close()
	b.Close()
	d.want(3, "c1")
	d.left(path+".1", path+".2")
	return d, path
}

func TestFinishedFilesAreNotReadAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		happens func(t *testing.T, path string)
	}{
		{"as they are", func(*testing.T, string) {}},
		{"touched", func(t *testing.T, path string) {
			touch(t, path+".2")
			touch(t, path+".1")
		}},
		{"compressed", func(t *testing.T, path string) {
			compress(t, path+".1", ".gz")
			compress(t, path+".2", ".zst")
		}},
		{"compressed and touched", func(t *testing.T, path string) {
			compress(t, path+".1", ".zst")
			compress(t, path+".2", ".gz")
			touch(t, path+".1.zst")
			touch(t, path+".2.gz")
		}},
		{"copied", func(t *testing.T, path string) {
			copyTo(t, path+".1", path+".8")
			copyTo(t, path+".2", path+"-20261122")
		}},
		{"being compressed", func(t *testing.T, path string) {
			copyTo(t, path+".1", path+".8")
			compress(t, path+".8", ".gz")
			rename(t, path+".8.gz", path+".1.gz") // beside .1
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				d, path := finished(t, wakeups)
				c.happens(t, path)
				d.still()
				rotate(t, path, "d1\n") // which makes it look beside the log
				d.want(4, "d1")
				d.still()
				d.stop()
				d.start()
				d.wantNothing()
				d.stop()
			})
		})
		t.Run(c.name+" while stopped", func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				d, path := finished(t, wakeups)
				d.stop()
				c.happens(t, path)
				d.start()
				d.wantNothing()
				d.stop()
				appendTo(t, path, "c2\n")
				rotate(t, path, "d1\n")
				d.start()
				d.wantAll(nil, nil, []string{"c2"}, []string{"d1"})
				d.kill()
				d.start()
				d.wantAll(nil, nil, []string{"c2"}, []string{"d1"})
				d.stop()
			})
		})
	}
}

// A finished file is back at the path: what has been added to it is read.
func TestFinishedFileComesBackWhileStopped(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		d, path := finished(t, wakeups)
		d.stop()
		later()
		rename(t, path, path+".c")
		rename(t, path+".1", path)
		appendTo(t, path, "b2\n")
		d.start()
		d.wantAll(nil, []string{"b2"})
		d.stop()
	})
}

// A new log that begins with all that a finished one had is another one.
func TestNewFileBeginsAsAFinishedOne(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		d, path := finished(t, wakeups)
		d.books.once = false
		rotate(t, path, "b1\nb2\n")
		d.want(4, "b1", "b2")
		d.still()
		d.stop()
	})
}

// Nobody has seen it at the path, and it is as long as a file that was read to its end,
// and begins like it for a kilobyte. It is another one, whether or not that was
// acknowledged.
func TestUnseenFileIsNearlyAFinishedOne(t *testing.T) {
	t.Parallel()
	head := strings.Repeat("x", 1023)
	for _, acknowledged := range []bool{false, true} {
		t.Run(fmt.Sprint("acknowledged ", acknowledged), func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				create(t, path, head+"\na2\n").Close()
				d := newDaemon(t, wakeups, path)
				d.books.once = false
				d.start()
				d.want(1, head, "a2")
				rotate(t, path, "b1\n").Close()
				d.want(2, "b1")
				if acknowledged {
					d.acknowledge()
				}
				d.left(path + ".1")
				shift(t, path)
				later()
				create(t, path+".1", head+"\nc2\n").Close()
				rename(t, path, path+".9")
				later()
				create(t, path, "d1\n").Close()
				d.want(3, head, "c2")
				d.want(4, "d1")
				d.stop()
			})
		})
	}
}

func TestOperatorMakesACopy(t *testing.T) {
	t.Parallel()
	copies := func(t *testing.T, path string) {
		t.Helper()
		copyTo(t, path, path+".bak")
		copyTo(t, path, path+".1")
		copyTo(t, path, path+".old")
		compress(t, path+".old", ".gz")
	}
	t.Run("running", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path := logFile(t)
			a := create(t, path, "a1\na2\n")
			d := newDaemon(t, wakeups, path)
			d.start()
			d.want(1, "a1", "a2")
			copies(t, path)
			d.still()
			rotate(t, path, "b1\n")
			d.want(2, "b1")
			d.still()
			d.acknowledge()
			clear(d.wants) // the late line is one more of the file, if that was not left yet
			add(t, a, "late\n")
			a.Close()
			d.eventually("the late line", func() bool { return d.hasSent("late") })
			d.stop()
			d.start()
			d.wantNothing()
			d.stop()
		})
	})
	t.Run("running and the log grows on", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path := logFile(t)
			a := create(t, path, "a1\na2\n")
			d := newDaemon(t, wakeups, path)
			d.start()
			d.want(1, "a1", "a2")
			copies(t, path)
			add(t, a, "a3\n")
			d.want(1, "a1", "a2", "a3")
			rotate(t, path, "b1\n")
			d.want(2, "b1")
			d.still()
			d.stop()
		})
	})
	t.Run("running and touches it", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path := logFile(t)
			a := create(t, path, "a1\na2\n")
			d := newDaemon(t, wakeups, path)
			d.start()
			d.want(1, "a1", "a2")
			copies(t, path)
			add(t, a, "a3\n")
			d.want(1, "a1", "a2", "a3")
			for _, end := range []string{".bak", ".1", ".old.gz"} {
				touch(t, path+end)
			}
			rotate(t, path, "b1\n")
			d.want(2, "b1")
			d.still()
			d.stop()
		})
	})
	t.Run("stopped", func(t *testing.T) {
		restarts(t,
			stopped{
				name: "nothing else", meanwhile: func(t *testing.T, path string, _ *os.File) { copies(t, path) },
			},
			stopped{
				name: "and the log grows",
				meanwhile: func(t *testing.T, path string, file *os.File) {
					copies(t, path)
					add(t, file, "a3\n")
					copyTo(t, path, path+".2")
				},
				want: [][]string{{"a3"}},
			},
			stopped{
				name: "and the log is rotated",
				meanwhile: func(t *testing.T, path string, file *os.File) {
					copies(t, path)
					add(t, file, "a3\n")
					rotate(t, path, "b1\n")
				},
				want: [][]string{{"a3"}, {"b1"}},
			},
			stopped{
				name: "and the log is rotated and compressed",
				meanwhile: func(t *testing.T, path string, file *os.File) {
					copies(t, path)
					add(t, file, "a3\n")
					rotate(t, path, "b1\n")
					compress(t, path+".1", ".gz")
				},
				want: [][]string{{"a3"}, {"b1"}},
			},
			stopped{
				name: "after the log was rotated",
				meanwhile: func(t *testing.T, path string, file *os.File) {
					add(t, file, "a3\n")
					rotate(t, path, "b1\n")
					copyTo(t, path+".1", path+".7")
					copyTo(t, path, path+".bak")
				},
				want: [][]string{{"a3"}, {"b1"}},
			},
		)
	})
}

// They were there when the log was followed for the first time, and nobody asked
// for them.
func TestOlderFilesAreNotReadAtTheFirstRestart(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		for _, end := range []string{".3", ".2", ".1", "-20261122"} {
			create(t, path+end, "old"+end+"\n").Close()
			later()
		}
		compress(t, path+".3", ".gz")
		create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.want(1, "a1")
		d.stop()
		d.start()
		d.wantNothing()
		d.stop()
		rotate(t, path, "b1\n")
		d.start()
		d.wantAll(nil, []string{"b1"})
		rotate(t, path, "c1\n")
		d.want(3, "c1")
		d.still()
		d.stop()
	})
}

// They begin as the log's name does, and are no rotated ones of it.
func TestOtherLogsLieBesideTheLog(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"access_ssl.log", "access.api.log", "access.log.swp", "access.log~", "access.log.1.bak", "access-8080.log", "access", "error.log.1",
		"access.log.1.gz.tmp",
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				create(t, path, "a1\n")
				d := newDaemon(t, wakeups, path)
				d.start()
				d.want(1, "a1")
				other := create(t, filepath.Join(filepath.Dir(path), name), "other\n")
				rotate(t, path, "b1\n")
				d.want(2, "b1")
				d.still()
				d.stop()
				later()
				add(t, other, "another\n")
				rotate(t, path, "c1\n")
				d.start()
				d.wantAll(nil, nil, []string{"c1"})
				d.stop()
			})
		})
	}
}

// They are called by an address and by ports, not by a date.
func TestOtherLogsHaveNumbersInTheirNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"access.10.0.0.12.log", "access-8080-8443.log"} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				create(t, path, "a1\n")
				d := newDaemon(t, wakeups, path)
				d.start()
				d.want(1, "a1")
				create(t, filepath.Join(filepath.Dir(path), name), "other\n")
				rotate(t, path, "b1\n")
				d.want(2, "b1")
				d.still()
				d.stop()
			})
		})
	}
}

// It is followed by itself, and not a part of another log.
func TestAnotherSourceIsCalledLikeARotatedLog(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		dir := t.TempDir()
		path, other := filepath.Join(dir, "app.log"), filepath.Join(dir, "app-2.log")
		create(t, path, "a1\n").Close()
		create(t, other, "other1\n")
		d := newDaemon(t, wakeups, path, other)
		d.start()
		d.wantOf("a1", "other1")
		later()
		rename(t, path, path+".1")
		later()
		create(t, path, "b1\n")
		later()
		appendTo(t, other, "other2\n")
		d.wantOf("a1", "b1", "other1", "other2")
		d.left(path + ".1")
		d.stop()
		touch(t, path+".1") // as if it was written to
		rename(t, path, path+".2")
		later()
		create(t, path, "c1\n")
		later()
		appendTo(t, other, "other3\n")
		d.start()
		d.wantOf("c1", "other3")
		d.stop()
	})
}

// More directories lie beside the log than are searched: that is said once.
func TestDirectoriesThatAreNotSearchedAreReported(t *testing.T) {
	for _, tt := range []struct{ directories, want int }{{63, 0}, {64, 1}} {
		path := logFile(t)
		for i := range tt.directories {
			if err := os.Mkdir(filepath.Join(filepath.Dir(path), fmt.Sprint("d", i)), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		file := create(t, path, "a1\n")
		f := follow(t, options{}, path)
		f.want(1, "a1")
		add(t, file, "a2\n")
		f.want(1, "a1", "a2")
		f.stop()
		if n := f.logged("too many directories beside the log"); n != tt.want {
			t.Errorf("%d directories: reported %d times, want %d", tt.directories, n, tt.want)
		}
	}
}
