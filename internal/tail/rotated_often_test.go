// The log is rotated many times: fast, and a thousand times over.

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

	"golang.org/x/sys/unix"

	"go.uber.org/goleak"
)

// Rotations 200 ms apart at 20,000 lines/s, the old file written for 50 ms
// beside the new one: every line comes once. First in synctest's time, in which
// the reader is never late, then in the real one.
func TestRotatedFiveTimesASecond(t *testing.T) {
	t.Run("ticks", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { storm(t, false, 15) })
	})
	for _, wakeups := range []bool{false, true} {
		t.Run(fmt.Sprintf("real time, wakeups=%t", wakeups), func(t *testing.T) {
			const tries = 10
			for range tries {
				if storm(t, wakeups, 11) == 0 {
					return
				}
			}
			t.Errorf("the machine was late in each of %d tries, and lines were lost", tries)
		})
	}
}

// storm returns how late the machine was at worst if lines were lost and that
// may be why, else 0.
func storm(t *testing.T, wakeups bool, rotations int) (late time.Duration) {
	const (
		every    = 200 * time.Millisecond
		overlap  = 50 * time.Millisecond
		step     = 5 * time.Millisecond
		perStep  = 100
		lateOnes = 500 // of 4,000 lines in a file
	)
	path := logFile(t)
	o := rotating(wakeups)
	o.RotateWait = time.Second
	o.blocks = 64
	file, old := create(t, path, ""), (*os.File)(nil)
	f := follow(t, o, path)
	f.eventually("the first look", func() bool { return f.source().Open })

	total := 0
	started := time.Now()
	for i := 1; ; i++ {
		due := started.Add(time.Duration(i) * step)
		time.Sleep(time.Until(due))
		late = max(late, time.Since(due))
		if time.Duration(i)*step%every == 0 {
			if rotations--; rotations < 0 {
				break
			}
			rename(t, path, fmt.Sprintf("%s.%d", path, rotations))
			old, file = file, create(t, path, "")
		}
		for n := range perStep {
			to := file
			if time.Duration(i)*step%every < overlap && old != nil && n%2 == 0 {
				to = old
			}
			line := fmt.Sprintf("%d GET /%s HTTP/1.1\n", total, strings.Repeat("x", total%200))
			total++
			if n%10 == 0 { // nginx with a full pipe, and stdio
				half := total % len(line)
				add(t, to, line[:half])
				line = line[half:]
			}
			add(t, to, line)
		}
	}

	count := make([]int, total)
	missing := func() (n int) {
		clear(count)
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, file := range f.files {
			for _, line := range file.lines {
				number, _, _ := strings.Cut(line, " ")
				i, err := strconv.Atoi(number)
				if err != nil || i >= total || line != fmt.Sprintf("%d GET /%s HTTP/1.1", i, strings.Repeat("x", i%200)) {
					t.Fatalf("torn line %q", line)
				}
				count[i]++
			}
		}
		for _, c := range count {
			if c == 0 {
				n++
			}
		}
		return n
	}
	done := func() bool { return f.collected() >= total }
	for wait := time.Now(); !done() && time.Since(wait) < 3*time.Second; time.Sleep(step) {
	}
	f.stop()
	lost, doubled := missing(), 0
	for _, c := range count {
		doubled += max(0, c-1)
	}
	if lost > 0 && late > every/4 {
		t.Logf("%d lines were lost, but the machine was %v late", lost, late)
		return late
	}
	if lost+doubled > 0 {
		t.Errorf("of %d lines in %d files %d were lost, %d doubled; the machine was up to %v late", total, len(f.files), lost, doubled, late)
	}
	for i := 1; i < len(f.files); i++ {
		if a, b := f.files[i-1].generation.FirstLine, f.files[i].generation.FirstLine; b < a+gap {
			t.Errorf("generations begin at lines %d and %d", a, b)
		}
	}
	return 0
}

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

// openNames is what the descriptors of this process are of that can be read.
func openNames(t *testing.T) (names []string) {
	t.Helper()
	names, _ = namesOfDescriptors(t)
	return names
}

// namesOfDescriptors is what the descriptors of this process are of; those that cannot be read
// only hold a file that was left.
func namesOfDescriptors(t *testing.T) (open, held []string) {
	t.Helper()
	fds, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		name, err := os.Readlink(fd)
		if err != nil {
			continue
		}
		var flags int
		info, err := os.ReadFile("/proc/self/fdinfo/" + filepath.Base(fd))
		if _, text, ok := strings.Cut(string(info), "flags:"); err == nil && ok {
			_, err = fmt.Sscanf(text, "%o", &flags)
		}
		switch {
		case err != nil: // it has been closed
		case flags&unix.O_PATH != 0:
			held = append(held, name)
		default:
			open = append(open, name)
		}
	}
	return open, held
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
			if round%10 == 5 {
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
	total := sources * (rounds + 1)
	f.eventually("all lines", func() bool { return f.collected() >= total })
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
	f.eventually("the end of all files", func() bool { return descriptors(t, dir) == 0 })
	f.eventually("the end of all watches", func() bool { return watches(t, all) == 0 })
	// The lock of the checkpoint, until the test ends, and the library's inotify
	// and epoll with its pipe.
	if n, most := len(openNames(t)), before+1+4; n > most {
		t.Errorf("%d descriptors after %d rotations, %d before them: %q", n, sources*rounds, before, openNames(t))
	}
}
