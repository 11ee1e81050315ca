package tail

import (
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/growing"
	"github.com/tailflux/tailflux/internal/logfile"
)

// beginning is how a file began that was read to its end and left: somebody may take the
// addresses out of it, and then it is none of those that the ledger knows.
type beginning struct {
	id   int64 // of the generation
	head logfile.Head
	at   time.Time
}

const maxBeginnings = 8 // of a source, the last ones

// noteBeginning keeps that of a file, for as long as files that were left are looked at.
func (s *source) noteBeginning(f *growing.File, now time.Time) {
	s.beginnings = slices.DeleteFunc(s.beginnings, func(b beginning) bool {
		return b.id == f.At.Generation.ID || now.Sub(b.at) > watchFor
	})
	if len(s.beginnings) == maxBeginnings {
		s.beginnings = slices.Delete(s.beginnings, 0, 1)
	}
	s.beginnings = append(s.beginnings, beginning{f.At.Generation.ID, slices.Clone(f.Head), now})
}
