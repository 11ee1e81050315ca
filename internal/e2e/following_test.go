//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

// Real nginx is loaded and real logrotate rotates, in each of the ways that it
// knows, while tailflux is stopped and killed at random, stays away over none,
// one or two rotations, and is started again. Every line that nginx wrote is one
// point, but for those that logrotate itself loses: with copytruncate, what comes
// between its copying and its truncating, and with renamecopy, what comes behind its copying.
func TestLogrotateWithTheDaemonStoppedInBetween(t *testing.T) {
	t.Parallel()
	db := influxdtest.New(t, influxdtest.Options{})
	archive := filepath.Join(t.TempDir(), "archive") // not below the log's directory
	compressor := "compresscmd /bin/gzip"
	if path, err := exec.LookPath("zstd"); err == nil {
		compressor = "compresscmd " + path + "\ncompressext .zst"
	}
	for _, tt := range []struct {
		name       string
		directives string
		dir        string // for rotated files
		learnt     bool   // it is found after tailflux has seen one rotation to it
		copies     bool
	}{
		{name: "create"},
		{name: "copytruncate", directives: "copytruncate", copies: true},
		{name: "dateext-gzip", directives: "dateext\ndateformat -%Y%m%d-%s\ncompress\ndelaycompress"},
		{name: "olddir", directives: "olddir old", dir: "old"},
		{name: "size", directives: "size 12k"},
		// Beyond what was asked for: what is hardest of these, together.
		{name: "olddir-elsewhere-zstd", directives: "olddir " + archive + "\ncompress\ndelaycompress\n" + compressor, dir: archive, learnt: true},
		{name: "copytruncate-dateext-gzip", directives: "copytruncate\ndateext\ndateformat -%s\ncompress", copies: true},
		// What hardly anybody uses.
		{name: "copy-gzip", directives: "copy\ncompress"},
		{name: "renamecopy", directives: "renamecopy", copies: true},
		{name: "shred", directives: "compress\ndelaycompress\nshred\nshredcycles 1"},
		{name: "copytruncate-shred", directives: "copytruncate\ncompress\nshred\nshredcycles 1", copies: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, db)
			s := startVisited(b)
			var dirs []string
			if tt.dir != "" && !filepath.IsAbs(tt.dir) {
				tt.dir = b.path("logs/" + tt.dir)
			}
			if tt.dir != "" {
				dirs = append(dirs, tt.dir)
			}
			story := &story{
				bench: b, site: s, logrotate: newLogrotate(s, dirs, tt.directives),
				name: tt.name, rand: rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0)),
			}
			story.begin()
			leave := s.visit(1000, func(i int) (path, agent string) { return fmt.Sprintf("/r/%d", i), "visitor" })
			story.settle()
			if tt.learnt {
				story.learn(tt.dir)
			}
			story.play()
			visits := leave()
			s.stop()
			story.end(visits, tt.copies)
		})
	}
}

// story is what happens to one log.
type story struct {
	*bench
	site      *visitedSite
	logrotate *logrotate
	name      string
	rand      *rand.Rand
	daemon    *tailfluxtest.Daemon
	rotated   time.Time // the last time

	starts, terms, kills int
	started              int      // how many runs before this one came to hear signals
	told                 []string // what happened, and when
	began                time.Time
}

func (s *story) tell(what string) {
	s.told = append(s.told, fmt.Sprintf("%6.3f %s", time.Since(s.began).Seconds(), what))
}

func (s *story) begin() {
	s.began = time.Now()
	s.t.Cleanup(func() {
		s.daemon.Kill()
		if s.t.Failed() {
			s.t.Logf("the story:\n%s\ntailflux logged:\n%s", strings.Join(s.told, "\n"), s.daemon.Log())
		}
	})
	s.start()
}

