package checkpoint

import (
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
)

// Ledger is the book of one source's generations: who reads the files says here what
// it begins, leaves and loses, and keeps no other record of it. Any change is durable
// when Secure or Save returns.
type Ledger struct {
	c    *Checkpoint
	name string // of the source
}

// Ledger returns that of the source with a name.
func (c *Checkpoint) Ledger(source string) *Ledger { return &Ledger{c, source} }

// Renamed makes it the book of a source whose name has changed: see [Checkpoint.RenameAll].
func (l *Ledger) Renamed(source string) { l.name = source }

// Follow records the path of the source. It is known at once, and false is returned at
// the very first start with it.
func (l *Ledger) Follow(path string) (known bool) {
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	return l.c.know(l.name, path)
}

// Copy returns a copy of all that is known.
func (l *Ledger) Copy() Source {
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	is := l.c.source(l.name).clone()
	is.FirstLine = l.c.first[l.name]
	return is
}

// Directories returns those in which rotated files of the source were seen.
func (l *Ledger) Directories() []string {
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	return slices.Clone(l.c.source(l.name).Directories)
}

// Expect says that a generation of a source was begun with a line of that number. If it is the
// one that comes next, which could not be saved, its lines have their numbers again, and are
// the same points.
func (c *Checkpoint) Expect(source string, generation, firstLine int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.sources[source]; s != nil && generation == s.LastID()+1 {
		c.first[source] = max(c.first[source], firstLine)
	}
}

// LastID is that of the generation that was begun last; 0: none was.
func (s *Source) LastID() (last int64) {
	for _, g := range slices.Concat(s.Open, s.Finished) {
		last = max(last, g.ID)
	}
	return last
}

// Renumber gives a generation of which nothing was read yet another first line.
func (l *Ledger) Renumber(g *flow.Generation) {
	c := l.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, open := l.open(g.ID); open != nil && open.Offset == 0 {
		open.FirstLine, open.Line = g.FirstLine, g.FirstLine
		c.needed++
		c.changed = true
	}
}

// PathOf returns the path of the log when an open generation was at it, "" if it is the
// source's.
func (l *Ledger) PathOf(id int64) string {
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	if _, open := l.open(id); open != nil {
		return open.Path
	}
	return ""
}

// Begin adds a generation that is about to be read from a position. before describes
// the bytes before it. One that was finished or lost there goes on, and each destination of
// a lost one where it was.
func (l *Ledger) Begin(at flow.Position, before logfile.Sum, f logfile.File) {
	c := l.c
	c.mu.Lock()
	defer c.mu.Unlock()
	g := at.Generation
	s, open := l.open(g.ID)
	if open != nil { // its file came back before all of it was acknowledged
		open.File, open.State, open.Grown = f, Reading, logfile.Sum{}
		c.changed = true
		// It may have been noted as a copy of itself, and goes on now.
		s.Finished = slices.DeleteFunc(s.Finished, func(copied Generation) bool { return copied.ID == g.ID && copied.Inode.Is(f.Inode) })
		return
	}
	begun := Generation{
		File: f, ID: g.ID, FirstLine: g.FirstLine, Earlier: g.Earlier, Offset: at.Offset, Line: at.Line, Before: before,
	}
	s.Finished = slices.DeleteFunc(s.Finished, func(f Generation) bool {
		if f.ID != g.ID {
			return false
		}
		if f.Offset == at.Offset && f.Line == at.Line {
			if begun.Spans = f.Spans; f.State == Lost {
				begun.Ahead = f.Ahead
			}
			begun.reopen(c.destinations)
		}
		return true
	})
	s.Open = append(s.Open, begun)
	c.needed++
	c.changed = true
}

