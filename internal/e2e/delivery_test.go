//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

// InfluxDB is away, or hangs, with everything full when the signal comes: it ends
// in time, says that something is left over, and the next run delivers it.
func TestStopDuringOutageLosesNothing(t *testing.T) {
	t.Parallel()
	for _, act := range []influxdtest.Act{influxdtest.Broken, influxdtest.Hang, influxdtest.Reset} {
		t.Run(string(act), func(t *testing.T) {
			t.Parallel()
			const n = 60_000
			db := influxdtest.New(t, influxdtest.Options{})
			front, err := influxdtest.NewFront(db.URL(), func() influxdtest.Act { return act })
			if err != nil {
				t.Fatal(err)
			}
			defer front.Close()
			b := newBench(t, db)
			text := lines(n-1) + "no log line\n"
			args := []string{"--path", b.write("access.log", text), "--start", "beginning", "--influxdb-url", front.URL}
			d := b.start(args...)
			full, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.Lines.Read > 20_000 })
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			if err := d.Stop(); err == nil || d.ExitCode() != 1 || !strings.Contains(err.Error(), "lines not delivered") {
				t.Errorf("exit code %d, want 1: %v", d.ExitCode(), err)
			}
			if took := time.Since(start); took > 12*time.Second {
				t.Errorf("stopping took %s", took)
			}
			if got := b.points(""); got != 0 || full.Lines.Written != 0 {
				t.Errorf("%d points, %d lines written, before it can", got, full.Lines.Written)
			}
			d = b.once(args[:4]...)
			if got := b.points(""); got != n-1 {
				t.Errorf("%d points, want %d", got, n-1)
			}
			if entries := rejects(t, d); len(entries) != 1 || entries[0].LineNumber != n {
				t.Errorf("reject file: %+v", entries)
			}
		})
	}
}

// Lines of every kind, and a daemon that is killed with -9 again and again: each
// line is a point or has one entry, for its own reason.
func TestKilledAmongRejectedLines(t *testing.T) {
	t.Parallel()
	const n = 20_000
	db := influxdtest.New(t, influxdtest.Options{})
	if _, err := db.Query(t.Context(), "", `CREATE DATABASE nginx WITH DURATION 520w REPLICATION 1 SHARD DURATION 1w`); err != nil {
		t.Fatal(err)
	}
	// In the week of one line's time, a field has another type.
	october := time.Date(2026, 10, 1, 10, 0, 0, 0, time.UTC)
	point := fmt.Sprintf("nginx_access,source=other body_bytes_sent=\"text\" %d", october.UnixNano())
	resp, err := http.Post(db.URL()+"/write?db=nginx", "", strings.NewReader(point))
	if err != nil || resp.StatusCode != http.StatusNoContent {
		t.Fatalf("%v, %v", resp, err)
	}
	resp.Body.Close()
	b := newBench(t, db)
	var text strings.Builder
	want := map[int64]string{}
	for i := range int64(n) {
		number := i + 1
		line := combined(200, int(i))
		switch {
		case number%2000 == 77:
			line = strings.Replace(line, "20/Nov/2026", "01/Oct/2026", 1)
			want[number] = "refused: influxdb answered 400: "
		case number%50 == 3:
			line = strings.Replace(line, "20/Nov/2026", "20/Nov/2011", 1)
			want[number] = "expired"
		case number%20 == 7:
			line = fmt.Sprintf("no log line %d\n", number)
			want[number] = "no match"
		case number%111 == 0:
			line = "\n"
			want[number] = "empty"
		}
		text.WriteString(line)
	}
	good := int64(n - len(want))
	args := []string{"--path", b.write("access.log", text.String()), "--name", "web", "--start", "beginning", "--influxdb-batch-points", "500"}
	dice := rand.New(rand.NewPCG(1, 5))
	for i := range int64(6) {
		d := b.start(args...)
		after := 1 + i*500 + dice.Int64N(1000)
		if _, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.Lines.Written >= after }); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(dice.IntN(1000)) * time.Millisecond)
		d.Kill()
	}
	d := b.once(args...)
	for _, e := range rejects(t, d) {
		if e.Kind == "rollup" { // what is too old for its points is too old for their sums
			continue
		}
		reason, ok := want[e.LineNumber]
		if !ok || !strings.HasPrefix(e.Reason, reason) {
			t.Errorf("line %d has an entry, or one more: %q, want %q", e.LineNumber, e.Reason, reason)
		}
		delete(want, e.LineNumber)
	}
	for number, reason := range want {
		t.Errorf("line %d has no entry %q", number, reason)
	}
	if got := b.points("source = 'web'"); got != good {
		t.Errorf("%d points, want %d", got, good)
	}
}