func (s *story) start() {
	s.t.Helper()
	if s.daemon != nil {
		s.started = started(s.daemon)
	}
	d, err := tailfluxtest.Start(tailfluxtest.Options{
		Binary: binary, URL: s.db.URL(), State: s.path("state"), Output: s.path("tailflux.log"),
		Args: []string{
			"--path", s.site.log, "--name", s.name, "--format", visitedFormat, "--start", "beginning",
			"--tags", "method,status", "--fields", "path", "--rotate-wait", "1s", "--influxdb-flush-interval", "200ms",
		},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.daemon = d
	s.starts++
	s.tell("start")
}

// started counts the runs that have come to hear signals.
func started(d *tailfluxtest.Daemon) int { return strings.Count(d.Log(), `"msg":"started"`) }

// settle waits for the end of the very first start: what is rotated away before
// it is not read.
func (s *story) settle() {
	s.t.Helper()
	if _, err := s.daemon.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.Lines.Read > 0 }); err != nil {
		s.t.Fatal(err)
	}
}

// stop ends the daemon in the ordinary way or at once. It reports whether rollups wait: after
// a kill they are cut where they were being cut before, and are not until that far was read
// again; or until the file is left, if its copy has less than was read of the file.
func (s *story) stop(kill bool) (rollupsWait bool) {
	s.t.Helper()
	s.alive()
	if kill {
		s.kills++
		s.daemon.Kill()
		s.tell("killed")
		return false
	}
	s.terms++
	switch err := s.daemon.Stop(); {
	case started(s.daemon) == s.started:
		s.tell("stopped before it heard signals")
	case err != nil && s.kills > 0 && s.daemon.ExitCode() == 1 && strings.HasSuffix(strings.TrimSpace(s.daemon.Log()), "lines are not in their rollups yet; they are read again at the next start"):
		s.tell("stopped, and rollups wait")
		return true
	case err != nil:
		s.t.Fatalf("exit code %d", s.daemon.ExitCode())
	default:
		s.tell("stopped")
	}
	return false
}

// alive fails the test if the daemon has ended by itself.
func (s *story) alive() {
	s.t.Helper()
	select {
	case <-s.daemon.Gone:
		s.t.Fatalf("tailflux has ended by itself, exit code %d", s.daemon.ExitCode())
	default:
	}
}

func (s *story) rotate() {
	s.t.Helper()
	// Two rotations of one second would have one name with dateext, and logrotate
	// refuses the second one. (Its clock may be some milliseconds behind ours.)
	time.Sleep(time.Until(s.rotated.Truncate(time.Second).Add(time.Second + 20*time.Millisecond)))
	s.tell("rotate")
	s.logrotate.turn()
	s.rotated = time.Now()
	s.tell("rotated")
}

func (s *story) pause() {
	time.Sleep(time.Duration(s.rand.IntN(600)) * time.Millisecond)
}

// learn lets tailflux see where rotated files go.
func (s *story) learn(dir string) {
	s.t.Helper()
	s.rotate()
	for deadline := time.Now().Add(arrival); ; time.Sleep(20 * time.Millisecond) {
		saved, err := os.ReadFile(s.path("state/checkpoint"))
		if err == nil && strings.Contains(string(saved), dir) {
			s.tell("directory learnt")
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s is not in the checkpoint: %v\n%s", dir, err, saved)
		}
	}
}

// play lets everything happen that is to happen, in some order.
func (s *story) play() {
	s.t.Helper()
	acts := []func(){
		func() { s.rotate() },
		func() { s.rotate() },
		func() { // killed in the middle of a rotation
			killed := make(chan struct{})
			after := time.Duration(s.rand.IntN(15_000)) * time.Microsecond
			go func() {
				defer close(killed)
				time.Sleep(after)
				s.daemon.Kill()
			}()
			s.rotate()
			<-killed
			s.kills++
			s.tell("killed meanwhile")
			s.pause()
			s.start()
		},
	}
	for _, kill := range []bool{false, true} {
		for rotations := range 3 {
			acts = append(acts, func() {
				s.stop(kill)
				for range rotations {
					s.pause()
					s.rotate()
				}
				s.pause()
				s.start()
			})
		}
	}
	for _, i := range s.rand.Perm(len(acts)) {
		s.pause()
		acts[i]()
	}
	s.pause()
}

// point is what is of interest of one.
type point struct {
	path string
	line int64 // its number
}

