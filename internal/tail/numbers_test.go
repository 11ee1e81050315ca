package tail_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestKilledBeforeAnythingIsAcknowledged(t *testing.T) {
	t.Parallel()
	for _, fromEnd := range []bool{false, true} {
		t.Run(map[bool]string{false: "beginning", true: "end"}[fromEnd], func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				file := create(t, path, "old\n")
				l := newLives(t, wakeups, path)
				l.options.fromEnd = fromEnd
				l.start()
				l.looked()
				want := []string{"old", "a1", "a2", "a3"}
				if fromEnd {
					want = want[1:]
				}
				add(t, file, "a1\na2\n")
				l.want(1, want[:len(want)-1]...)
				l.kill()
				add(t, file, "a3\n")
				for range 2 {
					l.start()
					l.want(1, want...)
					l.kill()
				}
				rotate(t, path, "b1\n")
				l.start()
				l.wantAll(want, []string{"b1"})
				l.kill()
				l.start()
				l.wantAll(want, []string{"b1"})
				l.stop()
				l.start()
				l.wantNothing()
				l.stop()
			})
		})
	}
}

func TestKilledBeforeAnythingIsRead(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "old\nol")
		l := newLives(t, wakeups, path)
		l.options.fromEnd = true
		l.start()
		l.wantNothing()
		l.kill()
		add(t, file, "d\na1\n")
		rotate(t, path, "b1\n")
		l.start()
		l.wantAll([]string{"old", "a1"}, []string{"b1"})
		l.stop()
	})
}

// What start says is of the very first start only.
func TestFileIsMissingAtTheVeryFirstStart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		end  func(*lives)
	}{{"stopped", (*lives).stop}, {"killed", (*lives).kill}} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				l := newLives(t, wakeups, path)
				l.options.fromEnd = true
				l.start()
				l.wantNothing()
				c.end(l)
				create(t, path, "a1\na2\nha")
				l.start()
				l.want(1, "a1", "a2")
				if at := l.file(1).start; at.Offset != 0 || at.Line != 1 {
					t.Errorf("begins at offset %d, line %d, want 0 and 1", at.Offset, at.Line)
				}
				l.kill()
				appendTo(t, path, "lf\n")
				l.start()
				l.wantAll([]string{"a1", "a2", "half"})
				l.stop()
			})
		})
	}
}

func TestLineNumbersAfterAKill(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "a1\na2\n")
		l := newLives(t, wakeups, path)
		l.start()
		l.want(1, "a1", "a2")
		l.acknowledge()
		add(t, file, "a3\na4\n")
		l.want(1, "a1", "a2", "a3", "a4")
		l.kill()
		add(t, file, "a5\n") // so that the next generation would begin elsewhere now
		l.start()
		l.want(1, "a3", "a4", "a5")
		if at := l.file(1).start.Line; at != 3 {
			t.Errorf("a3 is line %d, want 3", at)
		}
		rotate(t, path, "b1\nb2\n")
		l.want(2, "b1", "b2")
		first := l.file(2).start.Line
		if want := int64(6 + gap); first != want {
			t.Errorf("b1 is line %d, want %d", first, want)
		}
		l.kill()
		rotate(t, path, "c1\n")
		l.start()
		l.want(1, "a3", "a4", "a5")
		l.want(2, "b1", "b2")
		l.want(3, "c1")
		if at := l.file(2).start.Line; at != first {
			t.Errorf("b1 is line %d, want %d as before", at, first)
		}
		third := l.file(3).start.Line
		if third < first+gap {
			t.Errorf("c1 is line %d, want it %d beyond %d", third, gap, first)
		}
		l.kill()
		l.start()
		l.want(1, "a3", "a4", "a5")
		l.want(2, "b1", "b2")
		l.want(3, "c1")
		if at := l.file(3).start.Line; at != third {
			t.Errorf("c1 is line %d, want %d as before", at, third)
		}
		l.stop()
	})
}

// Every unread byte may be a line.
func TestMoreIsUnreadThanTheGapBetweenGenerations(t *testing.T) {
	t.Parallel()
	const lines = gap + 100_000
	text := strings.Repeat("\n", lines)
	check := func(t *testing.T, l *lives) {
		t.Helper()
		l.eventually("all lines", func() bool { return l.collected() == 1+lines+2 })
		l.stop()
		a, b, c := l.file(1), l.file(2), l.file(3)
		if a.end.Line != 2+lines || b.start.Line < a.end.Line || c.start.Line < b.end.Line {
			t.Errorf("numbers are %d to %d, %d to %d, and from %d on: want none twice",
				a.start.Line, a.end.Line, b.start.Line, b.end.Line, c.start.Line)
		}
	}
	ticks := func(name string, test func(t *testing.T)) { // it takes too long for real time
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, test)
		})
	}
	ticks("running", func(t *testing.T) {
		path := logFile(t)
		create(t, path, "a\n"+text)
		l := newLives(t, false, path)
		l.uncounted = true
		l.prepare()
		l.eventually("the first chunk", func() bool { return len(l.chunks) > 0 })
		rotate(t, path, "b1\n")
		l.eventually("a rotation", func() bool { return l.source().Rotations == 1 })
		rotate(t, path, "c1\n")
		l.eventually("another rotation", func() bool { return l.source().Rotations == 2 })
		go l.drain()
		check(t, l)
	})
	ticks("stopped", func(t *testing.T) {
		path := logFile(t)
		create(t, path, "a\n")
		l := newLives(t, false, path)
		l.uncounted = true
		l.start()
		l.want(1, "a")
		l.kill()
		appendTo(t, path, text)
		rotate(t, path, "b1\n")
		rotate(t, path, "c1\n")
		l.start()
		check(t, l)
	})
}

