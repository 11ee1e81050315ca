package stats

import "time"

// Reload is what became of the newest SIGHUP.
type Reload struct {
	State string // one of those below; "": there was none
	At    time.Time
	Err   string // why it is refused, or waits
}

// States of a reload.
const (
	Pending    = "pending" // what was read before is not acknowledged yet
	Applied    = "applied"
	NotApplied = "refused" // the configuration before is in force
)

// Reloaded records what becomes of the newest SIGHUP.
func (s *Stats) Reloaded(now time.Time, state, err string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reload = Reload{state, now, err}
}

// DropSource leaves a source out of snapshots from now on. Its number is not used again.
func (s *Stats) DropSource(source int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sources[source].Dropped = true
}

// DropGlob does the same for a glob.
func (s *Stats) DropGlob(glob int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.globs[glob].Dropped = true
}

// NewTags forgets the tags, for others that are added next. undo brings them back.
func (s *Stats) NewTags() (undo func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.tags
	s.tags = nil
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.tags = was
	}
}

// Reconnected forgets an outage: whoever connects next says whether there is one.
func (s *Stats) Reconnected() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.influx.down.IsZero() {
		s.influx.down, s.influx.answered = time.Time{}, false
	}
}
