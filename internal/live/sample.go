package live

import (
	"math/rand/v2"
	"time"
)

// Top lists are of each line up to many lines a second, and with more of about few of them:
// a line costs as much for them as to be parsed. So many more may come at once.
const (
	many  = 50_000
	few   = 2_000
	burst = 5_000
)

// sample chooses the lines that are looked at: each stands for those since the one before.
// How far apart they are is drawn by lot, or a log that repeats itself would show always the
// same ones.
type sample struct {
	left   int64 // lines up to the next one that is looked at
	weight int64 // that one stands for so many
	every  int64 // one of so many is looked at; 0: all are, whatever comes

	since  time.Time // when it was last decided
	lines  int64     // since then
	looked int64     // of these
	budget int64     // so many may be, until the clock is asked
}

func newSample(c Config) sample {
	s := sample{left: 1, weight: 1, every: 1, budget: burst, since: time.Now()}
	if c.EveryLine {
		s.every = 0
	}
	return s
}

// next returns for how many lines the one stands that is looked at, and chooses the next one.
func (s *sample) next() (weight int64) {
	if s.every == 0 {
		return 1
	}
	weight = s.weight
	s.lines += weight
	if s.looked++; s.looked >= s.budget {
		s.exceed(time.Now())
	}
	s.weight, s.left = s.every, 1
	if s.every > 1 {
		s.left += rand.Int64N(2*s.every - 1)
	}
	return weight
}

// exceed decides how to go on when as many were looked at as may be. Once there were too
// many to look at all, few will do.
func (s *sample) exceed(now time.Time) {
	perSecond := float64(many)
	if s.every > 1 {
		perSecond = few
	}
	allowed := burst + int64(perSecond*now.Sub(s.since).Seconds())
	if s.looked >= allowed {
		s.every *= 2
	}
	s.budget = max(allowed, s.looked) + burst/20
}

// tick decides how many lines are looked at, by how many there were since the last tick.
func (s *sample) tick(now time.Time) {
	passed := now.Sub(s.since).Seconds()
	if s.every == 0 || passed > 0 && passed < 0.5 {
		return
	}
	s.every = 1
	if perSecond := float64(s.lines) / passed; passed > 0 && perSecond > many {
		s.every = int64(perSecond/few) + 1
	}
	s.since, s.lines, s.looked, s.budget = now, 0, 0, burst
}
