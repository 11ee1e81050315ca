package influx_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/influx"
)

// goldenServer answers as one of the servers does.
func goldenServer(t *testing.T, g golden) *server {
	t.Helper()
	return newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if g.version != "" {
			w.Header().Set("X-Influxdb-Version", g.version)
		}
		if r.URL.Path == "/ping" {
			w.WriteHeader(g.ping)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, g.retention)
	})
}

// Each server is recognised before the first line, and what does not hold there is said.
func TestServersAreRecognised(t *testing.T) {
	for server, want := range map[string]struct{ name, version, warns string }{
		"influxd-1.8.10":          {"InfluxDB 1.8.10", "1.8.10", ""},
		"influxd-1.12.2":          {"InfluxDB v1.12.2", "v1.12.2", ""},
		"influxd-1.13.2":          {"InfluxDB 1.13.2", "1.13.2", ""},
		"influxdb-2.7":            {"InfluxDB v2.7.1", "v2.7.1", "InfluxDB 2 takes points"},
		"influxdb-3":              {"InfluxDB 3.4.0", "3.4.0", "InfluxDB 3 is written to"},
		"victoriametrics-1.151.0": {"VictoriaMetrics", "VictoriaMetrics", "VictoriaMetrics overwrites nothing"},
	} {
		t.Run(server, func(t *testing.T) {
			for _, g := range goldenAnswers(t) {
				if g.server != server {
					continue
				}
				var log bytes.Buffer
				s := goldenServer(t, g)
				c := newClient(t, s.URL, func(c *influx.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
				version, err := c.Prepare(t.Context())
				if err != nil || version != want.version {
					t.Errorf("Prepare = %q, %v, want %q", version, err, want.version)
				}
				is, err := c.Server(t.Context())
				if err != nil || is.String() != want.name || (is.NoInfluxQL() != "") != (want.name == "VictoriaMetrics") {
					t.Errorf("Server = %s, %v, want %s", is, err, want.name)
				}
				if warned := strings.Contains(log.String(), "level=WARN msg=\"this server"); warned != (want.warns != "") || !strings.Contains(log.String(), want.warns) || !strings.Contains(log.String(), want.name) {
					t.Errorf("logged %s", log.String())
				}
				return
			}
			t.Error("there is no such file")
		})
	}
}

// A proxy answers while its server is away: that is no answer of the server.
func TestServerBehindAProxy(t *testing.T) {
	const databases = `{"results":[{"name":"databases","columns":["name"],"values":[["_internal"]]}]}`
	for _, tt := range []struct {
		name               string
		ping, query, write int
		asked              bool // without error
		is                 string
	}{
		{"nothing is passed on", 502, 502, 502, false, ""},
		{"all the time is over", 504, 504, 504, false, ""},
		{"too many requests", 429, 429, 429, false, ""},
		{"statements are not", 204, 503, 204, false, ""},
		{"writes alone are passed on", 503, 503, 204, true, "unknown"},
		{"a wrong password is found there", 401, 401, 401, false, ""},
		{"nobody may come in", 403, 403, 403, false, ""},
		{"the way is not known now", 404, 404, 404, false, ""},
		{"it has just broken", 500, 500, 500, false, ""},
		{"it is moved", 301, 301, 301, false, ""},
		{"the way is not known to all but /ping", 204, 404, 404, false, ""},
		{"/ping is not known there", 404, 200, 204, true, "VictoriaMetrics"},
		{"/ping and /query are not known there", 404, 404, 204, true, "unknown"},
		{"neither may be asked", 403, 401, 204, true, "unknown"},
		{"no statement may be", 204, 403, 204, true, "unknown"},
		{"all is passed on", 204, 200, 204, true, "VictoriaMetrics"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/ping":
					w.WriteHeader(tt.ping)
				case "/write":
					w.WriteHeader(tt.write)
				default:
					w.Header().Set("Content-Type", "application/json")
					w.Header().Set("X-Influxdb-Version", "1.8.0") // VictoriaMetrics says so
					w.WriteHeader(tt.query)
					_, _ = io.WriteString(w, databases)
				}
			})
			c := newClient(t, s.URL, nil)
			is, err := c.Server(t.Context())
			if asked := err == nil; asked != tt.asked {
				t.Fatalf("Server = %v, %v, want an error: %t", is, err, !tt.asked)
			}
			if !tt.asked {
				if err := prepare(t.Context(), c); err == nil || !strings.Contains(err.Error(), fmt.Sprint(max(tt.ping, tt.query))) {
					t.Errorf("Prepare = %v, want an error, so that it is tried again", err)
				}
				return
			}
			if got := is.String(); !strings.Contains(got, tt.is) {
				t.Errorf("Server = %q, want %q", got, tt.is)
			}
		})
	}
}

