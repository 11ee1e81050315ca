package e2e

import (
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

var rollupKills = flag.Int("rollups.kills", 20, "how often the tests of rollups kill tailflux; a quarter of it in each way a log can go")

// trial is a daemon that is killed with -9 at random while something happens to its log,
// and each other time does not find its latest save again.
type trial struct {
	*bench
	*traffic
	config, log string
	rounds      int
	least       time.Duration // that tailflux runs
	act         func()        // again and again while tailflux runs
	down        func()        // while it does not run; nil: nothing happens
	again       int           // rotations
	running     time.Time
	daemon      *tailfluxtest.Daemon // of this round
}

func newTrial(t *testing.T, raw bool) *trial {
	t.Helper()
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	s := &trial{bench: b, traffic: newTraffic(), log: b.path("access.log"), rounds: max(1, *rollupKills/4), least: 300 * time.Millisecond}
	s.config = b.rollupConfig(s.log, raw)
	s.act, s.down = func() { s.append(200 + s.r.IntN(2000)) }, func() {}
	return s
}

// live appends lines of just now. What is read not much faster than it was written is cut at
// the end of each window, twice a second here: about as many cuts are on the way, or known to
// InfluxDB alone, as there can be.
func (s *trial) live(lines int) {
	if s.step = 0; !s.running.IsZero() {
		s.at = s.at.Add(time.Since(s.running) * 19 / 10)
	}
	s.running = time.Now()
	s.append(lines)
}

// append writes lines to the log.
func (s *trial) append(lines int) { s.write("access.log", s.text(lines)) }

// rotated is the name of another rotated file, in their order.
func (s *trial) rotated() string {
	s.again++
	return s.path(fmt.Sprintf("access.log.%d", time.Now().UnixNano()))
}

// rename rotates as nginx and logrotate do.
func (s *trial) rename() (as string) {
	s.t.Helper()
	as = s.rotated()
	if err := os.Rename(s.log, as); err != nil {
		s.t.Fatal(err)
	}
	s.append(10)
	return as
}

// truncate rotates by copytruncate; nothing is written meanwhile.
func (s *trial) truncate() {
	s.t.Helper()
	text, err := os.ReadFile(s.log)
	if err == nil {
		err = os.WriteFile(s.rotated(), text, 0o600)
	}
	if err == nil {
		err = os.Truncate(s.log, 0)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// begin lets tailflux see the log once: what was rotated before that is not its business.
func (s *trial) begin() {
	s.t.Helper()
	s.append(2000)
	d := s.start("--config", s.config)
	if _, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.Lines.Read == s.lines }); err != nil {
		s.t.Fatal(err)
	}
	d.Kill()
}

// round is one run of tailflux.
func (s *trial) round(i int) {
	s.t.Helper()
	d := s.start("--config", s.config)
	s.daemon, s.running = d, time.Now()
	for deadline := time.Now().Add(s.least + time.Duration(s.r.IntN(1700))*time.Millisecond); time.Now().Before(deadline); {
		s.act()
		time.Sleep(time.Duration(s.r.IntN(100)) * time.Millisecond)
	}
	if i%5 == 4 {
		_ = d.Stop()
	} else {
		d.Kill()
	}
	if i%2 == 0 { // the latest save is lost, which must be harmless
		if err := os.Remove(s.path("state/checkpoint")); err != nil && !os.IsNotExist(err) {
			s.t.Fatal(err)
		}
	}
	s.down()
}

// run ends when all is delivered.
func (s *trial) run() {
	s.t.Helper()
	s.begin()
	for i := range s.rounds {
		s.round(i)
	}
	s.readToTheEnd(s.config)
	s.t.Logf("%d lines, %d windows, %d rotations", s.lines, len(s.site), s.again)
}

// readToTheEnd delivers what is left. A stop before the end of a cut that was begun leaves
// that open, so it may take several starts.
func (b *bench) readToTheEnd(config string) {
	b.t.Helper()
	var err error
	for range 5 {
		d := b.start("--config", config)
		if _, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool {
			lag := int64(0)
			for _, s := range r.Sources {
				lag += s.LagBytes
			}
			return lag == 0 && r.InfluxDB.Up
		}); err != nil {
			b.t.Fatal(err)
		}
		if err = d.Stop(); err == nil {
			break
		}
	}
	if err != nil {
		b.t.Errorf("no stop was clean: %.300s", err)
	}
	b.once("--config", config)
}

