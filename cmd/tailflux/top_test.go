package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/live"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

const someLive = `{"live":{"at":"2026-11-29T12:00:00Z","total":{"requests":1234,"client_errors":1,"server_errors":0,"bytes":5,"p50":0.01,"p95":0.02,"p99":null},
"slots":{"step":5,"time":[1795953585,1795953590,1795953595],"requests":[null,0,50],"bytes":[null,0,1],"classes":{"2xx":[0,0,50]},"p50":[null,null,1],"p95":[],"p99":[]},
"top":{"sampled":1,"paths":[{"name":"/seen","requests":1200,"p95":null,"mean":0.5}]}},
"pipeline":{"lines":{"read":9},"influxdb":{"up":true,"version":"1.8.10"}},"rejects":[]}`

// liveAt serves GET /live, and wants a token unless that is "".
func liveAt(t *testing.T, token string, answer func(w http.ResponseWriter)) (listen string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/live" || r.Method != http.MethodGet:
			http.NotFound(w, r)
		case token != "" && r.Header.Get("Authorization") != "Bearer "+token:
			http.Error(w, "no", http.StatusUnauthorized)
		default:
			answer(w)
		}
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func some(w http.ResponseWriter) { fmt.Fprint(w, someLive) }

func TestTopOnce(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://192.0.2.1:1")
	everywhere := func(listen string) string { return strings.Replace(listen, "127.0.0.1:", "0.0.0.0:", 1) } // which others can reach
	open, guarded := liveAt(t, "", some), liveAt(t, "s3cret", some)
	none := liveAt(t, "", func(w http.ResponseWriter) { http.Error(w, "x", http.StatusNotFound) })
	sampled := liveAt(t, "", func(w http.ResponseWriter) {
		fmt.Fprint(w, strings.Replace(someLive, `"sampled":1`, `"sampled":1024`, 1))
	})
	rejecting := liveAt(t, "", func(w http.ResponseWriter) {
		fmt.Fprint(w, strings.Replace(someLive, `"rejects":[]`, `"rejects":[{"time":"2026-11-29T12:00:00Z","source":"web","line_number":7,"reason":"empty","caret":-1}]`, 1))
	})
	odd := liveAt(t, "", func(w http.ResponseWriter) { fmt.Fprint(w, "{}") })
	down := liveAt(t, "", func(w http.ResponseWriter) { http.Error(w, "\x1b[31mbusy", http.StatusServiceUnavailable) })
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	right, wrong, empty := file("right", "s3cret\n"), file("wrong", "s3cre"), file("empty", "")
	configured := file("tailflux.yaml", "listen: "+guarded+"\nhttp: {token_file: "+right+"}\n")
	for _, tt := range []struct {
		args string
		code int
		says string
	}{
		{"--once --listen " + open, 0, "1,200"},
		{"--once --listen " + sampled, 0, "lists are of one line in 1,024, multiplied"},
		{"--once --listen " + rejecting, 0, "rejected: 2026-11-29T12:00:00Z web:7 empty\n"},
		{"--listen " + open, 0, "standard output is no terminal"},
		{"--once --config " + configured, 0, "/seen"},
		{"--once --http-token-file " + right + " --listen " + guarded, 0, "All is well"},
		{"--once --listen " + guarded, 1, "top: " + guarded + " wants a token: set http.token_file"},
		{"--once --listen " + everywhere(open), 0, "/seen"},
		{"--once --listen " + everywhere(guarded), 1, "wants a token: set http.token_file, or --http-token-file"},
		{"--once --http-token-file " + wrong + " --listen " + guarded, 1, "does not take the token in " + wrong},
		{"--once --http-token-file " + empty + " --listen " + guarded, 2, "got the empty file"},
		{"--once --http-token-file /none/token --listen " + guarded, 2, "/none/token"},
		{"--once --listen " + none, 1, "has no /live: it is no tailflux, or an older one"},
		{"--once --listen " + odd, 1, "none of this tailflux's"},
		{"--once --listen " + down, 1, "503 Service Unavailable"},
		{"--once --listen 127.0.0.1:1", 1, "top: no answer from 127.0.0.1:1: "},
		{"--listen 127.0.0.1:1", 1, "top: no answer from 127.0.0.1:1: "},
		{"--once --listen=", 2, "want an address"},
		{"--once --listen 127.0.0.1:0", 2, "want a port"},
		{"--once --config /none/tailflux.yaml", 2, "/none/tailflux.yaml"},
		{"access.log", 2, "did you mean --path access.log?"},
	} {
		code, out, errs := printed(append([]string{"top"}, strings.Fields(tt.args)...)...)
		if code != tt.code || !strings.Contains(out+errs, tt.says) || strings.Contains(out+errs, "\x1b") {
			t.Errorf("top %s = %d, want %d and %q; it says\n%s%s", tt.args, code, tt.code, tt.says, out, errs)
		}
	}
}

