// A source is a pattern: files appear, are rotated, and the daemon is restarted.

package tail_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/tail"
)

// Files that match a pattern are followed, those that appear later from their
// first byte; rotated ones beside them are not.
func TestGlob(t *testing.T) {
	t.Parallel()
	synctest.Test(t, testGlob)
}

func testGlob(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err == nil {
			_, err = f.WriteString(text)
			f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write("a.access.log", "old\n")
	write("b.access.log", "old\n")
	write("a.access.log.1", "rotated\n")
	write("a.access.log-20261122", "rotated\n")
	write("c.error.log", "other\n")

	pool, st := flow.NewPool(8, 256<<10), stats.New(time.Now())
	r := tail.New(tail.Config{
		MaxLine: 4 << 10, RotateWait: time.Second, Checkpoint: openCheckpoint(t, stateDir(t), st, io.Discard),
		Globs: []tail.Glob{{
			Pattern: filepath.Join(dir, "*.access.log*"), FromEnd: true, Name: "g",
		}},
	}, pool, st, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	out := make(chan flow.Chunk)
	ended := make(chan error, 1)
	go func() {
		err := r.Run(ctx, out)
		r.Close()
		ended <- err
	}()

	var got []string
	next := func(n int) {
		t.Helper()
		for limit := time.After(30 * time.Second); n > 0; n-- {
			select {
			case c := <-out:
				got = append(got, c.Start.Generation.Source.Name+" "+string(c.Data))
				c.Block.Release()
			case <-limit:
				t.Fatalf("got only %q", got)
			}
		}
	}
	opened(t, st, 2)
	write("a.access.log", "new\n")
	write("b.access.log", "new\n")
	next(2)
	write("d.access.log", "first\n")
	next(1)
	if err := os.Rename(filepath.Join(dir, "b.access.log"), filepath.Join(dir, "b.access.log.1")); err != nil {
		t.Fatal(err)
	}
	write("b.access.log.1", "late\n")
	write("b.access.log", "after\n")
	next(2)
	// Renamed to a name that matches, and not like a rotated one.
	if err := os.Rename(filepath.Join(dir, "d.access.log"), filepath.Join(dir, "d-old.access.log")); err != nil {
		t.Fatal(err)
	}
	write("d-old.access.log", "later\n")
	next(1)
	write("a.access.log", "last\n")
	next(1)
	time.Sleep(1500 * time.Millisecond) // files are looked for again
	cancel()
	for range out {
		t.Error("more came")
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	slices.Sort(got)
	want := []string{"g:a, last\n", "g:a, new\n", "g:b, after\n", "g:b, late\n", "g:b, new\n", "g:d, first\n", "g:d, later\n"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// opened waits until at least so many sources are known, and all that are known
// have been opened.
func opened(t *testing.T, st *stats.Stats, least int) {
	t.Helper()
	closed := func(s stats.Source) bool { return !s.Open }
	for limit := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		sources := st.Snapshot(time.Now()).Sources
		if len(sources) >= least && !slices.ContainsFunc(sources, closed) {
			return
		}
		if time.Now().After(limit) {
			t.Fatalf("sources are not opened: %+v", sources)
		}
	}
}

// globbed runs a reader of a glob until so many chunks came, which are
// acknowledged, and returns their lines.
func globbed(t *testing.T, pattern, state string, chunks int, meanwhile func()) (lines []string) {
	t.Helper()
	return followed(t, tail.Config{Globs: []tail.Glob{{Pattern: pattern, FromEnd: true, Name: "g"}}}, state, chunks, meanwhile)
}

// followed is globbed, for whatever is to be followed.
func followed(t *testing.T, what tail.Config, state string, chunks int, meanwhile func()) (lines []string) {
	t.Helper()
	pool, st := flow.NewPool(8, 256<<10), stats.New(time.Now())
	c := openCheckpoint(t, state, st, io.Discard)
	sink := sink{books: newBooks(), checkpoint: c}
	what.MaxLine, what.RotateWait, what.Checkpoint = 4<<10, time.Second, c
	r := tail.New(what, pool, st, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	out := make(chan flow.Chunk)
	ended := make(chan error, 1)
	go func() {
		err := r.Run(ctx, out)
		r.Close()
		ended <- err
	}()
	if meanwhile != nil {
		opened(t, st, 1)
		meanwhile()
	}
	limit := time.After(30 * time.Second)
	for range chunks {
		select {
		case chunk := <-out:
			lines = append(lines, chunk.Start.Generation.Source.Name+" "+string(chunk.Data))
			if err := sink.take(chunk); err != nil {
				t.Error(err)
			}
			sink.acknowledge(everything)
			chunk.Block.Release()
		case <-limit:
			t.Fatalf("got only %q", lines)
		}
	}
	for quiet := time.After(1500 * time.Millisecond); quiet != nil; { // files are looked for again
		select {
		case chunk := <-out:
			t.Errorf("%q came too", chunk.Data)
		case <-quiet:
			quiet = nil
		}
	}
	cancel()
	for chunk := range out {
		t.Errorf("%q came too", chunk.Data)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := c.Save(); err != nil {
		t.Error(err)
	}
	slices.Sort(lines)
	return lines
}

// What appeared while nobody looked is read from its first byte, what was there
// before goes on, and of what is gone the rest is read. A copy is no log that
// appears.
func TestGlobGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, globGoesOn)
}

func globGoesOn(t *testing.T) {
	dir, state := t.TempDir(), stateDir(t)
	pattern := filepath.Join(dir, "*.access.log*")
	write := func(name, text string) {
		t.Helper()
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		add(t, f, text)
	}
	write("a.access.log", "old\n")
	write("b.access.log", "old\n")
	got := globbed(t, pattern, state, 2, func() {
		write("a.access.log", "a1\n")
		write("b.access.log", "b1\n")
	})
	if want := []string{"g:a, a1\n", "g:b, b1\n"}; !slices.Equal(got, want) {
		t.Fatalf("at first %q, want %q", got, want)
	}
	write("a.access.log", "a2\n")
	write("b.access.log", "b2\n")
	rename(t, filepath.Join(dir, "b.access.log"), filepath.Join(dir, "b.access.log.1"))
	write("c.access.log", "c1\n")
	got = globbed(t, pattern, state, 3, func() {
		text, err := os.ReadFile(filepath.Join(dir, "a.access.log"))
		if err != nil {
			t.Fatal(err)
		}
		write("a.access.log.copy", string(text))
	})
	if want := []string{"g:a, a2\n", "g:b, b2\n", "g:c, c1\n"}; !slices.Equal(got, want) {
		t.Errorf("after the restart %q, want %q", got, want)
	}
}

// Logs that are rotated and keep their extension match the pattern too, and are no
// logs of their own.
func TestGlobOfLogsThatKeepTheirExtension(t *testing.T) {
	for _, name := range []string{"a-20261127.log", "a.1.log", "a.log-1795748951.log"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dir, state := t.TempDir(), stateDir(t)
				log, pattern := filepath.Join(dir, "a.log"), filepath.Join(dir, "*.log")
				file := create(t, log, "a1\n")
				got := globbed(t, pattern, state, 1, func() { add(t, file, "a2\n") })
				if want := []string{"g:a a2\n"}; !slices.Equal(got, want) {
					t.Fatalf("at first %q, want %q", got, want)
				}
				if name != "a.log-1795748951.log" {
					rename(t, log, filepath.Join(dir, name))
					file = create(t, log, "b1\n")
					got = globbed(t, pattern, state, 1, nil)
					if want := []string{"g:a b1\n"}; !slices.Equal(got, want) {
						t.Fatalf("after the rotation %q, want %q", got, want)
					}
				} else {
					create(t, filepath.Join(dir, name), "c1\n") // it is another log: a.log.log is none
					got = globbed(t, pattern, state, 1, nil)
					if want := []string{"g:a.log-1795748951 c1\n"}; !slices.Equal(got, want) {
						t.Fatalf("another log: %q, want %q", got, want)
					}
				}
				got = globbed(t, pattern, state, 1, func() { add(t, file, "z1\n") })
				if want := []string{"g:a z1\n"}; !slices.Equal(got, want) {
					t.Errorf("after another restart %q, want %q", got, want)
				}
			})
		})
	}
}

