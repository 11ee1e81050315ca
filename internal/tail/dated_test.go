// The day is in the log's name: each day has a file of its own, and old ones are deleted.

package tail_test

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/tail"
)

// newDays is a daemon that follows the logs of a pattern; their source is s0, if the
// date is all that the wildcards match.
func newDays(t *testing.T, wakeups bool, pattern string) *daemon {
	t.Helper()
	d := newDaemon(t, wakeups)
	d.options.Globs = []tail.Glob{{Name: "s0", Pattern: pattern}}
	return d
}

// on is the path of a day's file.
func on(dir string, day int) string {
	return filepath.Join(dir, fmt.Sprintf("access-2026-11-%02d.log", day))
}

// openIn is how many files in a directory, or deleted from there, this process has open.
func openIn(t *testing.T, dir string) (n int) {
	t.Helper()
	return descriptors(t, dir+"/")
}

// A month passes, a day a second, and what is older than a week is deleted. All lines
// come, of one source, and what was deleted does not stay open.
func TestMonthOfDays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const days, lines, kept, wait = 30, 20, 7, 5
		dir := t.TempDir()
		d := newDays(t, false, filepath.Join(dir, "access-*.log"))
		d.options.RotateWait = wait * time.Second
		var want []string
		for day := 1; day <= days; day++ {
			later()
			text, all := numbered(fmt.Sprint("day", day), 1, lines)
			want = append(want, all...)
			file := create(t, on(dir, day), text[:len(text)/2])
			if day == 1 {
				d.start()
			}
			time.Sleep(500 * time.Millisecond)
			add(t, file, text[len(text)/2:])
			time.Sleep(500 * time.Millisecond)
			file.Close()
			if old := day - kept; old > 0 {
				remove(t, on(dir, old))
			}
			if n := openIn(t, dir); n > wait+3 {
				t.Errorf("on day %d, %d files are open", day, n)
			}
		}
		d.wantOf(want...)
		d.acknowledge()
		snap := d.stats.Snapshot(time.Now())
		if s := snap.Sources; len(s) != 1 || s[0].Name != "s0" || s[0].Path != on(dir, days) || s[0].Rotations < days/2 || // the others were found at once
			s[0].Lost != 0 {
			t.Errorf("sources are %+v", s)
		}
		if g := snap.Globs[0]; g.Files > kept+1 || g.Trouble != "" {
			t.Errorf("the glob is %+v", g)
		}
		time.Sleep((wait + 2) * time.Second)
		if n := openIn(t, dir); n != 1 {
			t.Errorf("in the end %d files are open, want that of the last day", n)
		}
		if n := d.logged("level=WARN") + d.logged("level=ERROR"); n > 0 {
			t.Errorf("%d warnings:\n%s", n, &d.log)
		}
		d.stop()
		d.start()
		d.wantNothing()
		if n := openIn(t, dir); n != 1 {
			t.Errorf("after a restart %d files are open, want that of the last day", n)
		}
		d.stop()
	})
}

// The last one was deleted, and no other comes.
func TestLastDayIsDeleted(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		dir := t.TempDir()
		d := newDays(t, wakeups, filepath.Join(dir, "access-*.log"))
		file := create(t, on(dir, 1), "a1\n")
		d.start()
		d.want(1, "a1")
		d.acknowledge()
		remove(t, on(dir, 1))
		add(t, file, "a2\n") // whoever writes to it still does
		d.want(1, "a1", "a2")
		file.Close()
		d.eventually("the end of the file", func() bool { return openIn(t, dir) == 0 })
		d.acknowledge()
		if s := d.source(); !s.Open || s.Lost != 0 {
			t.Errorf("the source is %+v; the log:\n%s", s, &d.log)
		}
		later()
		create(t, on(dir, 5), "b1\n")
		d.want(2, "b1")
		d.stop()
		remove(t, on(dir, 5))
		d.start() // nothing is there, and nothing is known to be unread
		d.wantNothing()
		later()
		create(t, on(dir, 6), "c1\n")
		d.want(3, "c1")
		d.stop()
	})
}

