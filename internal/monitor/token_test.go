package monitor_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/monitor"
)

// With a token, only the probes answer whoever does not show it, however a path is
// written.
func TestToken(t *testing.T) {
	with := info
	with.Token = func() string { return "s3cret" }
	h := monitor.Handler(with, busy())
	ask := func(method, path string, authorization ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		for _, value := range authorization {
			r.Header.Add("Authorization", value)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	for _, path := range []string{"/monitor", "/", "/metrics", "/nothing", "//healthz", "/healthz/", "/healthz/../monitor", "/%68ealthz/..", "/HEALTHZ", "/readyz/x"} {
		for _, authorization := range [][]string{
			nil,
			{""},
			{"Bearer"},
			{"Bearer "},
			{"s3cret"},
			{"Bearer s3cre"},
			{"Bearer s3cret1"},
			{"Bearer S3cret"},
			{"Basic czNjcmV0"},
			{"Bearer s3cret s3cret"},
			{"Bearers3cret"},
			{"Bearer wrong", "Bearer s3cret"},
		} {
			w := ask(http.MethodGet, path, authorization...)
			if w.Code != http.StatusUnauthorized || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer") || strings.Contains(w.Body.String(), "s3cret") {
				t.Errorf("GET %s with %q = %d %q %s, want 401", path, authorization, w.Code, w.Header(), w.Body)
			}
		}
	}
	if w := ask(http.MethodHead, "/monitor"); w.Code != http.StatusUnauthorized {
		t.Errorf("HEAD /monitor = %d, want 401", w.Code)
	}
	for _, authorization := range []string{"Bearer s3cret", "bearer s3cret", "Bearer  s3cret "} {
		if w := ask(http.MethodGet, "/monitor", authorization); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"lines"`) {
			t.Errorf("GET /monitor with %q = %d", authorization, w.Code)
		}
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503, "/healthz?x=1": 200} { // the checkpoint cannot be saved
		if w := ask(http.MethodGet, path); w.Code != want {
			t.Errorf("GET %s = %d, want %d", path, w.Code, want)
		}
	}
}

// Without one, everything is as if there were no token to show.
func TestNoToken(t *testing.T) {
	for _, token := range []func() string{nil, func() string { return "" }} {
		with := info
		with.Token = token
		if w := get(t, monitor.Handler(with, busy()), "/monitor"); w.Code != http.StatusOK {
			t.Errorf("GET /monitor = %d, want 200", w.Code)
		}
	}
}
