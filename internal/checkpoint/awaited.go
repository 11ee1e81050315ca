package checkpoint

import (
	"cmp"

	"github.com/tailflux/tailflux/internal/logfile"
)

// Awaited is the file that was at the path when nothing of the log had been read yet, as long as
// nobody has opened it. It may be rotated before somebody can.
type Awaited struct {
	Inode     logfile.Inode `json:"file"`                // zero: nobody may look into its directory
	Path      string        `json:"path,omitempty"`      // that of the log, if the source was at another one then
	From      int64         `json:"from,omitempty"`      // read from here on: its size at the very first start, if that is where reading begins
	Size      int64         `json:"size"`                // the largest that it is known to have had
	Modified  int64         `json:"modified"`            // when it was first seen; what came to the path after it was written later
	Shortened bool          `json:"shortened,omitempty"` // what was in it may be in a copy
}

// Await records the file that is awaited; nil: none is any more.
func (l *Ledger) Await(a *Awaited) {
	c := l.c
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.source(l.name)
	if s.Awaited == nil && a != nil {
		c.needed++
	}
	c.changed = c.changed || s.Awaited != a
	s.Awaited = a
}

// Awaited is the file that is awaited, or nil. It is not to be changed.
func (l *Ledger) Awaited() *Awaited {
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	return l.c.source(l.name).Awaited
}

// of is the same file, of a log whose path was that.
func (a *Awaited) of(path string) *Awaited {
	if a == nil {
		return nil
	}
	moved := *a
	moved.Path = cmp.Or(a.Path, path)
	return &moved
}
