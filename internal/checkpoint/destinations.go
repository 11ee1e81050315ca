package checkpoint

import (
	"slices"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
)

// Destinations of every line that are no rollup. A rollup is one by its key.
const (
	Lines = "lines" // the reject file, and the books
	Raw   = "raw"   // a point for each line
)

// Ahead is a destination that got more of a generation than the one that got least.
type Ahead struct {
	Destination string
	Reached
}

// reached is up to where a destination got the generation. One that is not ahead got as
// much as the one that got least.
func (g *Generation) reached(destination string) Reached {
	for _, a := range g.Ahead {
		if a.Destination == destination {
			return a.Reached
		}
	}
	return Reached{g.Offset, g.Line, g.Before}
}

// Furthest is up to where the destination got the generation that got most of it.
func (g *Generation) Furthest() Reached {
	most := Reached{g.Offset, g.Line, g.Before}
	for _, a := range g.Ahead {
		if a.Offset > most.Offset {
			most = a.Reached
		}
	}
	return most
}

// Got is up to where all of these destinations got the generation.
func (g *Generation) Got(destinations ...string) Reached {
	least := g.reached(destinations[0])
	for _, d := range destinations[1:] {
		if r := g.reached(d); r.Offset < least.Offset {
			least = r
		}
	}
	return least
}

// reach records how far each of the destinations got the generation; all must be given. The
// generation itself has the least of these. Slices that others hold stay as they are.
func (g *Generation) reach(all []Ahead) {
	least := all[0].Reached
	for _, a := range all[1:] {
		if a.Offset < least.Offset {
			least = a.Reached
		}
	}
	g.Offset, g.Line, g.Before = least.Offset, least.Line, least.Before
	all = slices.DeleteFunc(all, func(a Ahead) bool { return a.Offset == least.Offset })
	if g.Ahead = all; len(all) == 0 {
		g.Ahead = nil
	}
}

// all is up to where each of these destinations got the generation.
func (g *Generation) all(destinations []string) []Ahead {
	all := make([]Ahead, len(destinations))
	for i, d := range destinations {
		all[i] = Ahead{d, g.reached(d)}
	}
	return all
}

// acknowledged says that everything before a position was delivered: to a rollup or, if that
// is empty, to all destinations that are not rollups. With a head it only says how the file of
// the generation begins.
type acknowledged struct {
	end    flow.Position
	before logfile.Sum
	rollup string
	head   logfile.Sum
}

func (a *acknowledged) to(destination string) bool {
	if a.rollup == "" {
		return destination == Lines || destination == Raw
	}
	return destination == a.rollup
}

func (c *Checkpoint) acknowledge(a acknowledged) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.syncLogs != nil {
		c.waiting = append(c.waiting, a)
		return
	}
	c.reached(a)
}

// reached records up to where destinations got a generation.
func (c *Checkpoint) reached(a acknowledged) {
	s := c.sources[a.end.Generation.Source.Name]
	if s == nil {
		return
	}
	open := s.undelivered(a.end.Generation.ID)
	if open == nil {
		return
	}
	if c.changed = true; a.head.Length > 0 {
		if open.Grown == a.head { // else it is another one since
			open.Head, open.Grown = a.head, logfile.Sum{}
		}
		return
	}
	if open.State == Lost {
		open.reopen(c.destinations)
	}
	is := Reached{a.end.Offset, a.end.Line, a.before}
	if len(c.destinations) == 0 {
		open.Offset, open.Line, open.Before = is.Offset, is.Line, is.Before
	} else {
		all := open.all(c.destinations)
		for i := range all {
			// Lines that are read again for another destination do not count as new.
			if a.to(all[i].Destination) && is.Offset > all[i].Offset {
				all[i].Reached = is
			}
		}
		open.reach(all)
	}
	if open.State == Lost {
		open.endAll(c.destinations)
	}
	c.finish(s, open, false)
}

// AcknowledgeCut records that a rollup got everything before the end of a cut.
func (c *Checkpoint) AcknowledgeCut(cut *flow.Cut) {
	c.acknowledge(acknowledged{end: cut.End, before: logfile.SumOf(cut.Ending), rollup: cut.Rollup})
}

// Undone are lines that a destination had not got when it ceased to be one.
type Undone struct {
	Source, Destination string
	From, To            int64 // numbers of the first, and of the one after the last
}