// The way to it is there again while it is being asked.
func TestServerComesBackMeanwhile(t *testing.T) {
	for back := range 5 {
		n := 0
		s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
			switch n++; {
			case n <= back:
				http.NotFound(w, r)
			case r.URL.Path == "/query":
				w.Header().Set("X-Influxdb-Version", "1.8.0")
				_, _ = io.WriteString(w, `{"results":[{"name":"databases","columns":["name"],"values":[["_internal"]]}]}`)
			default:
				w.WriteHeader(http.StatusNoContent)
			}
		})
		is, err := newClient(t, s.URL, nil).Server(t.Context())
		if err == nil && !is.IsVictoria() {
			t.Errorf("it answers after %d questions: Server = %s, want an error or VictoriaMetrics", back, is)
		}
	}
}

// Where /ping is not passed on, other answers say what it is, and a database can be missing.
func TestServerWithoutPing(t *testing.T) {
	exists := false
	for name, tt := range map[string]struct{ version, want string }{
		"all of the header is passed": {"1.8.10", "InfluxDB 1.8.10"},
		"not the version":             {"", "unknown"},
	} {
		exists = false
		s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
			if tt.version != "" {
				w.Header().Set("X-Influxdb-Version", tt.version)
			}
			statement := r.URL.Query().Get("q")
			w.Header().Set("Content-Type", "application/json")
			switch {
			case r.URL.Path == "/ping":
				w.Header().Del("X-Influxdb-Version")
				http.NotFound(w, r)
			case strings.HasPrefix(statement, "TAILFLUX") && tt.version != "":
				w.WriteHeader(http.StatusBadRequest)
				_, _ = io.WriteString(w, `{"error":"error parsing query: found TAILFLUX, expected SELECT at line 1, char 1"}`)
			case strings.HasPrefix(statement, "TAILFLUX"):
				http.NotFound(w, r)
			case r.URL.Path == "/query":
				exists = true
				_, _ = io.WriteString(w, `{"results":[{"statement_id":0}]}`)
			case exists:
				w.WriteHeader(http.StatusNoContent)
			default:
				w.WriteHeader(http.StatusNotFound)
				_, _ = io.WriteString(w, `{"error":"database not found: \"db\""}`)
			}
		})
		c := newClient(t, s.URL, nil)
		if err := prepare(t.Context(), c); err != nil || !exists {
			t.Errorf("%s: Prepare = %v, created: %t", name, err, exists)
		}
		if got := c.Known().String(); got != tt.want {
			t.Errorf("%s: it is %s, want %s", name, got, tt.want)
		}
	}
}

// What tells nothing is not taken for VictoriaMetrics, but said.
func TestUnknownServers(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"InfluxDB behind a proxy that drops headers": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/ping" {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error":"error parsing query: found TAILFLUX, expected SELECT"}`)
		},
		"the same, which says 200": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/ping" {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			_, _ = io.WriteString(w, `{"results":[{"statement_id":0,"error":"no such statement"}]}`)
		},
		"one that carries out whatever it is asked": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/ping" {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"results":[{"statement_id":0}]}`)
		},
		"pages": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/write" {
				_, _ = io.WriteString(w, "<html>")
				return
			}
			w.WriteHeader(http.StatusNoContent)
		},
		"no ping": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/write" {
				http.NotFound(w, r)
				return
			}
			w.WriteHeader(http.StatusNoContent)
		},
	} {
		var log bytes.Buffer
		s := newServer(t, answer)
		c := newClient(t, s.URL, func(c *influx.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		version, err := c.Prepare(t.Context())
		if err != nil || version != "unknown" || !strings.Contains(log.String(), "does not say that it is InfluxDB") {
			t.Errorf("%s: Prepare = %q, %v; logged %s", name, version, err, log.String())
		}
	}
}

// A page in place of each answer is of something that stands there now.
func TestPagesAreOfNoServer(t *testing.T) {
	for _, ping := range []int{http.StatusOK, http.StatusNoContent} {
		s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/ping" && ping == http.StatusNoContent {
				w.WriteHeader(ping)
				return
			}
			_, _ = io.WriteString(w, "<html><title>Back soon</title></html>")
		})
		if version, err := newClient(t, s.URL, nil).Prepare(t.Context()); err == nil {
			t.Errorf("/ping answers %d: Prepare = %q, want an error", ping, version)
		}
	}
}
