package write

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// room is how much may be sent at once. A size that is too large for InfluxDB is
// remembered; one that took too long is come back to little by little.
type room struct {
	log *slog.Logger

	mu    sync.Mutex // guards what follows
	large int        // more than this is too large; 0 while nothing was
	slow  int        // more than this may take too long; 0 while nothing does
}

// bytes is the most that should be sent.
func (o *room) bytes() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	most := 1 << 40
	if o.large > 0 {
		most = o.large
	}
	if o.slow > 0 {
		most = min(most, o.slow)
	}
	return most
}

func (o *room) tooLarge(bytes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if half := bytes / 2; o.large == 0 || half < o.large {
		o.large = max(1, half)
		o.log.Warn("influxdb takes no requests of this size, sending smaller ones", "bytes", bytes, "at_most", o.large)
	}
}

func (o *room) tooSlow(bytes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if half := bytes / 2; o.slow == 0 || half < o.slow {
		o.slow = max(1, half)
	}
}

// enough notes that there was time enough.
func (o *room) enough() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.slow > 0 {
		o.slow += o.slow/8 + 1
	}
	if o.slow > 2*MaxRequestBytes {
		o.slow = 0
	}
}

// searchInterval is between two requests that look for a point that is refused.
const searchInterval = time.Second / 50

// pace keeps that interval, over all requests in flight.
type pace struct {
	mu   sync.Mutex // guards next
	next time.Time
}

// wait waits for its turn. The error is ctx's.
func (p *pace) wait(ctx context.Context) error {
	p.mu.Lock()
	turn := time.Now()
	if p.next.After(turn) {
		turn = p.next
	}
	p.next = turn.Add(searchInterval)
	p.mu.Unlock()
	select {
	case <-time.After(time.Until(turn)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
