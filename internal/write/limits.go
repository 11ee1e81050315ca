package write

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"time"
)

// sizeLimit is how much may be sent at once. A size that is too large for InfluxDB is
// remembered, and twice as much is tried now and then: somebody may have repaired it. A size
// that took too long is returned to little by little.
type sizeLimit struct {
	log *slog.Logger

	mu    sync.Mutex    // guards what follows
	large int           // more than this is too large; 0 while nothing was
	told  int           // the smallest that large was
	taken int           // the largest request that was taken since anything was too large
	next  time.Time     // when twice as much is tried; zero: behind each request that is taken
	pause time.Duration // until then, from the last refusal on
	slow  int           // more than this may take too long; 0 while nothing does
}

// A refusal for its size costs a request, and a line in somebody's log.
const (
	firstRegrowth = time.Minute
	lastRegrowth  = time.Hour
)

// leastTooLarge is smaller than anything that a server or proxy refuses for its size, at least
// on purpose.
const leastTooLarge = 4 << 10

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
	less := max(1, bytes/2, l.taken)
	if bytes <= l.taken { // as much is too much by now
		less, l.taken = max(1, bytes/2), 0
	}
	if l.large > 0 && less >= l.large {
		return
	}
	if l.large = less; l.told == 0 || less < l.told {
		l.told, l.pause = less, firstRegrowth
		l.log.Warn("influxdb refuses requests of this size; sending smaller ones", "bytes", bytes, "limit", less)
	} else {
		l.pause = min(2*l.pause, lastRegrowth) // it was tried in vain
	}
	l.next = time.Now().Add(l.pause)
}

// nonsense notes that not even one small point is accepted: the limit on the other side is
// wrong, and says nothing about sizes.
func (l *sizeLimit) nonsense() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next = time.Time{}
}

func (l *sizeLimit) tooSlow(bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if half := bytes / 2; l.slow == 0 || half < l.slow {
		l.slow = max(1, half)
	}
}

// enough notes that a request was not too large, and that there was time enough.
func (l *sizeLimit) enough(bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.large > 0 && bytes > l.taken {
		l.taken, l.pause = bytes, firstRegrowth
	}
	if now := time.Now(); l.large > 0 && !now.Before(l.next) {
		if l.large *= 2; !l.next.IsZero() {
			l.next = now.Add(l.pause)
		}
	}
	if l.large > 2*MaxRequestBytes {
		l.large, l.taken = 0, 0
	}
	if l.slow > 0 {
		l.slow += l.slow/8 + 1
	}
	if l.slow > 2*MaxRequestBytes {
		l.slow = 0
	}
}

// searchInterval is the time between two requests that look for a refused point.
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
