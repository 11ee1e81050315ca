//go:build e2e

package e2e

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
	"github.com/tailflux/tailflux/mock/feed"
)

// watched is a site with a tailflux, and a browser that looks at its page.
type watched struct {
	*bench
	site    *bench // beyond a single test
	nginx   *nginx
	daemon  *tailfluxtest.Daemon
	browser *browser
}

// TestLivePage looks at the live page as a browser does. Its tests share a site, an influxd
// and a Chromium, and leave them as they were.
func TestLivePage(t *testing.T) {
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	w := &watched{bench: b, site: b, browser: startBrowser(t)}
	w.past()
	w.nginx = startTimed(b)
	w.start()
	type test struct {
		name string
		test func(*testing.T, *watched)
	}
	tests := []test{
		{"figures", testPageFigures},
		{"weight", testPageWeight},
		{"dark", testPageDark},
		{"phone", testPagePhone},
		{"keyboard", testPageKeyboard},
		{"filter", testPageFilter},
		{"restart", testPageRestart},
		{"outage", testPageOutage},
		{"silence", testPageSilence},
		{"full", testPageFull},
		{"sources", testPageSources},
		{"token", testPageToken},
		{"names", testPageNames},
		{"hostile", testPageHostile},
		{"quiet", testPageQuiet},
		{"history", testPageHistory}, // rollups are a minute late
		{"asking", testPageAsking},
		{"twice", testPageTwice},
		{"axe", testPageAxe},
		{"screenshots", testPageScreenshots},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			began := time.Now()
			of := *w
			of.bench = &bench{t: t, dir: b.dir, db: b.db, url: b.url}
			tt.test(t, &of)
			w.daemon = of.daemon
			t.Logf("%.1f s", time.Since(began).Seconds())
		})
	}
}

// views are those of the page: what there is when it is drawn.
var views = []struct{ name, at, there string }{
	{"History", "#history?range=1h", historyThere},
	{"Now", "", "document.querySelector('[data-table=paths] tbody tr') && document.querySelector('[data-chart=bytes] canvas')"},
}

// start starts tailflux, always at the same address.
func (w *watched) start() {
	w.t.Helper()
	args := []string{"--path", w.path("access.log"), "--name", "web", "--format", "timed", "--start", "beginning"}
	if w.daemon == nil {
		w.daemon = w.site.start(args...)
	} else {
		was := w.daemon.URL
		w.daemon = w.site.start(append(args, "--listen", strings.TrimPrefix(was, "http://"))...)
		w.daemon.URL = was
	}
	if _, err := w.daemon.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.InfluxDB.Up && r.Lines.Written > 0 }); err != nil {
		w.t.Fatal(err)
	}
}

// visit has visitors come, until leave is called.
func (w *watched) visit() (leave func() int) {
	return w.nginx.visit(20, func(i int) (path, agent string) {
		paths := []string{"/", "/", "/large.html", "/missing", "/moved", "/down", "/api/", "/a%20b?q=1"}
		return paths[i%len(paths)], fmt.Sprintf("Mozilla/5.0 (visitor %d)", i%5)
	})
}

