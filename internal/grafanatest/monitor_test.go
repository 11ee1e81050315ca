package grafanatest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

// watchedLife is a tailflux with an influxd of its own.
type watchedLife struct {
	t        *testing.T
	dir, log string
	db       *influxdtest.Server
	daemon   *tailfluxtest.Daemon

	read, rejected, filtered int64 // what was logged for the process that runs
}

func (l *watchedLife) start(binary string) {
	l.t.Helper()
	var err error
	l.read, l.rejected, l.filtered = 0, 0, 0
	if l.daemon, err = tailfluxtest.Start(tailfluxtest.Options{
		Binary: binary, URL: l.db.URL(), State: filepath.Join(l.dir, "state"), Output: filepath.Join(l.dir, "out"),
		Args: []string{"--config", filepath.Join(l.dir, "config.yaml")},
	}); err != nil {
		l.t.Fatal(err)
	}
}

// happens logs lines of now: of each ten one is in no format, and two are left out.
func (l *watchedLife) happens(tens int) {
	l.t.Helper()
	var lines []string
	for n := range 10 * tens {
		r := request{at: time.Now().UTC(), method: "GET", path: "/", target: "/", status: 200, ms: int64(n), sent: 100}
		text := timed(&r)
		switch n % 10 {
		case 3:
			text = "no such line"
		case 5, 8:
			r.target = "/healthz"
			text = timed(&r)
		}
		lines = append(lines, text)
	}
	appendLines(l.t, l.log, lines)
	l.read, l.rejected, l.filtered = l.read+int64(10*tens), l.rejected+int64(tens), l.filtered+int64(2*tens)
}

func (l *watchedLife) waitFor(what string, wanted func(r tailfluxtest.Report) bool) (r tailfluxtest.Report) {
	l.t.Helper()
	r, err := l.daemon.WaitFor(30*time.Second, wanted)
	if err != nil {
		l.t.Fatalf("%s: %v", what, err)
	}
	return r
}

// settled waits for all that was logged, and says what /monitor has counted.
func (l *watchedLife) settled() tailfluxtest.Report {
	l.t.Helper()
	return l.waitFor("all lines are settled", func(r tailfluxtest.Report) bool { return r.Lines.Read == l.read && r.Lines.InFlight == 0 })
}

