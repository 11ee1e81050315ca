package checkpoint

import (
	"cmp"
	"slices"
)

// Paths returns the path of each source that was followed, by its name.
func (c *Checkpoint) Paths() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	paths := map[string]string{}
	for name, s := range c.sources {
		if s.Path != "" {
			paths[name] = s.Path
		}
	}
	return paths
}

// Unite makes what is known of other sources, which are named in the order in which they were
// written, a part of a source, and forgets them: their generations become its own, under new
// numbers, and no two lines have one number. One of them is finished if its file is gone and all
// that was seen of that was delivered.
func (c *Checkpoint) Unite(name string, others []string, gone func(source string) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.source(name)
	own := s.Path != ""
	for _, other := range others {
		from := c.sources[other]
		if from == nil || from == s {
			continue
		}
		c.giveUp(other)
		from.raise(c.first[name])
		s.take(from, gone(other))
		delete(c.sources, other)
		if !own {
			s.Path = from.Path
		}
	}
	c.needed++
	c.changed = true
}

// take adds what another source knows.
func (s *Source) take(from *Source, gone bool) {
	least, most := int64(0), int64(0)
	for _, g := range slices.Concat(s.Open, s.Finished, s.Imports) {
		least, most = min(least, g.ID), max(most, g.ID)
	}
	numbered := func(g Generation) Generation {
		if g.ID > 0 {
			g.ID += most
		} else {
			g.ID += least
		}
		g.Path = cmp.Or(g.Path, from.Path)
		return g
	}
	for _, g := range from.Finished {
		s.keep(numbered(g))
	}
	for _, g := range from.Open {
		g = numbered(g)
		if first := s.nextLine(); first > g.FirstLine {
			g.raise(first - g.FirstLine)
		}
		if gone && g.Offset >= g.Size {
			g.State, g.Left = Finished, Reached{}
			s.keep(g)
		} else {
			s.Open = append(s.Open, g)
		}
	}
	for _, g := range from.Imports {
		s.Imports = append(s.Imports, numbered(g))
	}
	s.Imports = s.Imports[max(0, len(s.Imports)-maxImports):]
	if s.SearchSince == 0 || from.SearchSince != 0 && from.SearchSince < s.SearchSince {
		s.SearchSince = from.SearchSince
	}
	if s.Awaited == nil {
		s.Awaited = from.Awaited.of(from.Path)
	}
	for _, dir := range from.Directories {
		if !slices.Contains(s.Directories, dir) {
			s.Directories = append(s.Directories, dir)
		}
	}
}

// LineGap is how far the line numbers of a new generation begin beyond where the earlier one
// stood: far enough for what is still written to that one, and little enough for the digits
// below a millisecond.
const LineGap = 500_000

// nextLine is the number of the first line of a generation that comes next: beyond those of
// all earlier ones, and what may still be read of them, of which every byte could be a line.
func (s *Source) nextLine() (line int64) {
	for _, g := range slices.Concat(s.Open, s.Finished) {
		line = max(line, max(g.FirstLine, g.Line)+max(LineGap, g.Size-g.Offset))
	}
	return line
}