// past writes eight minutes of a site's log, and what is no line of it.
func (w *watched) past() {
	w.t.Helper()
	const lines, minutes = 2400, 8
	f, err := feed.New(feed.Options{Path: w.path("access.log"), Lines: lines, Start: time.Now().Add(-minutes * time.Minute), Step: minutes * time.Minute / lines})
	if err == nil {
		err = f.Run(w.t.Context())
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.write("access.log", "no such line\nnor this one\n\n")
}

// see opens the page on a screen, and waits until it has figures.
func (w *watched) see(t *testing.T, on screen, view string) *tab {
	t.Helper()
	p := w.browser.open(t, on)
	p.load(w.daemon.URL + "/" + view)
	p.until("document.querySelector('[data-figure=read]').dataset.value > 0")
	return p
}

// counted is what the lines of a log add up to, which are cut here by hand.
type counted struct {
	lines, rejected                  int64
	requests, failed, refused, bytes int64
	paths, statuses                  map[string]int64
	slots                            map[string]*slot // by their first second, such as 10:00:05
	all                              []logged
	where                            string // which points of InfluxDB they are
}

// logged is a request of the log.
type logged struct {
	at     time.Time
	status int
	bytes  int64
	path   string
}

type slot struct {
	requests, failed, refused, bytes int64
	times                            []float64
}

func countLog(t *testing.T, log string) counted {
	t.Helper()
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := counted{paths: map[string]int64{}, statuses: map[string]int64{}, slots: map[string]*slot{}}
	for in := bufio.NewScanner(f); in.Scan(); {
		all.lines++
		before, after, ok := strings.Cut(in.Text(), `" `)
		if !ok {
			all.rejected++
			continue
		}
		fields := strings.Fields(after)
		quoted := strings.Split(in.Text(), `"`)
		status, err := strconv.Atoi(fields[0])
		if err != nil {
			t.Fatalf("%s: %v", in.Text(), err)
		}
		bytes, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", in.Text(), err)
		}
		took, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			t.Fatalf("%s: %v", in.Text(), err)
		}
		_, at, _ := strings.Cut(before, "[")
		at, _, _ = strings.Cut(at, "]")
		when, err := time.Parse("02/Jan/2006:15:04:05 -0700", at)
		if err != nil {
			t.Fatalf("%s: %v", in.Text(), err)
		}
		name := when.UTC().Truncate(5 * time.Second).Format("15:04:05")
		s := all.slots[name]
		if s == nil {
			s = &slot{}
			all.slots[name] = s
		}
		for _, sum := range []struct {
			n  int64
			to []*int64
		}{{1, []*int64{&all.requests, &s.requests}}, {bytes, []*int64{&all.bytes, &s.bytes}}} {
			for _, to := range sum.to {
				*to += sum.n
			}
		}
		switch status / 100 {
		case 4:
			all.refused++
			s.refused++
		case 5:
			all.failed++
			s.failed++
		}
		s.times = append(s.times, took)
		request := strings.Fields(quoted[1])
		path, _, _ := strings.Cut(request[1], "?")
		all.paths[path]++
		all.all = append(all.all, logged{when, status, bytes, path})
		all.statuses[fields[0]]++
	}
	return all
}

// Now shows what /monitor, InfluxDB and an independent count say, of all lines and of
// single slots.
func testPageFigures(t *testing.T, w *watched) {
	p := w.see(t, desk, "")
	leave := w.visit()
	time.Sleep(3 * time.Second)
	leave()
	want := countLog(t, w.path("access.log"))
	r := w.delivered(w.daemon, want.lines)
	// What was parsed is shown once a second, and may come after the points.
	p.until("['written', 'total_requests'].every((n) => document.querySelector(`[data-figure=${n}]`).dataset.value == %d)", want.requests)
	for figure, n := range map[string]int64{
		"read": want.lines, "written": want.requests, "rejected": want.rejected, "filtered": 0, "in_flight": 0,
		"total_requests": want.requests, "total_client_errors": want.refused, "total_server_errors": want.failed, "total_bytes": want.bytes,
	} {
		if got := p.figure(figure); got != float64(n) {
			t.Errorf("the page has %s %v, the log %d", figure, got, n)
		}
	}
	if r.Lines.Read != want.lines || r.Lines.Written != want.requests || r.Lines.Rejected != want.rejected {
		t.Errorf("/monitor has %+v, the log %d, %d and %d", r.Lines, want.lines, want.requests, want.rejected)
	}
	if points, bytes := w.points(""), w.sum("bytes_sent"); points != want.requests || bytes != want.bytes {
		t.Errorf("InfluxDB has %d points and %d bytes, the log %d and %d", points, bytes, want.requests, want.bytes)
	}
	if want.refused == 0 || want.failed == 0 || want.rejected != 3 {
		t.Errorf("the log has too little: %d, %d and %d", want.refused, want.failed, want.rejected)
	}
	for table, counts := range map[string]map[string]int64{"paths": want.paths, "statuses": want.statuses} {
		rows := eval[[][2]string](p, `(() => {
			const table = document.querySelector('[data-table=%s]');
			const more = table.closest('.panel').querySelector('.more');
			if (!more.hidden) more.click();
			return [...table.querySelectorAll('tbody tr')].map((n) => [n.dataset.name, n.children[1].textContent.replaceAll(',', '')]);
		})()`, table)
		compared := 0
		for _, row := range rows {
			if n, ok := counts[row[0]]; ok { // numbers in paths are folded
				compared++
				if row[1] != fmt.Sprint(n) {
					t.Errorf("the page has %s requests of %s, the log %d", row[1], row[0], n)
				}
			}
		}
		if compared < 4 || table != "paths" && compared != len(counts) {
			t.Errorf("only %d %s were compared, of %v", compared, table, counts)
		}
	}
	if got := eval[float64](p, "document.querySelectorAll('[data-table=rejects] > li').length"); got != 3 {
		t.Errorf("the page has %v rejected lines, want 3", got)
	}
	wantSlots(t, p, want)
}

