//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

var (
	crashKills   = flag.Int("crash.kills", 5, "how often the crash run kills tailflux")
	crashOutages = flag.Int("crash.outages", 2, "how often the crash run kills influxd")
	crashRate    = flag.Int("crash.rate", 2000, "lines a second of the crash run")
	crashSeed    = flag.Uint64("crash.seed", 0, "of the crash run, as an earlier one has printed it; 0: a new one")
	crashPause   = flag.Duration("crash.pause", 3*time.Second, "at most so long between two acts of the crash run")
	crashKeep    = flag.String("crash.keep", "", "directory that gets the files of a crash run that failed")
)

// Real nginx is loaded, real logrotate rotates by renaming and by copying, between
// tailflux and influxd stands a front that loses requests and answers, InfluxDB
// refuses some lines, and tailflux and influxd are killed with -9 at random.
// Afterwards every line is one point or one entry of the reject file.
func TestCrashRun(t *testing.T) {
	t.Parallel()
	seed := *crashSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	run := newCrashRun(t, seed)
	run.play(*crashKills, *crashOutages, *crashRate)
	for _, f := range run.check() {
		t.Errorf("%s: %s", f.check, f.what)
	}
	run.checkEnemies()
	t.Log(run.summary())
}

// crashRun is one run. Who acts at the same time has random numbers of its own,
// all from the seed.
type crashRun struct {
	*bench
	site   *crashSite
	front  *influxdtest.Front
	seed   uint64
	random *rand.Rand

	daemon         *tailfluxtest.Daemon
	kills, outages int
	visits         int
	found          []finding      // the first few of each kind
	wrong          map[string]int // all, by check
	began, ended   time.Time
	rejected       map[string]int // by reason, when checked
	gap, rescued   int            // lines that logrotate has lost, and those of them that are there

	mu   sync.Mutex // guards told
	told []string   // what happened, and when
}

// A finding is that something is wrong.
type finding struct{ check, what string }

func (c *crashRun) find(check, format string, args ...any) {
	const few = 5
	if c.wrong[check]++; c.wrong[check] <= few {
		c.found = append(c.found, finding{check, fmt.Sprintf(format, args...)})
	}
}

func newCrashRun(t *testing.T, seed uint64) *crashRun {
	t.Helper()
	db := influxdtest.New(t, influxdtest.Options{Config: map[string]any{"data.max-values-per-tag": maxValues}})
	c := &crashRun{bench: newBench(t, db), seed: seed, random: stream(seed, 0), wrong: map[string]int{}, began: time.Now()}
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		t.Logf("seed %d; the story:\n%s", seed, strings.Join(c.told, "\n"))
		if *crashKeep == "" {
			return
		}
		kept := filepath.Join(*crashKeep, fmt.Sprint(seed))
		if err := os.CopyFS(kept, os.DirFS(c.dir)); err != nil {
			t.Error(err)
		}
		t.Logf("its files are in %s", kept)
	})
	c.prejudice()
	front, err := influxdtest.NewFront(db.URL(), troubles(stream(seed, 1)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(front.Close)
	c.front = front
	c.site = startCrashSite(c.bench)
	return c
}

// stream are the random numbers of one actor.
func stream(seed, actor uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, actor)) }

// maxValues is how many values a tag may have.
const maxValues = 12

// prejudice makes InfluxDB refuse lines: one of its fields is of another type, and
// one of its tags has as many values as it may have.
func (c *crashRun) prejudice() {
	c.t.Helper()
	if _, err := c.db.Query(c.t.Context(), "", "CREATE DATABASE "+database); err != nil {
		c.t.Fatal(err)
	}
	var points strings.Builder
	now := time.Now()
	for i := range maxValues {
		agent := fmt.Sprintf("filler-%d", i)
		if i == 0 {
			agent = visitor
		}
		// A field's type is that of its shard, and there may be a new one soon.
		for _, at := range []time.Time{now, now.Add(2 * time.Hour)} {
			fmt.Fprintf(&points, "nginx_access,source=before,http_user_agent=%s upstream_response_time=\"text\" %d\n", agent, at.UnixNano())
		}
	}
	resp, err := http.Post(c.db.URL()+"/write?db="+database, "", strings.NewReader(points.String()))
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		answer, _ := io.ReadAll(resp.Body)
		c.t.Fatalf("what was to be there before: %s %s", resp.Status, bytes.TrimSpace(answer))
	}
}

