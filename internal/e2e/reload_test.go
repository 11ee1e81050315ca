package e2e

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

var reloadKills = flag.Int("reload.kills", 30, "how often TestReloadKilled kills tailflux")

// reloading is a tailflux with a configuration file, and a log that grows.
type reloading struct {
	*bench
	front  *influxdtest.Front
	away   atomic.Bool // influxd does not answer
	lost   atomic.Bool // every other answer gets lost
	daemon *tailfluxtest.Daemon

	mu    sync.Mutex
	lines int // written so far
}

func newReloading(t *testing.T) *reloading {
	t.Helper()
	r := &reloading{bench: newBench(t, influxdtest.New(t, influxdtest.Options{}))}
	n := 0
	front, err := influxdtest.NewFront(r.db.URL(), func() influxdtest.Act {
		n++
		switch {
		case r.away.Load():
			return influxdtest.Throttled
		case r.lost.Load() && n%2 == 0:
			return influxdtest.Lost
		}
		return influxdtest.Pass
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(front.Close)
	r.front = front
	return r
}

// settings of the tests, in the words of the file; path is that of the log.
const base = `
sources: [{name: web, path: PATH, format: combined, start: beginning}]
host: h
influxdb: {url: URL, flush_interval: 50ms, timeout: 2s}
tags: [method, status]
fields: [body_bytes_sent]
rotate_wait: 500ms
`

// configure writes the configuration. Texts are replaced by others.
func (r *reloading) configure(text string, replaced ...string) {
	r.t.Helper()
	text = strings.NewReplacer(replaced...).Replace(text)
	text = strings.NewReplacer("PATH", r.path("access.log"), "URL", r.front.URL, "DIR", r.dir, "ODD", r.path("odd.log"), "MORE", r.path("more.log")).Replace(text)
	if err := os.WriteFile(r.path("tailflux.yaml.new"), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(r.path("tailflux.yaml.new"), r.path("tailflux.yaml")); err != nil {
		r.t.Fatal(err)
	}
}

func (r *reloading) begin() {
	r.t.Helper()
	d, err := tailfluxtest.Start(tailfluxtest.Options{
		Binary: binary, Args: []string{"--config", r.path("tailflux.yaml")}, State: r.path("state"), Output: r.path("tailflux.log"),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		d.Kill()
		if r.t.Failed() {
			r.t.Logf("tailflux logged:\n%s", d.Log())
		}
	})
	r.daemon = d
	if _, err := d.WaitFor(arrival, func(tailfluxtest.Report) bool { return true }); err != nil { // SIGHUP ends a process that has only begun
		r.t.Fatal(err)
	}
}

// add writes lines to the log.
func (r *reloading) add(n int) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.write("access.log", lines(n))
	r.lines += n
}

// load writes lines until the returned function is called.
func (r *reloading) load() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var writing sync.WaitGroup
	writing.Go(func() {
		for ctx.Err() == nil {
			r.add(20)
			time.Sleep(5 * time.Millisecond)
		}
	})
	stop = func() {
		cancel()
		writing.Wait()
	}
	r.t.Cleanup(stop)
	return stop
}

func (r *reloading) hup() {
	r.t.Helper()
	if err := r.daemon.Signal(syscall.SIGHUP); err != nil {
		r.t.Fatal(err)
	}
}

type reloadState struct {
	State, Error string
	At           time.Time
}

func (r *reloading) state() reloadState {
	var report struct{ Reload reloadState }
	resp, err := http.Get(r.daemon.URL + "/monitor")
	if err != nil {
		return reloadState{Error: err.Error()}
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&report); err != nil {
		return reloadState{Error: err.Error()}
	}
	return report.Reload
}

// becomes waits for a state of the newest reload.
func (r *reloading) becomes(state string, after time.Time) reloadState {
	r.t.Helper()
	deadline := time.Now().Add(arrival)
	for {
		is := r.state()
		if is.State == state && !is.At.Before(after.Truncate(time.Millisecond)) {
			return is
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("reload is %+v, want %s", is, state)
		}
		select {
		case <-r.daemon.Gone:
			r.t.Fatal("tailflux has ended")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// reload takes a configuration over.
func (r *reloading) reload(text string, replaced ...string) {
	r.t.Helper()
	before := time.Now()
	r.configure(text, replaced...)
	r.hup()
	r.becomes("applied", before)
}

// settled waits until nothing is in flight and all was read.
func (r *reloading) settled(lines int) {
	r.t.Helper()
	if _, err := r.daemon.WaitFor(arrival, func(is tailfluxtest.Report) bool {
		for _, s := range is.Sources {
			if s.LagBytes > 0 {
				return false
			}
		}
		return is.Lines.InFlight == 0 && is.Lines.Read >= int64(lines)
	}); err != nil {
		r.t.Fatal(err)
	}
}

// all counts the points of every measurement of the databases but a rollup's.
func (r *reloading) all(databases ...string) (total int64) {
	r.t.Helper()
	for _, database := range databases {
		series, err := r.db.Query(r.t.Context(), database, "SHOW MEASUREMENTS")
		if err != nil && !strings.Contains(err.Error(), "not found") {
			r.t.Fatal(err)
		}
		for _, s := range series {
			for _, row := range s.Values {
				if slices.Contains([]any{"site", "nginx_site", "nginx_paths", "nginx_site_5m", "tailflux"}, row[0]) {
					continue
				}
				n, err := r.db.Count(r.t.Context(), database, row[0].(string), "")
				if err != nil {
					r.t.Fatal(err)
				}
				total += n
			}
		}
	}
	return total
}

func (r *reloading) want(databases ...string) {
	r.t.Helper()
	if got := r.all(databases...); got != int64(r.lines) {
		r.t.Errorf("%d points of %d lines", got, r.lines)
	}
}

// Each kind of change, under load: every line is one point.
func TestReloadUnderLoad(t *testing.T) {
	t.Parallel()
	for name, change := range map[string][]string{
		"measurement":      {"host: h", "host: h\nmeasurement: other"},
		"host":             {"host: h", "host: i"},
		"tags":             {"[method, status]", "[method, status, path, http_user_agent]"},
		"no tags":          {"[method, status]", "[]"},
		"fields":           {"[body_bytes_sent]", "[body_bytes_sent, http_user_agent]"},
		"tag_limit":        {"host: h", "host: h\ntag_limit: 1"},
		"types":            {"host: h", "host: h\ntypes: {status: integer}"},
		"paths":            {"[method, status]", "[path]\npaths: [{match: a, as: /b}]"},
		"format":           {"format: combined", "format: auto"},
		"regexp":           {"format: combined", `regexp: '^(?P<remote_addr>\S+) .*\[(?P<time_local>[^]]+)\] "[^"]*" (?P<status>\d+) (?P<body_bytes_sent>\d+)'`},
		"a source's name":  {"name: web", "name: shop"},
		"a glob":           {"PATH", "DIR/access.l*g"},
		"max_line":         {"host: h", "host: h\nmax_line: 1MiB"},
		"batch_points":     {"timeout: 2s", "timeout: 2s, batch_points: 77"},
		"in_flight":        {"timeout: 2s", "timeout: 2s, in_flight: 5"},
		"timeout":          {"timeout: 2s", "timeout: 3s"},
		"gzip":             {"timeout: 2s", "timeout: 2s, gzip: true"},
		"database":         {"timeout: 2s", "timeout: 2s, database: other"},
		"memory_limit":     {"host: h", "host: h\nmemory_limit: 64MiB"},
		"wakeups":          {"host: h", "host: h\nwakeups: false"},
		"rollups":          {"host: h", "host: h\nrollups: [{measurement: site, interval: 1s, tags: [status]}]"},
		"rejects":          {"host: h", "host: h\nrejects_max_bytes: 1MiB"},
		"nothing":          {"host: h", "host: h"},
		"all of it":        {"name: web", "name: shop", "host: h", "host: i\nmeasurement: other\nmax_line: 8KiB", "[method, status]", "[path]", "timeout: 2s", "database: other"},
		"another source":   {"start: beginning}]", "start: beginning}, {name: more, path: MORE, format: combined}]"},
		"the order of two": {"sources: [", "sources: [{name: more, path: MORE, format: combined}, "},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReloading(t)
			r.configure(base)
			r.add(100)
			r.begin()
			stop := r.load()
			for i := range 4 {
				time.Sleep(200 * time.Millisecond)
				if i%2 == 0 {
					r.reload(base, change...)
				} else {
					r.reload(base)
				}
			}
			stop()
			r.settled(r.lines)
			r.want(database, "other")
			if err := r.daemon.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A configuration with a mistake leaves the one before it as it is, and says why.
func TestReloadRefused(t *testing.T) {
	r := newReloading(t)
	r.configure(base)
	r.add(10)
	r.begin()
	stop := r.load()
	r.settled(10)
	for name, tt := range map[string]struct {
		change []string
		says   string
	}{
		"unknown key":    {[]string{"host: h", "hots: h"}, "hots"},
		"no YAML":        {[]string{"host: h", "host: [h"}, "tailflux.yaml"},
		"no sources":     {[]string{"sources: [{name: web, path: PATH, format: combined, start: beginning}]", ""}, "sources"},
		"format":         {[]string{"format: combined", "format: '$remote_addr'"}, "time"},
		"password file":  {[]string{"timeout: 2s", "username: u, password_file: /no/such"}, "/no/such"},
		"state_dir":      {[]string{"host: h", "state_dir: /elsewhere"}, ""},
		"rotated source": {[]string{"path: PATH", "path: DIR"}, "directory"},
		"no format fits": {[]string{"path: PATH, format: combined", "path: ODD, format: auto"}, "format"},
	} {
		t.Run(name, func(t *testing.T) {
			time.Sleep(5 * time.Millisecond) // the time of a state has milliseconds
			before := time.Now()
			r.configure(base, tt.change...)
			r.write("odd.log", "nothing known\n")
			r.hup()
			if name == "state_dir" { // it is given on the command line, which wins
				r.becomes("applied", before)
				return
			}
			if is := r.becomes("refused", before); !strings.Contains(is.Error, tt.says) {
				t.Errorf("error %q, want %q in it", is.Error, tt.says)
			}
			if log := r.daemon.Log(); !strings.Contains(log, "reload is refused") {
				t.Errorf("logged %s", log)
			}
		})
	}
	r.reload(base)
	stop()
	r.settled(r.lines)
	r.want(database)
	if err := r.daemon.Stop(); err != nil {
		t.Error(err)
	}
}

// While InfluxDB is away, what was read waits, and nothing more is read: the new settings
// hold for all lines behind it.
func TestReloadWhileInfluxDBIsAway(t *testing.T) {
	r := newReloading(t)
	r.configure(base)
	r.begin()
	r.away.Store(true)
	r.add(50)
	if _, err := r.daemon.WaitFor(arrival, func(is tailfluxtest.Report) bool { return is.Lines.InFlight == 50 && is.InfluxDB.OutageSeconds > 0 }); err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	r.configure(base, "host: h", "host: h\nmeasurement: other")
	r.hup()
	r.becomes("pending", before)
	r.add(70)
	time.Sleep(time.Second)
	if is, err := r.daemon.Monitor(t.Context()); err != nil || is.Lines.Read != 50 {
		t.Errorf("%d lines were read while the reload is pending, %v; want 50", is.Lines.Read, err)
	}
	r.away.Store(false)
	r.becomes("applied", before)
	r.settled(120)
	r.want(database)
	if n := r.points(""); n != 50 {
		t.Errorf("%d points under the old settings, want 50", n)
	}
}

// InfluxDB is away for so long that no stage can take more: what the reader was about to
// hand on is not lost.
func TestReloadWhileEverythingIsFull(t *testing.T) {
	t.Parallel()
	r := newReloading(t)
	small := []string{"timeout: 2s", "timeout: 2s, batch_points: 20"}
	r.configure(base, small...)
	r.begin()
	r.away.Store(true)
	full, stands := int64(0), false
	for range 40 {
		for range 50 { // small pieces, of which the channels are full before the memory is
			r.add(1)
			time.Sleep(10 * time.Millisecond)
		}
		is, err := r.daemon.Monitor(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if stands = is.Lines.Read == full && full > 0; stands {
			break
		}
		full = is.Lines.Read
	}
	if !stands {
		t.Fatalf("%d of %d lines were read, which shows nothing", full, r.lines)
	}
	before := time.Now()
	r.configure(base, append(small, "host: h", "host: h\nmeasurement: other")...)
	r.hup()
	r.becomes("pending", before)
	time.Sleep(300 * time.Millisecond)
	r.away.Store(false)
	r.becomes("applied", before)
	r.settled(r.lines)
	r.want(database)
}

// What the operator puts right is used at once, whatever else was changed with it.
func TestReloadPutsInfluxDBRight(t *testing.T) {
	for name, tt := range map[string]struct{ wrong, right []string }{
		"url":                  {[]string{"url: URL", "url: http://127.0.0.1:1"}, nil},
		"url and a tag":        {[]string{"url: URL", "url: http://127.0.0.1:1"}, []string{"[method, status]", "[path]"}},
		"retention_policy":     {[]string{"timeout: 2s", "timeout: 2s, retention_policy: missing"}, nil},
		"database and measure": {[]string{"timeout: 2s", "timeout: 2s, retention_policy: missing"}, []string{"host: h", "host: h\nmeasurement: other", "timeout: 2s", "timeout: 2s, database: other"}},
		"hold":                 {[]string{"host: h", "host: h\non_reject: hold\ntypes: {body_bytes_sent: string}"}, []string{"host: h", "host: h"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReloading(t)
			if name == "hold" { // the field has another type already, in the shard of that time
				r.configure(base)
				r.add(1)
				r.begin()
				r.settled(1)
				if err := r.daemon.Stop(); err != nil {
					t.Fatal(err)
				}
			}
			r.configure(base, tt.wrong...)
			r.begin()
			r.add(40)
			if _, err := r.daemon.WaitFor(arrival, func(is tailfluxtest.Report) bool { return is.Lines.InFlight == 40 && is.InfluxDB.OutageSeconds > 0 }); err != nil {
				t.Fatal(err)
			}
			r.reload(base, tt.right...)
			r.add(2)
			r.settled(42)
			n, err := r.daemon.Rejects()
			if err != nil {
				t.Fatal(err)
			}
			if got := r.all(database, "other") + n; got != int64(r.lines) {
				t.Errorf("%d points and entries of %d lines", got, r.lines)
			}
			if name == "hold" != (n == 40) {
				t.Errorf("%d entries", n)
			}
		})
	}
}

// Killed at any instant around a reload, also while it is pending and answers get lost:
// each line is a point under the old settings or under the new ones.
func TestReloadKilled(t *testing.T) {
	t.Parallel()
	r := newReloading(t)
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	r.configure(base)
	r.add(100)
	r.begin()
	stop := r.load()
	changes := [][]string{
		{"host: h", "host: i"},
		{},
		{"host: h", "host: h\nmeasurement: other"},
		{"[method, status]", "[path]"},
		{"name: web", "name: shop"},
		{"format: combined", "format: auto"},
		{"host: h", "host: h\ntag_limit: 1"},
	}
	for i := range *reloadKills {
		time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
		r.lost.Store(i%3 == 0)
		r.away.Store(i%5 == 0)
		r.configure(base, changes[random.IntN(len(changes))]...)
		r.hup()
		time.Sleep(time.Duration(random.IntN(1+[]int{5, 50, 300}[i%3])) * time.Millisecond)
		r.daemon.Kill()
		r.away.Store(false)
		if random.IntN(3) == 0 { // and is edited once more
			r.configure(base, changes[random.IntN(len(changes))]...)
		}
		r.begin()
	}
	r.lost.Store(false)
	stop()
	info, err := os.Stat(r.path("access.log"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.daemon.WaitFor(arrival, func(is tailfluxtest.Report) bool {
		return is.Lines.InFlight == 0 && len(is.Sources) == 1 && is.Sources[0].Offset == info.Size()
	}); err != nil {
		t.Fatal(err)
	}
	r.want(database)
	if t.Failed() {
		t.Logf("seed %d", seed)
	}
	if err := r.daemon.Stop(); err != nil {
		t.Error(err)
	}
}

// Several in a burst: the last one holds.
func TestReloadBurst(t *testing.T) {
	r := newReloading(t)
	r.configure(base)
	r.begin()
	r.away.Store(true)
	r.add(10)
	if _, err := r.daemon.WaitFor(arrival, func(is tailfluxtest.Report) bool { return is.Lines.InFlight == 10 }); err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	for i := range 20 {
		r.configure(base, "host: h", fmt.Sprintf("host: h\nmeasurement: m%d", i))
		r.hup()
		time.Sleep(time.Duration(i) * time.Millisecond)
	}
	time.Sleep(300 * time.Millisecond)
	r.away.Store(false)
	r.becomes("applied", before)
	r.add(5)
	r.settled(15)
	r.want(database)
	if n, err := r.db.Count(t.Context(), database, "m19", ""); err != nil || n != 5 {
		t.Errorf("%d points under the last settings, %v; want 5", n, err)
	}
}

// SIGTERM while a reload is pending is as ever: ten seconds, exit code 1, and what was not
// acknowledged is finished under the old settings.
func TestReloadStoppedWhilePending(t *testing.T) {
	t.Parallel()
	r := newReloading(t)
	r.configure(base)
	r.begin()
	r.away.Store(true)
	r.add(10)
	if _, err := r.daemon.WaitFor(arrival, func(is tailfluxtest.Report) bool { return is.Lines.InFlight == 10 }); err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	r.configure(base, "host: h", "host: h\nmeasurement: other")
	r.hup()
	r.becomes("pending", before)
	began := time.Now()
	if err := r.daemon.Stop(); err == nil || r.daemon.ExitCode() != 1 || time.Since(began) > 15*time.Second {
		t.Errorf("Stop after %s: %v, exit code %d", time.Since(began), err, r.daemon.ExitCode())
	}
	r.away.Store(false)
	r.begin()
	r.add(5)
	r.becomes("applied", before)
	r.add(5)
	r.settled(20)
	r.want(database)
	if n := r.points(""); n < 10 {
		t.Errorf("%d points under the old settings, want those that were read before", n)
	}
}

// What became of the log while a reload is pending, and what was behind: nothing of it is
// lost, whatever the change.
func TestReloadWhileFilesMove(t *testing.T) {
	t.Parallel()
	for change, to := range map[string][]string{
		"points":  {"host: h", "host: h\nmeasurement: other"},
		"name":    {"name: web", "name: shop"},
		"glob":    {"PATH", "DIR/access.l*g"},
		"nothing": {"host: h", "host: h"},
	} {
		for what, act := range map[string]func(r *reloading){
			"rotated": func(r *reloading) {
				r.move("access.log", "access.log.1")
				r.add(30)
				r.write("access.log.1", lines(10)) // nginx has not reopened it yet
				r.lines += 10
			},
			"rotated twice": func(r *reloading) {
				r.move("access.log", "access.log.1")
				r.add(30)
				time.Sleep(300 * time.Millisecond)
				r.move("access.log.1", "access.log.2")
				r.move("access.log", "access.log.1")
				r.add(20)
			},
			"deleted": func(r *reloading) {
				if err := os.Remove(r.path("access.log")); err != nil {
					r.t.Fatal(err)
				}
				r.add(30)
			},
			"copied and truncated": func(r *reloading) {
				text, err := os.ReadFile(r.path("access.log"))
				if err == nil {
					err = os.WriteFile(r.path("access.log.1"), text, 0o600)
				}
				if err == nil {
					err = os.Truncate(r.path("access.log"), 0)
				}
				if err != nil {
					r.t.Fatal(err)
				}
				time.Sleep(300 * time.Millisecond)
				r.add(3)
			},
		} {
			t.Run(change+" "+what, func(t *testing.T) {
				r := newReloading(t)
				r.configure(base)
				r.begin()
				r.away.Store(true)
				r.add(50)
				if _, err := r.daemon.WaitFor(arrival, func(is tailfluxtest.Report) bool { return is.Lines.InFlight == 50 }); err != nil {
					t.Fatal(err)
				}
				before := time.Now()
				if change == "nothing" { // which takes no time
					r.reload(base, to...)
				} else {
					r.configure(base, to...)
					r.hup()
					r.becomes("pending", before)
				}
				r.add(40) // unread
				act(r)
				time.Sleep(300 * time.Millisecond)
				r.away.Store(false)
				r.becomes("applied", before)
				r.add(7)
				r.settled(r.lines)
				r.want(database)
			})
		}
	}
}

func (r *reloading) move(from, to string) {
	r.t.Helper()
	if err := os.Rename(r.path(from), r.path(to)); err != nil {
		r.t.Fatal(err)
	}
}

// A source that is configured no more is read no more, and goes on where it was when it is
// configured again.
func TestReloadWithoutASource(t *testing.T) {
	const two = "sources: [{name: more, path: MORE, format: combined, start: beginning}, "
	r := newReloading(t)
	r.configure(base, "sources: [", two)
	r.add(10)
	r.write("more.log", lines(20))
	r.begin()
	r.settled(30)
	r.reload(base)
	r.write("more.log", lines(5))
	r.add(3)
	r.settled(33)
	if is, err := r.daemon.Monitor(t.Context()); err != nil || len(is.Sources) != 1 {
		t.Errorf("sources are %+v, %v; want one", is.Sources, err)
	}
	r.lines += 20
	r.want(database)
	r.reload(base, "sources: [", two)
	r.settled(38)
	r.lines += 5
	r.want(database)
	r.reload(base, "sources: [", "sources: [{name: again, path: MORE, format: combined}, ")
	r.write("more.log", lines(4))
	r.settled(42)
	r.lines += 4
	r.want(database)
	if n := r.points("source = 'again'"); n != 4 {
		t.Errorf("%d points under the new name, want 4", n)
	}
}
