//go:build e2e

package e2e

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
)

// minute is what the lines of a minute say.
type minute struct {
	requests, bytes, errors int64
	statuses, paths         map[string]int64
	times                   []float64 // seconds, without those of tunnels
}

// minutes reads a log of traffic.
func minutes(t *testing.T, log string) map[int64]*minute {
	t.Helper()
	all := map[int64]*minute{}
	for line := range strings.Lines(log) {
		f := strings.Fields(line) // $msec "METHOD PATH PROTOCOL" $status $bytes_sent … … $request_time
		at, err := strconv.ParseFloat(f[0], 64)
		if err != nil {
			continue // it fits no format
		}
		m := all[int64(at)/60*60]
		if m == nil {
			m = &minute{statuses: map[string]int64{}, paths: map[string]int64{}}
			all[int64(at)/60*60] = m
		}
		size, err := strconv.ParseInt(f[5], 10, 64)
		seconds, err2 := strconv.ParseFloat(f[8], 64)
		if err != nil || err2 != nil {
			t.Fatalf("line %q: %v, %v", line, err, err2)
		}
		m.requests++
		m.bytes += size
		m.statuses[f[4]]++
		m.paths[f[2]]++
		if f[4][0] == '5' {
			m.errors++
		}
		if f[4] != "101" {
			m.times = append(m.times, seconds)
		}
	}
	for _, m := range all {
		slices.Sort(m.times)
	}
	return all
}

// The expressions of docs/scaling.md, for VictoriaMetrics and the rollups that are on by default,
// give what the log says: all but percentiles exactly, and these within their bucket.
func TestVictoriaQueries(t *testing.T) {
	t.Parallel()
	v := influxdtest.NewVictoria(t, "-dedup.minScrapeInterval=1ms", "-retentionPeriod=100y")
	b := victoriaBench(t, v)
	g := newTraffic()
	g.step, g.pages = 20*time.Millisecond, 400
	text := g.text(30_000)
	log := b.write("access.log", text)
	b.once("--path", log, "--name", "web", "--format", trafficFormat, "--start", "beginning", "--raw=false", "--rollups=default", "--influxdb-store-lag=1s")
	want := minutes(t, text)

	about := func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Abs(b) }
	checks := []func(m *minute, s influxdtest.Sample) (want float64, ok bool){
		func(m *minute, s influxdtest.Sample) (float64, bool) {
			want := float64(m.statuses[s.Labels["status"]]) / 60
			return want, about(s.Value, want)
		},
		func(m *minute, s influxdtest.Sample) (float64, bool) {
			want := float64(m.bytes) / 60
			return want, about(s.Value, want)
		},
		func(m *minute, s influxdtest.Sample) (float64, bool) {
			want := float64(m.errors) / float64(m.requests)
			return want, about(s.Value, want)
		},
		func(m *minute, s influxdtest.Sample) (float64, bool) {
			sum := 0.0
			for _, seconds := range m.times {
				sum += seconds
			}
			want := sum / float64(len(m.times))
			return want, about(s.Value, want)
		},
		func(m *minute, s influxdtest.Sample) (float64, bool) {
			want := m.times[len(m.times)-1]
			return want, about(s.Value, want)
		},
		func(m *minute, s influxdtest.Sample) (float64, bool) {
			want := float64(m.paths[s.Labels["path"]])
			return want, about(s.Value, want)
		},
		func(m *minute, s influxdtest.Sample) (float64, bool) {
			want := m.times[int(math.Ceil(0.95*float64(len(m.times))))-1]
			return want, s.Value > want/1.2 && s.Value < want*1.2
		},
	}
	blocks := strings.Split(read(t, "../../docs/scaling.md"), "```promql\n")[1:]
	if len(blocks) != len(checks) {
		t.Fatalf("%d expressions are documented, and %d are checked", len(blocks), len(checks))
	}
	from := time.Date(2026, 11, 20, 9, 50, 0, 0, time.UTC)
	for i, block := range blocks {
		expression, _, _ := strings.Cut(block, "```")
		samples, err := v.Range(t.Context(), from, g.at.Add(time.Hour), time.Minute, expression)
		if err != nil {
			t.Fatal(err)
		}
		rows := map[int64]int{}
		for _, s := range samples {
			begin := s.At.Add(-time.Minute).Unix()
			if rows[begin]++; want[begin] == nil {
				t.Errorf("%s%s: %v, want nothing", expression, s.At, s.Value)
				continue
			}
			if want, ok := checks[i](want[begin], s); !ok {
				t.Errorf("%s%s %v: %v, want %v", expression, s.At, s.Labels, s.Value, want)
			}
		}
		if len(rows) != len(want) {
			t.Errorf("%s: rows at %d times, want %d", expression, len(rows), len(want))
		}
		t.Log(fmt.Sprintf("%.60q", expression), len(samples), "values")
	}
}
