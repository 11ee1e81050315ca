// The log is missing, is not a regular file, or may not be read.

package tail_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/tail"
)

// looks waits until the reader has looked at its paths so many times more.
func looks(f *follower, times int) {
	f.t.Helper()
	for range times {
		last := f.stats.Motion().Looked
		f.eventually("a look", func() bool { return f.stats.Motion().Looked.After(last) })
	}
}

// troubled waits for trouble that says so, and checks that it is logged once.
func troubled(t *testing.T, f *follower, says string) {
	t.Helper()
	f.eventually("trouble: "+says, func() bool {
		s := f.source()
		return strings.Contains(s.Trouble, says) && !s.Open
	})
	looks(f, 2)
	if n := f.logged("level=WARN"); n != 1 {
		t.Errorf("%d warnings, want 1:\n%s", n, &f.log)
	}
}

// untroubled waits for its end.
func untroubled(t *testing.T, f *follower) {
	t.Helper()
	f.eventually("the end of trouble", func() bool { s := f.source(); return s.Trouble == "" && s.Open })
	looks(f, 2)
	if n, warned := f.logged("log file is there again"), f.logged("level=WARN"); n != 1 || warned != 1 {
		t.Errorf("%d warnings, and %d times that it is over, want one each:\n%s", warned, n, &f.log)
	}
}

func TestFileIsMissingAtTheStart(t *testing.T) {
	for _, fromEnd := range []bool{false, true} {
		t.Run(map[bool]string{false: "beginning", true: "end"}[fromEnd], func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				o := rotating(wakeups)
				o.fromEnd = fromEnd
				f := follow(t, o, path)
				troubled(t, f, "no such file or directory")
				create(t, path, "one\ntwo\n")
				f.want(1, "one", "two") // it came later: from its first byte
				untroubled(t, f)
				if s := f.source(); s.Rotations != 0 {
					t.Errorf("%d rotations", s.Rotations)
				}
			})
		})
	}
}

func TestDirectoryIsMissingAtTheStart(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := filepath.Join(t.TempDir(), "nginx", "access.log")
		f := follow(t, rotating(wakeups), path)
		troubled(t, f, "no such file or directory")
		if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		create(t, path, "one\n")
		f.want(1, "one")
		untroubled(t, f)
	})
}

func TestPathIsNoRegularFile(t *testing.T) {
	for says, make := range map[string]func(path string) error{
		"is a directory": func(path string) error { return os.Mkdir(path, 0o755) },
		"is a pipe":      func(path string) error { return syscall.Mkfifo(path, 0o644) },
		"is a socket":    func(path string) error { return syscall.Mknod(path, syscall.S_IFSOCK|0o644, 0) },
		"is a device":    func(path string) error { return os.Symlink("/dev/null", path) },
		"loop":           func(path string) error { return os.Symlink(path, path) },
		"not a directory": func(path string) error {
			return os.WriteFile(filepath.Dir(path), nil, 0o644) // so that stat fails, not with ENOENT
		},
	} {
		t.Run(says, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := filepath.Join(t.TempDir(), "nginx", "access.log")
				at := path
				if says == "not a directory" {
					at = filepath.Dir(path)
				} else if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := make(path); err != nil {
					t.Fatal(err)
				}
				f := follow(t, rotating(wakeups), path)
				troubled(t, f, says)
				remove(t, at)
				_ = os.Mkdir(filepath.Dir(path), 0o755)
				create(t, path, "one\n")
				f.want(1, "one")
				f.eventually("the end of trouble", func() bool { s := f.source(); return s.Trouble == "" && s.Open })
			})
		})
	}
}

// In the meantime it becomes a pipe, whose writer never comes.
func TestPathBecomesAPipe(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "a1\n")
		f := follow(t, rotating(wakeups), path)
		f.want(1, "a1")
		if err := os.Link(path, path+".1"); err != nil {
			t.Fatal(err)
		}
		pipe := path + ".pipe"
		if err := syscall.Mkfifo(pipe, 0o644); err != nil {
			t.Fatal(err)
		}
		rename(t, pipe, path) // at no time is nothing at the path
		troubled(t, f, "is a pipe")
		add(t, file, "a2\n") // nothing that could be read has taken its place
		f.want(1, "a1", "a2")
		remove(t, path)
		create(t, path, "b1\n")
		f.want(2, "b1")
	})
}

func TestFileMayNotBeReadAtTheStart(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "old\nol")
		f := forbidden(t, wakeups, path)
		add(t, file, "d\nnew\n")
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		f.want(1, "old", "new") // what came after the start
		if got := f.file(1).start.Offset; got != 4 {
			t.Errorf("begins at %d, want 4", got)
		}
		untroubled(t, f)
	})
}

