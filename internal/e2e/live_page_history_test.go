//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

const historyThere = "document.querySelector('#history [data-figure=history_total_requests]')?.dataset.value > 0 && !document.querySelector('#history-shown.old') && document.querySelector('[data-chart=history-bytes] canvas')"

// History shows what InfluxDB and an independent count have of its time; a click filters all
// of it, and its address shows the same to somebody else.
func testPageHistory(t *testing.T, w *watched) {
	to := time.Now().Add(-2 * time.Minute).Truncate(time.Minute).UTC()
	from := to.Add(-5 * time.Minute)
	at := fmt.Sprintf("#history?from=%s&to=%s", from.Format(time.RFC3339), to.Format(time.RFC3339))
	want := countLog(t, w.path("access.log"))
	for _, rollup := range []string{"nginx_site", "nginx_paths"} {
		whole := want.between(from, to, "")
		for end := time.Now().Add(arrival); ; time.Sleep(100 * time.Millisecond) {
			n := w.requestsOf(rollup, whole.where)
			if n == whole.requests {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s has %d requests, the log %d", rollup, n, whole.requests)
			}
		}
	}
	p := w.see(t, desk, at)
	p.until(historyThere)
	if !eval[bool](p, `(() => {
		const chart = document.querySelector('[data-chart=history-requests] canvas');
		const high = 14 * devicePixelRatio;
		return chart.getContext('2d').getImageData(0, chart.height - high, chart.width, high).data.some((n) => n > 0);
	})()`) {
		t.Error("nothing is written below the chart: no time")
	}
	figures := wantHistory(t, w, p, want.between(from, to, ""))

	// The path with most requests, of those that are not folded.
	paths := want.between(from, to, "").paths
	path := slices.MaxFunc(slices.Collect(maps.Keys(paths)), func(a, b string) int { return int(paths[a] - paths[b]) })
	p.run(`document.querySelector('[data-table=history-paths] tr[data-name="%s"] a').click()`, path)
	p.until("new URLSearchParams(location.hash.split('?')[1]).get('path') === '%s' && document.querySelector('[data-filter=path]')", path)
	p.until(historyThere+" && document.querySelectorAll('[data-table=history-paths] tbody tr').length === 1 && document.querySelector('#history [data-figure=history_total_requests]').dataset.value != %v", figures["history_total_requests"])
	figures = wantHistory(t, w, p, want.between(from, to, path))

	shared := w.browser.open(t, desk)
	shared.load(eval[string](p, "location.href"))
	shared.until(historyThere)
	for name, n := range wantHistory(t, w, shared, want.between(from, to, path)) {
		if n != figures[name] {
			t.Errorf("a shared link has %s %v, want %v", name, n, figures[name])
		}
	}

	p.run("document.querySelector('[data-filter=path]').click()")
	p.until("!document.querySelector('[data-filter=path]') && document.querySelectorAll('[data-table=history-paths] tbody tr').length > 1")
	p.until(historyThere)
	wantHistory(t, w, p, want.between(from, to, ""))
}

// wantHistory compares what is shown of a time, and returns it.
func wantHistory(t *testing.T, w *watched, p *tab, want counted) map[string]float64 {
	t.Helper()
	got := eval[map[string]float64](p, "Object.fromEntries([...document.querySelectorAll('#history [data-figure]')].map((n) => [n.dataset.figure, Number(n.dataset.value || -1)]))")
	for name, n := range map[string]int64{"requests": want.requests, "client_errors": want.refused, "server_errors": want.failed, "bytes": want.bytes} {
		if got["history_total_"+name] != float64(n) {
			t.Errorf("History has %s %v, the log %d", name, got["history_total_"+name], n)
		}
	}
	if points := w.points(want.where); points != want.requests || points == 0 {
		t.Errorf("InfluxDB has %d points where %s, the log %d", points, want.where, want.requests)
	}
	return got
}

// requestsOf adds up what a rollup has.
func (w *watched) requestsOf(rollup, where string) (sum int64) {
	w.t.Helper()
	series, err := w.db.Query(w.t.Context(), database, fmt.Sprintf("SELECT sum(requests) FROM %s WHERE %s", rollup, where))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, s := range series {
		for _, row := range s.Values {
			n, err := row[1].(json.Number).Int64()
			if err != nil {
				w.t.Fatal(err)
			}
			sum += n
		}
	}
	return sum
}

// between are the requests of a time, and of a path unless it is "".
func (c counted) between(from, to time.Time, path string) counted {
	of := counted{paths: map[string]int64{}, where: fmt.Sprintf("time >= '%s' AND time < '%s'", from.Format(time.RFC3339), to.Format(time.RFC3339))}
	if path != "" {
		of.where += fmt.Sprintf(" AND path = '%s'", path)
	}
	for _, r := range c.all {
		if r.at.Before(from) || !r.at.Before(to) || path != "" && r.path != path {
			continue
		}
		of.requests++
		of.bytes += r.bytes
		of.paths[r.path]++
		switch r.status / 100 {
		case 4:
			of.refused++
		case 5:
			of.failed++
		}
	}
	return of
}
