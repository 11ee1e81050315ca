package stats

import "time"

// Rollup is the state of one rollup.
type Rollup struct {
	Key         string // how it is known
	Measurement string
	Cells       int64 // that are open
	Bytes       int64 // of these
	Cuts        int64
	Intents     int64     // cuts that were begun, and that the saved checkpoint has not passed
	OpenSince   time.Time // since when the oldest line waits in an open cell; zero: none does

	RefusedRequests int64 // lines of deltas that InfluxDB refused
	ExpiredRequests int64 // of them, those that were too old
}

// NewRollups forgets the rollups, for others that are added next.
func (s *Stats) NewRollups() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rollups = nil
}

// AddRollup adds a rollup.
func (s *Stats) AddRollup(key, measurement string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rollups = append(s.rollups, Rollup{Key: key, Measurement: measurement})
}

// UpdateRollup calls update to change the state of a rollup. update must be quick and must
// not call Stats.
func (s *Stats) UpdateRollup(key string, update func(*Rollup)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.rollups {
		if s.rollups[i].Key == key {
			update(&s.rollups[i])
		}
	}
}

// RefusedDelta counts a delta of so many lines that InfluxDB refused.
func (s *Stats) RefusedDelta(key string, requests int64, expired bool) {
	s.UpdateRollup(key, func(r *Rollup) {
		r.RefusedRequests += requests
		if expired {
			r.ExpiredRequests += requests
		}
	})
}