// points returns all points in the order of their times.
func (s *story) points() (points []point) {
	s.t.Helper()
	series, err := s.db.Query(s.t.Context(), database, fmt.Sprintf("SELECT path FROM nginx_access WHERE source = '%s'", s.name))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, one := range series {
		for _, row := range one.Values {
			at, err := row[0].(json.Number).Int64()
			if err != nil {
				s.t.Fatal(err)
			}
			points = append(points, point{path: row[1].(string), line: at % int64(time.Second)})
		}
	}
	return points
}

// end compares what nginx wrote with the points.
func (s *story) end(visits int, copies bool) {
	s.t.Helper()
	written, _ := visited(s.t, s.site.reference)
	files := append(s.logrotate.rotated(), s.site.log)
	inFiles, torn := map[string]int{}, 0
	logs := make(map[string][]string, len(files))
	for _, file := range files {
		paths, cut := visited(s.t, file)
		logs[file] = paths
		for _, path := range paths {
			inFiles[path]++
		}
		if cut {
			torn++
		}
	}
	var gap []string // what logrotate has lost
	for _, path := range written {
		if inFiles[path] == 0 {
			gap = append(gap, path)
		}
	}
	switch {
	case len(written) != visits || len(written) < 2000:
		s.t.Fatalf("%d requests, %d lines in the reference", visits, len(written))
	case len(inFiles) != len(written)-len(gap):
		s.t.Fatalf("%d lines in the reference, %d of them in no file, and %d in the others", len(written), len(gap), len(inFiles))
	case !copies && len(gap)+torn > 0:
		s.t.Fatalf("logrotate lost %d lines and cut %d", len(gap), torn)
	}

	s.await(int64(len(inFiles)))
	for tries := 0; s.stop(false); tries++ {
		if tries == 3 {
			s.t.Fatal("rollups wait, although all files were left")
		}
		s.start()
		time.Sleep(3 * time.Second) // thrice rotate_wait
	}
	s.start() // again, and there is nothing left to read
	time.Sleep(500 * time.Millisecond)
	if r, err := s.daemon.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.InfluxDB.Up }); err != nil || r.Lines.Read != 0 {
		s.t.Errorf("after all is delivered, /monitor: %+v, %v", r, err)
	}
	rejected, err := s.daemon.Rejects()
	if err != nil || rejected > int64(torn) {
		s.t.Errorf("%d rejects, of %d cut lines: %v", rejected, torn, err)
	}
	s.stop(false)

	rescued := s.compare(logs, written, gap)
	if n := strings.Count(s.daemon.Log(), `"level":"ERROR"`); n > 0 && !copies {
		s.t.Errorf("%d errors are in the log", n)
	}
	s.t.Logf("%s: %d lines, %d rotations, %d starts, %d stops, %d kills; of %d lines between copy and truncation %d are points; %d cut; %d rejects",
		s.name, len(written), s.logrotate.turns, s.starts, s.terms, s.kills, len(gap), rescued, torn, rejected)
}