func TestConfigurationNamesAnotherPath(t *testing.T) {
	t.Parallel()
	t.Run("the log is there now", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path, moved := logFile(t), filepath.Join(t.TempDir(), "site.log")
			create(t, path, "a1\n")
			l := newLives(t, wakeups, path)
			l.start()
			l.want(1, "a1")
			l.stop()
			appendTo(t, path, "a2\n")
			rename(t, path, moved)
			l.paths = []string{moved}
			l.start()
			l.wantAll([]string{"a2"})
			l.kill()
			rotate(t, moved, "b1\n")
			l.start()
			l.wantAll([]string{"a2"}, []string{"b1"})
			l.stop()
		})
	})
	t.Run("another log is there", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path, other := logFile(t), filepath.Join(t.TempDir(), "site.log")
			create(t, path, "a1\n")
			l := newLives(t, wakeups, path)
			l.options.fromEnd = true
			l.start()
			l.looked()
			appendTo(t, path, "a2\n")
			l.want(1, "a2")
			l.stop()
			appendTo(t, path, "a3\n")
			later()
			create(t, other, "b1\n")
			l.paths = []string{other}
			l.start()
			l.wantAll([]string{"a3"}, []string{"b1"})
			l.stop()
			appendTo(t, path, "a4\n") // nobody follows it any more
			appendTo(t, other, "b2\n")
			l.start()
			l.wantAll(nil, []string{"b2"})
			l.stop()
		})
	})
	t.Run("the log was rotated and is elsewhere", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path, other := logFile(t), filepath.Join(t.TempDir(), "site.log")
			create(t, path, "a1\n")
			l := newLives(t, wakeups, path)
			l.start()
			l.want(1, "a1")
			l.stop()
			appendTo(t, path, "a2\n")
			rotate(t, path, "b1\n")
			rotate(t, path, "c1\n")
			later()
			rename(t, path, other)
			l.paths = []string{other}
			l.start()
			l.wantAll([]string{"a2"}, []string{"b1"}, []string{"c1"})
			l.stop()
		})
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
		l := newLives(t, wakeups, paths...)
		lines := func(source int, id int64) (lines []string) {
			l.follower.mu.Lock()
			defer l.follower.mu.Unlock()
			for _, file := range l.files {
				if g := file.generation; g.Source.Index == source && g.ID == id {
					lines = append(lines, file.lines...)
				}
			}
			return lines
		}
		want := func(source int, id int64, want ...string) {
			t.Helper()
			l.eventually(fmt.Sprintf("%q of generation %d of source %d", want, id, source), func() bool {
				return slices.Equal(lines(source, id), want)
			})
		}
		l.start()
		want(0, 1, "0a1")
		want(1, 1, "1a1")
		l.stop()
		add(t, files[0], "0a2\n")
		rotate(t, paths[0], "0b1\n")
		add(t, files[1], "1a2\n")
		for _, end := range []func(){l.kill, l.stop} {
			l.start()
			want(0, 1, "0a2")
			want(0, 2, "0b1")
			want(1, 1, "1a2")
			time.Sleep(600 * time.Millisecond)
			if n := l.stats.Snapshot(time.Now()).Books.Read; n != 3 {
				t.Errorf("%d lines, want 3", n)
			}
			end()
		}
		l.paths = paths[:1] // the other one is not followed any more, and known all the same
		l.start()
		l.wantNothing()
		l.stop()
		add(t, files[1], "1a3\n")
		l.paths = paths
		l.start()
		want(1, 1, "1a3")
		l.stop()
	})
}

// Numbers of the lines of a compressed file, whose size nobody knows, and of those
// that came after it.
func TestMoreIsUnreadInACompressedFileThanTheGapBetweenGenerations(t *testing.T) {
	t.Parallel()
	const lines = gap + 100_000
	for _, end := range []string{".gz", ".zst"} {
		t.Run(end[1:], func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				path := logFile(t)
				create(t, path, "a\n")
				l := newLives(t, false, path)
				l.uncounted = true
				l.start()
				l.want(1, "a")
				l.kill()
				appendTo(t, path, strings.Repeat("\n", lines))
				rotate(t, path, "b1\n")
				compress(t, path+".1", end)
				rotate(t, path, "c1\n")
				l.start()
				l.eventually("all lines", func() bool { return l.collected() == 1+lines+2 })
				l.stop()
				a, b, c := l.file(1), l.file(2), l.file(3)
				if a.end.Line != 2+lines || b.start.Line < a.end.Line || c.start.Line < b.end.Line {
					t.Errorf("numbers are %d to %d, %d to %d, and from %d on: want none twice",
						a.start.Line, a.end.Line, b.start.Line, b.end.Line, c.start.Line)
				}
			})
		})
	}
}
