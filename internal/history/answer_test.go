package history_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/history"
	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/live"
)

// Every column, total and table is that of the lines themselves, whatever they are filtered
// by, also for the time before.
func TestWhatIsShownIsOfTheLines(t *testing.T) {
	b := newBed(t, influxdtest.New(t, influxdtest.Options{}), "h")
	lines := random(3_000, now.Add(-3*time.Hour), now.Add(30*time.Second))
	lines = append(lines, random(1_000, now.Add(-50*time.Hour), now.Add(-3*time.Hour))...)
	b.add(lines)
	slices.SortFunc(lines, func(a, b line) int { return a.at.Compare(b.at) })
	times := []string{"range=1h", "range=6h", "range=24h", "range=7d", "range=1y", "from=2026-11-24T08:01:07&to=2026-11-24T09:30:41", "from=2026-11-23"}
	filters := []string{
		"", parameters("class", "5xx"), parameters("class", "4xx", "host", "it's"), parameters("source", `a "b`), parameters("host", "nobody"),
		parameters("host", "web1", "source", "shop", "class", "2xx"), parameters("path", "/nowhere"),
	}
	for i, path := range odd {
		filters = append(filters, parameters("path", path))
		if i%4 == 0 {
			filters = append(filters, parameters("path", path, "class", "2xx"))
		}
	}
	for i, filter := range filters {
		for j, of := range times {
			if i > 0 && i%len(times) != j {
				continue // one of each is enough
			}
			query := of + "&" + filter
			if filter == "" {
				query = of
			}
			for _, wrong := range differences(b.ask(query), lines) {
				t.Errorf("GET /history?%s: %s", query, wrong)
			}
		}
	}
}

// What was sent is shown of a log, whatever it calls that.
func TestBytesOfLogs(t *testing.T) {
	db := influxdtest.New(t, influxdtest.Options{})
	for name, sizes := range map[string]string{
		"body":   ",body_bytes_sent=%[1]di",
		"both":   ",bytes_sent=%[1]di,body_bytes_sent=%[2]di",
		"unsent": ",bytes_sent=0i,body_bytes_sent=%[1]di",
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t, db, name)
			b.sizes = sizes
			lines := random(300, now.Add(-50*time.Minute), now.Add(-time.Minute))
			b.add(lines)
			slices.SortFunc(lines, func(a, b line) int { return a.at.Compare(b.at) })
			for _, wrong := range differences(b.ask("range=1h"), lines) {
				t.Error(wrong)
			}
		})
	}
}

// Where logs of both kinds are in one figure, it is the sum of what each has sent, and that
// of the rows of a table.
func TestBytesOfMixedLogsAddUp(t *testing.T) {
	b := newBed(t, influxdtest.New(t, influxdtest.Options{}), "h")
	lines := random(400, now.Add(-100*time.Minute), now.Add(-time.Minute))
	for i := range lines {
		lines[i].path = []string{"/", "/a"}[i%2]
	}
	byHost := map[string][]line{}
	for _, l := range lines {
		byHost[l.host] = append(byHost[l.host], l)
	}
	for host, sizes := range map[string]string{"web1": ",bytes_sent=%[1]di", "web2": ",body_bytes_sent=%[1]di", "it's": ",bytes_sent=%[1]di,body_bytes_sent=%[2]di"} {
		b.sizes = sizes
		b.add(byHost[host])
	}
	slices.SortFunc(lines, func(a, b line) int { return a.at.Compare(b.at) })
	for _, query := range []string{"range=1h", "range=6h", "range=1h&class=2xx", "range=1h&path=/a", "range=1h&host=web2"} {
		for _, wrong := range differences(b.ask(query), lines) {
			t.Errorf("GET /history?%s: %s", query, wrong)
		}
	}
}

