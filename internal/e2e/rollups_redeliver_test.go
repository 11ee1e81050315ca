package e2e

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

// killed runs a command and kills it, again and again, and then lets it end.
func (b *bench) killed(g *traffic, command string, args ...string) {
	b.t.Helper()
	for range 5 {
		d, err := tailfluxtest.Start(tailfluxtest.Options{
			Binary: binary, Command: command, Args: args, URL: b.db.URL(), State: b.path("state"), Output: b.path("tailflux.log"),
		})
		if err != nil {
			b.t.Fatal(err)
		}
		time.Sleep(time.Duration(20+g.r.IntN(400)) * time.Millisecond)
		d.Kill()
	}
	for range 2 { // again, which changes nothing
		if code := b.run(command, args...); code != 0 {
			b.t.Fatalf("%s: exit code %d\n%s", command, code, read(b.t, b.path("tailflux.log")))
		}
	}
}

// anyExtra is a regular expression for lines of a format, with or without extra.
func anyExtra(format string) string {
	variable := regexp.MustCompile(`"\$(\w+)"|\$(upstream\w+)|\$(\w+)`)
	return "^" + variable.ReplaceAllStringFunc(format, func(is string) string {
		m := variable.FindStringSubmatch(is)
		switch {
		case m[1] != "":
			return `"(?P<` + m[1] + `>[^"]*)"`
		case m[2] != "":
			return "(?P<" + m[2] + ">[-0-9., :]+?)"
		}
		return "(?P<" + m[3] + `>\S+)`
	}) + "( extra)?$"
}

// Lines that could not be read are in rollups exactly once when they are redelivered, whatever
// is killed, and however often it is run; and verify knows them.
func TestRedeliveredLinesAreAddedUp(t *testing.T) {
	t.Parallel()
	for _, raw := range []bool{true, false} {
		t.Run(fmt.Sprint("raw ", raw), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
			g := newTraffic()
			text := func(n int) string {
				var all strings.Builder
				for line := range strings.Lines(g.text(n)) {
					if strings.HasPrefix(line, "1") && g.r.IntN(3) == 0 {
						line = strings.TrimSuffix(line, "\n") + " extra\n"
					}
					all.WriteString(line)
				}
				return all.String()
			}
			log := b.write("access.log", text(10_000))
			config := b.rollupConfig(log, raw)
			b.once("--config", config)
			if err := os.Rename(log, b.path("access.log.1")); err != nil {
				t.Fatal(err)
			}
			b.write("access.log", text(5000))
			b.once("--config", config)
			b.configured(config, "format: '"+trafficFormat+"'",
				"regexp: '"+anyExtra(trafficFormat)+"'")
			b.killed(g, "redeliver", "--config", config, "--influxdb-batch-points", "700")
			b.wantRollups(g)
			if raw {
				if n := b.points(""); n != g.lines-g.rejected {
					t.Errorf("%d points of %d lines", n, g.lines-g.rejected)
				}
			}
			b.wantEqual(config, g.lines-g.rejected)
			b.write("access.log", text(1000))
			b.once("--config", config)
			b.wantRollups(g)
			b.wantEqual(config, g.lines-g.rejected)
		})
	}
}

// take makes InfluxDB refuse a field of a measurement.
func (b *bench) take(measurement, field string, at time.Time) {
	b.t.Helper()
	taken := fmt.Sprintf("%s,host=other,source=other %s=\"many\" %d\n", measurement, field, at.UnixNano())
	resp, err := http.Post(b.db.URL()+"/write?db="+database, "", strings.NewReader(taken))
	if err != nil || resp.StatusCode != http.StatusNoContent {
		b.t.Fatal(resp, err)
	}
	resp.Body.Close()
}

// A line whose point was refused is in its rollups since it was read. A refused point of a
// rollup is delivered as it is.
func TestRefusedPointsAreRedelivered(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ measurement, field string }{{"nginx_access", "bytes_sent"}, {"site", "requests"}, {"paths", "bytes_sent"}} {
		t.Run(tt.measurement, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
			if _, err := b.db.Query(t.Context(), "", "CREATE DATABASE "+database); err != nil {
				t.Fatal(err)
			}
			g := newTraffic()
			log := b.write("access.log", g.text(400)) // influxd is asked 50 times a second at most
			b.take(tt.measurement, tt.field, g.at)
			config := b.rollupConfig(log, true)
			b.once("--config", config)
			if code := b.run("redeliver", "--config", config); code != 0 {
				t.Fatalf("redeliver while they are refused: exit code %d", code)
			}
			if _, err := b.db.Query(t.Context(), database, "DROP SERIES FROM "+tt.measurement+" WHERE host = 'other'"); err != nil {
				t.Fatal(err)
			}
			if _, err := b.db.Query(t.Context(), database, "DROP MEASUREMENT "+tt.measurement); err != nil {
				t.Fatal(err)
			}
			b.killed(g, "redeliver", "--config", config, "--influxdb-batch-points", "300")
			b.wantRollups(g)
			if n := b.points(""); n != g.lines-g.rejected {
				t.Errorf("%d points of %d lines", n, g.lines-g.rejected)
			}
			b.wantEqual(config, g.lines-g.rejected)
			series, err := b.db.Query(t.Context(), database, "SELECT count(request_time_b00) FROM site WHERE source = 'tailflux'")
			if err != nil || len(series) != 1 {
				t.Errorf("zeros of site: %v, %v", series, err)
			}
			if diff := cmp.Diff(0, strings.Count(read(t, b.path("state/rejects.jsonl")), `"rollup":"site`)%2); tt.measurement == "site" && diff != "" {
				t.Error("an entry of site is not redelivered, or twice")
			}
		})
	}
}