// Days that have the same lines are no copies of each other; what a day was compressed to is one.
func TestDaysThatAreAlike(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		dir := t.TempDir()
		d := newDays(t, wakeups, filepath.Join(dir, "access-*.log"))
		d.books.once = false
		for day := 1; day <= 3; day++ {
			create(t, on(dir, day), "a1\n"+strings.Repeat("a2\n", day/2)).Close()
			later()
		}
		compress(t, on(dir, 1), ".gz")
		create(t, on(dir, 1), "a1\n").Close()
		for _, want := range []int64{5, 0} {
			read := func() int64 { return d.stats.Snapshot(time.Now()).Books.Read }
			d.start()
			d.eventually("what is new", func() bool { return read() >= want })
			d.still()
			d.acknowledge()
			d.stop()
			if got := read(); got != want {
				t.Errorf("%d lines were read, want %d; the log:\n%s", got, want, &d.log)
			}
		}
	})
}

// At the very first start, what is there.
func TestFirstStartWithManyDays(t *testing.T) {
	t.Parallel()
	for _, times := range []string{"as written", "the same", "the wrong way round"} {
		t.Run("from the beginning, times "+times, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				dir := t.TempDir()
				for day := 1; day <= 9; day++ {
					create(t, on(dir, day), fmt.Sprintf("d%d\n", day))
					at := time.Now().Add(-time.Hour)
					if times == "the wrong way round" {
						at = at.Add(-time.Duration(day) * time.Minute)
					}
					if times != "as written" {
						if err := os.Chtimes(on(dir, day), at, at); err != nil {
							t.Fatal(err)
						}
					}
					later()
				}
				create(t, on(dir, 3)+".1", "never seen\n")
				create(t, filepath.Join(dir, "access-2026-10-31.log"), "compressed\n").Close()
				compress(t, filepath.Join(dir, "access-2026-10-31.log"), ".gz")
				d := newDays(t, wakeups, filepath.Join(dir, "access-*.log"))
				d.start()
				var want [][]string
				for day := 1; day <= 9; day++ {
					want = append(want, []string{fmt.Sprint("d", day)})
				}
				d.wantAll(want...)
				d.kill()
				d.start()
				d.wantAll(want...)
				d.stop()
				create(t, on(dir, 10), "e1\n")
				d.start()
				d.want(10, "e1")
				d.stop()
			})
		})
	}
	t.Run("from the end", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			dir := t.TempDir()
			for day := 1; day <= 3; day++ {
				create(t, on(dir, day), fmt.Sprintf("old%d\n", day))
				later()
			}
			d := newDays(t, wakeups, filepath.Join(dir, "access-*.log"))
			d.options.Globs[0].FromEnd = true
			d.start()
			d.looked()
			appendTo(t, on(dir, 3), "a1\n")
			d.want(1, "a1")
			later()
			create(t, on(dir, 4), "b1\n")
			d.want(2, "b1")
			d.stop()
			touch(t, on(dir, 1))
			later()
			create(t, on(dir, 5), "c1\n")
			d.start()
			d.wantAll(nil, nil, []string{"c1"})
			d.stop()
			compress(t, on(dir, 2), ".gz")
			touch(t, on(dir, 2)+".gz")
			d.start()
			d.wantNothing()
			// One that appears is read, whatever its date.
			create(t, filepath.Join(dir, "access-2026-10-31.log"), "earlier\n")
			d.want(4, "earlier")
			d.stop()
		})
	})
}