// A log may have another format from some time on: the bytes of hosts and sources still add
// up to the total.
func TestBytesAddUpWhenAFormatChanges(t *testing.T) {
	b := newBed(t, influxdtest.New(t, influxdtest.Options{}), "h")
	lines := random(200, now.Add(-50*time.Minute), now.Add(-time.Minute))
	for i, sizes := range []string{",bytes_sent=%[1]di", ",body_bytes_sent=%[1]di"} {
		b.sizes = sizes
		b.add(slices.DeleteFunc(slices.Clone(lines), func(l line) bool { return l.at.Before(now.Add(-25*time.Minute)) != (i == 0) }))
	}
	a := b.ask("range=1h")
	for _, table := range []string{"hosts", "sources"} {
		sum := int64(0)
		for _, row := range a.Tables[table] {
			sum += row.Bytes
		}
		if sum != a.Total.Bytes || sum == 0 {
			t.Errorf("%s have %d bytes together, the total has %d", table, sum, a.Total.Bytes)
		}
	}
}

// long are the ranges that are asked for: the time before is of as much earlier.
var long = map[string]time.Duration{"1h": time.Hour, "6h": 6 * time.Hour, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour, "30d": 30 * 24 * time.Hour, "90d": 90 * 24 * time.Hour, "1y": 365 * 24 * time.Hour}

// differences says what of an answer is not as lines have it.
func differences(a *history.Answer, all []line) (wrong []string) {
	var kept []line
	for _, l := range all {
		tags := map[string]string{"class": l.status[:1] + "xx", "path": l.path, "host": l.host, "source": l.source}
		fits := true
		for name, want := range a.Filters {
			fits = fits && tags[name] == want
		}
		if fits {
			kept = append(kept, l)
		}
	}
	within := func(from, to time.Time) (some []line) {
		for _, l := range kept {
			if !l.at.Before(from) && l.at.Before(to) {
				some = append(some, l)
			}
		}
		return some
	}
	_, hasPath := a.Filters["path"]
	if len(a.Missing) != 1 && !hasPath || a.Missing["observed"] == "" {
		wrong = append(wrong, fmt.Sprintf("missing %q", a.Missing))
	}
	now := within(a.From, a.To)
	wrong = append(wrong, course(&a.Series, &a.Total, now)...)
	wrong = append(wrong, course(&a.Previous.Series, &a.Previous.Total, within(a.Previous.From, a.Previous.To))...)
	if shift := a.From.Sub(a.Previous.From); shift != a.To.Sub(a.Previous.To) || a.Previous.To.After(a.From) || a.Range != "" && shift != long[a.Range] {
		wrong = append(wrong, fmt.Sprintf("the time before is from %s to %s", a.Previous.From, a.Previous.To))
	}
	for name, of := range map[string]func(line) string{
		"paths":    func(l line) string { return l.path },
		"hosts":    func(l line) string { return l.host },
		"sources":  func(l line) string { return l.source },
		"statuses": func(l line) string { return l.status },
	} {
		if a.Missing[name] == "" {
			wrong = append(wrong, table(name, a.Tables[name], now, of, a.To.Sub(a.From) > 26*time.Hour && !hasPath)...)
		}
	}
	return wrong
}

// before is how many lines, which are sorted, are before a time.
func before(unix int64, lines []line) int {
	return sort.Search(len(lines), func(i int) bool { return lines[i].at.Unix() >= unix })
}

