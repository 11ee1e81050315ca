package write

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/tailflux/tailflux/internal/stats"
)

// deliver sends a request until it is acknowledged or ctx ends.
func (w *Writer) deliver(ctx context.Context, r *request) {
	pieces := r.pieces()
	if len(pieces) == 0 {
		return // rejected and filtered lines only
	}
	r.err = w.persist(ctx, func() error {
		start := time.Now()
		err := w.sink.Write(ctx, pieces)
		if err == nil {
			now := time.Now()
			w.stats.Acknowledged(now, now.Sub(start))
		}
		return err
	})
}

// prepare prepares the sink, or tries until ctx ends.
func (w *Writer) prepare(ctx context.Context) {
	if w.persist(ctx, func() error { return w.sink.Prepare(ctx) }) == nil {
		w.stats.Answered()
	}
}

// persist tries until it succeeds. The error is ctx's.
func (w *Writer) persist(ctx context.Context, try func() error) error {
	pauses := newPauses()
	failing := false
	for {
		err := try()
		if err == nil {
			if failing {
				w.outage.over()
			}
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.stats.Failed(err)
		if !failing {
			failing = true
			w.outage.begin(err)
		}
		var asked interface{ Pause() time.Duration }
		least := time.Duration(0)
		if errors.As(err, &asked) {
			least = asked.Pause()
		}
		select {
		case <-time.After(pauses.next(least)):
			w.stats.Retried()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Pauses between two tries: growing, jittered, and never longer than the last.
const (
	firstPause = 100 * time.Millisecond
	maxPause   = 10 * time.Second
)

type pauses struct{ growing *backoff.ExponentialBackOff }

func newPauses() pauses {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = firstPause
	b.Multiplier = 2
	b.MaxInterval = maxPause * 2 / 3 // half more or less of it is jitter
	return pauses{b}
}

// next is the next pause, least or more when the server asked for one.
func (p pauses) next(least time.Duration) time.Duration {
	return min(max(p.growing.NextBackOff(), least), maxPause)
}

// outage tells once that requests fail, and once that none does any more.
type outage struct {
	stats *stats.Stats
	log   *slog.Logger

	mu      sync.Mutex // guards what follows
	failing int        // requests that failed and are tried again
	since   time.Time
}

func (o *outage) begin(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failing++; o.failing == 1 {
		o.since = time.Now()
		o.stats.Down(o.since)
		o.log.Warn("influxdb takes no points, trying again; reading waits", "err", err)
	}
}

func (o *outage) over() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failing--; o.failing == 0 {
		o.stats.Up()
		o.log.Info("influxdb takes points again", "after", time.Since(o.since).Round(time.Millisecond))
	}
}
