package e2e

import (
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
)

// A daemon with a token answers the probes and whoever shows it, and tailflux
// healthcheck needs none.
func TestHTTPToken(t *testing.T) {
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	token := b.write("token", "s3cret\n")
	log := b.write("access.log", "")
	d := b.start("--path", log, "--format", "combined", "--http-token-file", token)
	ask := func(path, authorization string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if authorization != "" {
			req.Header.Set("Authorization", authorization)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, ""
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	healthcheck := func() (int, string) {
		cmd := exec.CommandContext(t.Context(), binary, "healthcheck", "--ready", "--listen", strings.TrimPrefix(d.URL, "http://"), "--http-token-file", token)
		out, _ := cmd.CombinedOutput()
		return cmd.ProcessState.ExitCode(), string(out)
	}
	for end := time.Now().Add(arrival); ; time.Sleep(20 * time.Millisecond) {
		if status, body := ask("/readyz", ""); status == http.StatusOK {
			break
		} else if time.Now().After(end) {
			t.Fatalf("/readyz = %d %s", status, body)
		}
	}
	for _, tt := range []struct {
		path, authorization string
		status              int
	}{
		{"/healthz", "", 200},
		{"/monitor", "", 401},
		{"/monitor", "Bearer wrong", 401},
		{"/monitor", "Bearer s3cret", 200},
		{"/", "", 401},
		{"/metrics", "", 401},
	} {
		if status, body := ask(tt.path, tt.authorization); status != tt.status || strings.Contains(body, log) != (status == 200 && tt.path == "/monitor") {
			t.Errorf("%s with %q = %d, want %d:\n%s", tt.path, tt.authorization, status, tt.status, body)
		}
	}
	if code, out := healthcheck(); code != 0 || out != "ok\n" {
		t.Errorf("healthcheck = %d: %s", code, out)
	}
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	if code, out := healthcheck(); code != 1 || !strings.Contains(out, "no answer") {
		t.Errorf("healthcheck of a stopped one = %d: %s", code, out)
	}
	if strings.Contains(d.Log(), "s3cret") {
		t.Error("the token is in the log")
	}
}
