// Package monitor is the HTTP face of the daemon: GET /monitor, /metrics, /healthz and
// /readyz. The first two may ask for a token. It only shows what package stats counts;
// docs/monitor.md explains every key and every metric.
package monitor

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/net/netutil"

	"github.com/tailflux/tailflux/internal/stats"
)

// Info is what the process knows of itself.
type Info struct {
	Version string
	Read    Channel       // from read to parse
	Write   Channel       // from parse to write
	Token   func() string // what a request has to show, but for the probes; nil or "": nothing
	// Mount adds other paths, which are guarded as /monitor is; nil adds none.
	Mount func(*http.ServeMux)
}

// Channel reports how full a channel is.
type Channel struct{ Length, Capacity func() int }

// Limits of the server: it is for curl, dashboards and load balancers.
const (
	maxConnections = 64
	maxHeader      = 8 << 10
	requestTimeout = 5 * time.Second
	idleTimeout    = 30 * time.Second
)

// Handler serves the four paths. It may be asked by several at once.
func Handler(info Info, st *stats.Stats) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /monitor", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		_ = enc.Encode(report(info, st, time.Now())) // the client is gone
	})
	mux.Handle("GET /metrics", metricsHandler(func() monitorReport { return report(info, st, time.Now()) }))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if reasons := unready(st.Snapshot(time.Now())); len(reasons) > 0 {
			http.Error(w, strings.Join(reasons, "\n"), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	if info.Mount != nil {
		info.Mount(mux)
	}
	return guarded(mux, info.Token)
}

// unready returns why the daemon is not ready.
func unready(s stats.Snapshot) (reasons []string) {
	for _, source := range s.Sources {
		if !source.Open || source.Unfit != "" {
			reasons = append(reasons, fmt.Sprintf("source %s: %s", source.Name, cmp.Or(source.Trouble, source.Unfit)))
		}
	}
	for _, glob := range s.Globs {
		if glob.Trouble != "" {
			reasons = append(reasons, fmt.Sprintf("source %s: %s", glob.Name, glob.Trouble))
		}
	}
	if s.RejectsTrouble != "" {
		reasons = append(reasons, "reject file: "+s.RejectsTrouble)
	}
	if s.Checkpoint.Trouble != "" {
		reasons = append(reasons, "checkpoint: "+s.Checkpoint.Trouble)
	}
	switch {
	case !s.InfluxDB.Up && s.InfluxDB.LastError != "":
		reasons = append(reasons, "influxdb: "+s.InfluxDB.LastError)
	case !s.InfluxDB.Up:
		reasons = append(reasons, "influxdb: no answer yet")
	}
	return reasons
}

// Serve serves on listener until ctx ends. It closes the listener.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: requestTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      requestTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
	}
	stopped := context.AfterFunc(ctx, func() { server.Close() })
	defer stopped()
	err := server.Serve(netutil.LimitListener(listener, maxConnections))
	if ctx.Err() != nil && errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve %s: %w", listener.Addr(), err)
}
