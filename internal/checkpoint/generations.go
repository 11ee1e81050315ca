package checkpoint

import (
	"slices"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
)

// EndingBytes is how much is remembered of what stands before a position.
const EndingBytes = 64

// Acknowledge records that everything before a position was delivered, but to rollups.
// last holds the last delivered bytes, as far as they are known; it is not kept.
func (c *Checkpoint) Acknowledge(end flow.Position, last []byte) {
	c.acknowledge(acknowledged{end: end, before: logfile.SumOf(last[max(0, len(last)-EndingBytes):])})
}

// open returns the open generation or the imported file of an ID, or nil.
func (s *Source) open(id int64) *Generation {
	of := s.Open
	if id < 0 {
		of = s.Imports
	}
	for i := range of {
		if of[i].ID == id {
			return &of[i]
		}
	}
	return nil
}

// undelivered returns what open does, or the lost generation of an ID: each destination goes
// on where it was when the file turns up.
func (s *Source) undelivered(id int64) *Generation {
	if g := s.open(id); g != nil {
		return g
	}
	is := func(g Generation) bool { return g.ID == id && g.State == Lost }
	if i := slices.IndexFunc(s.Finished, is); i >= 0 {
		return &s.Finished[i]
	}
	return nil
}

// finish moves a generation to the finished ones if it was lost, or acknowledged up
// to where it was left. One that is lost already, and is imported, is among them.
func (c *Checkpoint) finish(s *Source, g *Generation, lost bool) {
	if g.State == Lost {
		if g.Left.Offset > 0 && g.Offset == g.Left.Offset {
			g.State, g.Left, g.Ahead = Finished, Reached{}, nil
		}
		return
	}
	if !lost && (g.State != Left || g.Offset != g.Left.Offset) || g.ID < 0 {
		return
	}
	done := *g
	if done.Before.Length == 0 && !lost { // it was left behind half a line
		done.Before = g.Left.Before
	}
	done.endAll(c.destinations)
	done.State, done.Left = Finished, Reached{}
	if lost {
		done.State = Lost
	} else {
		done.Ahead = nil
	}
	s.keep(done)
	s.Open = slices.DeleteFunc(s.Open, func(g Generation) bool { return g.ID == done.ID })
}

// keep adds a finished generation, and forgets the oldest one beyond the limit.
func (s *Source) keep(g Generation) {
	s.Finished = append(s.Finished, g)
	if extra := len(s.Finished) - maxFinished; extra > 0 {
		s.Finished = append(s.Finished[:0], s.Finished[extra:]...)
	}
}
