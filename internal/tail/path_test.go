package tail_test

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// exchange swaps what is at two paths, without a moment at which nothing is there.
func exchange(t *testing.T, a, b string) {
	t.Helper()
	if err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE); err != nil {
		t.Skipf("the file system cannot exchange files: %v", err)
	}
}

// The file that was there is read on; nothing has taken its place that could be
// read.
func TestPathBecomesSomethingElseAndComesBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		says string
		make func(path string) error
	}{
		{"too many levels of symbolic links", func(path string) error { return os.Symlink("access.log", path) }}, // by its name at the path
		{"is a directory", func(path string) error { return os.Mkdir(path, 0o755) }},
		{"is a pipe", func(path string) error { return syscall.Mkfifo(path, 0o644) }},
		{"is a device", func(path string) error { return os.Symlink("/dev/null", path) }},
	} {
		for _, back := range []string{"the same file", "another file"} {
			t.Run(c.says+", then "+back, func(t *testing.T) {
				both(t, func(t *testing.T, wakeups bool) {
					path := logFile(t)
					file := create(t, path, "a1\n")
					if err := c.make(path + ".other"); err != nil {
						t.Fatal(err)
					}
					f := follow(t, rotating(wakeups), path)
					f.want(1, "a1")
					exchange(t, path, path+".other")
					troubled(t, f, c.says)
					add(t, file, "a2\n")
					f.want(1, "a1", "a2")
					time.Sleep(rotateWait + time.Second) // it is not left
					add(t, file, "a3\n")
					f.want(1, "a1", "a2", "a3")
					if back == "the same file" {
						exchange(t, path, path+".other")
						untroubled(t, f)
						add(t, file, "a4\n")
						f.want(1, "a1", "a2", "a3", "a4")
						if s := f.source(); s.Rotations != 0 {
							t.Errorf("%d rotations", s.Rotations)
						}
						return
					}
					create(t, path+".new", "b1\n")
					exchange(t, path, path+".new")
					f.want(2, "b1")
					untroubled(t, f)
					add(t, file, "a4\n")
					f.want(1, "a1", "a2", "a3", "a4")
				})
			})
		}
	}
}

// unprivileged follows a file with no more rights than anybody has.
func unprivileged(t *testing.T, wakeups bool, path string) *lives {
	t.Helper()
	l := newLives(t, wakeups, path)
	for _, dir := range []string{filepath.Dir(path), filepath.Dir(filepath.Dir(path))} {
		chmod(t, dir, 0o755)
	}
	chmod(t, l.state, 0o777)
	if os.Geteuid() == 0 {
		l.options.thread = func() {
			runtime.LockOSThread() // which ends with its goroutine
			_, _, _ = syscall.RawSyscall(syscall.SYS_SETFSUID, 65534, 0, 0)
		}
	}
	l.start()
	l.looked()
	if strings.HasPrefix(l.source().Trouble, "stat") {
		t.Skipf("others may not look into %s", filepath.Dir(path))
	}
	return l
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// Who holds a file may read it.
func TestPermissionIsLostAndRegained(t *testing.T) {
	t.Parallel()
	t.Run("of the file", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path := logFile(t)
			file := create(t, path, "a1\n")
			l := unprivileged(t, wakeups, path)
			l.want(1, "a1")
			chmod(t, path, 0)
			add(t, file, "a2\n")
			l.want(1, "a1", "a2")
			l.still()
			if s := l.source(); s.Trouble != "" {
				t.Errorf("Trouble = %q", s.Trouble)
			}
		})
	})
	t.Run("of the next file", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path := logFile(t)
			file := create(t, path, "a1\n")
			l := unprivileged(t, wakeups, path)
			l.want(1, "a1")
			next := create(t, path+".new", "b1\n")
			chmod(t, path+".new", 0)
			exchange(t, path, path+".new")
			troubled(t, l.follower, "permission denied")
			add(t, next, "b2\n")
			add(t, file, "a2\n") // it is read on
			l.want(1, "a1", "a2")
			chmod(t, path, 0o644)
			l.want(2, "b1", "b2")
			untroubled(t, l.follower)
		})
	})
	t.Run("of two files", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path := logFile(t)
			create(t, path, "a1\n")
			l := unprivileged(t, wakeups, path)
			l.want(1, "a1")
			create(t, path+".new", "b1\n")
			chmod(t, path+".new", 0)
			later()
			rename(t, path, path+".2")
			rename(t, path+".new", path)
			l.eventually("trouble", func() bool { return strings.Contains(l.source().Trouble, "permission denied") })
			later()
			create(t, path+".new", "c1\n")
			chmod(t, path+".new", 0)
			exchange(t, path, path+".new")
			rename(t, path+".new", path+".1")
			time.Sleep(time.Second)
			chmod(t, path+".1", 0o644)
			chmod(t, path, 0o644)
			l.want(2, "b1")
			l.want(3, "c1")
			l.still()
		})
	})
	t.Run("of the directory", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path := logFile(t)
			file := create(t, path, "a1\n")
			l := unprivileged(t, wakeups, path)
			l.want(1, "a1")
			dir := filepath.Dir(path)
			chmod(t, dir, 0)
			defer chmod(t, dir, 0o755) // so that it can be removed
			troubled(t, l.follower, "permission denied")
			add(t, file, "a2\n")
			l.want(1, "a1", "a2")
			time.Sleep(time.Second)
			add(t, file, "a3\n")
			l.want(1, "a1", "a2", "a3")
			chmod(t, dir, 0o755)
			untroubled(t, l.follower)
			rotate(t, path, "b1\n")
			l.want(2, "b1")
		})
	})
}

func TestDirectoryIsRemovedAndMadeAgain(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := filepath.Join(mkdir(t, filepath.Join(t.TempDir(), "nginx")), "access.log")
		file := create(t, path, "a1\n")
		f := follow(t, rotating(wakeups), path)
		f.want(1, "a1")
		dir := filepath.Dir(path)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		troubled(t, f, "no such file or directory")
		add(t, file, "a2\n") // nginx has it open
		f.want(1, "a1", "a2")
		mkdir(t, dir)
		time.Sleep(600 * time.Millisecond)
		create(t, path, "b1\n")
		f.want(2, "b1")
		add(t, file, "a3\n")
		f.want(1, "a1", "a2", "a3")
		untroubled(t, f)
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
				l := unprivileged(t, wakeups, path)
				l.want(1, "a1")
				l.stop()
				add(t, file, "a2\n")
				want := []string{"a2"}
				if c.name != "log" {
					rotate(t, path, "b1\n")
					want = append(want, "b1")
				}
				what := c.forbid(path)
				chmod(t, what, 0)
				defer chmod(t, what, c.allowed) // so that it can be removed
				l.start()
				l.looked()
				time.Sleep(600 * time.Millisecond)
				l.stop() // perhaps to find out what is the matter
				chmod(t, what, c.allowed)
				l.start()
				l.eventually("the lines", func() bool {
					return !slices.ContainsFunc(want, func(line string) bool { return !l.hasSent(line) })
				})
				if s := l.source(); s.Lost != 0 {
					t.Errorf("%d generations lost; the log:\n%s", s.Lost, &l.log)
				}
				l.stop()
			})
		})
	}
}
