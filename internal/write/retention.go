package write

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/tailflux/tailflux/internal/influx"
)

// always is the span of points that are kept when all are.
var always = span{math.MinInt64, math.MaxInt64}

const retentionInterval = time.Hour

// retention is which points InfluxDB keeps. It is asked for at the start, and
// again by the next request when an hour is over.
type retention struct {
	sink Sink
	log  *slog.Logger

	mu      sync.Mutex    // guards what follows; not held while asking
	asked   time.Time     // zero before
	kept    influx.Window // of all times, as far as it is known
	failing bool
}

// span is the time of points that are kept.
func (t *retention) span(ctx context.Context) span {
	t.mu.Lock()
	now := time.Now()
	due := t.asked.IsZero() || now.Sub(t.asked) >= retentionInterval
	if due {
		t.asked = now
	}
	t.mu.Unlock()
	if due {
		t.ask(ctx)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	kept, now := always, time.Now()
	if t.kept.Past > 0 {
		kept.since = now.Add(-t.kept.Past).UnixNano()
	}
	if t.kept.Future > 0 {
		kept.until = now.Add(t.kept.Future + ahead).UnixNano()
	}
	return kept
}

func (t *retention) ask(ctx context.Context) {
	kept, err := t.sink.Retention(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		t.kept, t.failing = kept, false
		return
	}
	if ctx.Err() == nil && !t.failing {
		t.failing = true
		t.log.Warn("cannot read the retention policy; lines that are too old are found by sending them", "err", err)
	}
}