func TestFileMayNotBeReadAtTheStartAndIsReplaced(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		create(t, path, "old\nol")
		f := forbidden(t, wakeups, path)
		rename(t, path, path+".1")
		create(t, path, "new\nnew\n")
		f.want(1, "new", "new")
	})
}

// forbidden follows a file, from its end, that must not be read.
func forbidden(t *testing.T, wakeups bool, path string) *follower {
	t.Helper()
	dir := filepath.Dir(path)
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	o := rotating(wakeups)
	o.fromEnd = true
	if os.Geteuid() == 0 {
		o.thread = becomeNobody
	}
	f := follow(t, o, path)
	f.eventually("trouble", func() bool { return f.source().Trouble != "not opened yet" })
	if strings.HasPrefix(f.source().Trouble, "stat") {
		t.Skipf("others may not look into %s", dir)
	}
	troubled(t, f, "permission denied")
	return f
}

// becomeNobody gives the thread, which ends with its goroutine, no more rights
// over files than anybody has.
func becomeNobody() {
	runtime.LockOSThread()
	_, _, _ = syscall.RawSyscall(syscall.SYS_SETFSUID, 65534, 0, 0)
}

// The first page of a process is a file that cannot be read: EIO.
func TestReadingFails(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path, other := logFile(t), logFile(t)
		link(t, "/proc/self/mem", path)
		file := create(t, other, "one\n")
		o := rotating(wakeups)
		o.RotateWait = 200 * time.Millisecond
		f := follow(t, o, path, other)
		troubled(t, f, "at offset 0: read "+path+": input/output error")
		add(t, file, "two\n") // the others are read all the same
		f.eventually("both lines", func() bool { return f.stats.Snapshot(time.Now()).Books.Read == 2 })
		remove(t, path)
		create(t, path, "new\n")
		f.eventually("the new file's line", func() bool { return f.stats.Snapshot(time.Now()).Books.Read == 3 })
		time.Sleep(5 * o.RotateWait)
		if s := f.source(); !strings.Contains(s.Trouble, "input/output error") {
			t.Errorf("Trouble = %q: there is a file that nobody has read", s.Trouble)
		}
	})
}

// withoutDescriptors makes the test binary a reader that may open nothing more
// once it has the file.
const withoutDescriptors = "TAIL_TEST_WITHOUT_DESCRIPTORS"

func readWithoutDescriptors() int {
	t := &testing.T{}
	path := os.Getenv(withoutDescriptors)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return 2
	}
	f := follow(t, options{Config: tail.Config{Wakeups: true}}, path)
	if !f.poll(func() bool { return len(f.got(1)) == 1 }) {
		return 3
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{}); err != nil {
		return 4
	}
	if !f.poll(func() bool { return f.logged("no wake-ups") == 1 }) {
		return 5
	}
	if _, err := file.WriteString("two\n"); err != nil {
		return 6
	}
	if !f.poll(func() bool { return len(f.got(1)) == 2 }) {
		return 7
	}
	return 0
}

// The library would exit.
func TestInotifyCannotBeHad(t *testing.T) {
	t.Parallel()
	path := logFile(t)
	create(t, path, "one\n")
	child := exec.Command("/proc/self/exe")
	child.Env = append(os.Environ(), withoutDescriptors+"="+path)
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("a reader that may open nothing ended with %v\n%s", err, out)
	}
}

// unprivileged follows a file with no more rights than anybody has.
func unprivileged(t *testing.T, wakeups bool, path string, set ...func(*options)) *daemon {
	t.Helper()
	d := newDaemon(t, wakeups, path)
	for _, set := range set {
		set(&d.options)
	}
	for _, dir := range []string{filepath.Dir(path), filepath.Dir(filepath.Dir(path))} {
		chmod(t, dir, 0o755)
	}
	chmod(t, d.state, 0o777)
	if os.Geteuid() == 0 {
		d.options.thread = func() {
			runtime.LockOSThread() // which ends with its goroutine
			_, _, _ = syscall.RawSyscall(syscall.SYS_SETFSUID, 65534, 0, 0)
		}
	}
	d.start()
	d.looked()
	if trouble := d.source().Trouble; strings.HasPrefix(trouble, "stat") && strings.Contains(trouble, "permission denied") {
		t.Skipf("others may not look into %s", filepath.Dir(path))
	}
	return d
}

