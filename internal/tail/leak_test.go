package tail_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// rotations is a log, or a link to one, that is rotated again and again.
type rotations struct {
	t    *testing.T
	path string
	link bool
	n    int
	want []string
	all  map[uint64]bool // inodes of all files
	now  uint64          // of the one at the path
}

func (r *rotations) rotate() {
	r.t.Helper()
	r.n++
	name, text := r.path, fmt.Sprintf("%s %d", filepath.Base(r.path), r.n)
	switch {
	case r.link:
		name = fmt.Sprintf("%s.%d", r.path, r.n)
	case r.n > 1:
		rename(r.t, r.path, fmt.Sprintf("%s.%d", r.path, r.n-1))
	}
	file := create(r.t, name, text+"\n")
	info, err := file.Stat()
	if err != nil {
		r.t.Fatal(err)
	}
	file.Close()
	r.now = info.Sys().(*syscall.Stat_t).Ino
	r.all[r.now] = true
	if r.link {
		link(r.t, name, r.path+".new")
		rename(r.t, r.path+".new", r.path)
	}
	r.want = append(r.want, text)
}

// descriptors is how many files below dir this process has open.
func descriptors(t *testing.T, dir string) (n int) {
	t.Helper()
	for _, name := range openNames(t) {
		if strings.HasPrefix(name, dir) {
			n++
		}
	}
	return n
}

// openNames is what the descriptors of this process are of.
func openNames(t *testing.T) (names []string) {
	t.Helper()
	fds, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if name, err := os.Readlink(fd); err == nil {
			names = append(names, name)
		}
	}
	return names
}

// watches is how often files are watched by any inotify instance of this process.
func watches(t *testing.T, of map[uint64]bool) (n int) {
	t.Helper()
	infos, err := filepath.Glob("/proc/self/fdinfo/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range infos {
		info, err := os.ReadFile(path)
		if err != nil {
			continue // it was Glob's
		}
		for line := range strings.Lines(string(info)) {
			var wd, ino uint64
			if _, err := fmt.Sscanf(line, "inotify wd:%x ino:%x", &wd, &ino); err == nil && of[ino] {
				n++
			}
		}
	}
	return n
}

// A thousand rotations leave nothing behind: no goroutine, no descriptor and no
// watch. It is not parallel, because all of these are the process's.
func TestThousandRotationsLeaveNothingBehind(t *testing.T) {
	t.Run("ticks", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { // which sees every goroutine
			rotateOften(t, rotating(false), 20, 50, func(int) time.Duration { return 300 * time.Millisecond })
		})
	})
	t.Run("wakeups", func(t *testing.T) {
		before := goleak.IgnoreCurrent()
		rotateOften(t, rotating(true), 50, 20, func(round int) time.Duration {
			if round%5 == 0 {
				return 1400 * time.Millisecond // quiet for so long that all are watched
			}
			return 120 * time.Millisecond
		})
		if err := goleak.Find(before,
			goleak.IgnoreAnyFunction("github.com/hpcloud/tail/watch.(*InotifyTracker).run"),
			goleak.IgnoreAnyFunction("gopkg.in/fsnotify%2ev1.(*Watcher).readEvents")); err != nil {
			t.Error(err)
		}
	})
}

