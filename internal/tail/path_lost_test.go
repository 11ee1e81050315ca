// The path or its directory loses the log, and gets it back.

package tail_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

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

// A file comes to the path and is rotated between two looks, and then a worker of nginx
// still writes to the one that was there before. The time of that says nothing about
// what came meanwhile: nobody has looked for it.
func TestFileComesAndGoesWhileNothingIsAtThePath(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		a := create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.want(1, "a1")
		rename(t, path, path+".2")
		time.Sleep(300 * time.Millisecond) // files are looked for now, and again a second later
		later()
		create(t, path, "b1\n")
		rename(t, path, path+".1")
		later()
		add(t, a, "a2\n")
		d.want(1, "a1", "a2")
		d.want(2, "b1")
		d.stop()
	})
}
