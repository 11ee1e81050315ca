package checkpoint

import (
	"slices"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
)

// Begin adds a generation that is about to be read from a position. before describes
// the bytes before it.
func (c *Checkpoint) Begin(at flow.Position, before logfile.Sum, f logfile.File) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := at.Generation
	open, s := c.open(g)
	if open != nil { // its file came back before all of it was acknowledged
		open.File, open.Left = f, -1
		c.changed = true
		return
	}
	if s == nil {
		s = c.sources[g.Source.Name]
	}
	s.Finished = slices.DeleteFunc(s.Finished, func(f Finished) bool { return f.ID == g.ID })
	s.Open = append(s.Open, Generation{
		File: f, ID: g.ID, FirstLine: g.FirstLine, Offset: at.Offset, Line: at.Line, Before: before, Left: -1,
	})
	c.needed++
	c.changed = true
}

// Describe records what the file of a generation looks like now.
func (c *Checkpoint) Describe(g *flow.Generation, f logfile.File) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if open, _ := c.open(g); open != nil && open.File != f {
		// Without a head, the file cannot be found again once it is compressed.
		if open.Head.Length == 0 && f.Head.Length > 0 {
			c.needed++
		}
		c.changed = true
		open.File = f
	}
}

// RotatedTo records a directory in which rotated files of a source were seen.
func (c *Checkpoint) RotatedTo(source, dir string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.sources[source]
	if !slices.Contains(s.Directories, dir) {
		s.Directories = append(s.Directories, dir)
		c.changed = true
	}
}

// Leave records that nothing of a generation will be read beyond end. The generation
// is finished as soon as it is acknowledged up to there.
func (c *Checkpoint) Leave(end flow.Position) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if open, s := c.open(end.Generation); open != nil {
		open.Left = end.Offset
		c.changed = true
		c.finish(s, open, false)
	}
}

// Stay undoes Leave: the reader continues with the generation.
func (c *Checkpoint) Stay(g *flow.Generation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if open, _ := c.open(g); open != nil {
		open.Left = -1
		c.changed = true
	}
}

// Forget undoes Begin: nothing of the generation was read.
func (c *Checkpoint) Forget(g *flow.Generation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if open, s := c.open(g); open != nil {
		s.Open = slices.DeleteFunc(s.Open, func(open Generation) bool { return open.ID == g.ID })
		c.changed = true
	}
}

// Lose records that the file of a generation cannot be found any more.
func (c *Checkpoint) Lose(source string, id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.sources[source]
	for i := range s.Open {
		if s.Open[i].ID == id {
			c.changed = true
			c.finish(s, &s.Open[i], true)
			return
		}
	}
}

// NoteCopy records a file that must not be read, because it is a copy of a generation
// that was.
func (c *Checkpoint) NoteCopy(source string, f Finished) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sources[source].keep(f)
	c.changed = true
}

// Acknowledge records that everything before a position was delivered. last holds the
// last delivered bytes, as far as they are known; it is not kept.
func (c *Checkpoint) Acknowledge(end flow.Position, last []byte) {
	const before = 64
	sum := logfile.SumOf(last[max(0, len(last)-before):])
	c.mu.Lock()
	defer c.mu.Unlock()
	if open, s := c.open(end.Generation); open != nil {
		open.Offset, open.Line, open.Before = end.Offset, end.Line, sum
		c.changed = true
		c.finish(s, open, false)
	}
}

// open returns an open generation, or nil, and its source.
func (c *Checkpoint) open(g *flow.Generation) (*Generation, *Source) {
	s := c.sources[g.Source.Name]
	if s == nil {
		return nil, nil
	}
	open := s.open(g.ID)
	return open, s
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

// finish moves a generation to the finished ones if it was lost, or acknowledged up
// to where it was left.
func (c *Checkpoint) finish(s *Source, g *Generation, lost bool) {
	if !lost && g.Offset != g.Left || g.ID < 0 {
		return
	}
	s.keep(Finished{
		File: g.File, ID: g.ID, FirstLine: g.FirstLine, LastLine: g.Line, Offset: g.Offset, Before: g.Before, Lost: lost,
	})
	id := g.ID
	s.Open = slices.DeleteFunc(s.Open, func(g Generation) bool { return g.ID == id })
}

// keep adds a finished generation, and forgets the oldest one beyond the limit.
func (s *Source) keep(f Finished) {
	s.Finished = append(s.Finished, f)
	if extra := len(s.Finished) - maxFinished; extra > 0 {
		s.Finished = append(s.Finished[:0], s.Finished[extra:]...)
	}
}
