package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/write"
)

// sink is InfluxDB, however it is reached at the moment. It gets a point only when the tag
// values and the format that the point depends on are on the disk and, for a delta, where its
// cut ends: then a line that is read again gives the same point again.
type sink struct {
	kept *state

	mu        sync.Mutex     // guards what follows; never held over I/O
	now, next *influx.Client // next: of a reload that is pending; nil without one
	asked     bool           // now was prepared, or will be before anything is written
}

func openSink(kept *state, log *slog.Logger) (*sink, error) {
	client, err := openInflux(kept.config, log)
	return &sink{kept: kept, now: client, asked: true}, err
}

func (s *sink) close() { s.client().Close() }

// use makes everything go through another client at once.
func (s *sink) use(client *influx.Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.Close() // what is on its way ends by itself
	s.now, s.next, s.asked = client, nil, false
}

// await uses another client as soon as a request fails, or [sink.turn] is called.
func (s *sink) await(client *influx.Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = client
}

// turn uses the awaited client, if there is one.
func (s *sink) turn() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next != nil {
		s.now.Close()
		s.now, s.next, s.asked = s.next, nil, false
	}
}

func (s *sink) client() *influx.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// prepared is the client, whose server was asked what it is and has the database.
func (s *sink) prepared(ctx context.Context) (*influx.Client, error) {
	s.mu.Lock()
	client, asked := s.now, s.asked
	s.mu.Unlock()
	if asked {
		return client, nil
	}
	if _, err := s.Prepare(ctx); err != nil {
		return nil, err
	}
	return client, nil
}

func (s *sink) Prepare(ctx context.Context) (version string, err error) {
	client := s.client()
	if version, err = client.Prepare(ctx); err != nil {
		s.turn()
		return version, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = s.asked || s.now == client
	s.kept.rollups.sentTo(client)
	s.kept.trail.follow(client.Known(), s.kept.config.InfluxDB.StoreLag)
	return version, nil
}

func (s *sink) Probe(ctx context.Context) error { return s.client().Probe(ctx) }

func (s *sink) Retention(ctx context.Context) (influx.Window, error) {
	return s.client().Retention(ctx)
}

func (s *sink) Write(ctx context.Context, pieces [][]byte) error {
	return s.write(ctx, func(c *influx.Client) write.Sink { return c }, pieces)
}

// inPolicy is the sink of another retention policy than that of the points.
type inPolicy struct {
	*sink
	name string
}

func (p inPolicy) of(c *influx.Client) write.Sink { return c.Policy(p.name) }

func (p inPolicy) Retention(ctx context.Context) (influx.Window, error) {
	return p.of(p.client()).Retention(ctx)
}

func (p inPolicy) Write(ctx context.Context, pieces [][]byte) error {
	return p.write(ctx, p.of, pieces)
}

// write writes through what is made of the current client.
func (s *sink) write(ctx context.Context, by func(*influx.Client) write.Sink, pieces [][]byte) error {
	for _, sync := range []func(context.Context) error{s.kept.values.Sync, s.kept.shaper.Sync, s.kept.rollups.sync} {
		if err := sync(ctx); err != nil {
			return fmt.Errorf("%w: %w", write.ErrState, err)
		}
	}
	client, err := s.prepared(ctx)
	if err == nil {
		err = by(client).Write(ctx, pieces)
	}
	if means := influx.VerdictOf(err); means == influx.Retry || means == influx.Slow {
		if ctx.Err() == nil {
			s.kept.trail.unanswered(err)
		}
		s.turn() // what is tried again goes there
	}
	return err
}

func openInflux(c *config.Config, log *slog.Logger) (*influx.Client, error) {
	is, err := influxConfig(c, log)
	if err != nil {
		return nil, err
	}
	return influx.New(is)
}

func influxConfig(c *config.Config, log *slog.Logger) (influx.Config, error) {
	access, err := c.Access()
	if err != nil {
		return influx.Config{}, config.UsageError{Err: err}
	}
	db := c.InfluxDB
	return influx.Config{
		URL: db.URL, Database: db.Database, RetentionPolicy: db.RetentionPolicy,
		Username: db.Username, Password: access.Password, Token: access.Token, TLS: access.TLS, Headers: access.Headers,
		Gzip: db.Gzip, Timeout: db.Timeout, InFlight: db.InFlight, Raw: c.Raw, Log: log,
		Keep: influx.Keep{Raw: c.Retention.Raw, Rollups: c.Retention.Rollups, RollupsPolicy: c.RollupsPolicy()},
	}, nil
}