// What has come meanwhile, or gone.
func TestRestartAfterDays(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		meanwhile func(t *testing.T, dir string)
		want      [][]string // by generation; of the first a1 was delivered
		lost      int64
		lostBytes int64
		warnings  int
	}{
		{name: "the next day", meanwhile: func(t *testing.T, dir string) {
			appendTo(t, on(dir, 1), "a2\n")
			create(t, on(dir, 2), "b1\n")
		}, want: [][]string{{"a2"}, {"b1"}}},
		{name: "three days", meanwhile: func(t *testing.T, dir string) {
			appendTo(t, on(dir, 1), "a2\n")
			for day, text := range map[int]string{2: "b1\n", 3: "c1\n", 4: "e1\n"} {
				later()
				create(t, on(dir, day), text)
			}
		}, want: [][]string{{"a2"}, {"b1"}, {"c1"}, {"e1"}}},
		{name: "all but the last are compressed", meanwhile: func(t *testing.T, dir string) {
			appendTo(t, on(dir, 1), "a2\n")
			for day, text := range []string{2: "b1\n", 3: "c1\n", 4: "e1\n"} {
				if text != "" {
					later()
					create(t, on(dir, day), text)
				}
			}
			compress(t, on(dir, 1), ".gz")
			compress(t, on(dir, 2), ".zst")
			compress(t, on(dir, 3), ".gz")
		}, want: [][]string{{"a2"}, {"b1"}, {"c1"}, {"e1"}}},
		{name: "the read one was deleted", meanwhile: func(t *testing.T, dir string) {
			remove(t, on(dir, 1))
			create(t, on(dir, 2), "b1\n")
		}, want: [][]string{nil, {"b1"}}, lost: 1, warnings: 1}, // it was the latest one: more may have been in it
		{name: "nothing but the time", meanwhile: func(*testing.T, string) {}},
		{name: "the shape of the date has changed", meanwhile: func(t *testing.T, dir string) {
			create(t, filepath.Join(dir, "access-20261102.log"), "b1\n")
			later()
			create(t, filepath.Join(dir, "access-2026-11-03T00.log"), "c1\n")
		}, want: [][]string{nil, {"b1"}, {"c1"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				dir := t.TempDir()
				d := newDays(t, wakeups, filepath.Join(dir, "access-*.log"))
				create(t, on(dir, 1), "a1\n")
				d.start()
				d.want(1, "a1")
				d.stop()
				later()
				tt.meanwhile(t, dir)
				d.start()
				d.wantAll(tt.want...)
				if s := d.source(); s.Lost != tt.lost || s.LostBytes != tt.lostBytes || d.logged("level=WARN") != tt.warnings || len(d.stats.Snapshot(time.Now()).Sources) != 1 {
					t.Errorf("the source is %+v; the log:\n%s", s, &d.log)
				}
				d.kill()
				d.start()
				d.wantAll(tt.want...)
				d.stop()
				d.start()
				d.wantNothing()
				d.stop()
			})
		})
	}
}

// What was superseded and read to its end costs nothing when it is gone, and what was
// not is lost.
func TestEarlierDayIsDeletedWhileStopped(t *testing.T) {
	t.Parallel()
	for _, unread := range []bool{false, true} {
		t.Run(fmt.Sprint("unread ", unread), func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				dir := t.TempDir()
				d := newDays(t, wakeups, filepath.Join(dir, "access-*.log"))
				create(t, on(dir, 1), "a1\n").Close()
				d.start()
				d.want(1, "a1")
				d.acknowledge()
				later()
				if unread {
					appendTo(t, on(dir, 1), "a2\n")
					d.want(1, "a1", "a2")
				}
				create(t, on(dir, 2), "b1\n")
				d.want(2, "b1")
				d.left(on(dir, 1))
				if unread {
					d.kill() // a2 was not acknowledged
				} else {
					d.stop()
				}
				remove(t, on(dir, 1))
				d.start()
				want, lost, bytes := []string{}, int64(0), int64(0)
				if unread {
					want, lost, bytes = []string{"b1"}, 1, 3
				}
				d.wantOf(want...)
				if s := d.source(); s.Lost != lost || s.LostBytes != bytes || int64(d.logged("level=ERROR")) != lost || d.logged("level=WARN") > 0 {
					t.Errorf("the source is %+v; the log:\n%s", s, &d.log)
				}
				d.stop()
			})
		})
	}
}

