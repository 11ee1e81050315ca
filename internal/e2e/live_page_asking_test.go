//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

// History asks again by itself after a failure, as it says, also about a time that has an end;
// and it asks what the address has, whatever a path has in it.
func testPageAsking(t *testing.T, w *watched) {
	p := w.see(t, desk, "")
	p.run(`(() => {
		const [fetchIt, wait] = [window.fetch, window.setTimeout];
		window.asked = [];
		window.fails = true;
		window.fetch = (url, how) => {
			if (!String(url).startsWith('history?')) return fetchIt(url, how);
			window.asked.push(String(url));
			return window.fails ? Promise.reject(new Error('away')) : fetchIt(url, how);
		};
		window.setTimeout = (work, after) => wait(work, after === 15000 ? 100 : after);
		location.hash = '#history?from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z';
	})()`)
	p.until("window.asked.length > 2 && document.querySelector('#history-said').textContent.includes('asks again by itself')")
	p.run("window.fails = false")
	p.until("document.querySelector('#history-said').dataset.state === 'ok' && !document.querySelector('#history-shown.old') && document.querySelector('#history-totals').textContent")
	// Where windows have not ended yet, it does not say that there is nothing.
	p.run(`(() => {
		const ask = window.fetch;
		window.fetch = async (url, how) => {
			if (!String(url).startsWith('history?')) return ask(url, how);
			const h = await (await ask(url, how)).json();
			Object.assign(h, { total: { ...h.total, requests: 0 }, missing: { series: 'no 5-minute window has ended yet: choose 1h' } });
			window.fetch = ask;
			return new Response(JSON.stringify(h));
		};
		location.hash = '#history?range=6h';
	})()`)
	p.until("document.querySelector('#history-said').textContent === 'No 5-minute window has ended yet: choose 1h.' && document.querySelector('#history-notes').textContent.includes('a step is')")
	if notes := eval[string](p, "document.querySelector('#history-notes').textContent"); strings.Contains(notes, "window has ended") {
		t.Errorf("it is said twice: %s", notes)
	}
	p.run("window.asked = []; location.hash = '#history?range=1h&path=a?b?c'")
	p.until("window.asked.length > 0")
	if got := eval[string](p, "new URLSearchParams(window.asked[0].slice('history?'.length)).get('path')"); got != "a?b?c" {
		t.Errorf("asked for the path %q, want a?b?c", got)
	}
	p.expect("400")
	p.run("window.asked = []; location.hash = '#history?to=2026-01-01'")
	p.until("window.asked.length > 0 && document.querySelector('#history-said').textContent.includes('want a time, since there is to')")
	if got := eval[string](p, "window.asked[0]"); got != "history?to=2026-01-01" {
		t.Errorf("asked for %q, want to alone", got)
	}

	// Lines of another process do not count as those of the last minute, however many it has
	// read already.
	const module = "import(document.querySelector('script[type=module]').src.replace('app.js', '%s'))"
	if got := eval[float64](p, module+`.then((m) => {
		const at = (pid, uptime, read) => m.note({ pid, uptime_seconds: uptime, lines: { read, written: read, rejected: 0 }, channels: { read: { lines: 0 } } });
		at(1, 100, 50); at(1, 101, 60); at(2, 102, 9000);
		const another = m.lastMinute().read;
		at(2, 103, 9001); at(2, 1, 20000);
		return another + m.lastMinute().read;
	})`, "pipeline.js?alone"); got != 0 {
		t.Errorf("%v lines of another process are of the last minute", got)
	}
	if got := eval[string](p, module+".then((m) => [0, 0.0004, -0.0004, 0.5, -0.034].map(m.changed).join())", "format.js"); got != "±0.0 %,±0.0 %,±0.0 %,+50 %,−3.4 %" {
		t.Errorf("changes are %s", got)
	}
}