// troubles lets most requests pass.
func troubles(random *rand.Rand) func() influxdtest.Act {
	acts := []influxdtest.Act{
		influxdtest.Page, influxdtest.Page, influxdtest.Page, influxdtest.Lost, influxdtest.Lost, influxdtest.Reset,
		influxdtest.Broken, influxdtest.Throttled, influxdtest.Trickle, influxdtest.LostLate,
	}
	next, pass := 0, 0
	return func() influxdtest.Act {
		if pass > 0 {
			pass--
			return influxdtest.Pass
		}
		if next%len(acts) == 0 {
			random.Shuffle(len(acts), func(i, j int) { acts[i], acts[j] = acts[j], acts[i] })
		}
		next++
		pass = 5 + random.IntN(25)
		return acts[(next-1)%len(acts)]
	}
}

func (c *crashRun) tell(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = append(c.told, fmt.Sprintf("%8.3f ", time.Since(c.began).Seconds())+fmt.Sprintf(format, args...))
}

func (c *crashRun) options(args ...string) tailfluxtest.Options {
	return tailfluxtest.Options{
		Binary: binary,
		URL:    c.front.URL, State: c.path("state"), Output: c.path("tailflux.log"),
		Args: append(args, "--path", c.site.log, "--name", "crash", "--format", crashFormat, "--start", "beginning",
			"--tags", "method,status,http_user_agent", "--fields", "path,bytes_sent,upstream_response_time", "--rotate-wait", "1s",
			"--influxdb-batch-points", "1000", "--influxdb-flush-interval", "200ms", "--influxdb-timeout", "2s",
			"--rejects-max-bytes", "1GiB"),
	}
}

func (c *crashRun) start() {
	c.t.Helper()
	d, err := tailfluxtest.Start(c.options())
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(d.Kill)
	c.daemon = d
	c.tell("tailflux starts")
}

func (c *crashRun) kill() {
	c.t.Helper()
	select {
	case <-c.daemon.Gone:
		c.t.Fatalf("tailflux has ended by itself, exit code %d:\n%s", c.daemon.ExitCode(), c.daemon.Log())
	default:
	}
	c.daemon.Kill()
	c.kills++
	c.tell("tailflux is killed")
}

// pause lets some time pass: that is the random moment, not a wait for something.
func pause(random *rand.Rand, least, most time.Duration) {
	time.Sleep(least + time.Duration(random.Int64N(int64(most-least))))
}

// play lets it all happen.
func (c *crashRun) play(kills, outages, perSecond int) {
	c.t.Helper()
	c.start()
	leave := c.site.visit(perSecond, func(i int) (path, agent string) { return crashRequest(c.seed, i, perSecond) })
	c.written()
	rotating, stop := context.WithCancel(c.t.Context())
	rotated := make(chan error, 1)
	go func() { rotated <- c.rotate(rotating) }()

	// In every other outage tailflux is killed too.
	acts := make([]func(), 0, kills+outages)
	for i := range outages {
		acts = append(acts, func() { c.outage(i%2 == 0) })
	}
	// Every other time it is killed in between by itself, an entry has just been
	// written to the reject file, and the checkpoint hardly ever knows yet.
	for i := range kills - (outages+1)/2 {
		acts = append(acts, func() { c.crash(i%2 == 0) })
	}
	for _, i := range c.random.Perm(len(acts)) {
		pause(c.random, 0, *crashPause)
		acts[i]()
	}
	pause(c.random, 0, 1500*time.Millisecond)

	stop()
	if err := <-rotated; err != nil {
		c.t.Fatal(err)
	}
	c.visits = leave()
	c.site.stop()
	c.tell("nginx is stopped")
	c.catchUp()
}

// written waits until something is delivered by this run of tailflux.
func (c *crashRun) written() {
	c.t.Helper()
	if _, err := c.daemon.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.Lines.Written > 0 }); err != nil {
		c.t.Fatal(err)
	}
}

func (c *crashRun) crash(afterReject bool) {
	c.t.Helper()
	if afterReject {
		c.entry()
	}
	c.kill()
	pause(c.random, 0, 500*time.Millisecond)
	c.start()
}