// wantSlots goes along the chart with the keyboard, and compares the figures of each slot.
func wantSlots(t *testing.T, p *tab, want counted) {
	t.Helper()
	p.run("document.querySelector('[data-chart=requests] .plot').focus()")
	compared := 0
	for range 100 {
		p.key(kb.ArrowLeft)
		got := eval[map[string]any](p, `Object.fromEntries([...document.querySelectorAll('[data-chart] [data-figure]')].map((n) => [n.dataset.figure, Number(n.dataset.value || -1)]).concat(
			[...document.querySelectorAll('.when')].map((n) => ['at ' + n.closest('[data-chart]').dataset.chart, n.textContent])))`)
		at := fmt.Sprint(got["at requests"])
		for _, chart := range []string{"times", "errors", "bytes"} {
			if got["at "+chart] != at {
				t.Fatalf("%s is shown of %v, and requests of %s", chart, got["at "+chart], at)
			}
		}
		s := want.slots[at]
		if s == nil {
			continue // seconds without a request, at the end
		}
		slices.Sort(s.times)
		exact := map[string]float64{
			"requests_per_second": float64(s.requests) / 5, "bytes_per_second": float64(s.bytes) / 5,
			"class_4xx_per_second": float64(s.refused) / 5, "class_5xx_per_second": float64(s.failed) / 5,
			"error_share": float64(s.failed) / float64(s.requests), "client_error_share": float64(s.refused) / float64(s.requests),
		}
		for figure, n := range exact {
			if math.Abs(number(got[figure])-n) > 1e-9 {
				t.Errorf("%s: the page has %s %v, the log %v", at, figure, got[figure], n)
			}
		}
		for figure, part := range map[string]float64{"p50": 0.5, "p95": 0.95, "p99": 0.99} {
			// A bucket is at most a fifth wide, and the least one ends at a millisecond.
			exact := s.times[int(math.Ceil(part*float64(len(s.times))))-1]
			if got := number(got[figure]); got < exact/1.21-0.0011 || got > exact*1.21+0.0011 {
				t.Errorf("%s: the page has %s %v, the log %v", at, figure, got, exact)
			}
		}
		compared++
	}
	if compared < 60 {
		t.Errorf("only %d slots were compared", compared)
	}
}

func number(value any) float64 { n, _ := value.(float64); return n }

// What is loaded is small, and there soon.
func testPageWeight(t *testing.T, w *watched) {
	const most = 120_000 // bytes, compressed
	p := w.browser.open(t, desk)
	p.load(w.daemon.URL)
	p.until("window.performance && document.querySelector('[data-chart=requests] canvas') && document.querySelector('[data-figure=requests_per_second]').dataset.value")
	drawn := eval[float64](p, "performance.now()")
	p.mu.Lock()
	loaded, weights := p.loaded, fmt.Sprint(p.weights)
	p.mu.Unlock()
	stream := eval[float64](p, "performance.getEntriesByType('resource').length")
	t.Logf("%.0f bytes; %v resources; the first chart after at most %.0f ms", loaded, stream, drawn)
	if loaded > most || loaded < 20_000 {
		t.Errorf("%.0f bytes were loaded, want at most %d: %s", loaded, most, weights)
	}
	if drawn > 5000 { // a second where nothing else runs
		t.Errorf("the first chart was there after %.0f ms", drawn)
	}
}

