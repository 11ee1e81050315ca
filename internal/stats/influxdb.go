package stats

import (
	"slices"
	"time"
)

// InfluxDB is the state of the connection to InfluxDB.
type InfluxDB struct {
	Up             bool          // it has answered, and there is no outage
	Answered       bool          // it has answered without an error at least once
	Version        string        // of the server, "" before it answered
	LastError      string        // of the last failed request; kept when it is up again
	Outage         time.Duration // how long the present outage has lasted; 0: there is none
	Batches        int64         // requests acknowledged
	Took           time.Duration // all of these
	Retries        int64         // requests sent again
	Outages        int64         // that have begun
	RequestSeconds Quantiles     // of requests acknowledged in the last 60 s, the latest 8,192 at most
}

// Quantiles are in seconds.
type Quantiles struct{ P50, P99 float64 }

const requestWindow = time.Minute

type influx struct {
	answered         bool
	version          string
	lastError        string
	down             time.Time // start of the outage, zero when up
	batches, retries int64
	outages          int64
	all              time.Duration // that requests took
	requests         [8192]struct {
		at   time.Time
		took time.Duration
	}
	next int // in requests
}

// Answered records an answer without an error to a request without points, and the
// version of the server.
func (s *Stats) Answered(version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.influx.answered, s.influx.version = true, version
}

// Identified records the version of the server, which may not take points yet.
func (s *Stats) Identified(version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.influx.version = version
}

// Acknowledged counts a request that InfluxDB answered with 204; took is how long
// that was.
func (s *Stats) Acknowledged(now time.Time, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := &s.influx
	in.answered = true
	in.batches++
	in.all += took
	in.requests[in.next].at, in.requests[in.next].took = now, took
	in.next = (in.next + 1) % len(in.requests)
}

// Failed records why a request failed. The request will be sent again.
func (s *Stats) Failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.influx.lastError = err.Error()
}

// Down records the start of an outage.
func (s *Stats) Down(since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.influx.down = since
	s.influx.outages++
}

// Up records the end of the outage.
func (s *Stats) Up() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.influx.down = time.Time{}
}

// Retried counts a request that is sent again.
func (s *Stats) Retried() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.influx.retries++
}

func (in *influx) snapshot(now time.Time) InfluxDB {
	db := InfluxDB{
		Up:        in.answered && in.down.IsZero(),
		Answered:  in.answered,
		Version:   in.version,
		LastError: in.lastError,
		Batches:   in.batches,
		Took:      in.all,
		Retries:   in.retries,
		Outages:   in.outages,
	}
	if !in.down.IsZero() {
		db.Outage = now.Sub(in.down)
	}
	return db
}

// took returns the duration of each request in the window, in seconds.
func (in *influx) took(now time.Time) (seconds []float64) {
	for i := range in.requests {
		if r := &in.requests[i]; !r.at.IsZero() && now.Sub(r.at) <= requestWindow {
			seconds = append(seconds, r.took.Seconds())
		}
	}
	return seconds
}

// quantiles returns nearest ranks. If there are only a few requests, the 99th
// percentile is the slowest of them. It sorts its argument.
func quantiles(seconds []float64) Quantiles {
	n := len(seconds)
	if n == 0 {
		return Quantiles{}
	}
	slices.Sort(seconds)
	return Quantiles{P50: seconds[(n+1)/2-1], P99: seconds[(n*99+99)/100-1]}
}
