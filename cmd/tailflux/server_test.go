package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/lineproto"
)

// otherStore is a server that refuses some lines of line protocol as another version does.
type otherStore struct {
	refuses func(line string, at time.Time) bool
	answer  func(w http.ResponseWriter, refused int)
	atomic  bool // nothing of a request is stored that has such a line
	version string

	mu       sync.Mutex
	stored   map[string]bool
	requests int
}

func (s *otherStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if s.version != "" {
		w.Header().Set("X-Influxdb-Version", s.version)
	}
	switch r.URL.Path {
	case "/ping":
		w.WriteHeader(http.StatusNoContent)
	case "/query":
		w.Header().Set("Content-Type", "application/json")
		if s.version == "" {
			_, _ = io.WriteString(w, `{"results":[{"name":"databases","columns":["name"],"values":[["_internal"]]}]}`)
			return
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"error":"not authorized"}`)
	default:
		s.write(w, string(body))
	}
}

func (s *otherStore) write(w http.ResponseWriter, body string) {
	if strings.HasPrefix(body, "tailflux,") { // about itself, in a request of its own
		w.WriteHeader(http.StatusNoContent)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	refused := 0
	var good []string
	for line := range strings.Lines(body) {
		at, _ := lineproto.Stamp([]byte(line))
		if s.refuses != nil && s.refuses(line, time.Unix(0, at)) {
			refused++
		} else {
			good = append(good, line)
		}
	}
	if refused == 0 || !s.atomic {
		for _, line := range good {
			s.stored[line] = true
		}
	}
	if refused > 0 {
		s.answer(w, refused)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func answers(status int, format string) func(http.ResponseWriter, int) {
	return func(w http.ResponseWriter, refused int) {
		w.WriteHeader(status)
		text := strings.ReplaceAll(format, "N", fmt.Sprint(refused))
		_, _ = io.WriteString(w, text)
	}
}

// delivery runs a command on a log of lines with these times and numbers of bytes.
func (s *otherStore) delivery(t *testing.T, command []string, log string, settings ...string) (code int, out string, rejected []string) {
	t.Helper()
	s.stored = map[string]bool{}
	server := httptest.NewServer(s)
	defer server.Close()
	dir := t.TempDir()
	path := filepath.Join(dir, "access.log")
	if err := os.WriteFile(path, []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{
		command[0], "--path", path, "--name", "web", "--format", "combined", "--host", "h",
		"--influxdb-url", server.URL, "--state-dir", filepath.Join(dir, "state"), "--listen", "",
	}
	args = append(append(args, settings...), command[1:]...)
	if command[0] != "run" {
		args = append(args, path)
	}
	var printed bytes.Buffer
	code = execute(args, &printed, &printed)
	entries, _ := os.ReadFile(filepath.Join(dir, "state", "rejects.jsonl"))
	for entry := range strings.Lines(string(entries)) {
		var e struct{ Reason string }
		if err := json.Unmarshal([]byte(entry), &e); err != nil {
			t.Fatal(err)
		}
		rejected = append(rejected, e.Reason)
	}
	return code, printed.String(), rejected
}

func requests(n int, ago time.Duration, bytesSent int) string {
	at := time.Now().Add(-ago).UTC().Format("02/Jan/2006:15:04:05 -0700")
	return strings.Repeat(fmt.Sprintf("192.0.2.7 - - [%s] \"GET /a HTTP/1.1\" 200 %d \"-\" \"curl\"\n", at, bytesSent), n)
}

// Other words and other status: the same fate for each line, in few requests.
func TestRefusalsOfOtherVersions(t *testing.T) {
	const week, hour = 7 * 24 * time.Hour, time.Hour
	older := func(than time.Duration) func(string, time.Time) bool {
		return func(_ string, at time.Time) bool { return time.Since(at) > than }
	}
	seven := func(line string, _ time.Time) bool { return strings.Contains(line, "body_bytes_sent=7i") }
	mixed := requests(500, time.Minute, 5) + requests(1, time.Minute, 7) + requests(499, time.Minute, 5)
	for name, tt := range map[string]struct {
		store    *otherStore
		log      string
		settings []string
		stored   int
		rejected int
		reason   string
		requests int
	}{
		"older than the policy": {
			&otherStore{version: "1.13.2", refuses: older(week), answer: answers(400, `{"error":"partial write: dropped N points outside retention policy of duration 168h0m0s - oldest point nginx_access,host=web1 at 2026-11-01T00:00:00Z dropped because it violates a Retention Policy Lower Bound at 2026-11-13T10:00:00Z dropped=N for database: nginx for retention policy: week"}`)},
			requests(500, 10*24*hour, 5) + requests(500, 0, 5), nil, 500, 500, "expired", 25,
		},
		"older than the policy, held": {
			&otherStore{version: "1.13.2", refuses: older(week), answer: answers(400, `{"error":"partial write: dropped N points outside retention policy of duration 168h0m0s - oldest point x"}`)},
			requests(500, 10*24*hour, 5) + requests(100, 0, 5),
			[]string{"--on-reject", "hold"},
			100, 500, "expired", 25,
		},
		"outside a write window": {
			&otherStore{version: "1.13.2", refuses: older(hour), answer: answers(400, "partial write: dropped 0 points outside retention policy of duration 720h0m0s and N points outside write window (-1h0m0s to 1h0m0s) - oldest point x")},
			requests(2000, 2*hour, 5) + requests(100, 0, 5), nil, 100, 2000, "expired", 25,
		},
		"outside, among others": {
			&otherStore{version: "1.13.2", refuses: older(hour), answer: answers(400, "partial write: dropped N points outside write window (-1h0m0s to 1h0m0s)")},
			strings.Repeat(requests(25, 2*hour, 5)+requests(1, 0, 5), 200),
			[]string{"--influxdb-batch-points", "5200"},
			200, 5000, "expired", 60,
		},
		"from the future": {
			&otherStore{version: "1.13.2", refuses: func(_ string, at time.Time) bool { return time.Until(at) > hour }, answer: answers(400, `{"error":"partial write: dropped 0 points outside retention policy of duration 720h0m0s and N points outside write window (-1h0m0s to 1h0m0s) - oldest point x dropped because it violates a Retention Policy Lower Bound"}`)},
			requests(100, 0, 5) + requests(700, -2*hour, 5), nil, 100, 700, "future", 25,
		},
		"unknown words": {
			&otherStore{version: "1.14.0", refuses: older(hour), answer: answers(400, `{"error":"N points came too late"}`)},
			requests(2000, 2*hour, 5) + requests(100, 0, 5),
			[]string{"--on-reject", "hold"},
			100, 2000, "refused: influxdb answered 400:", 100,
		},
		"422, nothing stored": {
			&otherStore{version: "v2.7.1", refuses: seven, atomic: true, answer: answers(422, `{"code":"unprocessable entity","message":"failure writing points to database: partial write: field type conflict: input field \"body_bytes_sent\" on measurement \"nginx_access\" is type float, already exists as type integer dropped=1"}`)},
			mixed, nil, 999, 1,
			`refused: influxdb answered 422: failure writing points to database: partial write: field type conflict: input field "body_bytes_sent" on measurement "nginx_access" is type float, already exists as type integer dropped=1`, 50,
		},
		"201": {
			&otherStore{version: "3.0.0", refuses: seven, answer: answers(201, `{"code":"invalid","message":"partial write has occurred, N out of 1000 points rejected"}`)},
			mixed, nil, 999, 1, "refused: influxdb answered 201: partial write has occurred, 1 out of 1000 points rejected", 50,
		},
		"206": {
			&otherStore{version: "3.0.0", refuses: seven, answer: answers(206, `{"error":"partial write of line protocol occurred","data":[{"original_line":"x","line_number":1,"error_message":"not this"}]}`)},
			mixed, nil, 999, 1, "refused: influxdb answered 206: partial write of line protocol occurred: not this", 50,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			code, out, rejected := tt.store.delivery(t, []string{"run", "--once", "--rollups=none"}, tt.log, tt.settings...)
			if code != 0 || len(tt.store.stored) != tt.stored || len(rejected) != tt.rejected || tt.store.requests > tt.requests {
				t.Errorf("exit code %d, %d stored, %d rejected, %d requests in %s; want %d, %d, at most %d\n%s",
					code, len(tt.store.stored), len(rejected), tt.store.requests, time.Since(began), tt.stored, tt.rejected, tt.requests, out)
			}
			for _, reason := range rejected {
				if !strings.HasPrefix(reason, tt.reason) || tt.rejected == 1 && reason != tt.reason {
					t.Fatalf("rejected: %s, want %s", reason, tt.reason)
				}
			}
		})
	}
}

// VictoriaMetrics is recognised by what it answers: a warning before the first line,
// and no comparing and no importing.
func TestVictoriaMetrics(t *testing.T) {
	for _, command := range []string{"verify", "import"} {
		code, out, _ := (&otherStore{}).delivery(t, []string{command}, requests(10, 0, 5))
		if code != 2 || !strings.Contains(out, "tailflux: "+command+": VictoriaMetrics answers at influxdb.url") || strings.Contains(out, "missing") {
			t.Errorf("%s: exit code %d, %s", command, code, out)
		}
	}
	s := &otherStore{}
	code, out, _ := s.delivery(t, []string{"run", "--once", "--rollups=none"}, requests(10, 0, 5))
	if code != 0 || len(s.stored) != 10 || !strings.Contains(out, "this server is not InfluxDB 1.x") || !strings.Contains(out, "VictoriaMetrics overwrites nothing") {
		t.Errorf("run: exit code %d, %d stored, %s", code, len(s.stored), out)
	}
}
