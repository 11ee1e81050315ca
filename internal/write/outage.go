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

// outage logs once when requests begin to fail, and once when none does any more.
type outage struct {
	stats *stats.Stats
	log   *slog.Logger

	mu      sync.Mutex // guards what follows
	failing int        // requests that failed and are tried again
	since   time.Time
	cause   error // the latest
	held    bool  // logged
}

// errHeld is the reason of an outage in which points are held because InfluxDB refuses them.
var errHeld = errors.New("more than half of a batch is refused (on_reject: hold)")

// ErrState is why a request is not sent: something that must be on tailflux's own disk before
// is not.
var ErrState = errors.New("cannot write to state_dir")

func (o *outage) begin(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.cause = err
	if o.failing++; o.failing == 1 {
		o.since = time.Now()
		o.stats.Down(o.since)
		switch {
		case errors.Is(err, errHeld):
		case errors.Is(err, ErrState):
			o.log.Error("cannot write to state_dir, and points that need it wait; retrying, reading is paused", "err", err)
		default:
			o.log.Warn("influxdb is not accepting writes; retrying, reading is paused", "err", err)
		}
	}
	o.alarm(err)
}

// isOn reports whether requests fail and are tried again.
func (o *outage) isOn() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.failing > 0
}

func (o *outage) goOn(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.cause = err
	o.alarm(err)
}

// alarm logs once that points are held: somebody must act.
func (o *outage) alarm(err error) {
	if errors.Is(err, errHeld) && !o.held {
		o.held = true
		o.log.Error("influxdb refuses most points of a batch; holding them and retrying, reading is paused (on_reject: hold)", "err", err)
	}
}

func (o *outage) over() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failing--; o.failing == 0 {
		o.held = false
		o.stats.Up()
		lasted := time.Since(o.since).Round(time.Millisecond).String()
		if errors.Is(o.cause, ErrState) {
			o.log.Info("state_dir is writable again", "duration", lasted, "err", o.cause)
		} else {
			o.log.Info("influxdb is accepting writes again", "duration", lasted, "err", o.cause)
		}
	}
}

// retry is the part of one request in an outage.
type retry struct {
	outage  *outage
	pauses  pauses
	failing bool
}

func (o *outage) retry() *retry { return &retry{outage: o} }

// wait waits until it is time to try again. The error is ctx's.
func (r *retry) wait(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.fails(err)
	var asked interface{ Pause() time.Duration }
	least := time.Duration(0)
	if errors.As(err, &asked) {
		least = asked.Pause()
	}
	select {
	case <-time.After(r.pauses.next(least)):
		r.outage.stats.Retried()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fails notes that there is no answer about points.
func (r *retry) fails(err error) {
	r.outage.stats.Failed(err)
	if r.failing {
		r.outage.goOn(err)
		return
	}
	r.failing = true
	r.pauses = newPauses()
	r.outage.begin(err)
}

// over notes that there is an answer about points.
func (r *retry) over() {
	if r.failing {
		r.failing = false
		r.outage.over()
	}
}