// await waits for so many points, as long as there come more.
func (s *story) await(want int64) {
	s.t.Helper()
	arrived, last := int64(-1), time.Now()
	for arrived < want && time.Since(last) < 10*time.Second {
		s.alive()
		if n := s.bench.points("source = '" + s.name + "'"); n != arrived {
			arrived, last = n, time.Now()
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// compare holds the points against the lines. It returns how many lines are
// points that logrotate has lost.
func (s *story) compare(logs map[string][]string, written, gap []string) (rescued int) {
	s.t.Helper()
	points := s.points()
	number := make(map[string]int64, len(points)) // of a path's line
	doubled, twice := 0, map[int64]int{}
	for _, p := range points {
		if _, ok := number[p.path]; ok {
			doubled++
			s.wrong(doubled, "%s is two points: of lines %d and %d", p.path, number[p.path], p.line)
		}
		number[p.path] = p.line
		twice[p.line]++
	}
	if len(twice) != len(points) {
		s.t.Errorf("%d points have %d numbers", len(points), len(twice))
	}
	lost := 0
	for _, file := range slices.Sorted(maps.Keys(logs)) {
		for i, path := range logs[file] {
			line, ok := number[path]
			if !ok {
				lost++
				s.wrong(lost, "line %d of %d in %s, %s, is no point", i+1, len(logs[file]), filepath.Base(file), path)
			} else if i > 0 {
				if before, ok := number[logs[file][i-1]]; ok && line != before+1 {
					lost++
					s.wrong(lost, "line %d of %d in %s, %s, has number %d, and the one before it %d",
						i+1, len(logs[file]), filepath.Base(file), path, line, before)
				}
			}
		}
	}
	for _, path := range gap {
		if _, ok := number[path]; ok {
			rescued++
		}
	}
	if known := len(written) - len(gap) + rescued; len(points) != known {
		s.t.Errorf("%d points of %d lines: %d doubled, %d lost or misnumbered", len(points), known, doubled, lost)
	}
	return rescued
}

// wrong tells the first few things that are wrong.
func (s *story) wrong(n int, format string, args ...any) {
	s.t.Helper()
	if n <= 10 {
		s.t.Errorf(format, args...)
	}
}

// Logrotate has copied less than tailflux has read of the log before it was
// truncated: nothing in the copy is unread, and tailflux, which was stopped
// meanwhile, goes on with what was written afterwards.
func TestLogrotateCopiedLessThanWasRead(t *testing.T) {
	t.Parallel()
	db := influxdtest.New(t, influxdtest.Options{})
	for _, ext := range []string{"", ".gz", ".zst"} {
		t.Run("copy"+ext, func(t *testing.T) {
			b := newBench(t, db)
			var text strings.Builder
			for i := range 60 {
				text.WriteString(combined(200, i))
			}
			log := b.write("access.log", text.String()+lines(40))
			args := []string{"--path", log, "--name", "copy" + ext, "--start", "beginning"}
			d := b.start(args...)
			b.delivered(d, 100)
			if err := d.Stop(); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(b.path("access.log.1"+ext), packed(t, ext, text.String()), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(log, 0); err != nil {
				t.Fatal(err)
			}
			b.write("access.log", lines(10))
			d = b.start(args...)
			if r := b.delivered(d, 10); r.Lines.Read != 10 {
				t.Errorf("/monitor: %+v, want 10 lines read", r.Lines)
			}
			if err := d.Stop(); err != nil {
				t.Error(err)
			}
			if got := b.points("source = 'copy" + ext + "'"); got != 110 {
				t.Errorf("%d points, want 110", got)
			}
		})
	}
}

// A second tailflux on one state directory does not start, and says why. The
// first one is none the worse for it.
func TestSecondDaemonOnOneStateDir(t *testing.T) {
	t.Parallel()
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	log := b.write("access.log", lines(1000))
	args := []string{"--path", log, "--start", "beginning"}
	first := b.start(args...)
	b.delivered(first, 1000)

	another := func(name string, args ...string) *tailfluxtest.Daemon {
		d, err := tailfluxtest.Start(tailfluxtest.Options{
			Binary: binary, Args: args, URL: b.db.URL(), State: b.path("state"), Output: b.path(name + ".log"),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(d.Kill)
		return d
	}
	for name, args := range map[string][]string{"run": args, "once": append([]string{"--once"}, args...)} {
		d := another(name, args...)
		err := d.Wait()
		for _, says := range []string{b.path("state"), "another tailflux uses it", "--state-dir"} {
			if err == nil || d.ExitCode() != 2 || !strings.Contains(d.Log(), says) || strings.Count(d.Log(), "\n") > 0 {
				t.Errorf("%s: exit code %d, want 2 and one line with %q: %v", name, d.ExitCode(), says, err)
			}
		}
	}

	b.write("access.log", lines(500))
	if r := b.delivered(first, 1500); r.Lines.Read != 1500 {
		t.Errorf("/monitor: %+v, want 1500 lines read", r.Lines)
	}
	if strings.Contains(first.Log(), `"level":"ERROR"`) || strings.Contains(first.Log(), `"level":"WARN"`) {
		t.Errorf("the first one says:\n%s", first.Log())
	}
	// Killed, it does not keep the directory; the next one goes on.
	if err := first.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-first.Gone
	b.write("access.log", lines(100))
	third := another("third", args...)
	arrives := func() bool { return b.points("") == 1600 }
	for deadline := time.Now().Add(arrival); !arrives() && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	if err := third.Stop(); err != nil {
		t.Error(err)
	}
	if got := b.points(""); got != 1600 {
		t.Errorf("%d points, want 1600", got)
	}
}
