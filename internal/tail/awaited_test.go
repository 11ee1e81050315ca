// A log cannot be opened at its very first start, and does not stay where it is.

package tail_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/stats"
)

func fromEnd(o *options) { o.fromEnd = true }

// mayNotBeRead waits for that.
func mayNotBeRead(d *daemon) {
	d.t.Helper()
	d.eventually("trouble", func() bool { return strings.Contains(d.source().Trouble, "permission denied") })
}

// unprivilegedGlob is a daemon that was never started, with no more rights than anybody has.
func unprivilegedGlob(t *testing.T, wakeups bool, pattern string) *daemon {
	t.Helper()
	d := newDays(t, wakeups, pattern)
	for _, dir := range []string{filepath.Dir(pattern), filepath.Dir(filepath.Dir(pattern))} {
		chmod(t, dir, 0o755)
	}
	chmod(t, d.state, 0o777)
	if os.Geteuid() == 0 {
		d.options.thread = becomeNobody
	}
	return d
}

// readAtLast checks that nobody waits for anything any more, or has lost anything.
func readAtLast(d *daemon) {
	d.t.Helper()
	d.eventually("no trouble", func() bool { return d.source().Trouble == "" })
	if s := d.source(); s.Lost != 0 {
		d.t.Errorf("%d generations are lost", s.Lost)
	}
	d.acknowledge()
	d.stop()
	saved := openCheckpoint(d.t, d.state, stats.New(time.Now()), io.Discard).Ledger("s0").Copy()
	if saved.Awaited != nil || saved.SearchSince != 0 {
		d.t.Errorf("a file is still awaited: %+v, since %d", saved.Awaited, saved.SearchSince)
	}
	d.start()
	d.wantNothing()
	d.stop()
}

// It was rotated, once or twice, while tailflux ran or was stopped, and is read when it may be.
func TestLogIsRotatedBeforeItMayBeRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name            string
		end             bool
		before, between bool // the rotation, or what may be read after it: a restart
		twice           bool
		nextToo         bool // may not be read, either
	}{
		{name: "beginning"},
		{name: "end", end: true},
		{name: "beginning, next file too", nextToo: true},
		{name: "beginning, after a restart", between: true, nextToo: true},
		{name: "end, after a restart", end: true, between: true, nextToo: true},
		{name: "beginning, after the next file was read and a restart", between: true},
		{name: "end, while tailflux is stopped", end: true, before: true},
		{name: "beginning, twice while tailflux is stopped", before: true, twice: true, nextToo: true},
		{name: "end, twice", end: true, twice: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				file := create(t, path, "old1\nol")
				chmod(t, path, 0)
				d := unprivileged(t, wakeups, path, func(o *options) { o.fromEnd = tt.end })
				mayNotBeRead(d)
				add(t, file, "d2\na1\n")
				d.looked()
				if tt.before {
					d.stop()
				}
				rotated, want := path+".1", []string{"old1", "old2", "a1"}
				next := "b1\n"
				if tt.twice {
					rotate(t, path, next)
					next, rotated = "c1\n", path+".2"
				}
				later()
				create(t, path+".new", next)
				if tt.nextToo {
					chmod(t, path+".new", 0)
				}
				shift(t, path)
				rename(t, path, path+".1")
				rename(t, path+".new", path)
				if tt.before {
					d.start()
				}
				if !tt.nextToo {
					d.eventually("the next file", func() bool { return d.hasSent(strings.TrimSpace(next)) })
				}
				mayNotBeRead(d)
				d.looked()
				if tt.between {
					d.stop()
					d.start()
					mayNotBeRead(d)
				}
				chmod(t, rotated, 0o644)
				d.eventually("what was rotated", func() bool { return d.hasSent("a1") })
				chmod(t, path, 0o644)
				if tt.end {
					want = want[1:]
				}
				if want = append(want, strings.TrimSpace(next)); tt.twice {
					want = append(want, "b1")
				}
				d.eventually("all lines", func() bool {
					for _, line := range want {
						if !d.hasSent(line) {
							return false
						}
					}
					return true
				})
				if tt.end && d.hasSent("old1") {
					t.Error("what was there at the very first start was sent")
				}
				readAtLast(d)
			})
		})
	}
}

// Where the log ended at the very first start is known as long as it is not open.
func TestEndIsThatOfTheVeryFirstStart(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "old1\nol")
		chmod(t, path, 0)
		d := unprivileged(t, wakeups, path, fromEnd)
		mayNotBeRead(d)
		for range 2 {
			d.kill()
			d.start()
			mayNotBeRead(d)
		}
		d.stop()
		add(t, file, "d2\na1\n")
		chmod(t, path, 0o644)
		d.start()
		d.want(1, "old2", "a1")
		readAtLast(d)
	})
}