const background = "getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).slice(0, 3).reduce((all, n) => all + Number(n), 0) / 3"

// The page is dark where the system is, and otherwise when it is asked to; it remembers that.
func testPageDark(t *testing.T, w *watched) {
	dark := desk
	dark.dark = true
	p := w.see(t, dark, "")
	if got := eval[float64](p, background); got > 60 {
		t.Errorf("the background of a dark page is %.0f of 255", got)
	}
	p = w.see(t, desk, "")
	if got := eval[float64](p, background); got < 200 {
		t.Errorf("the background of a light page is %.0f of 255", got)
	}
	p.key("t") // light
	p.key("t")
	p.until(background + " < 60")
	p.load(w.daemon.URL)
	p.until(background + " < 60")
	// The charts have other colours too.
	p.until("document.querySelector('[data-chart=requests] canvas')")
}

// A phone shows all of it without scrolling sideways.
func testPagePhone(t *testing.T, w *watched) {
	for _, width := range []int64{320, 390} {
		p := w.see(t, screen{width: width, height: 844, phone: true}, "")
		p.until("document.querySelector('[data-table=paths] tbody tr')")
		wantNoSideways(t, p, width)
	}
}

// wantNoSideways fails if the page is wider than its window, or a thing reaches out of it.
func wantNoSideways(t *testing.T, p *tab, width int64) {
	t.Helper()
	if got := eval[int64](p, "document.documentElement.scrollWidth"); got > width {
		t.Errorf("the page is %d wide on %d", got, width)
	}
	out := eval[[]string](p, `[...document.querySelectorAll('body *')].filter((n) => {
		const box = n.getBoundingClientRect();
		const within = n.closest('.scroll, .skip, .plot, .wide');
		return box.width > 0 && !within && (box.right > %d + 1 || box.left < -1);
	}).map((n) => n.tagName + '.' + n.className + '#' + n.id + ' ' + n.textContent.slice(0, 40))`, width)
	if len(out) > 0 {
		t.Errorf("what reaches out of a window of %d: %q", width, out)
	}
}

// All can be reached and used with the keyboard alone, and what has the focus is seen.
func testPageKeyboard(t *testing.T, w *watched) {
	p := w.see(t, desk, "")
	p.until("document.querySelector('[data-chart=bytes] .plot canvas')")
	reached := map[string]bool{}
	for range 60 {
		p.key(kb.Tab)
		now := eval[map[string]any](p, `(() => {
			const n = document.activeElement, s = getComputedStyle(n);
			return {
				name: n.id || n.closest('[data-chart]')?.dataset.chart + ' ' + n.tagName,
				body: n === document.body,
				seen: (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none',
			};
		})()`)
		if now["body"] == true {
			break
		}
		name := fmt.Sprint(now["name"])
		if reached[name] = true; now["seen"] != true {
			t.Errorf("%s has the focus, which is not seen", name)
		}
	}
	for _, name := range []string{"tab-now", "tab-history", "theme", "help-open", "tail-text", "tail-class", "tail-pause", "requests DIV", "requests SUMMARY", "bytes DIV"} {
		if !reached[name] {
			t.Errorf("%s is not reached with Tab, but %v", name, reached)
		}
	}
	p.run("document.activeElement.blur()") // it may be in a field, where keys are text
	p.key("?")
	p.until("document.querySelector('#help').open")
	p.key(kb.Escape)
	p.until("!document.querySelector('#help').open && document.activeElement === document.body")
	p.key("2")
	p.until("document.querySelector('#now').hidden && !document.querySelector('#history').hidden")
	p.key("1")
	p.until("!document.querySelector('#now').hidden")
	p.key("/")
	p.until("document.activeElement.id === 'tail-text'")
	p.key("1", "2", "p", "?", "t")
	if got := eval[string](p, "document.querySelector('#tail-text').value"); got != "12p?t" {
		t.Errorf("typed into the filter: %q", got)
	}
	// The table behind a chart.
	p.run("document.querySelector('[data-chart=times] summary').focus()")
	p.key(kb.Enter)
	p.until("document.querySelectorAll('[data-table=chart-times] tbody tr').length > 60")
}

