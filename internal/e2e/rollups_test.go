package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

// sums are what lines add up to, by series and window.
type sums map[string]map[string]int64

func (s sums) add(key, field string, n int64) {
	if s[key] == nil {
		s[key] = map[string]int64{}
	}
	s[key][field] += n
}

// traffic makes lines with a time to the millisecond, some out of order, a few that no
// format fits, and what they add up to in windows of a second and of ten.
type traffic struct {
	r           *rand.Rand
	at          time.Time
	lines       int64
	rejected    int64
	site, paths sums
}

func newTraffic() *traffic {
	return &traffic{r: rand.New(rand.NewPCG(1, 2)), at: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC), site: sums{}, paths: sums{}}
}

const trafficFormat = `$msec "$request" $status $bytes_sent $request_time`

func (g *traffic) text(n int) string {
	var b strings.Builder
	for range n {
		g.lines++
		if g.r.IntN(500) == 0 {
			g.rejected++
			b.WriteString("this is no request\n")
			continue
		}
		g.at = g.at.Add(time.Duration(g.r.IntN(3)) * time.Millisecond)
		at := g.at.Add(-time.Duration(g.r.ExpFloat64()*500) * time.Millisecond)
		page, status, size, ms := g.r.IntN(30), []int{200, 200, 304, 404, 503}[g.r.IntN(5)], g.r.IntN(100_000), int64(g.r.ExpFloat64()*300)
		fmt.Fprintf(&b, "%d.%03d \"GET /page/%c HTTP/1.1\" %d %d %d.%03d\n", at.Unix(), at.Nanosecond()/1e6, 'a'+page, status, size, ms/1000, ms%1000)
		for _, of := range []struct {
			sums sums
			key  string
		}{
			{g.site, fmt.Sprintf("%d status=%d", at.Unix(), status)},
			{g.paths, fmt.Sprintf("%d path=/page/%c status_class=%dxx", at.Unix()/10*10, 'a'+page, status/100)},
		} {
			of.sums.add(of.key, "requests", 1)
			of.sums.add(of.key, "bytes_sent", int64(size))
			of.sums.add(of.key, "request_time_ms", ms)
		}
	}
	return b.String()
}

// rollup reads what a rollup adds up to.
func (b *bench) rollup(measurement, interval string, tags ...string) sums {
	b.t.Helper()
	series, err := b.db.Query(b.t.Context(), database, fmt.Sprintf(
		"SELECT sum(requests) AS requests, sum(bytes_sent) AS bytes_sent, sum(request_time_ms) AS request_time_ms FROM %s "+
			"WHERE source != 'tailflux' GROUP BY time(%s), %s fill(none)", measurement, interval, strings.Join(tags, ", ")))
	if err != nil {
		b.t.Fatal(err)
	}
	all := sums{}
	for _, s := range series {
		for _, row := range s.Values {
			at, err := row[0].(json.Number).Int64()
			if err != nil {
				b.t.Fatal(err)
			}
			key := fmt.Sprint(at / 1e9)
			for _, tag := range tags {
				key += fmt.Sprintf(" %s=%s", tag, s.Tags[tag])
			}
			for i, field := range s.Columns[1:] {
				n, err := row[i+1].(json.Number).Int64()
				if err != nil {
					b.t.Fatal(err)
				}
				all.add(key, field, n)
			}
		}
	}
	return all
}

func (b *bench) wantRollups(g *traffic) {
	b.t.Helper()
	for _, of := range []struct {
		want, got sums
		name      string
	}{
		{g.site, b.rollup("site", "1s", "status"), "site"},
		{g.paths, b.rollup("paths", "10s", "path", "status_class"), "paths"},
	} {
		if diff := cmp.Diff(of.want, of.got); diff != "" {
			b.t.Errorf("%s differs from the log (-want +got):\n%.3000s", of.name, diff)
		}
	}
}

// readToTheEnd delivers what is left. A stop before the end of a cut that was begun leaves
// that open, so it takes several starts.
func (b *bench) readToTheEnd(config string) {
	b.t.Helper()
	for range 3 {
		d := b.start("--config", config)
		if _, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.Sources[0].LagBytes == 0 }); err != nil {
			b.t.Fatal(err)
		}
		time.Sleep(time.Second)
		_ = d.Stop()
	}
	b.once("--config", config)
}

// rollupConfig writes a configuration with short intervals.
func (b *bench) rollupConfig(log string, raw bool) string {
	b.t.Helper()
	file := b.path("tailflux.yaml")
	text := fmt.Sprintf("sources: [{name: web, path: %s, format: '%s', start: beginning}]\n"+
		"raw: %t\ninfluxdb: {batch_points: 500, flush_interval: 100ms}\nrotate_wait: 300ms\n"+
		"rollups:\n- {measurement: site, interval: 1s, tags: [status]}\n- {measurement: paths, interval: 10s, tags: [path, status_class]}\n", log, trafficFormat, raw)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	return file
}