// entry waits for the next entry of the reject file.
func (c *crashRun) entry() {
	c.t.Helper()
	size := func() int64 {
		info, err := os.Stat(c.daemon.RejectFile())
		if err != nil {
			return 0 // it is made at the start
		}
		return info.Size()
	}
	before := size()
	for deadline := time.Now().Add(arrival); size() == before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatalf("no line was rejected for %v", arrival)
		}
	}
}

func (c *crashRun) outage(both bool) {
	c.t.Helper()
	c.written()
	c.db.Kill()
	c.outages++
	c.tell("influxd is killed")
	pause(c.random, 0, 1500*time.Millisecond)
	if both {
		// Longer than the checkpoint may be from being saved.
		pause(c.random, 1200*time.Millisecond, 2*time.Second)
		c.crash(false)
		pause(c.random, 0, time.Second)
	}
	if err := c.db.Restart(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	c.tell("influxd is back")
}

// rotate rotates in either way until ctx ends.
func (c *crashRun) rotate(ctx context.Context) error {
	random := stream(c.seed, 2)
	for n := 0; ; n++ {
		way := random.IntN(2)
		if n == 1 && c.site.turns[way] > 0 {
			way = 1 - way // both in any run
		}
		c.tell("logrotate, way %d", way)
		if err := c.site.turn(way); err != nil {
			return err
		}
		c.tell("rotated")
		select {
		case <-time.After(300*time.Millisecond + time.Duration(random.IntN(2000))*time.Millisecond):
		case <-ctx.Done():
			return nil
		}
	}
}

// catchUp lets tailflux deliver all that is left, and stops it.
func (c *crashRun) catchUp() {
	c.t.Helper()
	r, err := c.daemon.WaitFor(5*time.Minute, func(r tailfluxtest.Report) bool {
		return len(r.Sources) == 1 && r.Sources[0].LagBytes == 0 && r.Lines.InFlight == 0 && r.InfluxDB.Up
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.tell("caught up: %+v", r.Lines)
	if err := c.daemon.Stop(); err != nil {
		c.t.Fatal(err)
	}
	c.once() // what was just rotated may have waited for the end of rotate_wait
	c.ended = time.Now()
	c.tell("all is delivered")
	if read := c.once(); read != 0 {
		c.find(checkAgain, "%d lines are read although all is delivered", read)
	}
}

// once runs tailflux --once and returns how many lines it has read.
func (c *crashRun) once() (read int64) {
	c.t.Helper()
	d, err := tailfluxtest.Start(c.options("--once"))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(d.Kill)
	if err := d.Wait(); err != nil {
		c.t.Fatal(err)
	}
	log := d.Log()
	_, last, ok := strings.Cut(log[strings.LastIndexByte(log, '\n')+1:], `"msg":"stopped","lines":{"read":`)
	if _, err := fmt.Sscanf(last, "%d", &read); !ok || err != nil {
		c.t.Fatalf("the last line of the log is not the one with what was read: %s", log[strings.LastIndexByte(log, '\n')+1:])
	}
	return read
}

// checkEnemies fails the test when the run was too tame to show anything.
func (c *crashRun) checkEnemies() {
	c.t.Helper()
	for _, way := range []int{byRename, byCopy} {
		if c.site.turns[way] == 0 {
			c.t.Errorf("no rotation in way %d", way)
		}
	}
	for _, act := range []influxdtest.Act{influxdtest.Page, influxdtest.Lost} {
		if c.front.Done(act) == 0 {
			c.t.Errorf("no request had the answer %q", act)
		}
	}
	for _, reason := range []string{"no match", "field type conflict", "max-values-per-tag limit exceeded"} {
		if c.rejected[reason] == 0 {
			c.t.Errorf("no line was rejected for %q", reason)
		}
	}
}

func (c *crashRun) summary() string {
	return fmt.Sprintf("crash run: seed %d: %d lines, %d rotations by rename and %d by copytruncate, tailflux killed %d times and influxd %d times, "+
		"%d answers of 200 and %d lost, rejected %v, %d lines lost by copytruncate of which %d are there, %d errors logged, %v",
		c.seed, c.visits, c.site.turns[byRename], c.site.turns[byCopy], c.kills, c.outages,
		c.front.Done(influxdtest.Page), c.front.Done(influxdtest.Lost)+c.front.Done(influxdtest.LostLate),
		c.rejected, c.gap, c.rescued, strings.Count(c.daemon.Log(), `"level":"ERROR"`), time.Since(c.began).Round(time.Second))
}
