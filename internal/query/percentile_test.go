package query_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/query"
	"github.com/tailflux/tailflux/internal/rollup"
	"github.com/tailflux/tailflux/mock/traffic"
)

// askable are all measures.
var askable = []string{
	"requests", "rate", "errors", "bytes_sent", "sum", "max", "mean", "p1", "p50", "p90", "p95", "p99", "p99.99",
	"upstream_sum", "upstream_max", "upstream_mean", "upstream_p50", "upstream_p95",
}

// nearest is the smallest value that at least so many of the values, which are sorted, are
// not above.
func nearest(values []int64, quantile float64) int64 {
	return values[max(0, int(math.Ceil(quantile*float64(len(values))))-1)]
}

// exact says whether a row has what the lines themselves say: numbers and the mean exactly,
// percentiles to the bucket.
func exact(r query.Row, asked []string, lines []line) (wrong []string) {
	seconds := r.To.Sub(r.From).Seconds()
	errors, bytes := 0.0, 0.0
	for _, l := range lines {
		if l.status[0] == '5' {
			errors++
		}
		bytes += float64(l.bytes)
	}
	n := float64(len(lines))
	want := map[string]float64{"requests": n, "rate": n / seconds, "errors": errors / n, "bytes_sent": bytes}
	for i, prefix := range []string{"", "upstream_"} {
		var times []int64
		sum := 0.0
		for _, l := range lines {
			if ms := l.lineTime(i); ms >= 0 {
				times = append(times, ms)
				sum += float64(ms)
			}
		}
		if len(times) == 0 {
			continue
		}
		slices.Sort(times)
		want[prefix+"max"] = float64(times[len(times)-1]) / 1000
		want[prefix+"sum"] = sum / 1000
		want[prefix+"mean"] = sum / float64(len(times)) / 1000
		for _, name := range askable {
			var p float64
			if _, err := fmt.Sscanf(strings.TrimPrefix(name, prefix), "p%g", &p); err == nil && strings.HasPrefix(name, prefix+"p") {
				want[name] = float64(nearest(times, p/100)) / 1000
			}
		}
	}
	for i, name := range asked {
		value, there := want[name]
		switch got := r.Values[i]; {
		case (got != nil) != there:
			wrong = append(wrong, fmt.Sprintf("%s is there: %t, want %t", name, got != nil, there))
		case got == nil:
		case strings.Contains(strings.TrimPrefix(name, "upstream_"), "p"):
			if as, is := rollup.Bucket(int64(math.Round(*got*1000))), rollup.Bucket(int64(math.Round(value*1000))); as != is || *got > want[prefixOf(name)+"max"] {
				wrong = append(wrong, fmt.Sprintf("%s = %g, want the bucket of %g and at most %g", name, *got, value, want[prefixOf(name)+"max"]))
			}
		case math.Abs(*got-value) > 1e-9*math.Abs(value):
			wrong = append(wrong, fmt.Sprintf("%s = %g, want %g", name, *got, value))
		}
	}
	return wrong
}

func prefixOf(name string) string {
	if strings.HasPrefix(name, "upstream_") {
		return "upstream_"
	}
	return ""
}

// observed says whether a measure has a row of lines: those of times want one that has it.
func observed(name string, lines []line) bool {
	if strings.Contains(name, "max") || strings.Contains(name, "sum") || !strings.Contains(name, "p") && name != "mean" || name == "requests" {
		return true
	}
	return slices.ContainsFunc(lines, func(l line) bool { return l.lineTime(len(prefixOf(name))/len("upstream_")) >= 0 })
}

// kinds are times of any kind, in milliseconds.
var kinds = map[string]func(r *rand.Rand) int64{
	"constant":     func(*rand.Rand) int64 { return 250 },
	"zero":         func(*rand.Rand) int64 { return 0 },
	"0 or 1":       func(r *rand.Rand) int64 { return r.Int64N(2) },
	"two far away": func(r *rand.Rand) int64 { return []int64{3, 30_000}[r.IntN(2)] },
	"heavy tail":   func(r *rand.Rand) int64 { return int64(2 / math.Pow(1-r.Float64(), 1.5)) },
	"log-normal":   func(r *rand.Rand) int64 { return int64(70 * math.Exp(r.NormFloat64())) },
	"few whole ms": func(r *rand.Rand) int64 { return r.Int64N(20) },
	"all too long": func(r *rand.Rand) int64 { return 70_000 + r.Int64N(1_000_000) },
	"some is none": func(r *rand.Rand) int64 { return max(-1, r.Int64N(200)-100) },
	"on the bounds": func(r *rand.Rand) int64 {
		return rollup.Upper(r.IntN(rollup.Buckets-1))/1000 + r.Int64N(3) - 1
	},
}

