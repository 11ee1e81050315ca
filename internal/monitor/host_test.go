package monitor_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/monitor"
)

func askAs(h http.Handler, host, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host = host
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Names that others can have lead to this machine are refused, however they are written.
func TestForeignHost(t *testing.T) {
	with := info
	with.Hosts = func() []string { return []string{"Logs.Example.com", "0.0.0.0"} }
	h := monitor.Handler(with, busy())
	self, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{
		"127.0.0.1:9193", "127.0.0.1", "[::1]:9193", "[::1]", "10.1.2.3:80", "192.168.0.1", "[fe80::1%eth0]:9193", "127.0.0.1.",
		"localhost:9193", "localhost", "LOCALHOST.", "a.localhost:1", "tailflux:9193", "web-1", self, self + ":9193", strings.ToUpper(self),
		"logs.example.com", "LOGS.example.com:443", "logs.example.com.:9193", "",
	} {
		if w := askAs(h, host, "/monitor"); w.Code != http.StatusOK {
			t.Errorf("Host %q = %d %s, want 200", host, w.Code, w.Body)
		}
	}
	for _, host := range []string{
		"evil.example", "evil.example:9193", "127.0.0.1.evil.example", "localhost.evil.example", "evil.example.", "logs.example.com.evil.example", "xlogs.example.com",
		"example.com", "127.0.0.1.nip.io:9193", "7f000001.rbndr.us", "localhost.localdomain", self + ".evil.example", "[::1].evil.example", "evil.example:80:80", "evil.localhost.example", "1.2.3.4.5",
	} {
		for _, path := range []string{"/monitor", "/metrics", "/", "/nothing", "/healthz/x"} {
			if w := askAs(h, host, path); w.Code != http.StatusMisdirectedRequest || !strings.Contains(w.Body.String(), "http.hosts") || strings.Contains(w.Body.String(), "lines") {
				t.Errorf("Host %q, GET %s = %d %s, want 421", host, path, w.Code, w.Body)
			}
		}
	}
}

// A probe is answered by any name, but without what it says of logs and InfluxDB.
func TestProbeOfForeignHost(t *testing.T) {
	with := info
	with.Hosts = func() []string { return nil }
	h := monitor.Handler(with, busy())
	for _, host := range []string{"lb.example.com", "health.example:80", "evil.example"} {
		for path, want := range map[string]int{"/healthz": 200, "/readyz": 503} {
			if w := askAs(h, host, path); w.Code != want || w.Body.Len() > 0 {
				t.Errorf("Host %q, GET %s = %d %q, want %d and no body", host, path, w.Code, w.Body, want)
			}
		}
	}
	if w := askAs(h, "127.0.0.1", "/readyz"); !strings.Contains(w.Body.String(), "checkpoint") {
		t.Errorf("/readyz says %q", w.Body)
	}
}

// Whoever shows the token in a header is no browser that was tricked. A cookie, or a token
// in the URL, may be such a one.
func TestTokenOfForeignHost(t *testing.T) {
	with := info
	with.Hosts = func() []string { return nil }
	with.Token = func() string { return "s3cret" }
	h := monitor.Handler(with, busy())
	cookie := askAs(h, "localhost", "/?token=s3cret").Header().Get("Set-Cookie")
	for _, host := range []string{"web-1.example.com", "prometheus.example:9193", "evil.example"} {
		if w := askAs(h, host, "/monitor", "Authorization", "Bearer s3cret"); w.Code != http.StatusOK {
			t.Errorf("Host %q with the token = %d, want 200", host, w.Code)
		}
		for _, header := range [][]string{nil, {"Authorization", "Bearer wrong"}, {"Cookie", strings.Split(cookie, ";")[0]}} {
			if w := askAs(h, host, "/monitor", header...); w.Code != http.StatusMisdirectedRequest {
				t.Errorf("Host %q with %q = %d, want 421", host, header, w.Code)
			}
		}
		if w := askAs(h, host, "/?token=s3cret"); w.Code != http.StatusMisdirectedRequest || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("Host %q with the token in the URL = %d %v, want 421", host, w.Code, w.Header())
		}
	}
}