// want is what is to be there in the end.
func (s *trial) want(raw bool) {
	s.t.Helper()
	s.wantRollups(s.traffic)
	if raw {
		s.wantPoints(s.lines - s.rejected)
	}
	entries := int64(0)
	for _, e := range rejectsOf(s.t, s.path("state/rejects.jsonl")) {
		if e.Kind == "" {
			entries++
		}
	}
	if entries != s.rejected {
		s.t.Errorf("%d entries of lines in the reject file, want %d", entries, s.rejected)
	}
}

func (b *bench) wantPoints(want int64) {
	b.t.Helper()
	if n := b.points(""); n != want {
		b.t.Errorf("%d points, want %d", n, want)
	}
}

var both = []bool{true, false}

// Killed while lines come and the log is rotated now and then, rollups are what the log adds
// up to: each field of each window and series.
func TestRollupsSurviveKills(t *testing.T) {
	t.Parallel()
	for _, raw := range both {
		t.Run(fmt.Sprint("raw ", raw), func(t *testing.T) {
			t.Parallel()
			s := newTrial(t, raw)
			s.rounds, s.least = *rollupKills/2, 1500*time.Millisecond // a few cuts each
			s.act = func() {
				s.live(s.r.IntN(500))
				if s.r.IntN(25) == 0 {
					s.rename()
				}
			}
			s.run()
			s.want(raw)
		})
	}
}

// influxd is killed with -9, too: it has what it acknowledged, and the rest comes again.
func TestRollupsSurviveKillsOfBoth(t *testing.T) {
	t.Parallel()
	s := newTrial(t, false)
	away, outages := false, 0
	back := func() {
		if away {
			if err := s.db.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			away = false
		}
	}
	s.act = func() {
		s.append(200 + s.r.IntN(2000))
		if away && s.r.IntN(4) == 0 {
			back()
		} else if !away && (outages == 0 || s.r.IntN(8) == 0) {
			s.db.Kill()
			away, outages = true, outages+1
		}
	}
	s.down = func() {
		if s.r.IntN(2) == 0 {
			back()
		}
	}
	s.begin()
	for i := range s.rounds {
		s.round(i)
	}
	back()
	s.readToTheEnd(s.config)
	if outages == 0 {
		t.Error("influxd was never killed")
	}
	s.want(false)
}

// A log that is rotated many times a second, in each way, while tailflux runs and while it
// does not, is added up once.
func TestRollupsSurviveStorms(t *testing.T) {
	t.Parallel()
	for name, storm := range map[string]func(s *trial){
		"rename": func(s *trial) {
			as := s.rename()
			if s.r.IntN(2) == 0 { // by a worker that did not reopen its log
				s.write(filepath.Base(as), s.text(1+s.r.IntN(20)))
			}
		},
		"copytruncate": func(s *trial) { s.truncate() },
		"compress": func(s *trial) {
			s.rename()
			if s.r.IntN(2) == 0 {
				s.compress()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := name == "rename"
			s := newTrial(t, raw)
			s.act = func() {
				s.append(1 + s.r.IntN(300))
				storm(s)
				s.append(1 + s.r.IntN(300))
			}
			s.down = func() {
				for range s.r.IntN(3) {
					time.Sleep(5 * time.Millisecond) // file systems keep times in such steps
					s.act()
				}
			}
			s.run()
			s.want(false) // points of so many logs in a second have one stamp now and then: six digits of it are their numbers
		})
	}
}

