package stats

import "time"

// Reached is up to which time all lines of the logs that are open are parsed: up to the last
// look at the logs where all of a log was read, else up to its last line. A line may be
// written a moment after its time, so that is a second before the look. It is zero if it is
// not known. What becomes of the lines later does not matter.
func (s *Stats) Reached() (upTo time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.sources {
		is := &s.sources[i]
		if is.Dropped || !is.Open {
			continue
		}
		at := is.LastLine
		if s.read.Lines == 0 && !s.looked.IsZero() && is.Files == 1 && is.Trouble == "" && is.Offset == is.Size {
			at = s.looked.Add(-time.Second)
		}
		if at.IsZero() {
			return at
		}
		if upTo.IsZero() || at.Before(upTo) {
			upTo = at
		}
	}
	return upTo
}