// It came to the path after the start, which is why all of it is read.
func TestLogComesMayNotBeReadAndIsRotated(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		d := unprivileged(t, wakeups, path, fromEnd)
		create(t, path+".new", "a1\n").Close()
		chmod(t, path+".new", 0)
		rename(t, path+".new", path)
		mayNotBeRead(d)
		d.stop()
		rotate(t, path, "b1\n")
		chmod(t, path+".1", 0o644)
		d.start()
		d.wantAll([]string{"a1"}, []string{"b1"})
		readAtLast(d)
	})
}

// Nothing is at the path any more when tailflux is started again, which a glob would not find.
func TestLogOfAGlobMayNotBeReadAndIsRotated(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		create(t, path, "a1\n").Close()
		chmod(t, path, 0)
		d := unprivilegedGlob(t, wakeups, filepath.Join(filepath.Dir(path), "*.log"))
		d.start()
		mayNotBeRead(d)
		d.stop()
		rename(t, path, path+".1")
		chmod(t, path+".1", 0o644)
		d.start()
		d.want(1, "a1")
		d.stop()
	})
}

// What was rotated before the very first start is not read, although somebody still wrote to it.
func TestLogBeforeTheOneThatMayNotBeRead(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		create(t, path, "never seen\n").Close()
		later()
		rename(t, path, path+".1")
		create(t, path, "a1\n").Close()
		chmod(t, path, 0)
		later()
		appendTo(t, path+".1", "nor this\n")
		d := unprivileged(t, wakeups, path)
		mayNotBeRead(d)
		rotate(t, path, "b1\n")
		chmod(t, path+".1", 0o644)
		d.wantOf("a1", "b1")
		readAtLast(d)
	})
}

// It is truncated (copytruncate), or compressed, when it may still not be read.
func TestLogThatMayNotBeReadHasACopy(t *testing.T) {
	t.Parallel()
	for name, rotated := range map[string]func(t *testing.T, path string){
		"truncated": func(t *testing.T, path string) {
			copyTo(t, path, path+".1")
			if err := os.Truncate(path, 0); err != nil {
				t.Fatal(err)
			}
		},
		"compressed": func(t *testing.T, path string) {
			rename(t, path, path+".1")
			compress(t, path+".1", ".gz")
			create(t, path, "").Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				create(t, path, "a1\na2\n").Close()
				chmod(t, path, 0)
				d := unprivileged(t, wakeups, path)
				mayNotBeRead(d)
				chmod(t, path, 0o600)
				later()
				rotated(t, path)
				d.looked()
				later()
				appendTo(t, path, "b1\n")
				chmod(t, path, 0o644)
				for _, f := range []string{path + ".1", path + ".1.gz"} {
					_ = os.Chmod(f, 0o644)
				}
				d.wantOf("a1", "a2", "b1")
				readAtLast(d)
			})
		})
	}
}

// It is deleted, and nothing was read of it: it is lost, and that is said.
func TestLogThatMayNotBeReadIsDeleted(t *testing.T) {
	t.Parallel()
	for _, end := range []bool{false, true} {
		t.Run(fmt.Sprint("from the end ", end), func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				file := create(t, path, "old\n")
				chmod(t, path, 0)
				d := unprivileged(t, wakeups, path, func(o *options) { o.fromEnd = end })
				mayNotBeRead(d)
				add(t, file, "a1\na2\n")
				looks(d.follower, 2)
				remove(t, path)
				later()
				create(t, path, "b1\n").Close()
				d.eventually("the loss", func() bool { return d.source().Lost == 1 })
				want := int64(10)
				if end {
					want = 6
				}
				if s := d.source(); s.LostBytes != want || d.logged("part of a log is lost") != 1 {
					t.Errorf("%d bytes are lost, want %d; the log:\n%s", s.LostBytes, want, &d.log)
				}
				d.want(1, "b1")
				d.stop()
				d.start()
				d.wantNothing()
				if s := d.source(); s.Lost != 0 {
					t.Error("it is lost once more")
				}
				d.stop()
			})
		})
	}
}

// The day before the last one may not be read at the very first start, nor when tailflux is started again.
func TestDayMayNotBeRead(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		dir := filepath.Dir(logFile(t))
		for day := 1; day <= 3; day++ {
			create(t, on(dir, day), fmt.Sprintf("d%d\n", day)).Close()
			later()
		}
		at := time.Now().Add(time.Hour) // which does not make it one that was written before the others
		if err := os.Chtimes(on(dir, 1), at, at); err != nil {
			t.Fatal(err)
		}
		chmod(t, on(dir, 1), 0)
		d := unprivilegedGlob(t, wakeups, filepath.Join(dir, "access-*.log"))
		d.start()
		for range 2 {
			d.eventually("the others", func() bool { return d.hasSent("d2") && d.hasSent("d3") })
			d.acknowledge()
			d.stop()
			d.start()
			d.looked()
		}
		chmod(t, on(dir, 1), 0o644)
		d.eventually("the first day", func() bool { return d.hasSent("d1") })
		d.stop()
	})
}
