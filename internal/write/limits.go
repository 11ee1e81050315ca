package write

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"time"
)

// sizeLimit is how much may be sent at once. A size that is too large for InfluxDB is
// remembered; one that took too long is come back to little by little.
type sizeLimit struct {
	log *slog.Logger

	mu    sync.Mutex // guards what follows
	large int        // more than this is too large; 0 while nothing was
	slow  int        // more than this may take too long; 0 while nothing does
}

// bytes is the most that should be sent.
func (l *sizeLimit) bytes() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	most := math.MaxInt
	if l.large > 0 {
		most = l.large
	}
	if l.slow > 0 {
		most = min(most, l.slow)
	}
	return most
}

func (l *sizeLimit) tooLarge(bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if half := bytes / 2; l.large == 0 || half < l.large {
		l.large = max(1, half)
		l.log.Warn("influxdb refuses requests of this size; sending smaller ones", "bytes", bytes, "limit", l.large)
	}
}

func (l *sizeLimit) tooSlow(bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if half := bytes / 2; l.slow == 0 || half < l.slow {
		l.slow = max(1, half)
	}
}

// enough notes that there was time enough.
func (l *sizeLimit) enough() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.slow > 0 {
		l.slow += l.slow/8 + 1
	}
	if l.slow > 2*MaxRequestBytes {
		l.slow = 0
	}
}

// searchInterval is between two requests that look for a point that is refused.
const searchInterval = time.Second / 50

// limiter keeps that interval, over all requests in flight.
type limiter struct {
	mu   sync.Mutex // guards next
	next time.Time
}

// wait waits for its turn. The error is ctx's.
func (l *limiter) wait(ctx context.Context) error {
	l.mu.Lock()
	turn := time.Now()
	if l.next.After(turn) {
		turn = l.next
	}
	l.next = turn.Add(searchInterval)
	l.mu.Unlock()
	select {
	case <-time.After(time.Until(turn)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
