package monitor_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/monitor"
	"github.com/tailflux/tailflux/internal/stats"
)

func two() int { return 2 }

var info = monitor.Info{
	Version: "v1.2.3",
	Read:    monitor.Channel{Length: two, Capacity: two},
	Write:   monitor.Channel{Length: two, Capacity: two},
	Kind: func(name, path string) string {
		if name == "web" && path == "/var/log/nginx/access.log" {
			return "scanner"
		}
		return ""
	},
}

// busy is a pipeline that has done a bit of everything.
func busy() *stats.Stats {
	start := time.Now()
	st := stats.New(start.Add(-time.Minute))
	i := st.AddSource("web", "/var/log/nginx/access.log")
	st.Read(start, 10, 1000)
	st.Offset(i, 1000)
	st.Parsing(10, 1000)
	st.Parsed(i, start.Add(-5*time.Second), 10, 1, 700, 4)
	st.Writing(10, 700)
	st.Written(6)
	st.Settled(10)
	st.Rejected(i, 2, "no match", []byte("bad \xff line"))
	st.UpdateSource(i, func(s *stats.Source) { s.Open, s.Trouble, s.Size, s.Rotations = true, "", 1500, 3 })
	st.UpdateSource(i, func(s *stats.Source) { s.Lost, s.LostBytes, s.NULs = 1, 70, 5000 })
	st.Matched(st.AddGlob("sites", "/var/log/nginx/*.log"), 2, "")
	st.AddRollup("nginx_site#1", "nginx_site")
	st.UpdateRollup("nginx_site#1", func(r *stats.Rollup) { r.Cells, r.Bytes, r.Cuts, r.Intents = 12, 7000, 3, 2 })
	st.RefusedDelta("nginx_site#1", 5, false)
	st.RefusedDelta("nginx_site#1", 4, true)
	st.RejectsExpired(3)
	st.RejectsExpired(4)
	st.CheckpointTrouble("no space left on device")
	tag := st.AddTag("path", 10)
	tag.Values.Add(10)
	tag.Other.Add(3)
	st.Acknowledged(start, 20*time.Millisecond)
	return st
}

func get(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestMonitor(t *testing.T) {
	w := get(t, monitor.Handler(info, busy()), "/monitor")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s", w.Code, w.Header().Get("Content-Type"))
	}
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"uptime_seconds", "pid", "memory_bytes"} {
		if n, _ := got[key].(float64); n <= 0 {
			t.Errorf("%s = %v", key, got[key])
		}
		delete(got, key)
	}
	delete(got, "go")
	delete(got, "throughput") // its figures depend on the second
	source := got["sources"].([]any)[0].(map[string]any)
	if lag := source["lag_seconds"].(float64); lag < 5 || lag > 60 {
		t.Errorf("lag_seconds = %v, want 5", lag)
	}
	delete(source, "lag_seconds")
	channel := map[string]any{"length": 2., "capacity": 2., "lines": 0., "bytes": 0.}
	want := map[string]any{
		"version":  "v1.2.3",
		"lines":    map[string]any{"read": 10., "written": 6., "rejected": 2., "filtered": 1., "in_flight": 1.},
		"channels": map[string]any{"read": channel, "write": channel},
		"sources": []any{map[string]any{
			"name": "web", "path": "/var/log/nginx/access.log", "open": true, "offset": 1000., "size": 1500.,
			"lag_bytes": 500., "rotations": 3., "truncations": 0., "recovered": 0., "generations_lost": 1., "bytes_lost": 70., "nul_bytes_skipped": 5000., "values_omitted": 4., "still_written_after_rotation": 0., "line_numbers_used_twice": 0.,
		}},
		"globs": []any{map[string]any{"name": "sites", "path": "/var/log/nginx/*.log", "files": 2.}},
		"rollups": []any{map[string]any{
			"measurement": "nginx_site", "cells": 12., "bytes": 7000., "cuts": 3., "intents": 2., "open_seconds": 0., "refused_requests": 9., "expired_requests": 4.,
		}},
		"influxdb": map[string]any{
			"up": true, "version": "", "last_error": "", "outage_seconds": 0., "batches": 1., "retries": 0.,
			"request_seconds": map[string]any{"p50": 0.02, "p99": 0.02},
		},
		"tags":    map[string]any{"path": map[string]any{"values": 10., "limit": 10., "other": 3.}},
		"rejects": map[string]any{"reasons": map[string]any{"no match": 2.}},
		"reload":  nil, "rejects_expired": 7., "undelivered_seconds": 0., "generations_unreadable": 0.,
		"checkpoint": map[string]any{"saved_seconds": nil, "trouble": "no space left on device"},
		"parser": map[string]any{"web": map[string]any{
			"kind": "scanner", "last_rejected": map[string]any{"line": `bad \xFF line`, "reason": "no match"},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("/monitor, want (-) and got (+):\n%s", diff)
	}
}

// Every key is explained in docs/monitor.md.
func TestDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/monitor.md")
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := json.Unmarshal(get(t, monitor.Handler(info, busy()), "/monitor").Body.Bytes(), &tree); err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, value := range v {
				name := regexp.MustCompile("[`.]" + regexp.QuoteMeta(key) + "[`.\\[]")
				if key != "web" && key != "path" && key != "no match" && !name.Match(page) {
					t.Errorf("docs/monitor.md does not explain %s", key)
				}
				walk(value)
			}
		case []any:
			for _, value := range v {
				walk(value)
			}
		}
	}
	walk(tree)
}

