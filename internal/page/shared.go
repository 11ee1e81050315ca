package page

import (
	"sync"
	"time"
)

// sharedFor is how old an answer may be.
const sharedFor = 100 * time.Millisecond

// shared is an answer that is made when it is asked for, at most every 100 ms, for all who
// ask.
type shared struct {
	make func() []byte

	mu   sync.Mutex // guards what follows; who waits for it wants just what is being made
	made time.Time
	body []byte
}

// get returns the answer, which nobody may change.
func (s *shared) get() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); s.body == nil || now.Sub(s.made) >= sharedFor {
		s.body, s.made = s.make(), now
	}
	return s.body
}
