package tail

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/growing"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/scene"
)

// A file that was left may grow again: a worker of nginx was never told to reopen its
// logs, or does so late (open_log_file_cache). It is looked at by its name for a while. At
// first it is held, too: it may be deleted, as what compresses files does, and nginx goes on.
// Its blocks on the disk are free only after that.
const (
	watchTick  = time.Second
	watchFor   = time.Hour
	holdFor    = 10 * time.Minute
	maxWatches = 64 // of a source, as many as the checkpoint knows
	maxHeld    = 4  // of these, the last ones: logrotate may run more than once
)

// watched is a file that was left, and is not read.
type watched struct {
	id      int64 // of the generation
	inode   logfile.Inode
	path    string // where it was last
	end     int64  // it was read up to here; 0: it was emptied
	emptied bool   // since it was left
	left    time.Time

	held *os.File // for a while, or nil
	date string   // of a day of a dated log, as of a [logfile.Sibling]
	log  string   // the path of the source then
}

// watchLeft begins to look at a plain file that is about to be closed.
func (s *source) watchLeft(r *Reader, f *growing.File, now time.Time) {
	if f.Packed != nil {
		return
	}
	end := max(f.At.Offset, f.Seen) // NULs at its end are behind what was sent
	w := watched{
		id: f.At.Generation.ID, inode: f.Inode, path: cmp.Or(f.Name(), f.Path), end: end, left: now, date: f.Date,
		log: cmp.Or(f.Description().Path, s.Path),
	}
	if r.open < r.most/2 { // files that are read need theirs
		if w.held, _ = os.OpenFile(byDescriptor(f.File), unix.O_PATH, 0); w.held != nil {
			r.open++
		}
	}
	s.watch(r, w)
	s.noteBeginning(f, now)
	for i := range max(0, len(s.watched)-maxHeld) {
		r.release(&s.watched[i])
	}
}

// byDescriptor is a path of an open file that may have no name.
func byDescriptor(f *os.File) string { return fmt.Sprint(descriptors, f.Fd()) }

func isByDescriptor(path string) bool { return strings.HasPrefix(path, descriptors) }

const descriptors = "/proc/self/fd/"

// watch begins to look at a file.
func (s *source) watch(r *Reader, w watched) {
	s.watched = append(s.watched, w)
	for len(s.watched) > maxWatches {
		s.unwatch(r, s.watched[0].id)
	}
}

// unwatch ends that.
func (s *source) unwatch(r *Reader, id int64) {
	s.watched = slices.DeleteFunc(s.watched, func(w watched) bool {
		if w.id == id {
			r.release(&w)
		}
		return w.id == id
	})
}

// release closes a file that is held.
func (r *Reader) release(w *watched) {
	if w.held != nil {
		w.held.Close()
		w.held = nil
		r.open--
	}
}

// nameHeld gives a file that was opened by its descriptor the name that it had.
func (s *source) nameHeld(o *logfile.Opened) {
	for _, w := range s.watched {
		if w.held == nil || !o.Inode.Is(w.inode) {
			continue
		}
		if o.Path = w.path; w.log != s.Path {
			o.Log = w.log
		}
	}
}

// regrown are the generations whose files have grown since they were left, or have changed; and
// those of them that were emptied before. Files that are not found, and those that did not grow
// for long, are looked at no more.
func (s *source) regrown(r *Reader, now time.Time) (ids, emptied []int64) {
	gone, over := map[int64]bool{}, map[int64]bool{}
	var beside []logfile.Sibling
	for i := range s.watched {
		w := &s.watched[i]
		if w.held != nil && now.Sub(w.left) > holdFor && !w.hasGrown() {
			r.release(w)
		}
		info, err := w.stat()
		if err != nil || !logfile.InodeIn(info).Is(w.inode) {
			if beside == nil {
				beside = s.beside(r, s.Path, s.ledger.Directories())
			}
			info = w.in(beside)
		}
		if info != nil && info.Size() == 0 {
			w.end, w.emptied = 0, true
		}
		switch {
		case info != nil && info.Size() != w.end && info.Size() > 0:
			if ids = append(ids, w.id); w.emptied {
				emptied = append(emptied, w.id)
			}
		case now.Sub(w.left) > watchFor: // only now: perhaps nobody has looked for long
			over[w.id] = true
		case info == nil:
			gone[w.id], over[w.id] = true, true
		}
	}
	for id := range over {
		s.unwatch(r, id)
	}
	if len(gone) > 0 {
		s.grownElsewhere(gone, beside)
	}
	return ids, emptied
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

// stat is of the file that is held, or of what is at the path.
func (w *watched) stat() (os.FileInfo, error) {
	if w.held != nil {
		return w.held.Stat()
	}
	return os.Stat(w.path)
}

// hasGrown reports whether a file that is held is longer than what was read of it.
func (w *watched) hasGrown() bool {
	info, err := w.held.Stat()
	return err == nil && info.Size() > w.end
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
func (s *source) watchFinished(r *Reader, known *checkpoint.Source, now time.Time) {
	for _, g := range known.Finished {
		if g.State != checkpoint.Finished || g.Head.Length == 0 && !scene.NeverRead(&g) {
			continue
		}
		left := time.Unix(0, g.Modified)
		if now.Sub(left) < watchFor {
			left = now
		}
		s.watch(r, watched{id: g.ID, inode: g.Inode, end: max(g.Offset, g.Size), left: left})
	}
}
