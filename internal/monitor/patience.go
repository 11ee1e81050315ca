package monitor

import (
	"net/http"
	"sync/atomic"
	"time"
)

// Whoever asks more often than answers change may wait: lines are read on the same cores.
const (
	atOnce = 500                   // requests in 100 ms that are answered at once
	later  = 20 * time.Millisecond // when the others are
)

// patient answers later when there are thousands of requests a second, so that they cannot
// slow the pipeline by much.
func patient(next http.Handler) http.Handler {
	var window, asked atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if now := time.Now().UnixNano() / int64(sharedFor); window.Swap(now) != now {
			asked.Store(0)
		}
		if asked.Add(1) > atOnce {
			select {
			case <-time.After(later):
			case <-r.Context().Done():
				return // the client is gone
			}
		}
		next.ServeHTTP(w, r)
	})
}
