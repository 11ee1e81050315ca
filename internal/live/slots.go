package live

import (
	"slices"
	"time"
)

// ahead is how far a line's time may be ahead of the clock: clocks of two machines differ a
// little. One that is further ahead is not counted, so that it cannot end the window early.
const ahead = time.Minute

// slots are a ring: each place has one of those whose number ends so. What is in them falls
// out when its place is needed, not by the clock, so that a clock that jumps, and comes back,
// empties nothing.
type slots struct {
	ring  []slot
	step  int64 // of a slot in nanoseconds
	whole bool  // none falls out

	limit  int64 // number of the newest slot that a line may be in
	first  int64 // of the first slot that was looked at; never: none was
	newest int64 // of the newest slot up to limit that has requests; never: there is none

	older, early int64 // lines that are in no slot: they are from before the window, or ahead of the clock
}

// never is the number of no slot. Those of times that a line may have begin at 0, with 1970:
// so do logs of a machine whose clock was never set.
const never = -1

func newSlots(c Config) slots {
	s := slots{ring: make([]slot, max(1, c.Window/c.Step)), step: int64(c.Step), whole: c.Whole, first: never, newest: never}
	empty(s.ring)
	return s
}

// empty leaves nothing in slots.
func empty(ring []slot) {
	for i := range ring {
		ring[i] = slot{number: never}
	}
}

// at returns the slot of a time, in nanoseconds since 1970; nil if it is in none.
func (s *slots) at(nano int64) *slot {
	if s.whole {
		s.widen(nano)
	}
	number := nano / s.step
	place := &s.ring[number%int64(len(s.ring))]
	if number <= s.newest-int64(len(s.ring)) {
		s.older++
		return nil
	}
	if place.number == number {
		return place
	}
	if number > s.limit && !s.whole {
		if s.look(time.Now()); number > s.limit {
			s.early++
			return nil
		}
	}
	*place = slot{number: number}
	s.newest = max(s.newest, number)
	if s.first == never || s.whole && number < s.first {
		s.first = number
	}
	return place
}

// look takes over what the clock says.
func (s *slots) look(now time.Time) {
	limit := now.Add(ahead).UnixNano() / s.step
	if limit == s.limit || s.whole {
		return
	}
	s.limit, s.newest = limit, never
	for i := range s.ring {
		if n := s.ring[i].number; n <= limit {
			s.newest = max(s.newest, n)
		}
	}
}

// steps are the widths of slots, each of which is some of the one before.
var steps = []time.Duration{
	time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 48 * time.Hour, 4 * 24 * time.Hour, 8 * 24 * time.Hour,
	16 * 24 * time.Hour, 32 * 24 * time.Hour, 64 * 24 * time.Hour, 128 * 24 * time.Hour,
}

// widen makes the slots so wide that there is one for a time, too.
func (s *slots) widen(nano int64) {
	for {
		number := nano / s.step
		if s.newest == never || max(s.newest, number)-min(s.first, number) < int64(len(s.ring)) {
			return
		}
		before := slices.Clone(s.ring)
		empty(s.ring)
		step := s.step * 2
		for _, wider := range steps {
			if int64(wider) > s.step && int64(wider)%s.step == 0 {
				step = int64(wider)
				break
			}
		}
		for i := range before {
			if was := &before[i]; was.number != never {
				number := was.number * s.step / step
				place := &s.ring[number%int64(len(s.ring))]
				place.number = number
				place.merge(was)
			}
		}
		s.first, s.newest = s.first*s.step/step, s.newest*s.step/step
		s.step = step
	}
}
