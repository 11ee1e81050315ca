package checkpoint

import (
	"fmt"
	"maps"
	"slices"
)

// A name is only what somebody calls a log, and may be given to another one. The points of
// both are in one series then, in which the number of a line is all that tells two points of
// a second apart: so no line of a log has a number that another one had under its name.

// RenameAll moves the state of sources to new names, all at once: two may change theirs.
// What is known of another log under such a name is kept for when that is followed again.
// RenameAll returns, by the new names, by how much the lines of a source have greater
// numbers from now on.
func (c *Checkpoint) RenameAll(to map[string]string) (raised map[string]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	raised = map[string]int64{}
	states := map[string]*Source{}
	for _, was := range slices.Sorted(maps.Keys(to)) {
		name := to[was]
		if s := c.sources[was]; s != nil && was != name && states[name] == nil {
			states[name] = s
			c.giveUp(was)
			delete(c.sources, was)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(states)) {
		s := states[name]
		c.makeRoom(name, s)
		raised[name] = s.raise(c.first[name])
		c.sources[name] = s
		c.needed++
		c.changed = true
	}
	return raised
}

// SetAside keeps what is known of the log of a name under another one, which nobody has:
// it is found by its path when it is followed again.
func (c *Checkpoint) SetAside(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.makeRoom(name, nil)
	c.needed++
	c.changed = true
}

// makeRoom takes what is known under a name away from there. Without a path that is only
// what was imported, which becomes a part of what comes.
func (c *Checkpoint) makeRoom(name string, comes *Source) {
	s := c.sources[name]
	if s == nil {
		return
	}
	if s.Path == "" && comes != nil {
		comes.take(s, false)
		delete(c.sources, name)
		return
	}
	c.giveUp(name)
	delete(c.sources, name)
	aside := fmt.Sprintf("%s, earlier at %s", name, s.Path)
	for n := 2; c.sources[aside] != nil; n++ {
		aside = fmt.Sprintf("%s, earlier at %s (%d)", name, s.Path, n)
	}
	c.sources[aside] = s
}

// giveUp notes which numbers a name had, before another log has it.
func (c *Checkpoint) giveUp(name string) {
	if first := c.sources[name].nextLine(); first > 0 {
		c.first[name] = max(c.first[name], first)
	}
}

// raise gives the lines that were followed, and those that are to be, numbers from first on,
// and returns by how much they are greater. Others of an imported file depend on its bytes
// alone.
func (s *Source) raise(first int64) (more int64) {
	for _, g := range slices.Concat(s.Open, s.Finished) {
		more = max(more, first-g.FirstLine)
	}
	if more == 0 {
		return 0
	}
	behind := map[int64]bool{} // what was read of a file after it was followed
	for _, g := range slices.Concat(s.Open, s.Finished) {
		behind[g.Line] = true
	}
	for i := range s.Imports {
		if behind[s.Imports[i].FirstLine] {
			s.Imports[i].raise(more)
		}
	}
	for _, all := range [][]Generation{s.Open, s.Finished} {
		for i := range all {
			all[i].raise(more)
		}
	}
	return more
}

// raise gives the lines of a generation greater numbers. Slices that others hold stay as
// they are.
func (g *Generation) raise(more int64) {
	g.FirstLine, g.Line = g.FirstLine+more, g.Line+more
	if g.State == Left {
		g.Left.Line += more
	}
	g.Ahead = slices.Clone(g.Ahead)
	for i := range g.Ahead {
		g.Ahead[i].Line += more
	}
	g.Spans = slices.Clone(g.Spans)
	for i := range g.Spans {
		g.Spans[i].From += more
		if g.Spans[i].To > 0 {
			g.Spans[i].To += more
		}
	}
}
