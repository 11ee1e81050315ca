package tail

import (
	"os"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/scene"
)

// A file that was left may grow again: a worker of nginx was never told to reopen its
// logs, or does so late (open_log_file_cache). It is looked at by its name for a while.
const (
	watchTick  = time.Second
	watchFor   = time.Hour
	maxWatches = 64 // of a source, as many as the checkpoint knows
)

// watched is a file that was left, and is not open.
type watched struct {
	id    int64 // of the generation
	inode logfile.Inode
	path  string // where it was last
	end   int64  // it was read up to here
	until time.Time
}

// watch begins to look at a file that was left at a time.
func (s *source) watch(id int64, inode logfile.Inode, path string, end int64, left time.Time) {
	s.watched = append(s.watched, watched{id, inode, path, end, left.Add(watchFor)})
	if extra := len(s.watched) - maxWatches; extra > 0 {
		s.watched = slices.Delete(s.watched, 0, extra)
	}
}

// unwatch ends that.
func (s *source) unwatch(id int64) {
	s.watched = slices.DeleteFunc(s.watched, func(w watched) bool { return w.id == id })
}

// regrown are the generations whose files have grown since they were left. Files that
// are not found, and those that did not grow for long, are looked at no more.
func (s *source) regrown(r *Reader, now time.Time) (ids []int64) {
	gone, over := map[int64]bool{}, map[int64]bool{}
	var beside []logfile.Sibling
	for i := range s.watched {
		w := &s.watched[i]
		info, err := os.Stat(w.path)
		if err != nil || !logfile.InodeIn(info).Is(w.inode) {
			if beside == nil {
				beside = s.beside(r, s.Path, s.ledger.Directories())
			}
			info = w.in(beside)
		}
		switch {
		case info != nil && info.Size() > w.end:
			ids = append(ids, w.id)
		case now.After(w.until): // only now: perhaps nobody has looked for long
			over[w.id] = true
		case info == nil:
			gone[w.id], over[w.id] = true, true
		}
	}
	if len(over) > 0 {
		s.watched = slices.DeleteFunc(s.watched, func(w watched) bool { return over[w.id] })
	}
	if len(gone) > 0 {
		s.grownElsewhere(gone, beside)
	}
	return ids
}

// grownElsewhere looks for what has become of watched files that are gone, if they may have grown
// before they were compressed: what compresses a file gives it the time of that.
func (s *source) grownElsewhere(gone map[int64]bool, beside []logfile.Sibling) {
	known := s.ledger.Copy()
	all := slices.Concat(known.Finished, known.Open)
	for _, g := range all {
		for _, f := range beside {
			at := f.Info.ModTime()
			isKnown := func(g checkpoint.Generation) bool { return g.Modified == at.UnixNano() }
			if gone[g.ID] && f.Rotated && at.UnixNano() > g.Modified && !slices.ContainsFunc(all, isKnown) {
				s.searchFrom(at)
			}
		}
	}
}

// in finds the file under its new name, which it notes; nil if it has none.
func (w *watched) in(beside []logfile.Sibling) os.FileInfo {
	for _, f := range beside {
		if logfile.InodeIn(f.Info).Is(w.inode) {
			w.path = f.Path
			return f.Info
		}
	}
	return nil
}

// watchFinished begins to look at files that were left before a start, however long ago: once
// at least.
func (s *source) watchFinished(known *checkpoint.Source, now time.Time) {
	for _, g := range known.Finished {
		if g.State != checkpoint.Finished || g.Head.Length == 0 && !scene.NeverRead(&g) {
			continue
		}
		left := time.Unix(0, g.Modified)
		if now.Sub(left) < watchFor {
			left = now
		}
		s.watch(g.ID, g.Inode, "", max(g.Offset, g.Size), left)
	}
}
