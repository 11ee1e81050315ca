package tail

import (
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/growing"
	"github.com/tailflux/tailflux/internal/logfile"
)

// beginning is how a file began that was left, or truncated: somebody may take the addresses out
// of it or out of its copy, which then is none of those that the ledger knows.
type beginning struct {
	id        int64 // of the generation
	head      logfile.Head
	lines     int64 // so many were read
	truncated bool  // its rest may be in a copy
	at        time.Time
}

const maxBeginnings = 8 // of a source, the last ones

// noteBeginning keeps that of a file, for as long as files that were left are looked at.
func (s *source) noteBeginning(f *growing.File, truncated bool, now time.Time) {
	s.beginnings = slices.DeleteFunc(s.beginnings, func(b beginning) bool {
		return b.id == f.At.Generation.ID || now.Sub(b.at) > watchFor
	})
	if len(s.beginnings) == maxBeginnings {
		s.beginnings = slices.Delete(s.beginnings, 0, 1)
	}
	s.beginnings = append(s.beginnings, beginning{f.At.Generation.ID, slices.Clone(f.Head), f.Lines(), truncated, now})
}

// unread is where in a copy the lines begin that were not read of the file; below 0 if there
// are none.
func (b *beginning) unread(o *logfile.Opened) int64 {
	if !b.truncated {
		return -1
	}
	log := logfile.Log{Opened: o}
	from, err := log.SkipLines(b.lines)
	if err != nil || !o.HasMore(from) {
		return -1
	}
	return from
}