// Pipeline shows what /monitor has counted, over an outage, a rotation and a restart; what is
// observed leaves out the time between two runs.
func TestPipelineIsWhatMonitorCounted(t *testing.T) {
	w := filled(t)
	l := &watchedLife{t: t, dir: t.TempDir()}
	l.log = filepath.Join(l.dir, "access.log")
	influxd, err := influxdtest.Binary(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if l.db, err = influxdtest.Start(t.Context(), influxdtest.Options{Binary: influxd, Dir: filepath.Join(l.dir, "influxd")}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.db.Stop() })
	config := fmt.Sprintf("host: %q\ninfluxdb: {database: run}\nrollups: []\ndrop: [{path: /healthz}]\nsources:\n  - {name: web, path: %s, format: timed}\n", web1, l.log)
	if err := os.WriteFile(filepath.Join(l.dir, "config.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := os.WriteFile(l.log, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l.start(w.binary)
	l.waitFor("the log is read", func(r tailfluxtest.Report) bool { return r.InfluxDB.Up && len(r.Sources) == 1 })
	l.happens(1)
	l.settled()
	if err := os.Rename(l.log, l.log+".1"); err != nil {
		t.Fatal(err)
	}
	l.happens(3)
	l.settled()
	if err := l.db.Stop(); err != nil {
		t.Fatal(err)
	}
	l.happens(20)
	l.waitFor("an outage", func(r tailfluxtest.Report) bool { return r.InfluxDB.OutageSeconds > 11 && r.InfluxDB.Retries > 0 })
	if err := l.db.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.waitFor("the end of the outage", func(r tailfluxtest.Report) bool { return r.InfluxDB.Up && r.InfluxDB.OutageSeconds == 0 })
	l.happens(2)
	first := l.settled()
	stopping := time.Now()
	if err := l.daemon.Stop(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(5 * time.Second) // nobody looks
	starting := time.Now()
	l.start(w.binary)
	l.happens(7)
	second := l.settled()
	if err := l.daemon.Stop(); err != nil {
		t.Fatal(err)
	}
	l.compare(view{name: "two runs", from: began.Add(-time.Second), to: time.Now().Add(time.Second), points: 100}, first, second)
	l.unobserved(stopping, starting)
}

// compare asks Pipeline's queries over both runs.
func (l *watchedLife) compare(v view, runs ...tailfluxtest.Report) {
	l.t.Helper()
	var read, written, rejected, filtered, retries, rotations int
	for _, r := range runs {
		read, written, rejected, filtered = read+int(r.Lines.Read), written+int(r.Lines.Written), rejected+int(r.Lines.Rejected), filtered+int(r.Lines.Filtered)
		retries, rotations = retries+int(r.InfluxDB.Retries), rotations+int(r.Sources[0].Rotations)
	}
	if rejected != 33 || filtered != 66 || read != 330 || rotations != 1 || retries == 0 {
		l.t.Errorf("/monitor: %d lines were read, %d rejected, %d filtered, %d rotations, %d retries", read, rejected, filtered, rotations, retries)
	}
	d := dashboards(l.t)["pipeline"]
	c := &checker{db: l.db, d: d}
	all := value{texts: []string{".*"}, multi: true, all: true}
	e := expander{view: v, values: map[string]value{"policy": {texts: []string{""}}, "host": all, "source": all, "path": all}}
	want := map[string]map[string][2]float64{
		"Lines":                    {"lines_read": exactly(read), "lines_written": exactly(written), "lines_rejected": exactly(rejected), "lines_filtered": exactly(filtered)},
		"Rejected lines by reason": {"no match": exactly(rejected)},
		"Requests to InfluxDB":     {"requests": some, "retries": exactly(retries), "outages": exactly(1)},
		"Cuts and starts":          {"started": exactly(len(runs)), "cuts": exactly(0)},
		"Files":                    {"rotations": exactly(rotations), "truncations": exactly(0), "generations_lost": exactly(0)},
	}
	for _, p := range d.Panels {
		of, is := want[p.Title]
		if !is {
			continue
		}
		delete(want, p.Title)
		interval, factor := 10*time.Second, 1.0
		if p.Title == "Lines" {
			factor = interval.Seconds()
		}
		came, ok := c.ask(l.t.Context(), e, &site{database: "run"}, p.Title, p.Targets[0], interval)
		if wrong := (totals{of, factor}).differs(came); !ok || len(wrong) > 0 {
			l.t.Errorf("%s: %v %v", p.Title, wrong, c.wrong)
		}
	}
	for title := range want {
		l.t.Errorf("pipeline has no panel %q", title)
	}
}

// unobserved checks that no span that was observed has to do with a time when nobody looked.
func (l *watchedLife) unobserved(from, to time.Time) {
	l.t.Helper()
	answer, err := l.db.Query(l.t.Context(), "run", `SELECT "observed_seconds" FROM "tailflux" WHERE "observed_seconds" > 0`)
	if err != nil || len(answer) != 1 {
		l.t.Fatalf("nothing was observed: %v, %v", answer, err)
	}
	before, after := 0, 0
	f := frames(&target{}, answer)[0]
	for i, v := range f.columns[1].values {
		end, _ := f.columns[0].values[i].(time.Time)
		seconds, _ := v.(float64)
		end = end.Round(time.Second) // it is stamped just before that
		begin := end.Add(-time.Duration(seconds * float64(time.Second)))
		switch {
		case !end.After(from):
			before++
		case !begin.Before(to.Truncate(time.Second)):
			after++
		default:
			l.t.Errorf("observed from %s to %s, and nobody looked from %s to %s", begin, end, from, to)
		}
	}
	if before == 0 {
		l.t.Errorf("nothing was observed before %s: %d spans after it", from, after)
	}
}
