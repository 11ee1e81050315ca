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
	cause   error // the latest
	held    bool  // said so
}

// errHeld is about points that InfluxDB refuses, when that is an outage.
var errHeld = errors.New("more than half of a batch is refused (on_reject: hold)")

func (o *outage) begin(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.cause = err
	if o.failing++; o.failing == 1 {
		o.since = time.Now()
		o.stats.Down(o.since)
		if !errors.Is(err, errHeld) {
			o.log.Warn("influxdb takes no points, trying again; reading waits", "err", err)
		}
	}
	o.alarm(err)
}

func (o *outage) goOn(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.cause = err
	o.alarm(err)
}

// alarm tells once that points are held: somebody must act.
func (o *outage) alarm(err error) {
	if errors.Is(err, errHeld) && !o.held {
		o.held = true
		o.log.Error("influxdb refuses most points of a batch, holding them and trying again; reading waits", "err", err)
	}
}

func (o *outage) over() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failing--; o.failing == 0 {
		o.held = false
		o.stats.Up()
		o.log.Info("influxdb takes points again", "after", time.Since(o.since).Round(time.Millisecond), "cause", o.cause)
	}
}

// trouble is the part of one request in an outage.
type trouble struct {
	outage  *outage
	pauses  pauses
	failing bool
}

func (o *outage) trouble() *trouble { return &trouble{outage: o} }

// wait waits until it is time to try again. The error is ctx's.
func (t *trouble) wait(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	t.outage.stats.Failed(err)
	if t.failing {
		t.outage.goOn(err)
	} else {
		t.failing = true
		t.pauses = newPauses()
		t.outage.begin(err)
	}
	var asked interface{ Pause() time.Duration }
	least := time.Duration(0)
	if errors.As(err, &asked) {
		least = asked.Pause()
	}
	select {
	case <-time.After(t.pauses.next(least)):
		t.outage.stats.Retried()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// over notes that there is an answer about points.
func (t *trouble) over() {
	if t.failing {
		t.failing = false
		t.outage.over()
	}
}