// The date is in directories, which have no other name in common.
func TestDaysInDirectories(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		dir := t.TempDir()
		at := func(day string) string {
			path := filepath.Join(dir, day, "access.log")
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			return path
		}
		d := newDays(t, wakeups, filepath.Join(dir, "*", "*", "*", "access.log"))
		create(t, at("2026/11/29"), "a1\n").Close()
		d.start()
		d.want(1, "a1")
		later()
		create(t, at("2026/11/30"), "b1\n")
		d.want(2, "b1")
		d.left(at("2026/11/29"))
		d.stop()
		appendTo(t, at("2026/11/30"), "b2\n")
		later()
		create(t, at("2026/12/01"), "c1\n")
		later()
		create(t, at("2026/12/02"), "d1\n")
		for _, day := range []string{"2026/11/29", "2026/11/30", "2026/12/01"} {
			compress(t, at(day), ".gz")
		}
		for _, end := range []func(){d.kill, d.stop} {
			d.start()
			d.wantAll(nil, []string{"b2"}, []string{"c1"}, []string{"d1"})
			if s := d.source(); s.Lost != 0 || s.Path != at("2026/12/02") {
				t.Errorf("the source is %+v; the log:\n%s", s, &d.log)
			}
			end()
		}
	})
}

// What another source may take for a rotated file of its own.
func TestCompressedDayBesideALogWithoutADate(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		dir := t.TempDir()
		path := filepath.Join(dir, "access.log")
		create(t, path, "w1\n")
		d := newDaemon(t, wakeups, path)
		d.options.Globs = []tail.Glob{{Name: "days", Pattern: filepath.Join(dir, "access-*.log")}}
		later()
		create(t, on(dir, 1), "a1\n").Close()
		d.start()
		d.wantOf("w1", "a1")
		create(t, on(dir, 2), "b1\n").Close()
		d.wantOf("w1", "a1", "b1")
		compress(t, on(dir, 1), ".gz")
		later()
		rotate(t, path, "w2\n")
		d.wantOf("w1", "a1", "b1", "w2")
		d.stop()
		appendTo(t, on(dir, 2), "b2\n")
		compress(t, on(dir, 2), ".gz")
		later()
		rotate(t, path, "w3\n")
		later()
		create(t, on(dir, 3), "c1\n")
		d.start()
		d.wantOf("b2", "c1", "w3")
		d.stop()
	})
}

// Two logs whose names differ in a date are taken for two days of one. As long as both
// are written to, all lines of both are read.
func TestTwoLogsThatDifferInADateAreBothWrittenTo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		d := newDays(t, false, filepath.Join(dir, "access-*.log"))
		d.options.RotateWait = 5 * time.Second
		first, second := create(t, on(dir, 1), "a1\n"), create(t, on(dir, 2), "b1\n")
		d.start()
		want := map[int][]string{1: {"a1"}, 2: {"b1"}}
		for n := 2; n < 9; n++ {
			time.Sleep(4 * time.Second)
			for i, file := range []*os.File{first, second} {
				line := fmt.Sprintf("%c%d", 'a'+i, n)
				add(t, file, line+"\n")
				want[i+1] = append(want[i+1], line)
			}
		}
		d.want(1, want[1]...)
		d.want(2, want[2]...)
		d.stop()
	})
}

