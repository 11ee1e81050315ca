//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
)

// link leads to the daemon. While it is silent nothing passes, and no connection ends, as
// where somebody has pulled a cable; one that had something to pass then stays so.
type link struct {
	url    string
	silent atomic.Bool
	over   chan struct{}
}

func newLink(t *testing.T, to string) *link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{url: "http://" + listener.Addr().String(), over: make(chan struct{})}
	t.Cleanup(func() { close(l.over); listener.Close() })
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", strings.TrimPrefix(to, "http://"))
			if err != nil {
				in.Close()
				continue
			}
			t.Cleanup(func() { in.Close(); out.Close() })
			go l.pass(in, out)
			go l.pass(out, in)
		}
	}()
	return l
}

func (l *link) pass(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	block := make([]byte, 1<<16)
	for {
		n, err := from.Read(block)
		if l.silent.Load() { // an end does not pass either
			<-l.over
		}
		if err != nil {
			return
		}
		if _, err := to.Write(block[:n]); err != nil {
			return
		}
	}
}

// A page whose network is silent says so, and goes on by itself, with the requests as they
// come, when it is there again.
func testPageSilence(t *testing.T, w *watched) {
	defer w.visit()()
	l := newLink(t, w.daemon.URL)
	p := w.browser.open(t, desk)
	p.expect("TimeoutError", "ERR_TIMED_OUT", "ERR_CONNECTION", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_EMPTY_RESPONSE")
	p.load(l.url)
	p.until("document.querySelector('[data-figure=read]').dataset.value > 0")
	p.run("document.querySelector('#tail').scrollIntoView()")
	p.until("document.querySelector('[data-table=tail] tbody tr')")
	l.silent.Store(true)
	defer l.silent.Store(false)
	p.until("document.body.classList.contains('stale') && document.querySelector('#verdict-text').textContent.startsWith('No connection since')")
	p.run("document.querySelector('[data-table=tail] tbody').replaceChildren()")
	l.silent.Store(false)
	p.until("!document.body.classList.contains('stale') && document.querySelector('[data-table=tail] tbody tr')")
}

// A page that the daemon gives no stream says so, and gets one when there is room.
func testPageFull(t *testing.T, w *watched) {
	watching, leave := context.WithCancel(t.Context())
	defer leave()
	for n := range 40 {
		req, err := http.NewRequestWithContext(watching, http.MethodGet, w.daemon.URL+"/live/stream", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req) //nolint:bodyclose // the goroutine below does
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			defer resp.Body.Close()
			io.Copy(io.Discard, resp.Body)
		}()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("stream %d: %s", n+1, resp.Status)
		}
	}
	p := w.browser.open(t, desk)
	p.expect("503")
	p.load(w.daemon.URL)
	p.until("document.querySelector('#verdict-text').textContent.includes('40 are open already')")
	leave()
	p.until("!document.body.classList.contains('stale') && document.querySelector('[data-figure=read]').dataset.value > 0")
}

// A form in which nothing was changed asks for the same time, also in an hour that comes twice.
func testPageTwice(t *testing.T, w *watched) {
	p := w.browser.open(t, desk)
	p.do(protocol(emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Europe/Berlin"}))
	p.load(w.daemon.URL + "/#history?from=2026-10-25T00:30:00Z&to=2026-10-25T01:30:00Z")
	p.until("document.querySelector('#history-from').value === '2026-10-25T02:30'")
	p.run("document.querySelector('form.between button').click()")
	if got := eval[string](p, "decodeURIComponent(location.hash)"); got != "#history?from=2026-10-25T00:30:00Z&to=2026-10-25T01:30:00Z" {
		t.Errorf("it asks for %s", got)
	}
}

// Each source has its requests, however many there are, and whatever it is called.
func testPageSources(t *testing.T, w *watched) {
	b := newBench(t, w.db)
	config := "sources:\n"
	for n := range 31 {
		name, lines := fmt.Sprintf("site-%d", n), 1
		if n == 30 {
			name, lines = "constructor", 0
		}
		line := `192.0.2.1 - - [` + time.Now().Format("02/Jan/2006:15:04:05 -0700") + `] "GET / HTTP/1.1" 200 5 "-" "x"` + "\n"
		config += fmt.Sprintf("  - {name: %s, path: %s, start: beginning, format: combined}\n", name, b.write(name+".log", strings.Repeat(line, lines)))
	}
	d := b.start("-c", b.write("tailflux.yaml", config))
	b.delivered(d, 30)
	p := w.browser.open(t, desk)
	p.load(d.URL)
	p.until("document.querySelector('[data-figure=total_requests]').dataset.value == 30")
	p.run("document.querySelector('[data-table=sources]').closest('section').querySelector('button.more').click()")
	p.until("document.querySelectorAll('[data-table=sources] tbody tr').length === 31")
	if got := eval[string](p, "[...new Set([...document.querySelectorAll('[data-table=sources] tbody tr')].map((r) => (r.dataset.name === 'constructor' ? 'c' : '') + r.children[1].textContent))].join()"); got != "1,c0" && got != "c0,1" {
		t.Errorf("requests of sources: %s, want 1 of each, and 0 of the last one", got)
	}
}