func rotateOften(t *testing.T, o options, sources, rounds int, pause func(round int) time.Duration) {
	t.Helper()
	dir := t.TempDir()
	o.RotateWait = 10 * time.Millisecond
	o.blocks = 32
	before := len(openNames(t))
	var logs []*rotations
	var paths []string
	for i := range sources {
		path := filepath.Join(mkdir(t, filepath.Join(dir, fmt.Sprint(i))), fmt.Sprintf("log%d", i))
		logs = append(logs, &rotations{t: t, path: path, link: i%4 == 3, all: map[uint64]bool{}})
		logs[i].rotate()
		paths = append(paths, path)
	}
	f := follow(t, o, paths...)
	all, now := map[uint64]bool{}, map[uint64]bool{}
	for round := range rounds {
		time.Sleep(pause(round))
		if o.Wakeups && round == 5 {
			f.eventually("all logs to be watched", func() bool { return watches(t, all) >= sources })
		}
		for _, l := range logs {
			l.rotate()
		}
		clear(now)
		for _, l := range logs {
			now[l.now] = true
			for ino := range l.all {
				all[ino] = true
			}
		}
	}
	total := int64(sources * (rounds + 1))
	f.eventually("all lines", func() bool { return f.stats.Snapshot(time.Now()).Books.Read >= total })
	f.eventually("one descriptor for each source", func() bool { return descriptors(t, dir) == sources })
	if o.Wakeups {
		f.eventually("one watch for each source", func() bool { return watches(t, now) == sources && watches(t, all) == sources })
	}
	f.stop()
	for i, l := range logs {
		var got []string
		for _, file := range f.files {
			if file.generation.Source.Index == i {
				got = append(got, file.lines...)
			}
		}
		if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(l.want))) {
			t.Errorf("%s: %d lines came, want %d", l.path, len(got), len(l.want))
		}
	}
	if n := descriptors(t, dir); n != 0 {
		t.Errorf("%d descriptors are left", n)
	}
	f.eventually("the end of all watches", func() bool { return watches(t, all) == 0 })
	// The lock of the checkpoint, until the test ends, and the library's inotify
	// and epoll with its pipe.
	if n, most := len(openNames(t)), before+1+4; n > most {
		t.Errorf("%d descriptors after %d rotations, %d before them: %q", n, sources*rounds, before, openNames(t))
	}
}

// saves counts how often the checkpoint in a directory is saved, until it is
// asked.
func saves(t *testing.T, dir string) func() int {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Skipf("inotify_init1: %v", err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_MOVED_TO); err != nil {
		t.Fatal(err)
	}
	return func() (n int) {
		buf := make([]byte, 1<<20)
		size, err := unix.Read(fd, buf)
		if err != nil && !os.IsTimeout(err) && err != unix.EAGAIN {
			t.Fatal(err)
		}
		return strings.Count(string(buf[:max(0, size)]), "checkpoint\x00")
	}
}

// Every source gets its turn, and the disk is not asked for each of them.
func TestThousandSources(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // which has time, and there are no wake-ups of so many anyway
		const sources, lines = 1000, 40 // of a block and a bit
		text := func(i int) (all []string) {
			for n := range lines {
				all = append(all, fmt.Sprintf("%d %-999d", i, n))
			}
			return all
		}
		dir := t.TempDir()
		var paths []string
		for i := range sources {
			path := filepath.Join(dir, fmt.Sprintf("%d.log", i))
			create(t, path, strings.Join(text(i), "\n")+"\n").Close()
			paths = append(paths, path)
		}
		l := newLives(t, false, paths...)
		l.uncounted = true
		l.options.blocks = 16
		saved := saves(t, l.state)
		l.start()
		l.eventually("all lines", func() bool { return l.collected() == sources*lines })
		time.Sleep(600 * time.Millisecond)
		if n := saved(); n < 1 || n > 5 {
			t.Errorf("the checkpoint was saved %d times, want a handful of times", n)
		}
		l.stop()
		for _, file := range l.files {
			want := text(file.generation.Source.Index)
			if !slices.Equal(file.lines, want) {
				t.Errorf("source %s: %d lines, want %d", file.generation.Source.Name, len(file.lines), lines)
			}
		}
		for round := range 2 {
			seen := slices.Clone(l.follower.order[round*sources : (round+1)*sources])
			slices.Sort(seen)
			if n := len(slices.Compact(seen)); n != sources {
				t.Errorf("round %d: %d sources had their turn, want %d", round, n, sources)
			}
		}
		for _, path := range paths {
			appendTo(t, path, "end\n")
		}
		l.start()
		l.eventually("the last lines", func() bool { return l.collected() == sources })
		l.still()
		if n := l.collected(); n != sources {
			t.Errorf("%d lines after the restart, want %d", n, sources)
		}
		l.stop()
	})
}

// As at midnight: the disk is not asked for each of them.
func TestThousandEmptyFilesGetTheirFirstLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const sources = 1000
		dir := t.TempDir()
		var paths []string
		for i := range sources {
			path := filepath.Join(dir, strconv.Itoa(i)+".log")
			create(t, path, "").Close()
			paths = append(paths, path)
		}
		l := newLives(t, false, paths...)
		l.start()
		l.looked()
		saved := saves(t, l.state)
		for _, path := range paths {
			appendTo(t, path, "first\n")
		}
		l.eventually("all lines", func() bool { return l.collected() == sources })
		if n := saved(); n > 20 {
			t.Errorf("the checkpoint was saved %d times", n)
		}
		l.stop()
	})
}
