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
		{"/ping is not known there", 404, 200, 204, true, "unknown"},
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
		"a page": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"no ping": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
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
