package live

import (
	"math/rand/v2"
	"time"
)

// Top lists are of each line up to many lines a second, and with more of about few of them:
// a line costs as much for them as to be parsed.
const (
	many = 50_000
	few  = 20_000
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
	budget int64     // so many may be
}

func newSample(c Config) sample {
	s := sample{left: 1, weight: 1, every: 1, budget: many}
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
		s.every *= 2
		s.budget += few / 4
	}
	s.weight, s.left = s.every, 1
	if s.every > 1 {
		s.left += rand.Int64N(2*s.every - 1)
	}
	return weight
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
	s.since, s.lines, s.looked, s.budget = now, 0, 0, many
}