// The requests as they come: all, those with a text or a class, and none.
func testPageFilter(t *testing.T, w *watched) {
	defer w.visit()()
	p := w.see(t, desk, "")
	const rows = "[...document.querySelectorAll('[data-table=tail] tbody tr')].map((n) => n.children[1].textContent + ' ' + n.children[2].textContent)"
	p.key("/")
	p.until(rows + ".length > 8 && new Set(" + rows + ").size > 4")
	p.key("M", "I", "S", "S")
	p.until(rows + ".length > 2 && " + rows + ".every((row) => row === '404 GET /missing')")
	p.run(`(() => { const n = document.querySelector('#tail-text'); n.value = ''; n.dispatchEvent(new Event('input')); })()`)
	p.run(`(() => { const n = document.querySelector('#tail-class'); n.value = '5xx'; n.dispatchEvent(new Event('change')); })()`)
	p.until(rows + ".length > 2 && " + rows + ".every((row) => row.startsWith('5'))")
	p.run("document.querySelector('#tail-pause').click()")
	p.until("document.querySelector('#tail-pause').getAttribute('aria-pressed') === 'true'")
	before := eval[string](p, rows+".join()")
	time.Sleep(1500 * time.Millisecond)
	if after := eval[string](p, rows+".join()"); after != before {
		t.Errorf("paused, the requests go on: %s, then %s", before, after)
	}
	p.run("document.querySelector('#tail-pause').click()")
	p.until(rows+".join() !== %q", before)
}

// A page goes on by itself when tailflux is there again.
func testPageRestart(t *testing.T, w *watched) {
	defer w.visit()()
	p := w.see(t, desk, "")
	p.expect("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE")
	if err := w.daemon.Stop(); err != nil {
		t.Error(err)
	}
	p.until("document.body.classList.contains('stale') && document.querySelector('#verdict-text').textContent.startsWith('No connection since')")
	p.run("window.stays = true")
	w.start()
	p.until("!document.body.classList.contains('stale') && document.querySelector('#verdict').dataset.state !== 'idle'")
	p.until("document.querySelector('[data-figure=read]').dataset.value > 0 && document.querySelector('[data-figure=read_per_second]').dataset.value > 0")
	if !eval[bool](p, "window.stays === true") {
		t.Error("the page was loaded again")
	}
}

// While InfluxDB is away the page says so, and since when, and goes on.
func testPageOutage(t *testing.T, w *watched) {
	defer w.visit()()
	p := w.see(t, desk, "")
	const store = "document.querySelector('[data-stage=influxdb]')"
	p.until(store + ".dataset.state === 'up'")
	w.db.Kill()
	p.until(store + ".dataset.state === 'away' && document.querySelector('#verdict').dataset.state === 'bad'")
	p.until("/^InfluxDB is away since \\d\\d:\\d\\d:\\d\\d: \\d+ lines? waits?\\.$/.test(document.querySelector('#verdict-text').textContent)")
	age, text := eval[float64](p, "Number("+store+".dataset.outage)"), eval[string](p, "document.querySelector('#influxdb-state').textContent")
	read, requests := p.figure("read"), p.figure("total_requests")
	p.until(store+".dataset.outage > %v + 2", age)
	p.until("document.querySelector('#influxdb-state').textContent !== '%s' && document.querySelector('[data-figure=in_flight]').dataset.value > 20", text)
	p.until("document.querySelector('[data-figure=read]').dataset.value >= %v + 20 && document.querySelector('[data-figure=total_requests]').dataset.value >= %v + 20", read, requests)
	if state := eval[string](p, store+".dataset.state"); state != "away" {
		t.Errorf("InfluxDB is %s, want away", state)
	}
	if err := w.db.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	waited := p.figure("read")
	p.until(store+".dataset.state === 'up' && document.querySelector('#verdict').dataset.state !== 'bad' && document.querySelector('[data-figure=written]').dataset.value > %v - 4", waited)
}