// Both logs were called g:a,b,c: of one checkpoint for the two, each made the other a
// log whose lines are gone. The one that had the name goes on where it was.
func TestTwoLogsWithCommasWhereTheStarsAre(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir, state := t.TempDir(), stateDir(t)
		pattern := filepath.Join(dir, "*", "*.log")
		first, second := filepath.Join(dir, "a", "b,c.log"), filepath.Join(dir, "a,b", "c.log")
		for _, path := range []string{first, second} {
			if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		a := create(t, first, "a1\n")
		before := tail.Config{Sources: []tail.Source{{Name: "g:a,b,c", Path: first}}}
		if got, want := followed(t, before, state, 1, nil), []string{"g:a,b,c a1\n"}; !slices.Equal(got, want) {
			t.Fatalf("before %q, want %q", got, want)
		}
		add(t, a, "a2\n")
		b := create(t, second, "b1\n")
		// Not from its end: a glob that was never followed begins there.
		glob := tail.Config{Globs: []tail.Glob{{Pattern: pattern, Name: "g"}}}
		got := followed(t, glob, state, 2, nil)
		if want := []string{`g:"a,b",c b1` + "\n", `g:a,"b,c" a2` + "\n"}; !slices.Equal(got, want) {
			t.Errorf("then %q, want %q", got, want)
		}
		add(t, a, "a3\n")
		add(t, b, "b2\n")
		got = followed(t, glob, state, 2, nil)
		if want := []string{`g:"a,b",c b2` + "\n", `g:a,"b,c" a3` + "\n"}; !slices.Equal(got, want) {
			t.Errorf("after a restart %q, want %q", got, want)
		}
	})
}

