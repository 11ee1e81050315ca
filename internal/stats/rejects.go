package stats

import (
	"slices"
	"time"
)

// KeptRejects is how many rejected lines are kept to be shown.
const KeptRejects = 20

const keptLine = 4 << 10 // bytes of each

// Reject is a rejected line.
type Reject struct {
	Time       time.Time
	Source     int    // its number
	Name, Path string // of the source
	LineNumber int64
	Reason     string
	Line       string // its first bytes, 4 KiB at most
	LineBytes  int64  // its full length
	Number     int64  // of the entry, from 1: no other one has it
}

// rejects are the last ones, in a ring.
type rejects struct {
	last  []Reject
	added int64
}

// KeepReject keeps a rejected line to be shown, and forgets the oldest one. It copies line.
func (s *Stats) KeepReject(r Reject, line []byte) {
	r.Line = string(line[:min(len(line), keptLine)])
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Name, r.Path = s.sources[r.Source].Name, s.sources[r.Source].Path
	k := &s.rejects
	k.added++
	r.Number = k.added
	if len(k.last) < KeptRejects {
		k.last = append(k.last, r)
		return
	}
	k.last[(k.added-1)%KeptRejects] = r
}

// LastRejects returns the last rejected lines, at most KeptRejects, the newest first.
func (s *Stats) LastRejects() []Reject {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Clone(s.rejects.last)
	slices.SortFunc(all, func(a, b Reject) int { return int(b.Number - a.Number) })
	return all
}