// Killed with -9 again and again while lines come and the log is rotated, now and then
// without the latest save of the checkpoint, rollups are what the log adds up to, to the last request and byte.
func TestRollupsSurviveKills(t *testing.T) {
	t.Parallel()
	for _, raw := range []bool{true, false} {
		t.Run(fmt.Sprint("raw ", raw), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
			g := newTraffic()
			log := b.write("access.log", g.text(5000))
			config := b.rollupConfig(log, raw)
			kills := 20
			for i := range kills {
				d := b.start("--config", config)
				deadline := time.Now().Add(time.Duration(300+g.r.IntN(1500)) * time.Millisecond)
				for time.Now().Before(deadline) {
					b.write("access.log", g.text(200+g.r.IntN(2000)))
					time.Sleep(time.Duration(g.r.IntN(100)) * time.Millisecond)
					if g.r.IntN(25) == 0 {
						if err := os.Rename(log, b.path(fmt.Sprintf("access.log.%d", time.Now().UnixNano()))); err != nil {
							t.Fatal(err)
						}
						b.write("access.log", g.text(10))
					}
				}
				if i%5 == 4 {
					_ = d.Stop()
				} else {
					d.Kill()
				}
				if i%2 == 0 { // the latest save is lost, which must be harmless
					if err := os.Remove(b.path("state/checkpoint")); err != nil && !os.IsNotExist(err) {
						t.Fatal(err)
					}
				}
			}
			b.readToTheEnd(config)
			b.wantRollups(g)
			if raw {
				if n := b.points(""); n != g.lines-g.rejected {
					t.Errorf("%d points of %d lines, %d of them rejected", n, g.lines, g.rejected)
				}
			}
			t.Logf("%d lines, %d windows", g.lines, len(g.site))
		})
	}
}