// Deliver says which destinations lines have from now on; before the first call, or without
// any, each line has one. A new destination gets what the one that got least has not got.
// Deliver returns what destinations that are gone never got.
func (c *Checkpoint) Deliver(destinations []string) (gone []Undone) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Equal(c.destinations, destinations) {
		return nil
	}
	was := c.destinations
	c.destinations = destinations
	for name, s := range c.sources {
		for _, all := range []*[]Generation{&s.Open, &s.Imports} {
			for i := range *all {
				gone = append(gone, (*all)[i].deliver(name, was, destinations)...)
			}
		}
		for i := range s.Finished {
			if g := &s.Finished[i]; g.State == Lost {
				g.reopen(was)
				gone = append(gone, g.deliver(name, was, destinations)...)
				g.endAll(destinations)
			}
		}
		for _, g := range slices.Clone(s.Open) {
			c.finish(s, s.open(g.ID), false)
		}
	}
	c.needed++
	c.changed = true
	return gone
}

// deliver gives the generation of a source other destinations.
func (g *Generation) deliver(source string, was, now []string) (gone []Undone) {
	furthest := g.Furthest().Line
	for _, d := range was {
		if at := g.reached(d); !slices.Contains(now, d) && at.Line < furthest {
			gone = append(gone, Undone{source, d, at.Line, furthest})
		}
	}
	g.change(was, now)
	g.reach(g.all(now))
	return gone
}

// From is the number of the first line of a generation that a destination did not get: of one
// that is finished, the first that has not come yet.
func (c *Checkpoint) From(of *flow.Generation, destination string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	from := of.FirstLine
	if s := c.sources[of.Source.Name]; s != nil {
		if g := s.undelivered(of.ID); g != nil {
			return g.reached(destination).Line
		}
		for _, g := range s.Finished { // copies of it are among them
			if g.ID == of.ID {
				from = max(from, g.Line)
			}
		}
	}
	return from
}

// Missing is how many lines of a generation before the one of a number a destination did
// not get, and will get; 0 if the generation is finished.
func (c *Checkpoint) Missing(of *flow.Generation, destination string, before int64) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.sources[of.Source.Name]; s != nil {
		if g := s.undelivered(of.ID); g != nil {
			return max(0, before-g.reached(destination).Line)
		}
	}
	return 0
}

// Passed reports whether a destination got a generation up to the line of a number as far
// as both saves know, or will never get it: whichever of them the next start reads, no
// line before that is read again for this destination. A lost log may turn up as long as
// it is known.
func (c *Checkpoint) Passed(source string, generation int64, destination string, line int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, file := range c.files {
		if s := file[source]; s == nil || !s.passed(generation, destination, line) {
			return false
		}
	}
	return true
}

func (s *Source) passed(generation int64, destination string, line int64) bool {
	if g := s.undelivered(generation); g != nil {
		return g.reached(destination).Line >= line
	}
	// It is over, if it was known.
	return slices.ContainsFunc(slices.Concat(s.Open, s.Finished), func(g Generation) bool { return generation > 0 && g.ID >= generation })
}

// Forgotten reports whether nothing of a generation will ever be read again because it is not
// known any more: its source has another name, or it is one of too many imports.
func (c *Checkpoint) Forgotten(source string, generation int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.sources[source]
	return s == nil || generation < 0 && s.open(generation) == nil
}

// Owes reports whether a destination did not get all lines of a generation before the one of a
// number, as far as is known now. What is no longer a destination, and a log that was
// forgotten, owe nothing: that was reported when they went.
func (c *Checkpoint) Owes(source string, generation int64, destination string, line int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.sources[source]
	if s == nil || !slices.Contains(c.destinations, destination) {
		return false
	}
	g := s.undelivered(generation)
	return g != nil && g.reached(destination).Line < line
}

// snapshot is what a save has, as far as Passed needs it; nil if nobody asks.
func (c *Checkpoint) snapshot() map[string]*Source {
	if len(c.destinations) == 0 {
		return nil
	}
	all := make(map[string]*Source, len(c.sources))
	for name, s := range c.sources {
		copied := s.clone()
		all[name] = &copied
	}
	return all
}

// saved notes that a save is the latest file.
func (c *Checkpoint) saved(snapshot map[string]*Source) {
	c.files[0], c.files[1] = snapshot, c.files[0]
}

// HasDestinations reports whether lines had destinations with names.
func (c *Checkpoint) HasDestinations() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.destinations) > 0
}