// A directory with letters that are not ASCII, and a class with a bracket in it, ended
// the daemon at its start.
func TestGlobOfUnusualCharacters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "café]")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		create(t, filepath.Join(dir, "ü.log"), "a1\n")
		glob := tail.Config{Globs: []tail.Glob{{Pattern: filepath.Dir(dir) + `/café[\]x]/*.log`, Name: "g"}}}
		if got, want := followed(t, glob, stateDir(t), 1, nil), []string{"g:],ü a1\n"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// While a glob has matched nothing it says why, and when that is over it says nothing.
func TestGlobThatMatchesNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, glob string
		there      []string // with a slash behind a directory
		want       string   // DIR is the directory
		logs       int
		comes      string
	}{
		{"no file", "*.log", nil, "no file matches DIR/*.log", 1, "a.log"},
		{"no directory", "sub/*.log", nil, "no file matches DIR/sub/*.log: open DIR/sub: no such file or directory", 2, "sub/a.log"},
		{"rotated files", "access.log.*", []string{"access.log.1", "access.log.2.gz"}, "no file matches DIR/access.log.*: DIR/access.log.1 is taken for a rotated file of DIR/access.log: " +
			"write path: DIR/access.log to follow that log through its rotations; if DIR/access.log.1 is a log of its own, write its path, without a wildcard", 1, "access.log.new"},
		{"a compressed file", "*", []string{"site.log-20261122.gz"}, "no file matches DIR/*: DIR/site.log-20261122.gz is taken for a rotated file of DIR/site.log: " +
			"write path: DIR/site.log to follow that log through its rotations; if DIR/site.log-20261122.gz is a log of its own, write its path, without a wildcard", 1, "site.log"},
		{"a directory", "*", []string{"nginx/"}, "no file matches DIR/*: DIR/nginx is a directory: only a regular file can be followed " +
			"(nginx's container image links access.log to /dev/stdout; let access_log name a file on a volume)", 1, "a.log"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				for _, name := range tt.there {
					if path := filepath.Join(dir, name); strings.HasSuffix(name, "/") {
						if err := os.Mkdir(path, 0o755); err != nil {
							t.Fatal(err)
						}
					} else {
						create(t, path, "rotated\n")
					}
				}
				st := stats.New(time.Now())
				var log bytes.Buffer // read when the reader has ended
				config := tail.Config{
					MaxLine: 4 << 10, RotateWait: time.Second, Checkpoint: openCheckpoint(t, stateDir(t), st, io.Discard),
					Globs: []tail.Glob{{Pattern: filepath.Join(dir, tt.glob), Name: "g"}},
				}
				once := config
				once.Once = true
				want := strings.ReplaceAll(tt.want, "DIR", dir)
				refused := tail.New(once, flow.NewPool(8, 256<<10), stats.New(time.Now()), slog.New(slog.DiscardHandler))
				defer refused.Close()
				if err := refused.Run(t.Context(), make(chan flow.Chunk)); err != nil || refused.Failed() == nil || refused.Failed().Error() != want {
					t.Errorf("with Once: %v, %v, want %s", err, refused.Failed(), want)
				}
				r := tail.New(config, flow.NewPool(8, 256<<10), st, slog.New(slog.NewTextHandler(&log, nil)))
				trouble := func() string { return st.Snapshot(time.Now()).Globs[0].Trouble }
				if trouble() == "" {
					t.Error("no trouble before the first look")
				}
				ctx, cancel := context.WithCancel(t.Context())
				out := make(chan flow.Chunk)
				ended := make(chan error, 1)
				go func() {
					err := r.Run(ctx, out)
					r.Close()
					ended <- err
				}()
				time.Sleep(3 * time.Second)
				if got := trouble(); got != want {
					t.Errorf("trouble is %q, want %q", got, want)
				}
				path := filepath.Join(dir, tt.comes)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				time.Sleep(2 * time.Second)
				create(t, path, "a1\n")
				(<-out).Block.Release()
				time.Sleep(2 * time.Second)
				if got := st.Snapshot(time.Now()).Globs[0]; got.Trouble != "" || got.Files != 1 {
					t.Errorf("with a file, trouble is %q and there are %d files", got.Trouble, got.Files)
				}
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
				if n := strings.Count(log.String(), "no file matches the glob yet"); n != tt.logs {
					t.Errorf("it was logged %d times, want %d:\n%s", n, tt.logs, &log)
				}
			})
		})
	}
}