// Rollups are changed by reloads under load, and between a kill with -9 and the next start,
// and are what the log adds up to all the same.
func TestRollupsSurviveReloads(t *testing.T) {
	t.Parallel()
	db := influxdtest.New(t, influxdtest.Options{})
	b := newBench(t, db)
	g := newTraffic()
	log := b.write("access.log", g.text(5000))
	config := b.rollupConfig(log, true)
	one, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(string(one), "tags: [path, status_class]", "tags: [path, status_class, method]", 1) +
		"- {measurement: minutes, interval: 1m, tags: [status_class]}\n"
	texts := []string{string(one), other}
	change := func() {
		if err := os.WriteFile(config+".new", []byte(texts[g.r.IntN(2)]), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(config+".new", config); err != nil {
			t.Fatal(err)
		}
	}
	for round := range 12 {
		d := b.start("--config", config)
		if _, err := d.WaitFor(arrival, func(tailfluxtest.Report) bool { return true }); err != nil { // SIGHUP ends a process that has only begun
			t.Fatal(err)
		}
		deadline := time.Now().Add(time.Duration(500+g.r.IntN(1500)) * time.Millisecond)
		for time.Now().Before(deadline) {
			b.write("access.log", g.text(200+g.r.IntN(2000)))
			time.Sleep(time.Duration(g.r.IntN(200)) * time.Millisecond)
			if g.r.IntN(3) == 0 {
				change()
				if err := d.Signal(syscall.SIGHUP); err != nil {
					t.Fatal(err)
				}
			}
		}
		if round%4 == 3 {
			_ = d.Stop()
		} else {
			d.Kill()
		}
		if g.r.IntN(2) == 0 {
			change()
		}
	}
	b.readToTheEnd(config)
	b.wantRollups(g)
	if n := b.points(""); n != g.lines-g.rejected {
		t.Errorf("%d points of %d lines, %d of them rejected", n, g.lines, g.rejected)
	}
	logged, err := os.ReadFile(b.path("tailflux.log"))
	if err != nil {
		t.Fatal(err)
	}
	done, finished := strings.Count(string(logged), `"reload is done","keys":["rollups"]`), strings.Count(string(logged), "configuration changed after an unclean shutdown")
	if done < 5 || finished == 0 {
		t.Errorf("%d reloads of rollups were done, %d changes after a kill were finished", done, finished)
	}
	t.Logf("%d lines, %d reloads, %d of them after a kill", g.lines, done, finished)
}

// run runs a command of tailflux, and returns its exit code.
func (b *bench) run(command string, args ...string) int {
	b.t.Helper()
	d, err := tailfluxtest.Start(tailfluxtest.Options{
		Binary: binary, Command: command, Args: args, URL: b.db.URL(), State: b.path("state"), Output: b.path("tailflux.log"),
	})
	if err != nil {
		b.t.Fatal(err)
	}
	_ = d.Wait()
	return d.ExitCode()
}

// Old logs are added up exactly once, in whatever order they are imported, and again from
// another state directory, and interrupted.
func TestRollupsOfImports(t *testing.T) {
	db := influxdtest.New(t, influxdtest.Options{})
	for _, raw := range []bool{true, false} {
		t.Run(fmt.Sprint("raw ", raw), func(t *testing.T) {
			if _, err := db.Query(t.Context(), "", "DROP DATABASE "+database); err != nil {
				t.Fatal(err)
			}
			first, second := newBench(t, db), newBench(t, db)
			g := newTraffic()
			var logs []string
			for i := range 3 {
				logs = append(logs, first.write(fmt.Sprintf("access.log.%d", 3-i), g.text(40_000)))
			}
			config := first.rollupConfig(first.path("access.log"), raw)
			for _, log := range []string{logs[1], logs[2], logs[0], logs[1]} {
				if code := first.run("import", "--config", config, log); code != 0 {
					t.Fatalf("import of %s: exit code %d\n%s", log, code, read(t, first.path("tailflux.log")))
				}
			}
			first.wantRollups(g)
			for range 4 {
				d, err := tailfluxtest.Start(tailfluxtest.Options{
					Binary: binary, Command: "import", Args: append([]string{"--config", config}, logs...), URL: db.URL(),
					State: second.path("state"), Output: second.path("tailflux.log"),
				})
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Duration(30+g.r.IntN(250)) * time.Millisecond)
				if g.r.IntN(2) == 0 {
					_ = d.Stop()
				}
				d.Kill()
			}
			if code := second.run("import", append([]string{"--config", config}, logs...)...); code != 0 {
				t.Fatalf("import again: exit code %d\n%s", code, read(t, second.path("tailflux.log")))
			}
			first.wantRollups(g)
		})
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Points of lines and rollups can be kept for different times. Lines that are too old for one
// are in the other all the same.
func TestRollupsInTheirOwnPolicy(t *testing.T) {
	db := influxdtest.New(t, influxdtest.Options{})
	for _, q := range []string{
		"CREATE DATABASE " + database + " WITH DURATION 1d", "CREATE RETENTION POLICY ever ON " + database + " DURATION INF REPLICATION 1",
		"CREATE RETENTION POLICY week ON " + database + " DURATION 7d REPLICATION 1",
	} {
		if _, err := db.Query(t.Context(), "", q); err != nil {
			t.Fatal(err)
		}
	}
	b := newBench(t, db)
	g := newTraffic()
	g.at = time.Now().Add(-40 * time.Hour)
	log := b.write("access.log", g.text(3000))
	g.at = time.Now().Add(-time.Minute)
	old := g.lines
	b.write("access.log", g.text(3000))
	config := b.path("tailflux.yaml")
	text := fmt.Sprintf("sources: [{name: web, path: %s, format: '%s', start: beginning}]\n"+
		"rollups:\n- {measurement: site, interval: 1s, tags: [status], retention_policy: ever}\n"+
		"- {measurement: paths, interval: 10s, tags: [path, status_class], retention_policy: week}\n", log, trafficFormat)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d := b.once("--config", config)
	for _, of := range []struct {
		want, got sums
		name      string
	}{
		{g.site, b.rollup("ever.site", "1s", "status"), "site"},
		{g.paths, b.rollup("week.paths", "10s", "path", "status_class"), "paths"},
	} {
		if diff := cmp.Diff(of.want, of.got); diff != "" {
			t.Errorf("%s differs from the log (-want +got):\n%.3000s", of.name, diff)
		}
	}
	rejected := 0
	for _, r := range rejects(t, d) {
		if r.Reason == "expired" {
			rejected++
		}
	}
	if n := b.points(""); n+int64(rejected) != g.lines-g.rejected || n > g.lines-old {
		t.Errorf("%d points and %d expired of %d lines, of which %d are old and %d no requests", n, rejected, g.lines, old, g.rejected)
	}
}

// A point of a rollup that InfluxDB refuses is in the reject file, the others are stored, and
// its lines have their own points.
func TestRefusedDelta(t *testing.T) {
	db := influxdtest.New(t, influxdtest.Options{})
	if _, err := db.Query(t.Context(), "", "CREATE DATABASE "+database); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, db)
	g := newTraffic()
	log := b.write("access.log", g.text(3000))
	taken := fmt.Sprintf("site,host=other,source=other requests=\"many\" %d\n", g.at.UnixNano())
	resp, err := http.Post(db.URL()+"/write?db="+database, "", strings.NewReader(taken))
	if err != nil || resp.StatusCode != http.StatusNoContent {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	d := b.once("--config", b.rollupConfig(log, true))
	if diff := cmp.Diff(g.paths, b.rollup("paths", "10s", "path", "status_class")); diff != "" {
		t.Errorf("paths differ from the log (-want +got):\n%.3000s", diff)
	}
	if n := b.points(""); n != g.lines-g.rejected {
		t.Errorf("%d points of %d lines, of which %d are no requests", n, g.lines, g.rejected)
	}
	deltas := 0
	for _, r := range rejects(t, d) {
		if strings.HasPrefix(r.Line, "site,") && strings.Contains(r.Reason, "field type conflict") {
			deltas++
		}
	}
	if deltas != len(g.site) {
		t.Errorf("%d entries of deltas, want one for each of the %d series and windows", deltas, len(g.site))
	}
}
