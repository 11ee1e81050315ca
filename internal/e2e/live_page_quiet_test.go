//go:build e2e

package e2e

import (
	"testing"
	"time"
)

// Without requests nothing is said of what the log has; with some that have no times it is.
func testPageQuiet(t *testing.T, w *watched) {
	const slowest = "document.querySelector('[data-table=slowest] ~ .empty')"
	b := newBench(t, w.db)
	d := b.start("--path", b.write("access.log", ""), "--name", "quiet", "--format", "combined", "--start", "beginning")
	p := w.browser.open(t, desk)
	p.load(d.URL)
	p.until("document.querySelector('#verdict-text').textContent.startsWith('Waiting for the first request')")
	if got := eval[string](p, slowest+".textContent"); got != "None." {
		t.Errorf("without requests, of the slowest paths it says %q, want None.", got)
	}
	b.write("access.log", `192.0.2.1 - - [`+time.Now().Format("02/Jan/2006:15:04:05 -0700")+`] "GET / HTTP/1.1" 200 5 "-" "x"`+"\n")
	p.until("document.querySelector('[data-figure=total_requests]').dataset.value == 1 && " + slowest + ".textContent.startsWith('The log has no times of requests')")
	if !eval[bool](p, "!"+slowest+".hidden") {
		t.Error("it is hidden")
	}
}