// Before the days of a log were one source, each was a source of its own, and its file
// was kept open for ever. The checkpoint is one that such a tailflux has left behind when
// it was killed: it had followed five days, and InfluxDB had gone when the last one came.
func TestDaysThatWereSourcesOfTheirOwn(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		dir := t.TempDir()
		d := newDays(t, wakeups, filepath.Join(dir, "access-*.log"))
		d.options.Globs[0].Name, d.options.Globs[0].FromEnd = "web", true
		checkpoint, err := os.ReadFile("testdata/days-as-sources.json")
		if err != nil {
			t.Fatal(err)
		}
		checkpoint = bytes.ReplaceAll(checkpoint, []byte("/logs"), []byte(dir))
		checkpoint = append(fmt.Appendf(nil, "tailflux checkpoint 1 %08x\n", crc32.Checksum(checkpoint, crc32.MakeTable(crc32.Castagnoli))), checkpoint...)
		if err := os.WriteFile(filepath.Join(d.state, statedir.Checkpoint), checkpoint, 0o600); err != nil {
			t.Fatal(err)
		}
		line := func(day, n int) string {
			return fmt.Sprintf(`192.0.2.7 - - [%d/Nov/2026:10:00:00 +0000] "GET /d%d-%d HTTP/1.1" 200 10 "-" "-"`, day, day, n)
		}
		at := time.Unix(1795858230, 0) // it was stopped
		put := func(day, lines int) {
			var text strings.Builder
			for n := range lines {
				text.WriteString(line(day, n+1) + "\n")
			}
			create(t, on(dir, day), text.String()).Close()
			at = at.Add(time.Minute)
			if err := os.Chtimes(on(dir, day), at, at); err != nil {
				t.Fatal(err)
			}
		}
		// Those of the 23rd and 24th are deleted; of the latter two lines were not delivered.
		put(25, 6)
		compress(t, on(dir, 25), ".gz")
		put(26, 3)
		put(27, 5)
		put(28, 2)
		put(29, 1)
		d.goesOn[generationOf{"web", 3}] = flow.Position{Generation: &flow.Generation{ID: 3, FirstLine: 1000007}, Offset: 240, Line: 1000010}
		want := []string{line(25, 4), line(25, 5), line(25, 6), line(27, 1), line(27, 2), line(27, 3), line(27, 4), line(27, 5), line(28, 1), line(28, 2), line(29, 1)}
		d.start()
		d.wantOf(want...)
		if s := d.stats.Snapshot(time.Now()).Sources; len(s) != 1 || s[0].Name != "web" || s[0].Lost != 1 || s[0].LostBytes != 160 || s[0].Path != on(dir, 29) {
			t.Errorf("the sources are %+v; the log:\n%s", s, &d.log)
		}
		if d.logged("file="+on(dir, 24)+" bytes=160") != 1 || d.logged("are one source now") != 1 || d.logged("level=WARN") != 1 || d.logged("level=ERROR") != 1 {
			t.Errorf("the log:\n%s", &d.log)
		}
		d.kill()
		d.start()
		d.wantOf(want...)
		d.stop()
		d.start()
		d.wantNothing()
		if n := openIn(t, dir); n != 1 {
			t.Errorf("%d files are open, want the one of the last day", n)
		}
		d.stop()
	})
}

// Whoever writes it has an earlier day open for longer than rotate_wait.
func TestEarlierDayIsWrittenToAfterItWasLeft(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		dir := t.TempDir()
		d := newDays(t, wakeups, filepath.Join(dir, "access-*.log"))
		file := create(t, on(dir, 1), "a1\n")
		d.start()
		d.want(1, "a1")
		later()
		create(t, on(dir, 2), "b1\n")
		d.want(2, "b1")
		d.acknowledge()
		d.eventually("the end of the first day", func() bool { return openIn(t, dir) == 1+2 }) // the two of this test
		add(t, file, "a2\n")
		d.wantOf("a1", "a2", "b1")
		d.stop()
	})
}

// The log is there again under its name without a date, which its days are rotated files
// of then: there is one source all the time.
func TestLogWithoutADateComesBesideItsDays(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		dir := t.TempDir()
		path := filepath.Join(dir, "access.log")
		d := newDaemon(t, wakeups)
		d.options.Globs = []tail.Glob{{Name: "g", Pattern: filepath.Join(dir, "*.log")}}
		create(t, on(dir, 1), "a1\n").Close()
		d.start()
		d.wantOf("a1")
		later()
		create(t, path, "b1\n")
		d.wantOf("a1", "b1")
		d.acknowledge()
		appendTo(t, path, "b2\n")
		d.wantOf("a1", "b1", "b2")
		if s := d.stats.Snapshot(time.Now()).Sources; len(s) != 1 || s[0].Name != "g:access" || s[0].Path != path {
			t.Errorf("the sources are %+v; the log:\n%s", s, &d.log)
		}
		d.stop()
		later()
		remove(t, path)
		create(t, on(dir, 2), "c1\n").Close()
		d.start()
		d.wantOf("c1")
		if s := d.stats.Snapshot(time.Now()).Sources; len(s) != 1 || s[0].Name != "g:access" || s[0].Path != on(dir, 2) {
			t.Errorf("the sources are %+v; the log:\n%s", s, &d.log)
		}
		d.stop()
	})
}
