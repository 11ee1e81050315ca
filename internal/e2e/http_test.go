package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
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
		{"/metrics", "Bearer wrong", 401},
		{"/metrics", "Bearer s3cret", 200},
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

// What is known of the traffic is on /monitor and on /metrics.
func TestMetricsOfTraffic(t *testing.T) {
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	log := b.write("access.log", lines(7)+"no such line\n\n\n")
	config := b.write("tailflux.yaml", fmt.Sprintf(`sources: [{name: 'a "shop"', path: %s, format: combined, start: beginning}]
drop: [{status: "404"}]
`, log))
	d := b.start("--config", config)
	f, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(combined(404, 1) + combined(404, 2)); err != nil {
		t.Fatal(err)
	}
	r := b.delivered(d, 12)
	resp, err := http.Get(d.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	size, err := os.Stat(log)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"tailflux_lines_read_total 12",
		"tailflux_lines_written_total 7",
		"tailflux_lines_filtered_total 2",
		"tailflux_lines_in_flight 0",
		`tailflux_lines_rejected_total{reason="no match"} 1`,
		`tailflux_lines_rejected_total{reason="empty"} 2`,
		`tailflux_lines_rejected_total{reason="too long"} 0`,
		fmt.Sprintf("tailflux_read_bytes_total %d", size.Size()),
		fmt.Sprintf(`tailflux_source_offset_bytes{source="a \"shop\""} %d`, size.Size()),
		`tailflux_source_lag_bytes{source="a \"shop\""} 0`,
		"tailflux_influxdb_up 1",
	} {
		if !strings.Contains(string(text), "\n"+want+"\n") {
			t.Errorf("/metrics has no %s", want)
		}
	}
	if r.Lines.Read != 12 || r.Lines.Written != 7 || r.Lines.Rejected != 3 || r.Lines.Filtered != 2 {
		t.Errorf("/monitor has %+v", r.Lines)
	}
	if t.Failed() {
		t.Logf("%s", text)
	}
}