// compress compresses the newest rotated file, as gzip does.
func (s *trial) compress() {
	s.t.Helper()
	all, err := filepath.Glob(s.log + ".*[0-9]")
	if err != nil || len(all) == 0 {
		s.t.Fatal(all, err)
	}
	name := all[len(all)-1]
	info, err := os.Stat(name)
	if err != nil {
		s.t.Fatal(err)
	}
	from, err := os.Open(name)
	if err != nil {
		s.t.Fatal(err)
	}
	defer from.Close()
	to, err := os.Create(name + ".gz")
	if err != nil {
		s.t.Fatal(err)
	}
	defer to.Close()
	z := gzip.NewWriter(to)
	if _, err = io.Copy(z, from); err == nil {
		err = z.Close()
	}
	if err == nil {
		err = os.Chtimes(name+".gz", time.Time{}, info.ModTime())
	}
	if err == nil {
		err = os.Remove(name)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// Lines that are hours late open windows again, and each has a delta more.
func TestRollupsOfLateLines(t *testing.T) {
	t.Parallel()
	s := newTrial(t, true)
	s.late, s.step = 0.02, 30*time.Millisecond
	s.act = func() {
		s.append(200 + s.r.IntN(800))
		if s.r.IntN(10) == 0 {
			s.at = s.at.Add(-time.Duration(s.r.IntN(3600)) * time.Second) // its clock was put back
		}
	}
	s.run()
	s.want(true)
}

// An hour of lines comes while InfluxDB is away, through rotations and kills.
func TestRollupsOfAnHourWithoutInfluxDB(t *testing.T) {
	t.Parallel()
	s := newTrial(t, false)
	s.step = 100 * time.Millisecond
	s.begin()
	s.db.Kill()
	began := s.at
	s.act = func() {
		if s.at.Sub(began) <= time.Hour {
			s.append(5000)
			s.rename()
		}
	}
	for i := range 4 {
		s.round(i)
	}
	for s.at.Sub(began) <= time.Hour {
		s.act()
		time.Sleep(5 * time.Millisecond)
	}
	if err := s.db.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.readToTheEnd(s.config)
	t.Logf("%d lines of %v, %d rotations", s.lines, s.at.Sub(began), s.again)
	s.want(false)
}

// Two machines with two logs each write into one database; each is killed by itself.
func TestRollupsOfTwoMachines(t *testing.T) {
	t.Parallel()
	db := influxdtest.New(t, influxdtest.Options{})
	type log struct {
		*traffic
		where string
	}
	var all []log
	var benches []*bench
	for _, host := range []string{"one", "two"} {
		b := newBench(t, db)
		benches = append(benches, b)
		text := "host: " + host + "\n" + rollupSettings(true) + "sources:\n"
		for _, source := range []string{"web", "api"} {
			g := newTraffic()
			g.source = source
			all = append(all, log{g, fmt.Sprintf("host = '%s' AND source = '%s'", host, source)})
			text += fmt.Sprintf("- {name: %s, path: %s, format: '%s', start: beginning}\n", source, b.write(source+".log", g.text(1000)), trafficFormat)
		}
		b.write("tailflux.yaml", text)
	}
	r := all[0].r
	for range max(1, *rollupKills/4) {
		var running []*tailfluxtest.Daemon
		for _, b := range benches {
			running = append(running, b.start("--config", b.path("tailflux.yaml")))
		}
		for range 3 + r.IntN(10) {
			for i, of := range all {
				benches[i/2].write(of.source+".log", of.text(r.IntN(500)))
			}
			time.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
		}
		for _, d := range running {
			d.Kill()
		}
	}
	for _, b := range benches {
		b.readToTheEnd(b.path("tailflux.yaml"))
	}
	for _, of := range all {
		benches[0].wantSums("site", of.site, benches[0].rollup("site", "1s", of.where, "status"))
		benches[0].wantSums("paths", of.paths, benches[0].rollup("paths", "10s", of.where, "path", "status_class"))
	}
}

// A flood of paths fills the tag, and through kills each later one is in the sum of others.
func TestRollupsOfMorePathsThanATagMayHave(t *testing.T) {
	t.Parallel()
	s := newTrial(t, false)
	const limit = 60
	s.write("tailflux.yaml", fmt.Sprintf("tag_limit: %d\n", limit))
	s.pages = 40
	s.act = func() {
		s.pages = min(20_000, s.pages+1000)
		s.append(200 + s.r.IntN(2000))
	}
	s.run()
	admitted, want := map[string]bool{}, sums{}
	got := s.rollup("paths", "10s", allPoints, "path", "status_class")
	for key := range got {
		admitted[strings.Fields(key)[1]] = true
	}
	if len(admitted) != limit+1 || !admitted["path=other"] {
		t.Errorf("%d paths, want %d and other", len(admitted), limit)
	}
	for key, fields := range s.paths {
		at := strings.Fields(key)
		if !admitted[at[1]] {
			at[1] = "path=other"
		}
		for field, n := range fields {
			want.add(strings.Join(at, " "), field, n)
		}
	}
	s.wantSums("paths", want, got)
	s.wantSums("site", s.site, s.rollup("site", "1s", allPoints, "status"))
}

// InfluxDB refuses points of a rollup that have a field of another type than what is there,
// in the middle of requests of others. Killed meanwhile, each of these is in the reject file
// once, and with what is stored they are what the log adds up to.
func TestRollupsOfWhichSomeAreRefused(t *testing.T) {
	t.Parallel()
	s := newTrial(t, true)
	if _, err := s.db.Query(t.Context(), "", "CREATE DATABASE "+database); err != nil {
		t.Fatal(err)
	}
	s.insert(fmt.Sprintf("site,host=x,source=x request_time_b55=\"text\" %d\n", s.at.UnixNano()))
	s.act = func() { s.append(200 + s.r.IntN(500)) }
	s.run()
	got := s.rollup("site", "1s", allPoints+" AND host != 'x'", "status")
	entries, once := 0, map[string]bool{}
	for _, e := range rejectsOf(t, s.path("state/rejects.jsonl")) {
		if e.Kind != "rollup" {
			continue
		}
		entries++
		once[e.Line[:strings.IndexByte(e.Line, ' ')]+e.Line[strings.LastIndexByte(e.Line, ' '):]] = true
		got.addDelta(t, e.Line, time.Second, "status")
	}
	if entries < 3 || entries != len(once) {
		t.Errorf("%d entries of %d points, want some, and one for each", entries, len(once))
	}
	s.wantSums("site", s.site, got)
	s.wantSums("paths", s.paths, s.rollup("paths", "10s", allPoints, "path", "status_class"))
	s.wantPoints(s.lines - s.rejected)
}

// addDelta adds a point in line protocol.
func (s sums) addDelta(t *testing.T, line string, interval time.Duration, tag string) {
	t.Helper()
	series, rest, _ := strings.Cut(line, " ")
	fields, stamp, _ := strings.Cut(rest, " ")
	at, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		t.Fatalf("%v in %q", err, line)
	}
	_, value, _ := strings.Cut(series, ","+tag+"=")
	value, _, _ = strings.Cut(value, ",")
	for field := range strings.SplitSeq(fields, ",") {
		name, text, _ := strings.Cut(field, "=")
		n, err := strconv.ParseInt(strings.TrimSuffix(text, "i"), 10, 64)
		if err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		s.add(fmt.Sprintf("%d %s=%s", at/int64(interval), tag, value), name, n)
	}
}

// The checkpoint is lost, or somebody has removed it to have all read again: generations are
// numbered from 1 once more, and where other logs were cut under these numbers does not matter.
func TestRollupsOfALostCheckpoint(t *testing.T) {
	t.Parallel()
	s := newTrial(t, false)
	s.run()
	s.want(false)
	for _, name := range []string{"state/checkpoint", "state/checkpoint.1", "state/rejects.jsonl", "access.log"} {
		if err := os.Remove(s.path(name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if _, err := s.db.Query(t.Context(), "", "DROP DATABASE "+database); err != nil {
		t.Fatal(err)
	}
	s.traffic = newTraffic()
	s.run()
	s.want(false)
}

// The old file was read to its end before a start, is left after it, and only then a worker of
// nginx writes to it, in a window of which a delta is stored.
func TestRollupsOfALateWorker(t *testing.T) {
	t.Parallel()
	s := newTrial(t, true)
	s.configured(s.config, "interval: 1s", "interval: 1h", "interval: 10s", "interval: 1h")
	s.append(100)
	until := func(d *tailfluxtest.Daemon, lines int64) {
		if _, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.Lines.Read == lines && r.Lines.InFlight == 0 }); err != nil {
			t.Fatal(err)
		}
	}
	stop := func(d *tailfluxtest.Daemon) {
		if err := d.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	d := s.start("--config", s.config)
	until(d, s.lines)
	old := s.rename()
	until(d, s.lines)
	stop(d)
	d = s.start("--config", s.config)
	time.Sleep(2 * time.Second) // rotate_wait is 300 ms
	s.write(filepath.Base(old), s.text(10))
	until(d, 10)
	stop(d)
	for _, rollup := range []string{"site", "paths"} {
		total := int64(0)
		for _, fields := range s.rollup(rollup, "1h", allPoints, "source") {
			total += fields["requests"]
		}
		if want := s.lines - s.rejected; total != want {
			t.Errorf("%s has %d requests, want %d", rollup, total, want)
		}
	}
	s.wantPoints(s.lines - s.rejected)
}

// Lines have their points, and InfluxDB is gone when their rollups are to be cut: a stop is not
// clean, so that whoever changes the configuration now does not count them twice.
func TestStopBeforeRollupsAreDelivered(t *testing.T) {
	t.Parallel()
	for _, raw := range both {
		t.Run(fmt.Sprint("raw ", raw), func(t *testing.T) {
			t.Parallel()
			b, g := newBench(t, influxdtest.New(t, influxdtest.Options{})), newTraffic()
			config := b.rollupConfig(b.write("access.log", g.text(3000)), raw)
			b.configured(config, "interval: 1s", "interval: 1h", "interval: 10s", "interval: 1h")
			d := b.start("--config", config)
			if _, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool {
				return r.Lines.Read == g.lines && (!raw || r.Lines.InFlight == 0)
			}); err != nil {
				t.Fatal(err)
			}
			b.db.Kill()
			if err := d.Stop(); err == nil || d.ExitCode() != 1 {
				t.Errorf("exit code %d, want 1: %v", d.ExitCode(), err)
			}
			if err := b.db.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.configured(config, "interval: 1h", "interval: 1s", "tags: [path, status_class]", "tags: [path, status_class, method]")
			d = b.start("--config", config)
			if _, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.Lines.Read > 0 && r.Lines.InFlight == 0 }); err != nil {
				t.Fatal(err)
			}
			if err := d.Stop(); err != nil {
				t.Error(err)
			}
			if !strings.Contains(d.Log(), "configuration changed after an unclean shutdown") {
				t.Error("the stop was taken for a clean one")
			}
			total := map[string]int64{}
			for _, fields := range b.rollup("site", "1h", allPoints, "source") {
				total["site"] += fields["requests"]
			}
			for _, fields := range b.rollup("paths", "1h", allPoints, "source") {
				total["paths"] += fields["requests"]
			}
			if want := g.lines - g.rejected; total["site"] != want || total["paths"] != want {
				t.Errorf("requests: %v, want %d of each", total, want)
			}
		})
	}
}
