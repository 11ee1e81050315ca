package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

// In a new database points of lines and of rollups are kept as retention says, and what is too
// old is counted where it belongs; in another one nothing is altered, and nothing is lost.
func TestRetention(t *testing.T) {
	t.Parallel()
	db := influxdtest.New(t, influxdtest.Options{})
	for name, tt := range map[string]struct {
		make              string // the database, before
		policies          []string
		raw, site         string // measurements
		rejected, expired int64  // points of lines, and requests of each rollup
	}{
		"new":   {"", []string{"tailflux_raw 24h0m0s", "tailflux_rollups 720h0m0s"}, "tailflux_raw.nginx_access", "tailflux_rollups.site", 2000, 1000},
		"other": {`CREATE DATABASE nginx WITH DURATION 36h NAME theirs`, []string{"theirs 36h0m0s"}, "theirs.nginx_access", "theirs.site", 2000, 2000},
	} {
		t.Run(name, func(t *testing.T) {
			for _, q := range []string{"DROP DATABASE " + database, tt.make} {
				if _, err := db.Query(t.Context(), "", q); q != "" && err != nil {
					t.Fatal(err)
				}
			}
			b := newBench(t, db)
			var text strings.Builder
			for _, ago := range []time.Duration{40 * 24 * time.Hour, 40 * time.Hour, time.Minute} {
				for i := range 1000 {
					fmt.Fprintf(&text, "%d.000 \"GET / HTTP/1.1\" 200 1 0.001\n", time.Now().Add(-ago).Unix()+int64(i)/100)
				}
			}
			log := b.write("access.log", text.String())
			config := b.path("tailflux.yaml")
			err := os.WriteFile(config, fmt.Appendf(nil, "sources: [{name: web, path: %s, format: '$msec \"$request\" $status $bytes_sent $request_time', start: beginning}]\non_reject: hold\n"+
				"retention: {raw: 1d, rollups: 30d}\nrollups: [{measurement: site, interval: 1s, tags: [status]}]\n", log), 0o600)
			if err != nil {
				t.Fatal(err)
			}
			d := b.start("--config", config)
			report, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool {
				return r.Lines.Read == 3000 && r.Lines.InFlight == 0 && len(r.Rollups) == 1 && r.Rollups[0].Cells == 0 && r.Rollups[0].Expired == tt.expired
			})
			if err != nil {
				t.Fatalf("%v\n%+v", err, report)
			}
			if report.Lines.Rejected != tt.rejected || report.Rollups[0].Refused != tt.expired {
				t.Errorf("%d lines were rejected and %d refused in rollups, want %d and %d", report.Lines.Rejected, report.Rollups[0].Refused, tt.rejected, tt.expired)
			}
			if report.InfluxDB.Retries != 0 {
				t.Errorf("%d requests were tried again", report.InfluxDB.Retries)
			}
			for query, want := range map[string]int64{
				"SELECT count(bytes_sent) FROM " + tt.raw:    3000 - tt.rejected,
				"SELECT sum(requests) FROM " + tt.site:       3000 - tt.expired,
				"SELECT count(bytes_sent) FROM nginx_access": 3000 - tt.rejected, // a query without a policy
			} {
				series, err := db.Query(t.Context(), database, query)
				if err != nil || len(series) != 1 || fmt.Sprint(series[0].Values[0][1]) != fmt.Sprint(want) {
					t.Errorf("%s: %v, %v, want %d", query, series, err, want)
				}
			}
			var policies []string
			series, err := db.Query(t.Context(), "", "SHOW RETENTION POLICIES ON "+database)
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range series[0].Values {
				policies = append(policies, fmt.Sprintf("%v %v", row[0], row[1]))
			}
			if diff := cmp.Diff(tt.policies, policies); diff != "" {
				t.Errorf("policies (-want +got):\n%s", diff)
			}
			if err := d.Stop(); err != nil {
				t.Error(err)
			}
			b.reads(config, log, tt.make == "")
			if said := strings.Count(d.Log(), "points are not kept as retention says"); said != 4-2*len(policies) {
				t.Errorf("differences are in the log %d times:\n%s", said, d.Log())
			}
		})
	}
}

// reads has what reads rollups look for them where they are.
func (b *bench) reads(config, log string, all bool) {
	b.t.Helper()
	out, err := exec.Command(binary, "query", "requests", "--since", "72h", "--json", "--config", config, "--influxdb-url", b.db.URL()).CombinedOutput()
	if want := map[bool]string{true: `"requests":2000`, false: `"requests":1000`}[all]; err != nil || !strings.Contains(strings.ReplaceAll(string(out), " ", ""), want) {
		b.t.Errorf("query: %v, want %s in\n%s", err, want, out)
	}
	out, err = exec.Command(binary, "verify", "--config", config, "--influxdb-url", b.db.URL(), "--state-dir", b.path("state"), log).CombinedOutput()
	if want := map[bool]string{true: "2000", false: "1000"}[all]; err != nil || !regexp.MustCompile(`lines in it +`+want+"\n.*differ +0\n").Match(out) {
		b.t.Errorf("verify: %v, want %s lines in the rollup in\n%s", err, want, out)
	}
}
