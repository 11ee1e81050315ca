// A name is given to another log, by a reload or between two starts.

package tail_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/tail"
)

// renamed is a tailflux whose sources change their names.
type renamed struct {
	*follower
	t       *testing.T
	dir     string
	state   string
	restart bool // and no reload
	written []string
	read    []string
	numbers map[string]string // which line had a number under a name
}

// follow reads all that is there as sources with these names and paths; a path with a star
// is a glob.
func (r *renamed) follow(sources ...string) {
	r.t.Helper()
	c := tail.Config{RotateWait: time.Second}
	for i, s := range sources {
		name, path, _ := strings.Cut(s, "=")
		if path = filepath.Join(r.dir, path); strings.Contains(path, "*") {
			c.Globs = append(c.Globs, tail.Glob{Config: i, Name: name, Pattern: path})
		} else {
			c.Sources = append(c.Sources, tail.Source{Config: i, Name: name, Path: path})
		}
	}
	if r.follower == nil || r.restart {
		if r.follower != nil {
			r.reader.Close()
		}
		o := options{Config: c}
		o.Checkpoint = openCheckpoint(r.t, r.state, stats.New(time.Now()), io.Discard)
		r.follower = prepare(r.t, o)
	} else {
		c.Checkpoint = r.sink.checkpoint
		r.reader.Reconfigure(c, r.pool)
	}
	enough, chunks, ended := make(chan struct{}), make(chan flow.Chunk, 1), make(chan error, 1)
	go func() { ended <- r.reader.RunUntil(r.t.Context(), enough, chunks) }()
	go func() {
		time.Sleep(10 * time.Second) // long enough for rotated files
		close(enough)
	}()
	for c := range chunks {
		for i, line := range strings.Split(strings.TrimSuffix(string(c.Data), "\n"), "\n") {
			if len(c.Data) == 0 {
				break
			}
			r.read = append(r.read, line)
			number := fmt.Sprint(c.Start.Generation.Source.Name, " ", c.Start.Line+int64(i))
			if other, is := r.numbers[number]; is {
				r.t.Errorf("%q has the number of %q: %s", line, other, number)
			}
			r.numbers[number] = line
		}
		r.sink.checkpoint.Acknowledge(c.End, c.Data)
		c.Block.Release()
	}
	if err := <-ended; err != nil {
		r.t.Fatal(err)
	}
	if err := r.sink.checkpoint.Save(); err != nil {
		r.t.Fatal(err)
	}
}

// write appends lines to a log.
func (r *renamed) write(path string, lines int) {
	r.t.Helper()
	path, name := filepath.Join(r.dir, path), path
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		r.t.Fatal(err)
	}
	defer file.Close()
	for range lines {
		line := fmt.Sprintf("%s %d", name, len(r.written))
		r.written = append(r.written, line)
		add(r.t, file, line+"\n")
	}
}

// Whatever names logs are given, each line is read once, and no two lines of one name have
// one number.
func TestNamesAreGivenToOtherLogs(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(r *renamed)
	}{
		{"to a new log", func(r *renamed) {
			r.write("p1", 5)
			r.follow("web=p1")
			r.write("p1", 2)
			r.write("p2", 9)
			r.follow("old=p1", "web=p2")
		}},
		{"to each other's", func(r *renamed) {
			r.write("p1", 5)
			r.write("p2", 1)
			r.follow("a=p1", "b=p2")
			r.write("p1", 2)
			r.write("p2", 9)
			r.follow("b=p1", "a=p2")
			r.write("p1", 9)
			r.write("p2", 9)
			r.follow("a=p1", "b=p2")
		}},
		{"to a new log, and to one more", func(r *renamed) {
			r.write("p1", 5)
			r.follow("web=p1")
			r.write("p2", 9)
			r.follow("old=p1", "web=p2")
			r.write("p3", 9)
			r.follow("older=p1", "old=p2", "web=p3")
			r.write("p1", 9)
			r.write("p2", 9)
			r.write("p3", 9)
			r.follow("web=p1", "old=p2", "older=p3")
		}},
		{"to a log, of one that is followed no more", func(r *renamed) {
			r.write("p1", 5)
			r.write("p2", 7)
			r.follow("a=p1", "b=p2")
			r.write("p1", 2)
			r.write("p2", 9)
			r.follow("b=p1")
			r.write("p1", 2)
			r.follow("b=p1", "c=p2")
		}},
		{"to a log, of one that was removed before", func(r *renamed) {
			r.write("p1", 5)
			r.write("p2", 7)
			r.follow("a=p1", "b=p2")
			r.follow("a=p1")
			r.write("p1", 2)
			r.write("p2", 2)
			r.follow("b=p1")
			r.write("p1", 2)
			r.follow("b=p1", "a=p2")
		}},
		{"of a log to one that was removed before", func(r *renamed) {
			r.write("p1", 5)
			r.write("p2", 7)
			r.follow("a=p1", "b=p2")
			r.follow("a=p1")
			r.write("p1", 2)
			r.write("p2", 2)
			r.follow("a=p2")
			r.follow("a=p2", "c=p1")
		}},
		{"to a log that a glob finds", func(r *renamed) {
			r.write("x/1.log", 5)
			r.follow("web=x/1.log")
			r.write("x/1.log", 5)
			r.write("p2", 7)
			r.write("x/2.log", 7)
			r.follow("g=x/*.log", "web=p2")
		}},
		{"of globs to each other's", func(r *renamed) {
			r.write("x/1.log", 5)
			r.write("y/1.log", 7)
			r.follow("a=x/*.log", "b=y/*.log")
			r.write("x/1.log", 5)
			r.write("y/1.log", 9)
			r.write("y/2.log", 2)
			r.follow("b=x/*.log", "a=y/*.log")
		}},
		{"of globs of days to each other's", func(r *renamed) {
			r.write("x/access-2026-11-27.log", 5)
			r.write("y/access-2026-11-27.log", 7)
			r.follow("a=x/access-*.log", "b=y/access-*.log")
			r.write("x/access-2026-11-27.log", 1)
			r.write("x/access-2026-11-28.log", 5)
			r.write("y/access-2026-11-28.log", 9)
			r.follow("b=x/access-*.log", "a=y/access-*.log")
		}},
		{"of a glob of days to a log", func(r *renamed) {
			r.write("x/access-2026-11-27.log", 5)
			r.follow("a=x/access-*.log")
			r.write("x/access-2026-11-28.log", 5)
			r.write("p", 9)
			r.follow("b=x/access-*.log", "a=p")
		}},
	} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restart %v", tt.name, restart), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := &renamed{t: t, dir: t.TempDir(), state: stateDir(t), restart: restart, numbers: map[string]string{}}
					tt.do(r)
					r.reader.Close()
					slices.Sort(r.written)
					slices.Sort(r.read)
					if diff := cmp.Diff(r.written, r.read); diff != "" {
						t.Errorf("read is not what was written (-want +got):\n%s\nthe log:\n%s", diff, &r.log)
					}
				})
			})
		}
	}
}
