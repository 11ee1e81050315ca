package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestHealthcheck(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://192.0.2.1:1")
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path)
		if r.URL.Path == "/readyz" {
			http.Error(w, "influxdb: no answer yet", http.StatusServiceUnavailable)
			return
		}
	}))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	file := filepath.Join(t.TempDir(), "tailflux.yaml")
	if err := os.WriteFile(file, []byte("listen: 0.0.0.0:"+port+"\nhttp: {token_file: /none}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args  string
		code  int
		says  string
		asked string
	}{
		{"--listen 127.0.0.1:" + port, 0, "ok", "GET /healthz"},
		{"--listen localhost:" + port, 0, "ok", "GET /healthz"},
		{"--config " + file, 0, "ok", "GET /healthz"},
		{"--listen :" + port, 0, "ok", "GET /healthz"},
		{"--http-public --listen :" + port, 0, "ok", "GET /healthz"},
		{"--http-public --listen [::]:" + port, 0, "ok", "GET /healthz"},
		{"--ready --config " + file, 1, "healthcheck: /readyz of 127.0.0.1:" + port + ": 503 Service Unavailable: influxdb: no answer yet", "GET /readyz"},
		{"--listen " + gone.Addr().String(), 1, "healthcheck: no answer from " + gone.Addr().String() + ": dial tcp", ""},
		{"--listen=", 2, "want an address", ""},
		{"--listen 127.0.0.1:0", 2, "want a port", ""},
		{"--listen nonsense", 2, "--listen: got", ""},
		{"--config /none/tailflux.yaml", 2, "/none/tailflux.yaml", ""},
		{"more", 2, "more", ""},
	} {
		asked = nil
		code, out, errs := printed(append([]string{"healthcheck"}, strings.Fields(tt.args)...)...)
		if code != tt.code || !strings.Contains(out+errs, tt.says) || strings.Join(asked, ", ") != tt.asked {
			t.Errorf("healthcheck %s = %d, want %d and %q; it asked %q and says\n%s%s", tt.args, code, tt.code, tt.says, asked, out, errs)
		}
	}
}

// A process that takes the connection and never answers does not work.
func TestHealthcheckOfAFrozenProcess(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	began := time.Now()
	code, _, errs := printed("healthcheck", "--listen", l.Addr().String())
	if took := time.Since(began); code != 1 || !strings.Contains(errs, "no answer") || took > 2*daemonWithin {
		t.Errorf("healthcheck = %d after %v: %s", code, took, errs)
	}
}