// monday begins a shard group of influxd.
var monday = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

// random lines, of half an hour around the beginning of a shard group.
func random(r *rand.Rand, n int, ms func(*rand.Rand) int64) (lines []line) {
	for range n {
		l := line{
			at:   monday.Unix() - 900 + r.Int64N(1800),
			host: fmt.Sprintf("web%d", 1+r.IntN(2)), path: []string{"/", "/a", "/b", ""}[r.IntN(4)],
			status: []string{"200", "200", "200", "404", "500", "502"}[r.IntN(6)], bytes: r.Int64N(100_000),
			time: max(-1, ms(r)), upstream: -1,
		}
		if r.IntN(3) == 0 {
			l.upstream = max(-1, ms(r))
		}
		lines = append(lines, l)
	}
	return lines
}

// Whatever the times are, and of whatever hosts, paths, statuses and windows: what can be
// exact is, a percentile is of the right bucket, and there is a row exactly where
// there are lines.
func TestAnswersAreThoseOfTheLines(t *testing.T) {
	server := influxdtest.New(t, influxdtest.Options{})
	for kind, ms := range kinds {
		for _, n := range []int{1, 300} {
			t.Run(fmt.Sprintf("%s %d", kind, n), func(t *testing.T) {
				r := rand.New(rand.NewPCG(uint64(len(kind)), uint64(n)))
				lines := random(r, n, ms)
				s := newStore(t, server, fmt.Sprintf("%s_%d", strings.ReplaceAll(kind, " ", "_"), n))
				s.add(deltas(definition, lines, r))
				for range 3 {
					askAtRandom(t, s, r, lines)
				}
			})
		}
	}
}

func askAtRandom(t *testing.T, s *store, r *rand.Rand, lines []line) {
	t.Helper()
	some := func(all ...string) string { return all[r.IntN(len(all))] }
	var asked []string
	for range 5 {
		if name := some(askable...); !slices.Contains(asked, name) {
			asked = append(asked, name)
		}
	}
	q := query.Question{
		Measures: measures(t, asked...), Now: monday.Add(24 * time.Hour),
		From: monday.Add(-15 * time.Minute), To: monday.Add(15 * time.Minute),
		Every: []time.Duration{0, 0, 10 * time.Second, 5 * time.Minute, 7 * time.Minute, time.Hour, 24 * time.Hour, 7 * 24 * time.Hour}[r.IntN(8)],
	}
	if r.IntN(3) == 0 {
		q.From, q.To = q.From.Add(time.Duration(r.Int64N(800))*time.Second), q.To.Add(-time.Duration(r.Int64N(800))*time.Second)
	}
	for _, tag := range []string{"host", "path", "status"} {
		if r.IntN(3) == 0 {
			q.By = append(q.By, tag)
		}
	}
	var where []string
	if r.IntN(2) == 0 {
		where = append(where, some("host=web1", "host!=web1", "path=/a", "path=", "path!=", "path=~^/[ab]$", "status=500", "status_class=5xx",
			"status_class!=2xx", "status!~^5", "source=web", "path=/none"))
		q.Where = conditions(t, where...)
	}
	plan, rows := s.ask(q, definition)
	q.Sums = true
	if _, here := s.ask(q, definition); texts(here) != texts(rows) {
		t.Errorf("every %s by %v where %v: %v: worked out here %s, by InfluxDB %s", q.Every, q.By, where, asked, texts(here), texts(rows))
	}

	if q.Every > 0 && plan.From.Unix()%int64(q.Every/time.Second) != 0 {
		t.Errorf("every %s from %s: the first row begins within one", q.Every, plan.From)
	}
	groups := map[string][]line{}
	for _, l := range lines {
		if l.at < plan.From.Unix() || l.at >= plan.To.Unix() || len(where) > 0 && !holds(where[0], l) {
			continue
		}
		from := plan.From
		if q.Every > 0 {
			from = time.Unix(l.at-l.at%int64(q.Every/time.Second), 0)
		}
		tags := make([]string, len(q.By))
		for i, tag := range q.By {
			tags[i] = l.tag(tag)
		}
		key := fmt.Sprintf("%d %q", from.Unix(), tags)
		groups[key] = append(groups[key], l)
	}
	for _, row := range rows {
		key := fmt.Sprintf("%d %q", row.From.Unix(), row.Tags)
		if wrong := exact(row, asked, groups[key]); len(groups[key]) == 0 || len(wrong) > 0 {
			t.Errorf("every %s by %v where %v from %s to %s: row %s of %d lines: %s", q.Every, q.By, where, plan.From, plan.To, text(row), len(groups[key]), strings.Join(wrong, "; "))
		}
		delete(groups, key)
	}
	for key, lines := range groups {
		if seen := slices.ContainsFunc(asked, func(name string) bool { return observed(name, lines) }); !seen {
			continue
		}
		t.Errorf("every %s by %v where %v: no row %s of %d lines", q.Every, q.By, where, key, len(lines))
	}
}

