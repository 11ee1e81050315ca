package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

// ownSum adds a field of the measurement tailflux up; where says of which series.
func (b *bench) ownSum(field, where string) (sum float64) {
	b.t.Helper()
	series, err := b.db.Query(context.Background(), database, fmt.Sprintf("SELECT sum(%q) FROM tailflux WHERE %s", field, where))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, s := range series {
		for _, row := range s.Values {
			n, err := row[1].(json.Number).Float64()
			if err != nil {
				b.t.Fatal(err)
			}
			sum += n
		}
	}
	return sum
}

const (
	ofProcess = `"source" = '' AND "tag" = ''`
	ofWeb     = `"source" = 'web' AND "reason" = ''`
)

// A run to the end of a log writes once about itself, at its end: what it did, and which
// time of the log is complete.
func TestOwnPointsOfOnce(t *testing.T) {
	for _, raw := range []string{"true", "false"} {
		b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
		var text strings.Builder
		first := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
		for i := range 100 {
			text.WriteString(strings.Replace(combined(200, 1), "20/Nov/2026:10:00:00", first.Add(time.Duration(i)*10*time.Second).Format("02/Jan/2006:15:04:05"), 1))
		}
		log := b.write("access.log", text.String()+"no such line\n")
		b.once("--name", "web", "--path", log, "--format", "combined", "--raw="+raw)
		for _, where := range []string{ofProcess, ofWeb} {
			for field, want := range map[string]float64{"lines_read": 101, "lines_written": 100, "lines_rejected": 1, "lines_filtered": 0} {
				if got := b.ownSum(field, where); got != want {
					t.Errorf("raw %s: %s where %s is %v, want %v", raw, field, where, got, want)
				}
			}
		}
		if got := b.ownSum("rejected", `"source" = 'web' AND "reason" = 'no match'`); got != 1 {
			t.Errorf("raw %s: %v lines rejected, want 1", raw, got)
		}
		if got := b.ownSum("started", ofProcess); got != 1 {
			t.Errorf("raw %s: started %v times, want once", raw, got)
		}
		if got := b.ownSum("observed_seconds", ofWeb); got != 990 {
			t.Errorf("raw %s: %v s were observed, want 990", raw, got)
		}
	}
}

// A daemon writes at the start and every ten seconds; its log is observed while it is quiet.
func TestOwnPointsOfADaemon(t *testing.T) {
	t.Parallel()
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	log := b.write("access.log", "")
	d := b.start("--name", "web", "--path", log, "--format", "combined", "--rollups=none")
	if _, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return len(r.Sources) > 0 && r.Sources[0].Trouble == "" }); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(strings.Replace(combined(200, 1), "20/Nov/2026:10:00:00 +0000", time.Now().Format("02/Jan/2006:15:04:05 -0700"), 1)); err != nil {
		t.Fatal(err)
	}
	b.delivered(d, 1)
	for end := time.Now().Add(arrival); b.ownSum("observed_seconds", ofWeb) == 0 && time.Now().Before(end); {
		time.Sleep(time.Second)
	}
	if seconds := b.ownSum("observed_seconds", ofWeb); seconds == 0 {
		t.Error("nothing was observed")
	}
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	if got := b.ownSum("lines_written", ofProcess); got != 1 {
		t.Errorf("%v lines written, want 1", got)
	}
	if got := b.points(""); got != 1 {
		t.Errorf("%d points, want 1", got)
	}
}
