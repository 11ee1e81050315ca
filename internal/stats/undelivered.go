package stats

import "time"

// undelivered knows since when the oldest line waits that was read and is not settled:
// acknowledged, in the reject file or filtered, and all before it too.
type undelivered struct {
	read    int64 // lines
	settled int64
	reads   []reading // oldest first; those that are settled are left out
	step    time.Duration
}

// reading is a run of lines that were read at about the same time.
type reading struct {
	at  time.Time // of the first of them
	end int64     // lines read, with these
}

// Lines that were read within a step are one run. When there are maxReadings, the step is
// doubled, and each two become one: the age of a line that has waited for long is too great
// by a little of it.
const (
	firstStep   = 100 * time.Millisecond
	maxReadings = 1024
)

func (u *undelivered) add(now time.Time, lines int64) {
	u.read += lines
	last := len(u.reads) - 1
	switch {
	case lines < 0: // the last ones were not read after all
		for ; last >= 0 && u.reads[last].end > u.read; last-- {
			u.reads[last].end = u.read
			if before := max(u.settled, u.endOf(last-1)); before >= u.read {
				u.reads = u.reads[:last]
			}
		}
	case last >= 0 && now.Sub(u.reads[last].at) < u.step:
		u.reads[last].end = u.read
	default:
		if last < 0 {
			u.step = firstStep
		}
		if len(u.reads) == maxReadings {
			u.halve()
		}
		u.reads = append(u.reads, reading{now, u.read})
	}
}

func (u *undelivered) endOf(run int) int64 {
	if run < 0 {
		return 0
	}
	return u.reads[run].end
}

func (u *undelivered) halve() {
	u.step *= 2
	for i := range len(u.reads) / 2 {
		u.reads[i] = reading{u.reads[2*i].at, u.reads[2*i+1].end}
	}
	u.reads = u.reads[:len(u.reads)/2]
}

func (u *undelivered) settle(lines int64) {
	u.settled += lines
	n := 0
	for n < len(u.reads) && u.reads[n].end <= u.settled {
		n++
	}
	u.reads = append(u.reads[:0], u.reads[n:]...)
}

// age is how long the oldest line has waited; 0 without one.
func (u *undelivered) age(now time.Time) time.Duration {
	if u.settled >= u.read || len(u.reads) == 0 {
		return 0
	}
	return max(0, now.Sub(u.reads[0].at))
}

// Settled counts lines that, with all that were read before them, are acknowledged, in the
// reject file or filtered.
func (s *Stats) Settled(lines int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.undelivered.settle(lines)
}