// A file that is open can still be read when its permissions change.
func TestPermissionIsLostAndRegained(t *testing.T) {
	t.Parallel()
	t.Run("of the file", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path := logFile(t)
			file := create(t, path, "a1\n")
			d := unprivileged(t, wakeups, path)
			d.want(1, "a1")
			chmod(t, path, 0)
			add(t, file, "a2\n")
			d.want(1, "a1", "a2")
			d.still()
			if s := d.source(); s.Trouble != "" {
				t.Errorf("Trouble = %q", s.Trouble)
			}
		})
	})
	t.Run("of the next file", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path := logFile(t)
			file := create(t, path, "a1\n")
			d := unprivileged(t, wakeups, path)
			d.want(1, "a1")
			next := create(t, path+".new", "b1\n")
			chmod(t, path+".new", 0)
			exchange(t, path, path+".new")
			troubled(t, d.follower, "permission denied")
			add(t, next, "b2\n")
			add(t, file, "a2\n") // it is read on
			d.want(1, "a1", "a2")
			chmod(t, path, 0o644)
			d.want(2, "b1", "b2")
			untroubled(t, d.follower)
		})
	})
	t.Run("of two files", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path := logFile(t)
			create(t, path, "a1\n")
			d := unprivileged(t, wakeups, path)
			d.want(1, "a1")
			create(t, path+".new", "b1\n")
			chmod(t, path+".new", 0)
			later()
			rename(t, path, path+".2")
			rename(t, path+".new", path)
			d.eventually("trouble", func() bool { return strings.Contains(d.source().Trouble, "permission denied") })
			later()
			create(t, path+".new", "c1\n")
			chmod(t, path+".new", 0)
			exchange(t, path, path+".new")
			rename(t, path+".new", path+".1")
			looks(d.follower, 3)
			chmod(t, path+".1", 0o644)
			chmod(t, path, 0o644)
			d.want(2, "b1")
			d.want(3, "c1")
			d.still()
		})
	})
	t.Run("of the directory", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path := logFile(t)
			file := create(t, path, "a1\n")
			d := unprivileged(t, wakeups, path)
			d.want(1, "a1")
			dir := filepath.Dir(path)
			chmod(t, dir, 0)
			defer chmod(t, dir, 0o755) // so that it can be removed
			troubled(t, d.follower, "permission denied")
			add(t, file, "a2\n")
			d.want(1, "a1", "a2")
			time.Sleep(time.Second)
			add(t, file, "a3\n")
			d.want(1, "a1", "a2", "a3")
			chmod(t, dir, 0o755)
			untroubled(t, d.follower)
			rotate(t, path, "b1\n")
			d.want(2, "b1")
		})
	})
}

// The file before is at its end when the next one can be read, not earlier.
func TestFileIsWrittenWhileTheNextOneMayNotBeRead(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "a1\nhal")
		d := unprivileged(t, wakeups, path)
		d.want(1, "a1")
		create(t, path+".new", "b1\n").Close()
		chmod(t, path+".new", 0)
		exchange(t, path, path+".new")
		troubled(t, d.follower, "permission denied")
		time.Sleep(time.Second) // more than rotate_wait
		add(t, file, "f\n")
		d.want(1, "a1", "half")
		if s := d.source(); s.Rotations != 0 {
			t.Errorf("%d rotations, want none yet", s.Rotations)
		}
		chmod(t, path, 0o644)
		d.want(2, "b1")
		d.eventually("the rotation", func() bool { return d.source().Rotations == 1 })
	})
}

// What cannot be read at a start is not gone: it is read when it can be.
func TestFileMayNotBeReadAtTheRestart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		forbid  func(path string) string
		allowed os.FileMode
	}{
		{"log", func(path string) string { return path }, 0o644},
		{"rotated log", func(path string) string { return path + ".1" }, 0o644},
		{"directory", filepath.Dir, 0o755},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				file := create(t, path, "a1\n")
				d := unprivileged(t, wakeups, path)
				d.want(1, "a1")
				d.stop()
				add(t, file, "a2\n")
				want := []string{"a2"}
				if c.name != "log" {
					rotate(t, path, "b1\n")
					want = append(want, "b1")
				}
				what := c.forbid(path)
				chmod(t, what, 0)
				defer chmod(t, what, c.allowed) // so that it can be removed
				d.start()
				d.looked()
				time.Sleep(600 * time.Millisecond)
				d.stop() // perhaps to find out what is the matter
				chmod(t, what, c.allowed)
				d.start()
				d.eventually("the lines", func() bool {
					return !slices.ContainsFunc(want, func(line string) bool { return !d.hasSent(line) })
				})
				if s := d.source(); s.Lost != 0 {
					t.Errorf("%d generations lost; the log:\n%s", s.Lost, &d.log)
				}
				d.stop()
			})
		})
	}
}

