package e2e

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

// rollupConfig writes a configuration with short intervals.
func (b *bench) rollupConfig(log string, raw bool) string {
	b.t.Helper()
	file := b.path("tailflux.yaml")
	text := fmt.Sprintf("sources: [{name: web, path: %s, format: '%s', start: beginning}]\n", log, trafficFormat) + rollupSettings(raw)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	return file
}

// rollupSettings are all but the sources. The list of rollups is the last one.
func rollupSettings(raw bool) string {
	return fmt.Sprintf("raw: %t\ninfluxdb: {batch_points: 500, flush_interval: 100ms}\nrotate_wait: 300ms\n"+
		"rollups:\n- {measurement: site, interval: 1s, tags: [status]}\n- {measurement: paths, interval: 10s, tags: [path, status_class]}\n", raw)
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
	logged := func(text string) int {
		all, err := os.ReadFile(b.path("tailflux.log"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(all), text)
	}
	done, finished := 0, 0
	for round := 0; round < 12 || round < 50 && (done < 5 || finished == 0); round++ {
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
		done, finished = logged(`"reload is done","keys":["rollups"]`), logged("configuration changed after an unclean shutdown")
	}
	b.readToTheEnd(config)
	b.wantRollups(g)
	if n := b.points(""); n != g.lines-g.rejected {
		t.Errorf("%d points of %d lines, %d of them rejected", n, g.lines, g.rejected)
	}
	if done < 5 || finished == 0 {
		t.Errorf("%d reloads of rollups were done, %d changes after a kill were finished", done, finished)
	}
	t.Logf("%d lines, %d reloads, %d of them after a kill", g.lines, done, finished)
}

// run runs a command of tailflux, and returns its exit code.
func (b *bench) run(command string, args ...string) int {
	b.t.Helper()
	d, err := tailfluxtest.Start(tailfluxtest.Options{
		Binary: binary, Command: command, Args: args, URL: b.url, State: b.path("state"), Output: b.path("tailflux.log"),
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
	t.Parallel()
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

// What can be read of a damaged file is in the rollups although its end is not reached, and
// what is completed later is added.
func TestRollupsOfADamagedImport(t *testing.T) {
	t.Parallel()
	db := influxdtest.New(t, influxdtest.Options{})
	for _, raw := range []bool{true, false} {
		for _, lines := range []int{300, 20_000} { // fewer than are tried before a file is imported, and more
			if _, err := db.Query(t.Context(), "", "DROP DATABASE "+database); err != nil {
				t.Fatal(err)
			}
			b := newBench(t, db)
			g := newTraffic()
			config := b.rollupConfig(b.path("access.log"), raw)
			whole := gzipped(t, g.text(lines))
			log := b.write("access.log.1.gz", whole+"this is no member of a gzip file")
			for range 2 {
				if code := b.run("import", "--config", config, log); code != 1 {
					t.Fatalf("exit code %d, want 1\n%s", code, read(t, b.path("tailflux.log")))
				}
			}
			b.wantRollups(g)
			if err := os.Remove(log); err != nil {
				t.Fatal(err)
			}
			b.write("access.log.1.gz", whole+gzipped(t, g.text(lines)))
			if code := b.run("import", "--config", config, log); code != 0 {
				t.Fatalf("exit code %d, want 0\n%s", code, read(t, b.path("tailflux.log")))
			}
			b.wantRollups(g)
		}
	}
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b strings.Builder
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, text)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
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
	b.wantSums("site", g.site, b.rollup("ever.site", "1s", allPoints, "status"))
	b.wantSums("paths", g.paths, b.rollup("week.paths", "10s", allPoints, "path", "status_class"))
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
	b.insert(taken)
	d := b.once("--config", b.rollupConfig(log, true))
	b.wantSums("paths", g.paths, b.rollup("paths", "10s", allPoints, "path", "status_class"))
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

// insert writes line protocol.
func (b *bench) insert(points string) {
	b.t.Helper()
	resp, err := http.Post(b.db.URL()+"/write?db="+database, "", strings.NewReader(points))
	if err != nil {
		b.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		b.t.Fatalf("insert %s: %s", points, resp.Status)
	}
}
