package scene

import "time"

// since is the time from which files may hold something that nobody has seen; ok is false if
// there is no reason to think so.
func (s *Scene) since() (t time.Time, ok bool) {
	earliest := func(at time.Time) {
		if !ok || at.Before(t) {
			t, ok = at, true
		}
	}
	if !s.SearchSince.IsZero() {
		earliest(s.SearchSince)
	}
	for _, f := range s.Open {
		if f.Unsearched {
			earliest(s.asOf(&f))
		}
	}
	if s.isMissed() || s.isNew() {
		if s.isKnown() {
			earliest(s.latest())
		}
		if a := s.Ledger.Awaited; a != nil && !s.Path.Awaited {
			earliest(time.Unix(0, a.Modified))
		}
	}
	return t, ok
}

// latest is when a file that was read was last written. Times in the future, however near, do
// not count: the clock was wrong, or that of a file server is ahead, and files written since
// may look older. If there are only such times, it is when the last of the files was made:
// what came to the path after that was written later.
func (s *Scene) latest() time.Time {
	var written, made, wrong time.Time
	later := func(than *time.Time, at time.Time) {
		if at.After(*than) {
			*than = at
		}
	}
	take := func(at time.Time, birth int64) {
		if at.After(s.Now) {
			later(&wrong, at)
		} else {
			later(&written, at)
		}
		if at := time.Unix(0, birth); birth > 0 && !at.After(s.Now) {
			later(&made, at)
		}
	}
	for _, g := range s.Ledger.Finished {
		take(time.Unix(0, g.Modified), g.Inode.Birth)
	}
	for _, g := range s.Ledger.Open {
		if s.OpenAs(g.ID) == nil {
			take(time.Unix(0, g.Modified), g.Inode.Birth)
		}
	}
	for _, f := range s.Open {
		take(f.AsOf, f.Inode.Birth)
	}
	for _, t := range []time.Time{written, made} {
		if !t.IsZero() {
			return t
		}
	}
	return wrong
}

// asOf is the time of an open file at the end of the last look, unless that is yet to come.
func (s *Scene) asOf(f *Held) time.Time {
	if f.AsOf.After(s.Now) {
		return s.latest()
	}
	return f.AsOf
}