func TestReady(t *testing.T) {
	st := stats.New(time.Now())
	h := monitor.Handler(info, st)
	i := st.AddSource("web", "access.log")
	check := func(code int, want ...string) {
		t.Helper()
		w := get(t, h, "/readyz")
		if got := strings.TrimSpace(w.Body.String()); w.Code != code || got != strings.Join(want, "\n") {
			t.Errorf("/readyz = %d %q, want %d %q", w.Code, got, code, want)
		}
	}
	check(503, "source web: not opened yet", "influxdb: no answer yet")
	st.UpdateSource(i, func(s *stats.Source) { s.Open = true })
	st.Answered("1.8.10")
	check(200, "ok")
	st.Failed(errors.New("connection refused"))
	st.Down(time.Now())
	check(503, "influxdb: connection refused")
	st.Up()
	st.UpdateSource(i, func(s *stats.Source) { s.Open, s.Trouble = false, "gone" })
	check(503, "source web: gone")
	st.UpdateSource(i, func(s *stats.Source) { s.Open = true })
	glob := st.AddGlob("sites", "/logs/*.log")
	check(503, "source sites: not looked for yet")
	st.Matched(glob, 0, "no file matches /logs/*.log")
	check(503, "source sites: no file matches /logs/*.log")
	st.Matched(glob, 1, "")
	check(200, "ok")
	st.RejectsTrouble("no space left on device")
	check(503, "reject file: no space left on device")
	st.RejectsTrouble("")
	st.CheckpointTrouble("read-only file system")
	check(503, "checkpoint: read-only file system")
	st.CheckpointTrouble("")
	check(200, "ok")
	st.UpdateSource(i, func(s *stats.Source) { s.Trouble, s.Unfit = "", "all of the first 20 lines rejected" })
	check(503, "source web: all of the first 20 lines rejected")
	if got := get(t, h, "/monitor").Body.String(); !strings.Contains(got, `"trouble": "all of the first 20 lines rejected"`) {
		t.Errorf("/monitor does not have it: %s", got)
	}
	st.UpdateSource(i, func(s *stats.Source) { s.Unfit = "" })
	check(200, "ok")
	if w := get(t, h, "/healthz"); w.Code != 200 {
		t.Errorf("/healthz = %d", w.Code)
	}
	if w := get(t, h, "/debug/pprof/"); w.Code != 404 {
		t.Errorf("/debug/pprof/ = %d, want 404", w.Code)
	}
}

func TestServe(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- monitor.Serve(ctx, listener, monitor.Handler(info, busy())) }()

	// Idle connections are as many as they like; the server answers others
	// after five seconds at the latest, when it has given the idle ones up.
	for range 100 {
		c, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
	}
	resp, err := http.Get("http://" + listener.Addr().String() + "/monitor")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %d", resp.StatusCode)
	}
	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve = %v", err)
	}
}
