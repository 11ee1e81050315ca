package main

import (
	"log/slog"
	"net/http"
	"sync"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/history"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/write"
)

// historian knows whom GET /history asks, over connections of its own.
type historian struct {
	log *slog.Logger

	mu     sync.Mutex // guards what follows
	config *config.Config
	store  *history.Store // of config; nil: nobody has asked since
}

// use makes later questions those of another configuration.
func (h *historian) use(c *config.Config) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.config = c
	h.forget()
}

func (h *historian) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forget()
}

// forget closes the connections. What is on its way ends by itself.
func (h *historian) forget() {
	if h.store != nil {
		h.store.Client.Close()
		h.store = nil
	}
}

// handler answers GET /history.
func (h *historian) handler() http.Handler {
	return history.Handler(history.Config{Store: h.now, Log: h.log})
}

// now is whom to ask just now. The error is one of files that the configuration names.
func (h *historian) now() (*history.Store, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.store != nil {
		return h.store, nil
	}
	c := *h.config
	c.InfluxDB.Timeout, c.InfluxDB.InFlight = history.Patience, history.AtOnce
	is, err := influxConfig(&c, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	is.MaxAnswer = history.MaxAnswer
	client, err := influx.New(is)
	if err != nil {
		return nil, err
	}
	h.store = &history.Store{Client: client, Rollups: rollupsOf(&c)}
	if c.SelfMetrics {
		h.store.Own, h.store.Policy = write.OwnMeasurement, c.RollupsPolicy()
	}
	return h.store, nil
}
