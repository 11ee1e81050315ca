// Random sequences of what can happen to a log that has a file a day.

package tail_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Every line that was written comes once, whenever the days change, and whatever becomes
// of their files. Only what is deleted must have been read before.
func TestRandomDays(t *testing.T) {
	t.Parallel()
	for n := range 40 {
		seed := rand.Uint64()
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { randomDays(t, seed) })
		})
	}
}

func randomDays(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	at := func(day int) string { return on(dir, day) }
	pattern := filepath.Join(dir, "access-*.log")
	if random.IntN(3) == 0 {
		at = func(day int) string { return filepath.Join(dir, fmt.Sprintf("2026-11-%02d", day), "access.log") }
		pattern = filepath.Join(dir, "*", "access.log")
	}
	d := newDays(t, false, pattern)
	d.options.RotateWait = time.Second
	var (
		trace   strings.Builder
		file    *os.File
		day     int
		all     []string
		running bool
	)
	do := func(format string, args ...any) { fmt.Fprintf(&trace, format+"\n", args...) }
	write := func(lines int) {
		for range lines {
			line := fmt.Sprintf("day %d line %d", day, len(all))
			all = append(all, line)
			add(t, file, line+"\n")
		}
	}
	next := func() {
		later()
		day++
		if file != nil {
			file.Close()
		}
		if err := os.MkdirAll(filepath.Dir(at(day)), 0o755); err != nil {
			t.Fatal(err)
		}
		file = create(t, at(day), "")
		do("day %d", day)
	}
	delivered := func() bool {
		for _, line := range all {
			if len(d.books.sent("s0", line)) == 0 {
				return false
			}
		}
		return true
	}
	exists := func(path string) bool {
		_, err := os.Lstat(path)
		return !errors.Is(err, fs.ErrNotExist)
	}
	settle := func() {
		for range 200 {
			if delivered() {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		for _, line := range all {
			if len(d.books.sent("s0", line)) == 0 {
				t.Fatalf("seed %d: %q did not come:\n%s\nthe log:\n%s", seed, line, &trace, &d.log)
			}
		}
	}
	next()
	write(random.IntN(3))
	for range 40 {
		switch old := 1 + random.IntN(day); random.IntN(12) {
		case 0, 1, 2:
			write(1 + random.IntN(4))
			do("lines up to %d", len(all))
		case 3, 4:
			if day < 28 {
				next()
				write(random.IntN(4))
				do("lines up to %d", len(all))
			}
		case 5, 6:
			time.Sleep(time.Duration(random.IntN(3000)) * time.Millisecond)
			do("some time")
		case 7: // by cron
			if running && old < day {
				settle()
				d.acknowledge()
				time.Sleep(2 * time.Second)
				d.acknowledge() // and saved that it was left
				for _, end := range []string{"", ".gz"} {
					if exists(at(old) + end) {
						remove(t, at(old)+end)
						do("day %d is deleted", old)
					}
				}
			}
		case 8:
			if d.follower != nil && old < day && exists(at(old)) { // at the very first start, what is compressed is left alone
				compress(t, at(old), ".gz")
				do("day %d is compressed", old)
			}
		case 9:
			if running {
				d.acknowledge()
				do("acknowledged")
			}
		default:
			switch {
			case !running:
				d.start()
				d.looked()
				do("started")
			case random.IntN(2) == 0:
				settle()
				d.stop()
				do("stopped")
			default:
				d.kill()
				do("killed")
			}
			running = !running
		}
	}
	if !running {
		d.start()
		do("started")
	}
	write(1)
	settle()
	d.acknowledge()
	time.Sleep(3 * time.Second)
	if n := openIn(t, dir); n != 1+1 { // and what nginx has
		t.Errorf("seed %d: %d files are open:\n%s\nthe log:\n%s", seed, n-1, &trace, &d.log)
	}
	if s := d.stats.Snapshot(time.Now()).Sources; len(s) != 1 || s[0].LostBytes > 0 || s[0].Path != at(day) {
		t.Errorf("seed %d: the sources are %+v:\n%s\nthe log:\n%s", seed, s, &trace, &d.log)
	}
	d.stop()
}
