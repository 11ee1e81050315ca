package write

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"time"
)

// forever is the time since which points are kept when all are.
const forever = math.MinInt64

const retentionInterval = time.Hour

// retention is how long InfluxDB keeps points. It is asked for at the start, and
// again by the next request when an hour is over.
type retention struct {
	sink Sink
	log  *slog.Logger

	mu      sync.Mutex    // guards what follows; not held while asking
	asked   time.Time     // zero before
	kept    time.Duration // 0: for ever, as far as it is known
	failing bool
}

// since is the time, in nanoseconds since 1970, before which points are not kept.
func (t *retention) since(ctx context.Context) int64 {
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
	if t.kept == 0 {
		return forever
	}
	return time.Now().Add(-t.kept).UnixNano()
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