// A log that appeared and was rotated while the daemon was stopped may not be read.
// It is not forgotten: it is read as soon as that is permitted.
func TestUnseenFileMayNotBeReadAtTheRestart(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		create(t, path, "a1\n")
		d := unprivileged(t, wakeups, path)
		d.want(1, "a1")
		d.stop()
		rotate(t, path, "b1\n")
		chmod(t, path, 0)
		rotate(t, path, "c1\n")
		d.start()
		d.eventually("what is at the path", func() bool { return d.hasSent("c1") })
		d.eventually("trouble", func() bool { return strings.Contains(d.source().Trouble, "permission denied") })
		chmod(t, path+".1", 0o644)
		d.eventually("the other lines", func() bool { return d.hasSent("b1") })
		d.eventually("no trouble", func() bool { return d.source().Trouble == "" })
		d.stop()
	})
}

// unseenMayNotBeRead is a daemon that has read a1 and c1. What was between them, b1 at
// path.1, may not be read.
func unseenMayNotBeRead(t *testing.T, wakeups bool) (d *daemon, path string) {
	t.Helper()
	path = logFile(t)
	create(t, path, "a1\n")
	d = unprivileged(t, wakeups, path)
	d.want(1, "a1")
	create(t, path+".new", "b1\n")
	chmod(t, path+".new", 0)
	later()
	rename(t, path, path+".2")
	rename(t, path+".new", path+".1")
	later()
	create(t, path, "c1\n")
	d.want(2, "c1")
	d.eventually("trouble", func() bool { return strings.Contains(d.source().Trouble, "permission denied") })
	return d, path
}

// The same while the daemon runs. Meanwhile the log grows and is rotated: what is looked
// for remains as old as it was.
func TestUnseenFileMayNotBeReadForAWhile(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		d, path := unseenMayNotBeRead(t, wakeups)
		appendTo(t, path, "c2\n")
		d.want(2, "c1", "c2")
		time.Sleep(300 * time.Millisecond)
		rotate(t, path, "d1\n")
		d.want(3, "d1")
		time.Sleep(300 * time.Millisecond)
		chmod(t, path+".2", 0o644)
		d.want(4, "b1")
		d.eventually("no trouble", func() bool { return d.source().Trouble == "" })
		d.stop()
	})
}

// And tailflux is started again meanwhile, when later files have been read.
func TestUnseenFileMayNotBeReadBeforeTheRestart(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		d, path := unseenMayNotBeRead(t, wakeups)
		for range 2 {
			d.stop()
			d.start()
			d.eventually("trouble", func() bool { return strings.Contains(d.source().Trouble, "permission denied") })
		}
		chmod(t, path+".1", 0o644)
		d.eventually("what could not be read", func() bool { return d.hasSent("b1") })
		d.eventually("no trouble", func() bool { return d.source().Trouble == "" })
		d.stop()
		if saved := openCheckpoint(t, d.state, stats.New(time.Now()), io.Discard).Ledger("s0").Copy(); saved.SearchSince != 0 {
			t.Errorf("a file is still said to be refused, since %d", saved.SearchSince)
		}
	})
}

// It has another inode than what was read.
func TestCompressedFileMayNotBeReadAtTheRestart(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "a1\n")
		d := unprivileged(t, wakeups, path)
		d.want(1, "a1")
		d.stop()
		add(t, file, "a2\n")
		rotate(t, path, "b1\n")
		compress(t, path+".1", ".gz")
		chmod(t, path+".1.gz", 0)
		d.start()
		d.looked()
		time.Sleep(600 * time.Millisecond)
		d.stop()
		chmod(t, path+".1.gz", 0o644)
		d.start()
		d.eventually("the lines", func() bool { return d.hasSent("a2") && d.hasSent("b1") })
		d.stop()
	})
}

// It is compressed and cannot be what was read: that is found, or the file is older. So it
// holds nothing up.
func TestOtherCompressedFileMayNotBeReadAtTheRestart(t *testing.T) {
	t.Parallel()
	t.Run("the log is found", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path := logFile(t)
			file := create(t, path, "a1\n")
			d := unprivileged(t, wakeups, path)
			d.want(1, "a1")
			d.stop()
			add(t, file, "a2\n")
			rotate(t, path, "b1\n")
			later()
			create(t, path+".2", "other\n").Close()
			compress(t, path+".2", ".gz")
			chmod(t, path+".2.gz", 0)
			d.start()
			d.want(1, "a2")
			d.want(2, "b1")
			d.stop()
		})
	})
	t.Run("it is older", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path := logFile(t)
			create(t, path+".1", "older\n").Close()
			compress(t, path+".1", ".gz")
			chmod(t, path+".1.gz", 0)
			later()
			create(t, path, "a1\n").Close()
			d := unprivileged(t, wakeups, path)
			d.want(1, "a1")
			d.stop()
			later()
			remove(t, path)
			create(t, path, "b1\n").Close()
			d.start()
			d.want(2, "b1")
			if s := d.source(); s.Lost != 1 || s.Trouble != "" {
				t.Errorf("%d generations lost, want 1; Trouble = %q", s.Lost, s.Trouble)
			}
			d.stop()
		})
	})
}
