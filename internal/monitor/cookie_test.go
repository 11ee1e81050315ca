package monitor_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/monitor"
)

// withPage has a page at / and at /live, behind a token.
func withPage(token *string) http.Handler {
	with := info
	with.Token = func() string { return *token }
	with.Mount = func(mux *http.ServeMux, report func() []byte) {
		for _, pattern := range []string{"GET /{$}", "GET /live"} {
			mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(report()) })
		}
	}
	return monitor.Handler(with, busy())
}

// A browser shows the token once, in the URL, which it forgets; then it has a cookie.
func TestCookie(t *testing.T) {
	token := "s3cret+/=&"
	h := withPage(&token)
	first := askAs(h, "localhost", "/?token=s3cret%2B%2F%3D%26")
	cookies := first.Result().Cookies()
	if first.Code != http.StatusSeeOther || first.Header().Get("Location") != "./" || first.Header().Get("Cache-Control") != "no-store" || first.Header().Get("Referrer-Policy") != "no-referrer" || len(cookies) != 1 {
		t.Fatalf("the first answer = %d %v", first.Code, first.Header())
	}
	c := cookies[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Secure || c.Domain != "" || c.MaxAge <= 0 || strings.Contains(c.Value, "s3cret") {
		t.Errorf("the cookie is %s", c)
	}
	ask := func(path string, all ...*http.Cookie) int {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		for _, one := range all {
			r.AddCookie(one)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	other := &http.Cookie{Name: "tailflux_00000000", Value: c.Value}
	for _, path := range []string{"/", "/live", "/monitor", "/metrics"} {
		if code := ask(path, c); code != http.StatusOK {
			t.Errorf("GET %s with the cookie = %d, want 200", path, code)
		}
		if code := ask(path, other, c); code != http.StatusOK {
			t.Errorf("GET %s with the cookie among others = %d, want 200", path, code)
		}
		for _, wrong := range []*http.Cookie{
			{Name: c.Name, Value: ""},
			{Name: c.Name, Value: c.Value[:len(c.Value)-1]},
			{Name: c.Name, Value: strings.ToUpper(c.Value)},
			{Name: c.Name, Value: "s3cret"},
			other,
			{Name: "token", Value: c.Value},
		} {
			if code := ask(path, wrong); code != http.StatusUnauthorized {
				t.Errorf("GET %s with %s = %d, want 401", path, wrong, code)
			}
		}
	}
	if code := ask("/?token=s3cret%2B%2F%3D%26", c); code != http.StatusSeeOther {
		t.Errorf("GET / with the cookie and the token in the URL = %d, want 303, or the address keeps it", code)
	}
	token = "another"
	if code := ask("/live", c); code != http.StatusUnauthorized {
		t.Errorf("with the cookie of the token before = %d, want 401", code)
	}
	if again := askAs(h, "localhost", "/?token=another").Result().Cookies(); len(again) != 1 || again[0].Value == c.Value || again[0].Name == c.Name {
		t.Errorf("the cookie of another token is %v, beside %v", again, c)
	}
}

// The token in a URL is for / alone, and a wrong one gets nothing.
func TestTokenInURL(t *testing.T) {
	token := "s3cret"
	h := withPage(&token)
	for _, path := range []string{"/?token=", "/?token=wrong", "/?token=s3cret2", "/?Token=s3cret", "/monitor?token=s3cret", "/live?token=s3cret", "/metrics?token=s3cret", "/x?token=s3cret", "/?token=wrong&token=s3cret"} {
		if w := askAs(h, "localhost", path); w.Code != http.StatusUnauthorized || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("GET %s = %d %v, want 401 and no cookie", path, w.Code, w.Header())
		}
	}
	if w := askAs(h, "localhost", "/?token=s3cret", "X-Forwarded-Proto", "HTTPS"); len(w.Result().Cookies()) != 1 || !w.Result().Cookies()[0].Secure {
		t.Errorf("behind TLS the cookie is %q", w.Header().Get("Set-Cookie"))
	}
	token = ""
	if w := askAs(h, "localhost", "/?token=s3cret"); w.Code != http.StatusOK || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("without a token to be shown: %d %v", w.Code, w.Header())
	}
}

// A browser gets a form, all others a line; neither has a script, and only a link from
// another site is asked again by itself, once.
func TestTokenForm(t *testing.T) {
	token := "s3cret"
	h := withPage(&token)
	const html = "text/html,application/xhtml+xml,*/*;q=0.8"
	for path, wrong := range map[string]bool{"/": false, "/?token=x": true, "/?token=": true} {
		w := askAs(h, "localhost", path, "Accept", html)
		body, policy := w.Body.String(), w.Header().Get("Content-Security-Policy")
		if w.Code != http.StatusUnauthorized || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer") || !strings.Contains(body, `type="password"`) || strings.Contains(body, "s3cret") || strings.Contains(body, "<script") {
			t.Errorf("GET %s = %d %v\n%s", path, w.Code, w.Header(), body)
		}
		if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("GET %s has the policy %q", path, policy)
		}
		if got := strings.Contains(body, "That is not the token"); got != wrong {
			t.Errorf("GET %s says that the token is wrong: %v, want %v", path, got, wrong)
		}
		if strings.Contains(body, `http-equiv="refresh"`) {
			t.Errorf("GET %s is asked again", path)
		}
	}
	again := func(path, site string) bool {
		return strings.Contains(askAs(h, "localhost", path, "Accept", html, "Sec-Fetch-Site", site).Body.String(), `http-equiv="refresh"`)
	}
	if !again("/", "cross-site") || again("/", "none") || again("/", "same-origin") || again("/?token=x", "cross-site") {
		t.Error("it is not a link from another site alone that is asked again")
	}
	for _, path := range []string{"/monitor", "/live"} {
		if w := askAs(h, "localhost", path, "Accept", html); w.Code != http.StatusUnauthorized || strings.Contains(w.Body.String(), "<") {
			t.Errorf("GET %s = %d %s", path, w.Code, w.Body)
		}
	}
}

// However many ask, a report is made ten times a second, and that of /monitor and of
// /metrics is one.
func TestShared(t *testing.T) {
	h := monitor.Handler(info, busy())
	seen := map[string]bool{}
	for range 200 {
		seen[get(t, h, "/monitor").Body.String()] = true
		seen["metrics "+get(t, h, "/metrics").Body.String()] = true
	}
	if len(seen) > 12 {
		t.Errorf("400 answers, one right after another, are of %d kinds", len(seen))
	}
	for _, accept := range []string{"", "text/plain", "application/json"} {
		for _, coding := range []string{"", "gzip", "identity"} {
			w := askAs(h, "localhost", "/metrics", "Accept", accept, "Accept-Encoding", coding)
			if got := w.Header().Get("Content-Encoding"); (got == "gzip") != (coding == "gzip") {
				t.Errorf("/metrics for Accept-Encoding %q is %q", coding, got)
			}
		}
	}
}