// course compares columns and their total.
func course(s *history.Series, total *live.Total, lines []line) (wrong []string) {
	type bucket struct {
		requests, bytes int64
		classes         map[string]int64
		times           []int64
	}
	of := func(lines []line) bucket {
		b := bucket{classes: map[string]int64{}}
		for _, l := range lines {
			b.requests++
			b.bytes += l.bytes
			class := l.status[:1] + "xx"
			if class == "0xx" {
				class = "other"
			}
			b.classes[class]++
			if l.ms >= 0 {
				b.times = append(b.times, l.ms)
			}
		}
		return b
	}
	differ := func(what string, got live.Number, want float64) {
		if g := float64(got); math.Abs(g-want) > 1e-9*math.Abs(want) || math.IsNaN(g) != math.IsNaN(want) {
			wrong = append(wrong, fmt.Sprintf("%s = %v, want %v", what, got, want))
		}
	}
	for i, begin := range s.Time {
		end := begin + s.Seconds[i]
		if i+1 < len(s.Time) && (end != s.Time[i+1] || s.Seconds[i] != s.Step) {
			wrong = append(wrong, fmt.Sprintf("the bucket at %d has %d s", begin, s.Seconds[i]))
		}
		want, at := of(lines[before(begin, lines):before(end, lines)]), fmt.Sprintf(" at %s", time.Unix(begin, 0).UTC().Format(time.RFC3339))
		requests, bytes, share := float64(want.requests), float64(want.bytes), float64(want.classes["5xx"])/float64(want.requests)
		if want.requests == 0 {
			requests, bytes = math.NaN(), math.NaN()
		}
		differ("requests"+at, s.Requests[i], requests)
		differ("bytes"+at, s.Bytes[i], bytes)
		differ("error share"+at, s.Errors[i], share)
		for _, class := range []string{"1xx", "2xx", "3xx", "4xx", "5xx", "other"} {
			differ(class+at, live.Number(s.Classes[class][i]), float64(want.classes[class]))
		}
		for quantile, got := range map[float64]live.Number{0.5: s.P50[i], 0.95: s.P95[i], 0.99: s.P99[i]} {
			if !isBucket(got, want.times, quantile) {
				wrong = append(wrong, fmt.Sprintf("quantile %g%s of %d times = %v", quantile, at, len(want.times), got))
			}
		}
	}
	want := of(lines)
	differ("all requests", live.Number(total.Requests), float64(want.requests))
	differ("all bytes", live.Number(total.Bytes), float64(want.bytes))
	differ("all errors", live.Number(total.ServerErrors), float64(want.classes["5xx"]))
	differ("all errors of clients", live.Number(total.ClientErrors), float64(want.classes["4xx"]))
	for quantile, got := range map[float64]live.Number{0.5: total.P50, 0.95: total.P95, 0.99: total.P99} {
		if !isBucket(got, want.times, quantile) {
			wrong = append(wrong, fmt.Sprintf("quantile %g of all %d times = %v", quantile, len(want.times), got))
		}
	}
	return wrong
}

// table compares one.
func table(name string, got []history.Row, lines []line, of func(line) string, long bool) (wrong []string) {
	rows := map[string]*history.Row{}
	times := map[string][]int64{}
	for _, l := range lines {
		is := of(l)
		if rows[is] == nil {
			rows[is] = &history.Row{Name: is}
		}
		r := rows[is]
		r.Requests++
		r.Bytes += l.bytes
		switch l.status[0] {
		case '4':
			r.ClientErrors++
		case '5':
			r.ServerErrors++
		}
		if l.ms >= 0 {
			times[is] = append(times[is], l.ms)
		}
	}
	var want []*history.Row
	for _, r := range rows {
		want = append(want, r)
	}
	slices.SortFunc(want, func(a, b *history.Row) int {
		return cmp.Or(cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Name, b.Name))
	})
	want = want[:min(20, len(want))]
	if len(got) != len(want) {
		return []string{fmt.Sprintf("%s has %d rows, want %d: %+v", name, len(got), len(want), got)}
	}
	for i, g := range got {
		w := *want[i]
		if g.Name != w.Name || g.Requests != w.Requests || g.Bytes != w.Bytes && name != "statuses" || g.ClientErrors != w.ClientErrors || g.ServerErrors != w.ServerErrors {
			wrong = append(wrong, fmt.Sprintf("%s: row %d is %+v, want %+v", name, i, g, w))
		}
		if name == "statuses" {
			continue
		}
		sum := 0.0
		for _, ms := range times[g.Name] {
			sum += float64(ms) / 1000
		}
		mean := sum / float64(w.Requests)
		if len(times[g.Name]) == 0 {
			mean = math.NaN()
		}
		if name == "paths" && long != math.IsNaN(float64(g.P95)) || !isBucket(g.P95, times[g.Name], 0.95) && !long || math.Abs(float64(g.Mean)-mean) > 1e-9*mean || math.IsNaN(mean) != math.IsNaN(float64(g.Mean)) {
			wrong = append(wrong, fmt.Sprintf("%s: %q has p95 %v and mean %v of %d times, whose mean is %v", name, g.Name, g.P95, g.Mean, len(times[g.Name]), mean))
		}
	}
	return wrong
}