// holds says of a line what a condition says.
func holds(condition string, l line) bool {
	at := strings.IndexAny(condition, "=!")
	tag, op := condition[:at], condition[at:]
	switch {
	case op == "=~^/[ab]$":
		return l.path == "/a" || l.path == "/b"
	case op == "!~^5":
		return l.status[0] != '5'
	case strings.HasPrefix(op, "!="):
		return l.tag(tag) != op[2:]
	}
	return l.tag(tag) == op[1:]
}

// Percentiles of the generator's traffic, of which the times are log-normal, are right to
// 3 %, or to the millisecond that nginx logs.
func TestPercentilesOfTheGenerator(t *testing.T) {
	s := newStore(t, influxdtest.New(t, influxdtest.Options{}), "mock")
	site, err := traffic.New(traffic.Options{Seed: 7, OutageRequests: -1})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	var lines []line
	for i := range 100_000 {
		request := site.Next()
		l := line{
			at: monday.Unix() - 7200 + int64(i)/10, host: fmt.Sprintf("web%d", i%3), path: string(request.Path()), status: fmt.Sprint(request.Status),
			time: request.RequestTime, upstream: -1, bytes: request.BytesSent,
		}
		if i := strings.IndexAny(l.path, "0123456789"); i > 0 {
			l.path = l.path[:i] + ":id"
		}
		if tries := request.Tries(); len(tries) > 0 {
			l.upstream = 0
			for _, try := range tries {
				l.upstream += max(0, try.Response)
			}
		}
		lines = append(lines, l)
	}
	coarse := definition
	coarse.Interval = 5 * time.Minute
	s.add(deltas(coarse, lines, r))
	names := []string{"p50", "p95", "p99", "upstream_p50", "upstream_p95", "upstream_p99"}
	worst, judged := 0.0, 0
	for _, by := range [][]string{nil, {"host", "status"}, {"path"}} {
		q := query.Question{Measures: measures(t, names...), From: monday.Add(-2 * time.Hour), To: monday.Add(2 * time.Hour), Now: monday.Add(24 * time.Hour), By: by}
		_, rows := s.ask(q, coarse)
		times := map[string][2][]int64{}
		for _, l := range lines {
			tags := make([]string, len(by))
			for i, tag := range by {
				tags[i] = l.tag(tag)
			}
			both := times[fmt.Sprint(tags)]
			for i := range accesslog.Times {
				if ms := l.lineTime(i); ms >= 0 {
					both[i] = append(both[i], ms)
				}
			}
			times[fmt.Sprint(tags)] = both
		}
		for _, both := range times {
			slices.Sort(both[0])
			slices.Sort(both[1])
		}
		for _, row := range rows {
			for i, name := range names {
				of := times[fmt.Sprint(row.Tags)][i/3]
				quantile := []float64{0.5, 0.95, 0.99}[i%3]
				// Few values are not spread as they would be if they were many.
				if beyond := (1 - quantile) * float64(len(of)); row.Values[i] == nil || beyond < 1000 {
					continue
				}
				want := float64(nearest(of, quantile)) / 1000
				off := math.Abs(*row.Values[i] - want)
				judged++
				if off > 0.0011 {
					worst = max(worst, off/want)
				}
				if off > 0.03*want && off > 0.0011 {
					t.Errorf("%v %q: %s = %.4f, want %.4f (%d values)", by, row.Tags, name, *row.Values[i], want, len(of))
				}
			}
		}
	}
	t.Logf("%d percentiles, at most %.1f %% away", judged, 100*worst)
}
