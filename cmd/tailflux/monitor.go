package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/explain"
	"github.com/tailflux/tailflux/internal/monitor"
	"github.com/tailflux/tailflux/internal/page"
)

// length is of the channel of this run.
func length[T any](of *atomic.Pointer[chan T]) func() int {
	return func() int {
		if now := of.Load(); now != nil {
			return len(*now)
		}
		return 0
	}
}

// monitor serves what the pipeline does.
func (p *pipeline) monitor() http.Handler {
	made := sync.OnceValue(p.handler) // by the first request: many runs are never asked
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { made().ServeHTTP(w, r) })
}

func (p *pipeline) handler() http.Handler {
	rejected := shownRejects{stats: p.stats, misfits: p.misfits.Load}
	return monitor.Handler(monitor.Info{
		Version: version,
		Read:    monitor.Channel{Length: length(&p.chunks), Capacity: func() int { return channelItems }},
		Write:   monitor.Channel{Length: length(&p.batches), Capacity: func() int { return channelItems }},
		Token:   func() string { return *p.token.Load() },
		Hosts:   func() []string { return *p.hosts.Load() },
		Kind:    func(name, path string) string { return (*p.kind.Load())(name, path) },
		Mount: func(mux *http.ServeMux, report func() []byte) {
			page.New(page.Config{Live: p.board, Pipeline: report, Rejects: rejected.last, History: p.history.handler()}).Mount(mux)
		},
	}, p.stats)
}

// board is what happened lately; nil without.
func (p *pipeline) board() page.Board {
	if board := p.live.Load(); board != nil {
		return board
	}
	return nil
}

// use has the HTTP server go by a configuration that is in force.
func (p *pipeline) use(c *config.Config, token string) {
	hosts := c.HTTP.Hosts
	if host, _, err := net.SplitHostPort(c.Listen); err == nil {
		hosts = append(slices.Clone(hosts), host)
	}
	p.token.Store(&token)
	p.hosts.Store(&hosts)
	p.history.use(c)
}

// reads has the HTTP server explain lines by how they are read from now on.
func (p *pipeline) reads(c *config.Config) {
	kind := p.kept.shaper.Kind
	p.kind.Store(&kind)
	p.misfits.Store(explain.NewMisfits(c, p.kept.shaper.Source))
}

// listen opens the address of the HTTP server; nil without one. A run that ends
// by itself goes without when a daemon has the address.
func listen(address string, once bool, log *slog.Logger) (net.Listener, error) {
	if address == "" {
		return nil, nil
	}
	network := "tcp"
	if host, _, err := net.SplitHostPort(address); err == nil && strings.Contains(host, ".") && net.ParseIP(host) != nil {
		network = "tcp4" // 0.0.0.0 is not [::] too
	}
	l, err := net.Listen(network, address)
	if err == nil {
		return l, nil
	}
	if once {
		log.Info("running without /monitor", "err", err)
		return nil, nil
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("listen: %w (is another tailflux running? choose another address with --listen)", err)
	}
	return nil, fmt.Errorf("listen: %w (choose an address of this machine with --listen)", err)
}

func addr(l net.Listener) string {
	if l == nil {
		return ""
	}
	return l.Addr().String()
}
