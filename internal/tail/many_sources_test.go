// Many logs are followed at once.

package tail_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

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
		d := newDaemon(t, false, paths...)
		d.options.uncounted = true
		d.options.blocks = 16
		saved := saves(t, d.state)
		d.start()
		d.eventually("all lines", func() bool { return d.collected() == sources*lines })
		time.Sleep(600 * time.Millisecond)
		if n := saved(); n < 1 || n > 5 {
			t.Errorf("the checkpoint was saved %d times, want a handful of times", n)
		}
		d.stop()
		for _, file := range d.files {
			want := text(file.generation.Source.Index)
			if !slices.Equal(file.lines, want) {
				t.Errorf("source %s: %d lines, want %d", file.generation.Source.Name, len(file.lines), lines)
			}
		}
		for round := range 2 {
			seen := slices.Clone(d.follower.order[round*sources : (round+1)*sources])
			slices.Sort(seen)
			if n := len(slices.Compact(seen)); n != sources {
				t.Errorf("round %d: %d sources had their turn, want %d", round, n, sources)
			}
		}
		for _, path := range paths {
			appendTo(t, path, "end\n")
		}
		d.start()
		d.eventually("the last lines", func() bool { return d.collected() == sources })
		d.still()
		if n := d.collected(); n != sources {
			t.Errorf("%d lines after the restart, want %d", n, sources)
		}
		d.stop()
	})
}

// As at midnight: the disk is not asked for each of them.
func TestThousandEmptyFilesGetTheirFirstLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const sources = 1000
		top, dir := t.TempDir(), ""
		var paths []string
		for i := range sources {
			if i%40 == 0 { // listing one directory for each of them is not what is tested
				dir = mkdir(t, filepath.Join(top, strconv.Itoa(i)))
			}
			path := filepath.Join(dir, strconv.Itoa(i)+".log")
			create(t, path, "").Close()
			paths = append(paths, path)
		}
		d := newDaemon(t, false, paths...)
		d.start()
		d.looked()
		saved := saves(t, d.state)
		for _, path := range paths {
			appendTo(t, path, "first\n")
		}
		d.eventually("all lines", func() bool { return d.collected() == sources })
		if n := saved(); n > 20 {
			t.Errorf("the checkpoint was saved %d times", n)
		}
		d.stop()
	})
}

func TestTwoSourcesInOneCheckpoint(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		dir := t.TempDir()
		paths := []string{filepath.Join(dir, "access.log"), filepath.Join(dir, "access_ssl.log")}
		var files []*os.File
		for i, path := range paths {
			files = append(files, create(t, path, fmt.Sprintf("%da1\n", i)))
		}
		d := newDaemon(t, wakeups, paths...)
		lines := func(source int, id int64) (lines []string) {
			d.follower.mu.Lock()
			defer d.follower.mu.Unlock()
			for _, file := range d.files {
				if g := file.generation; g.Source.Index == source && g.ID == id {
					lines = append(lines, file.lines...)
				}
			}
			return lines
		}
		want := func(source int, id int64, want ...string) {
			t.Helper()
			d.eventually(fmt.Sprintf("%q of generation %d of source %d", want, id, source), func() bool {
				return slices.Equal(lines(source, id), want)
			})
		}
		d.start()
		want(0, 1, "0a1")
		want(1, 1, "1a1")
		d.stop()
		add(t, files[0], "0a2\n")
		rotate(t, paths[0], "0b1\n")
		add(t, files[1], "1a2\n")
		for _, end := range []func(){d.kill, d.stop} {
			d.start()
			want(0, 1, "0a2")
			want(0, 2, "0b1")
			want(1, 1, "1a2")
			time.Sleep(600 * time.Millisecond)
			if n := d.stats.Snapshot(time.Now()).Books.Read; n != 3 {
				t.Errorf("%d lines, want 3", n)
			}
			end()
		}
		d.paths = paths[:1] // the other one is not followed any more, and known all the same
		d.start()
		d.wantNothing()
		d.stop()
		add(t, files[1], "1a3\n")
		d.paths = paths
		d.start()
		want(1, 1, "1a3")
		d.stop()
	})
}
