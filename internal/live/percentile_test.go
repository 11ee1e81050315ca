package live_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/live"
	"github.com/tailflux/tailflux/internal/query"
	"github.com/tailflux/tailflux/internal/rollup"
)

// times are of any kind, in milliseconds.
var times = []func(r *rand.Rand) int64{
	func(*rand.Rand) int64 { return 250 },
	func(*rand.Rand) int64 { return 0 },
	func(r *rand.Rand) int64 { return r.Int64N(2) },
	func(r *rand.Rand) int64 { return []int64{3, 30_000}[r.IntN(2)] },
	func(r *rand.Rand) int64 { return int64(2 / math.Pow(1-r.Float64(), 1.5)) },
	func(r *rand.Rand) int64 { return int64(70 * math.Exp(r.NormFloat64())) },
	func(r *rand.Rand) int64 { return r.Int64N(20) },
	func(r *rand.Rand) int64 { return 70_000 + r.Int64N(1_000_000) },
	func(r *rand.Rand) int64 { return rollup.Upper(r.IntN(rollup.Buckets-1))/1000 + r.Int64N(3) - 1 },
}

// percentilesOf are those of a board.
func percentilesOf(t *testing.T, ms []int64) (all [3]live.Number) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeeder(t, live.Config{})
		for _, n := range ms {
			l := at(time.Now())
			l.time = fmt.Sprintf("%d.%03d", n/1000, n%1000)
			f.add(t, l)
		}
		f.Publish(time.Now())
		s := f.Snapshot()
		all = [3]live.Number{s.Total.P50, s.Total.P95, s.Total.P99}
		for i, requests := range s.Slots.Requests {
			if requests > 0 && all != [3]live.Number{s.Slots.P50[i], s.Slots.P95[i], s.Slots.P99[i]} {
				t.Errorf("the slot has other percentiles than the total, of the same requests")
			}
		}
		if len(ms) > 0 && s.Top.Paths[0].P95 != all[1] {
			t.Errorf("the path has p95 %v, the total of the same requests %v", s.Top.Paths[0].P95, all[1])
		}
	})
	return all
}

// The page and InfluxDB must not contradict each other: of the same times, the percentiles are
// those that tailflux query and Grafana get from InfluxDB.
func TestPercentilesAreThoseOfQueries(t *testing.T) {
	server := influxdtest.New(t, influxdtest.Options{})
	r := rand.New(rand.NewPCG(18, 1))
	want := map[string][3]live.Number{}
	var points strings.Builder
	for kind, draw := range times {
		for _, n := range []int{1, 2, 7, 100, 1500} {
			name := fmt.Sprintf("%d-%d", kind, n)
			var buckets [rollup.Buckets]int
			var ms []int64
			sum, greatest := int64(0), int64(0)
			for range n {
				one := draw(r)
				ms = append(ms, one)
				buckets[rollup.Bucket(one)]++
				sum, greatest = sum+one, max(greatest, one)
			}
			want[name] = percentilesOf(t, ms)
			fmt.Fprintf(&points, "times,case=%s request_time_ms=%di,request_time_ms_max=%di", name, sum, greatest)
			for bucket, n := range buckets {
				fmt.Fprintf(&points, ",%s=%di", rollup.BucketField("request_time", bucket), n)
			}
			points.WriteString(" 1000000000000000000\n")
		}
	}
	if _, err := server.Query(t.Context(), "", `CREATE DATABASE "live"`); err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL()+"/write?db=live", strings.NewReader(points.String()))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		t.Fatalf("writing the buckets: %s", answer.Status)
	}

	var measures []query.Measure
	for _, name := range []string{"p50", "p95", "p99"} {
		m, err := query.ParseMeasure(name)
		if err != nil {
			t.Fatal(err)
		}
		measures = append(measures, m)
	}
	const when = `time >= 1000000000000000000 AND time < 1000000001000000000`
	statement := query.OfBuckets("request_time", measures, func(sums string) string {
		return `(SELECT ` + sums + ` FROM times WHERE ` + when + ` GROUP BY "case")`
	}, ` GROUP BY "case"`, when+` GROUP BY "case"`)
	series, err := server.Query(t.Context(), "live", statement)
	if err != nil {
		t.Fatal(err)
	}
	if len(series) != len(want) {
		t.Fatalf("%d series, want %d", len(series), len(want))
	}
	for _, s := range series {
		name := s.Tags["case"]
		for i, is := range want[name] {
			if got := fmt.Sprint(s.Values[0][i+1]); got != fmt.Sprint(float64(is)) {
				t.Errorf("case %s: percentile %d is %v, and %s in InfluxDB", name, i, float64(is), got)
			}
		}
	}
}

// Without times there are no percentiles.
func TestNoTimesNoPercentiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeeder(t, live.Config{})
		f.add(t, at(time.Now()))
		f.Publish(time.Now())
		s := f.Snapshot()
		if s.Total.Requests != 1 || !math.IsNaN(float64(s.Total.P95)) || !math.IsNaN(float64(s.Top.Paths[0].P95)) || !math.IsNaN(float64(s.Top.Paths[0].Mean)) {
			t.Errorf("of a request without a time: %+v, %+v", s.Total, s.Top.Paths[0])
		}
	})
}
