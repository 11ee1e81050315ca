//go:build e2e

package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

// With a token a browser is asked for it once, by a form or in the address; what is not a
// browser still shows it each time.
func testPageToken(t *testing.T, w *watched) {
	b := newBench(t, w.db)
	d, err := tailfluxtest.Start(tailfluxtest.Options{
		Binary: binary, URL: b.url, State: b.path("state"), Output: b.path("tailflux.log"),
		Args: []string{"--path", b.write("access.log", lines(7)), "--format", "combined", "--http-token-file", b.write("token", "s3cret&=+\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Kill) // after the tabs are closed
	for end := time.Now().Add(arrival); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if resp, err := http.Get(d.URL + "/healthz"); err == nil {
			resp.Body.Close()
			break
		}
	}
	for path, want := range map[string]int{"/healthz": 200, "/monitor": 401, "/metrics": 401, "/": 401, "/live": 401, "/live/stream": 401, "/live/tail": 401, "/history": 401} {
		if got := statusOf(t, d.URL+path); got != want {
			t.Errorf("%s without the token is %d, want %d", path, got, want)
		}
	}

	typed := w.browser.open(t, desk)
	typed.expect("401")
	typed.load(d.URL)
	typed.until("document.activeElement.id === 'token'")
	typed.key(strings.Split("wrong", "")...)
	typed.key("\r")
	typed.until("document.querySelector('.wrong') && document.activeElement.id === 'token'")
	typed.key(strings.Split("s3cret&=+", "")...)
	typed.key("\r")
	wantIn(t, typed, d.URL)

	// In the address, once: then the address does not have it, and no script sees the cookie.
	shown := w.browser.open(t, desk)
	shown.load(d.URL + "/?token=" + url.QueryEscape("s3cret&=+"))
	wantIn(t, shown, d.URL)
	shown.load(d.URL)
	wantIn(t, shown, d.URL)
	shown.expect("DocumentCookie") // of this question
	if got := eval[string](shown, "document.cookie"); got != "" {
		t.Errorf("a script sees the cookie %s", got)
	}
	if got := eval[float64](shown, "fetch('monitor').then((r) => r.status)"); got != 200 {
		t.Errorf("/monitor with the cookie is %v", got)
	}
	if got := statusOf(t, d.URL+"/monitor"); got != 401 {
		t.Errorf("/monitor without it is %d", got)
	}

	// Another profile knows nothing of it.
	other := w.browser.open(t, desk)
	other.expect("401")
	other.load(d.URL)
	other.until("document.querySelector('#token') && !document.querySelector('#now')")
}

// wantIn waits until a page has figures, at an address without the token.
func wantIn(t *testing.T, p *tab, at string) {
	t.Helper()
	p.until("document.querySelector('[data-figure=read]')?.dataset.value === '0'")
	if got := eval[string](p, "location.href"); got != at+"/" {
		t.Errorf("the address is %s, want %s/", got, at)
	}
}

// A name that somebody else has made to lead here shows nothing, in a browser that may see
// the page.
func testPageNames(t *testing.T, w *watched) {
	p := w.browser.open(t, desk)
	p.expect("421")
	p.load(strings.Replace(w.daemon.URL, "127.0.0.1", foreignName, 1))
	p.until("document.body.innerText.includes('http.hosts')")
	for _, path := range []string{"/live", "/monitor", "/history", "/live/stream"} {
		if got := eval[float64](p, "fetch('%s').then((r) => r.status)", path); got != 421 {
			t.Errorf("%s by another name is %v, want 421", path, got)
		}
	}
	p = w.browser.open(t, desk)
	p.load(strings.Replace(w.daemon.URL, "127.0.0.1", "localhost", 1))
	p.until("document.querySelector('[data-figure=read]').dataset.value > 0")
}

func statusOf(t *testing.T, url string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}