// Describe records what the file of a generation looks like now. More of its head counts when
// what is acknowledged does: it may not be on the disk yet.
func (l *Ledger) Describe(g *flow.Generation, f logfile.File) {
	c := l.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, open := l.open(g.ID); open != nil && open.File != f {
		if grown := f.Head; c.syncLogs != nil && open.Head.Length > 0 && grown.Length > open.Head.Length && grown.Length <= logfile.HeadBytes {
			f.Head, open.Grown = open.Head, grown
			c.waiting = append(c.waiting, acknowledged{end: flow.Position{Generation: g}, head: grown})
		} else {
			open.Grown = logfile.Sum{}
		}
		// Without a head, the file cannot be found again once it is compressed; with one of
		// nothing but NULs, others are found.
		if open.Head != f.Head && (open.Head.Length == 0 || f.Head.Length > logfile.HeadBytes) {
			c.needed++
		}
		c.changed = true
		open.File = f
	}
}

// RotatedTo records a directory in which rotated files of a source were seen.
func (l *Ledger) RotatedTo(dir string) {
	c := l.c
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.source(l.name)
	if !slices.Contains(s.Directories, dir) {
		s.Directories = append(s.Directories, dir)
		c.changed = true
	}
}

// SearchSince records that files not older than since are still to be looked for, or that one
// of them cannot be opened. The zero time records that there are no such files. It outlives a
// restart, when it is needed: what is known is newer by then.
func (l *Ledger) SearchSince(since time.Time) {
	c := l.c
	c.mu.Lock()
	defer c.mu.Unlock()
	var at int64
	if !since.IsZero() {
		at = since.UnixNano()
	}
	if s := c.source(l.name); s.SearchSince != at {
		s.SearchSince = at
		c.changed = true // it is saved with whatever newer is known
	}
}

// Leave records that nothing of a generation will be read beyond end, with before
// before it. The generation is finished as soon as it is acknowledged up to there.
func (l *Ledger) Leave(end flow.Position, before logfile.Sum) {
	c := l.c
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.source(l.name)
	if g := s.undelivered(end.Generation.ID); g != nil {
		if g.Left = (Reached{end.Offset, end.Line, before}); g.State != Lost { // which is imported
			g.State = Left
		}
		c.changed = true
		c.finish(s, g, false)
	}
}

// Stay undoes Leave: the reader continues with the generation.
func (l *Ledger) Stay(g *flow.Generation) {
	c := l.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, open := l.open(g.ID); open != nil {
		open.State, open.Left = Reading, Reached{}
		c.changed = true
	}
}

// DropAhead forgets that destinations got more of an open generation than others, but for those
// to keep: the dropped ones get it again from where the one is that got least. It reports
// whether there were any, and how many of them are rollups.
func (l *Ledger) DropAhead(id int64, keep []Ahead) (dropped bool, rollups int) {
	c := l.c
	c.mu.Lock()
	defer c.mu.Unlock()
	_, open := l.open(id)
	if open == nil || len(open.Ahead) == len(keep) {
		return false, 0
	}
	for _, a := range open.Ahead {
		if !slices.Contains(keep, a) && a.Destination != Lines && a.Destination != Raw {
			rollups++
		}
	}
	open.Ahead = keep
	c.needed++
	c.changed = true
	return true, rollups
}

// Forget undoes Begin: nothing of the generation was read.
func (l *Ledger) Forget(g *flow.Generation) {
	c := l.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, open := l.open(g.ID); open != nil {
		s.Open = slices.DeleteFunc(s.Open, func(open Generation) bool { return open.ID == g.ID })
		c.changed = true
	}
}

// Lose records that the file of a generation cannot be found any more.
func (l *Ledger) Lose(id int64) {
	c := l.c
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.source(l.name)
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
func (l *Ledger) NoteCopy(g Generation) {
	c := l.c
	c.mu.Lock()
	defer c.mu.Unlock()
	c.source(l.name).keep(g)
	c.changed = true
}

// open returns the state of the source, and the open generation or the imported file of
// an ID, or nil.
func (l *Ledger) open(id int64) (*Source, *Generation) {
	s := l.c.source(l.name)
	open := s.open(id)
	return s, open
}
