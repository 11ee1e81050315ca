// Package monitor is the HTTP face of the daemon: GET /monitor, /metrics, /healthz and
// /readyz, the server, and who may ask it. All but the last two may ask for a token. It only
// shows what package stats counts; docs/monitor.md explains every key and every metric.
package monitor

import (
	"cmp"
	"context"
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
	// Hosts are the names by which it may be asked, beside addresses and those of this
	// machine; nil: it may be asked by any.
	Hosts func() []string
	// Kind is how the lines of a source are cut: "scanner", "regexp" or "json"; "" while
	// its format is not known. nil: nobody knows of any.
	Kind func(name, path string) string
	// Mount adds other paths, which are guarded as /monitor is, and whose report is the JSON
	// of that; nil adds none.
	Mount func(mux *http.ServeMux, report func() []byte)
}

// Channel reports how full a channel is.
type Channel struct{ Length, Capacity func() int }

// Limits of the server: it is for curl, dashboards, load balancers and some browsers, whose
// streams stay open.
const (
	maxConnections = 80
	maxUnsent      = 64 << 10 // bytes that the kernel keeps for a client which does not read
	maxHeader      = 8 << 10
	requestTimeout = 5 * time.Second
	idleTimeout    = 30 * time.Second
)

// Handler serves the four paths, and those of Mount. It may be asked by several at once.
func Handler(info Info, st *stats.Stats) http.Handler {
	mux := http.NewServeMux()
	all := newMoments(info, st)
	mux.HandleFunc("GET /monitor", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(all.now().json) // the client is gone
	})
	mux.Handle("GET /metrics", all.once(metricsHandler(func() monitorReport { return all.now().report })))
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
		info.Mount(mux, func() []byte { return all.now().json })
	}
	return patient(named(guarded(mux, info.Token), info.Hosts, info.Token))
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
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if tcp, ok := c.(interface{ SetWriteBuffer(int) error }); ok {
				_ = tcp.SetWriteBuffer(maxUnsent) // it works without
			}
			return ctx
		},
	}
	stopped := context.AfterFunc(ctx, func() { server.Close() })
	defer stopped()
	err := server.Serve(netutil.LimitListener(listener, maxConnections))
	if ctx.Err() != nil && errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve %s: %w", listener.Addr(), err)
}