// What is excluded is not followed: at the start, when it appears, after a restart, and
// as a day of a log.
func TestExcludedFilesOfAGlob(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, glob    string
		exclude       []string // DIR is the directory
		there         []string
		want, outside string // of what is followed
	}{
		{"by name", "*.log", []string{"error.log"}, []string{"access.log", "error.log"}, "g:access", "new.log"},
		{"by the end of a name", "*.log", []string{"*error.log"}, []string{"access.log", "ssl_error.log", "error.log"}, "g:access", "new.log"},
		{"several", "*", []string{"error.log", "php*"}, []string{"access.log", "php-fpm.log", "php-slow.log", "error.log"}, "g:access.log", "new.log"},
		{"by path", "*/*.log", []string{"DIR/old/*"}, []string{"old/access.log", "shop/access.log"}, "g:shop,access", "shop/new.log"},
		{"a name in any directory", "*/*.log", []string{"error.log"}, []string{"old/error.log", "shop/access.log", "shop/error.log"}, "g:shop,access", "shop/new.log"},
		{"not what a path only ends with", "*/*.log", []string{"old/error.log"}, []string{"old/error.log"}, "g:old,error", "old/new.log"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir, state := t.TempDir(), stateDir(t)
				write := func(name string) {
					path := filepath.Join(dir, name)
					if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
						t.Fatal(err)
					}
					create(t, path, name+"\n")
				}
				for i, exclude := range tt.exclude {
					tt.exclude[i] = strings.ReplaceAll(exclude, "DIR", dir)
				}
				for _, name := range tt.there {
					write(name)
				}
				what := tail.Config{Globs: []tail.Glob{{Pattern: filepath.Join(dir, tt.glob), Name: "g", Exclude: tt.exclude}}}
				got := followed(t, what, state, 1, nil)
				if len(got) != 1 || !strings.HasPrefix(got[0], tt.want+" ") {
					t.Errorf("at the start %q, want the line of %s", got, tt.want)
				}
				got = followed(t, what, state, 1, func() { write(tt.outside) })
				if len(got) != 1 || !strings.HasSuffix(got[0], " "+tt.outside+"\n") {
					t.Errorf("after a restart %q, want the line of %s", got, tt.outside)
				}
			})
		})
	}
}

// Days that are excluded are no files of their log.
func TestExcludedDays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		for _, day := range []string{"2025-12-31", "2026-11-27", "2026-11-28"} {
			create(t, filepath.Join(dir, "access-"+day+".log"), day+"\n")
		}
		what := tail.Config{Globs: []tail.Glob{{Pattern: filepath.Join(dir, "access-*.log"), Name: "g", Exclude: []string{"access-2025-*"}}}}
		got := followed(t, what, stateDir(t), 2, nil)
		if want := []string{"g 2026-11-27\n", "g 2026-11-28\n"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// Whether a file is left out is not asked of one that another source follows: its lines
// need not be of the glob's format.
func TestFileOfAnotherSourceIsNotLeftOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		for _, name := range []string{"api.log", "shop.log"} {
			create(t, filepath.Join(dir, name), name+"\n")
		}
		var asked []string
		got := followed(t, tail.Config{
			Sources: []tail.Source{{Name: "api", Path: filepath.Join(dir, "api.log")}},
			Globs: []tail.Glob{{Pattern: filepath.Join(dir, "*.log"), Name: "g", Leave: func(path string) (string, bool) {
				asked = append(asked, filepath.Base(path))
				return "", false
			}}},
		}, stateDir(t), 2, nil)
		if want := []string{"api api.log\n", "g:shop shop.log\n"}; !slices.Equal(got, want) || !slices.Equal(asked, []string{"shop.log"}) {
			t.Errorf("got %q, asked about %q", got, asked)
		}
	})
}