// JSON is what the daemon says, byte for byte.
func TestTopJSON(t *testing.T) {
	var asked atomic.Int32
	listen := liveAt(t, "", func(w http.ResponseWriter) {
		asked.Add(1)
		some(w)
	})
	for _, flags := range []string{"--once --json", "--json"} {
		code, out, errs := printed(append([]string{"top", "--listen", listen}, strings.Fields(flags)...)...)
		if code != 0 || out != someLive || errs != "" || !json.Valid([]byte(out)) {
			t.Errorf("%s = %d %s\n%s", flags, code, out, errs)
		}
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

// A running tailflux, whose InfluxDB is away, and the same log alone have the same figures.
func TestTopOfARunningTailflux(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	token := file("token", "s3cret\n")
	log := file("access.log", linesNow(40, "/a", 200, "x")+linesNow(2, "/b", 500, "x")+"no \x1b[31mrequest\n")
	t.Setenv(isTailflux, "1")
	d, err := tailfluxtest.Start(tailfluxtest.Options{
		Binary: os.Args[0], URL: "http://127.0.0.1:1", State: filepath.Join(dir, "state"), Output: filepath.Join(dir, "output"),
		Args: []string{"--path", log, "--name", "web", "--format", "combined", "--start", "beginning", "--http-token-file", token},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Kill)
	listen := strings.TrimPrefix(d.URL, "http://")
	type figures struct {
		Live struct {
			Total live.Total
			Top   live.Top
		}
		Rejects []struct {
			LineNumber int64 `json:"line_number"`
			Line, Why  string
		}
	}
	ask := func(args ...string) (f figures, errs string) {
		code, out, errs := printed(append([]string{"top", "--once", "--json"}, args...)...)
		if err := json.Unmarshal([]byte(out), &f); code == 0 && err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return f, errs
	}
	var running figures
	for limit := time.Now().Add(20 * time.Second); running.Live.Total.Requests != 42; time.Sleep(50 * time.Millisecond) {
		var errs string
		if running, errs = ask("--listen", listen, "--http-token-file", token); time.Now().After(limit) {
			t.Fatalf("%+v %s", running, errs)
		}
	}
	alone, errs := ask("--path", log, "--name", "web", "--format", "combined")
	if len(alone.Rejects) != 1 || alone.Rejects[0].LineNumber != 43 || alone.Rejects[0].Why == "" || strings.Contains(alone.Rejects[0].Line, "\x1b") {
		t.Errorf("rejects of a file alone: %+v %s", alone.Rejects, errs)
	}
	text := func(f figures) string {
		text, err := json.MarshalIndent(f.Live, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if diff := cmp.Diff(text(running), text(alone)); diff != "" {
		t.Errorf("a running tailflux (-) and the log alone (+):\n%s", diff)
	}
	at := runAt(t, 120, 30, nil, "top", "--listen", listen, "--http-token-file", token)
	at.until("InfluxDB is away since ")
	at.until("/b ")
	d.Kill()
	at.until("No answer since ")
	at.until("/b ")
	at.press("q")
	at.ends(0)
}
