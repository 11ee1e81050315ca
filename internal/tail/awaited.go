package tail

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/logfile"
)

// await notes what is at the path of a log of which nothing was read yet, until it is opened,
// however often tailflux is started meanwhile. fromEnd says that reading begins at its end.
func (s *source) await(now time.Time, fromEnd bool) {
	info, err := os.Stat(s.Path)
	a := checkpoint.Awaited{Modified: now.UnixNano()}
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular():
		return
	case err == nil:
		a.Inode, a.Size, a.Modified = logfile.InodeIn(info), info.Size(), min(a.Modified, info.ModTime().UnixNano())
		if born, err := logfile.InodeAt(s.Path); err == nil && born.Is(a.Inode) {
			a.Inode = born
		}
		if fromEnd {
			a.From = a.Size
		}
	}
	s.ledger.Await(&a)
}

// isAwaited reports whether what is at the path is the file that is awaited, with all that was in
// it. It notes what became of it meanwhile.
func (s *source) isAwaited(info fs.FileInfo) bool {
	a := s.ledger.Awaited()
	if a == nil || a.Shortened {
		return false
	}
	if is, err := logfile.InodeAt(s.Path); err != nil || !is.Is(a.Inode) {
		return false
	}
	now := *a
	now.Size, now.Shortened = max(a.Size, info.Size()), isShortened(a, info)
	if now != *a {
		s.ledger.Await(&now)
	}
	return !now.Shortened
}

// isShortened reports whether some of what was in a file may be in a copy of it now: it has become
// shorter; or it was empty and is, and was written to meanwhile.
func isShortened(a *checkpoint.Awaited, info fs.FileInfo) bool {
	return info.Size() < a.Size || info.Size() == 0 && info.ModTime().UnixNano() > a.Modified
}

// awaitedAs is what is known of an open file if it is the one that is awaited, with all that was
// in it, or nil.
func (s *source) awaitedAs(o *logfile.Opened) *checkpoint.Awaited {
	a := s.ledger.Awaited()
	if a == nil || a.Shortened || !o.Inode.Is(a.Inode) {
		return nil
	}
	if isShortened(a, o.Info) { // since the last look
		now := *a
		now.Shortened = true
		s.ledger.Await(&now)
		s.searchFrom(time.Unix(0, a.Modified))
		return nil
	}
	return a
}
