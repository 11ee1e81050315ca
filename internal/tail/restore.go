package tail

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/planted"
)

// restore goes on where the checkpoint says. What it finds is put in the order
// in which it was written:
//
//	generations of the checkpoint, wherever their files are now
//	files that came to the path later and were rotated away, never seen
//	what is at the path, by the look that follows
//
// The error is why that cannot be said yet: a file may not be read. Then nothing
// is read, and restore is tried again.
func (s *source) restore(now time.Time) error {
	if s.saved == nil {
		saved, known := s.reader.checkpoint.Source(s.Name, s.Path)
		s.saved = &saved
		if info, err := os.Stat(s.Path); err == nil && !known && s.FromEnd {
			s.there = info
		}
		s.finished, s.rotated = saved.Finished, saved.Directories
		for _, g := range saved.Finished {
			s.lastID, s.firstLine, s.furthest = max(s.lastID, g.ID), max(s.firstLine, g.FirstLine), max(s.furthest, g.LastLine)
		}
		for _, g := range saved.Open {
			s.lastID, s.firstLine = max(s.lastID, g.ID), max(s.firstLine, g.FirstLine)
		}
	}
	saved := s.saved
	if len(saved.Open) == 0 && len(saved.Finished) == 0 {
		return nil
	}
	if len(saved.Open) != 1 || !s.isAtPath(&saved.Open[0], now) { // as it nearly always is
		if err := s.unreadable(saved); err != nil {
			return err
		}
		s.search(saved, now)
	}
	// All are superseded but the one at the path, or the last one, which may
	// still be written to, if there is none.
	live, err := os.Stat(s.Path)
	for i, f := range s.files {
		if err == nil {
			f.superseded = f.packed != nil || !os.SameFile(live, f.info)
		} else {
			f.superseded = f.packed != nil || i < len(s.files)-1
		}
	}
	return nil
}

// unreadable is why a file cannot be read that is, by its inode, one of the
// checkpoint's, or the log itself.
func (s *source) unreadable(saved *checkpoint.Source) error {
	for _, f := range s.siblings(s.Path) {
		st, ok := f.info.Sys().(*syscall.Stat_t)
		ours := f.path == s.Path || ok && slices.ContainsFunc(saved.Open, func(g checkpoint.Generation) bool {
			return g.Inode.Device == st.Dev && g.Inode.Number == st.Ino
		})
		if !ours {
			continue
		}
		o, err := f.open()
		if err == nil {
			o.close()
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if _, err := os.Stat(s.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// isAtPath goes on with a generation whose file is still at the path.
func (s *source) isAtPath(g *checkpoint.Generation, now time.Time) bool {
	o, err := sibling{path: s.Path}.open()
	if err != nil {
		return false
	}
	untouched := g.Head.Length > 0 || o.info.ModTime().UnixNano() == g.Modified
	if !untouched || o.holds(g.File, g.Offset, g.Before) != theSame {
		o.close()
		return false
	}
	s.goOn(o, g, now)
	return true
}

// goOn opens a generation of the checkpoint again.
func (s *source) goOn(o *opened, g *checkpoint.Generation, now time.Time) {
	at := flow.Position{
		Generation: &flow.Generation{Source: s.Source.Source, ID: g.ID, FirstLine: g.FirstLine},
		Offset:     g.Offset, Line: g.Line,
	}
	if planted.Is(planted.LineNumberNotSaved) {
		at.Line = g.FirstLine
	}
	if planted.Is(planted.PackedOffsetIgnored) && o.size() < 0 {
		at.Offset = 0
	}
	f := s.add(o, at, true, now)
	f.asOf = time.Unix(0, g.Modified) // since then something may have come and gone
	if f.packed != nil {
		f.size = max(f.size, g.Size)
	}
	s.reader.checkpoint.Stay(at.Generation)
	s.reader.checkpoint.Describe(at.Generation, f.describe())
	s.reader.log.Info("going on with log file", "source", s.Name, "file", o.path, "offset", at.Offset, "line", at.Line)
}

// search looks for the files of the checkpoint's generations, and for those that
// came after them.
func (s *source) search(saved *checkpoint.Source, now time.Time) {
	open := saved.Open
	var files []*opened
	defer func() { closeAll(files) }()
	// A file that is not found may just be being copied and truncated: its copy
	// was not there yet when the directory was read.
	for range 3 {
		closeAll(files)
		found := s.siblings(s.Path)
		if saved.Path != s.Path {
			found = append(found, s.siblings(saved.Path)...)
		}
		files = openAll(found, func(f sibling) bool { return s.holding(f.info) == nil })
		if open = s.match(files, open, saved.Open, now); len(open) == 0 {
			break
		}
	}
	for i := range open {
		g := &open[i]
		s.lose(g.ID, max(0, g.Size-g.Offset), "no file beside the log is, or is a copy of, what was read")
		s.gone(g, true)
	}
	slices.SortFunc(s.files, func(a, b *file) int { return cmp.Compare(a.at.Generation.ID, b.at.Generation.ID) })
	// The log may just be being copied, and not be truncated yet.
	live, err := sibling{path: s.Path}.open()
	if err != nil {
		live = nil
	} else {
		defer live.close()
		for _, o := range files {
			if o != nil && os.SameFile(o.info, live.info) {
				o.rotated = false // a link leads to it
			}
		}
	}
	s.beginUnseen(files, live, s.latest(), now)
}

// match goes on with those of the open generations whose files are found, which
// it takes out of files. It returns the others.
func (s *source) match(files []*opened, open, all []checkpoint.Generation, now time.Time) (missing []checkpoint.Generation) {
	live, noLive := os.Stat(s.Path)
	for i := range open {
		g := &open[i]
		best, sure := -1, another
		for j, o := range files {
			if o == nil || isOfAnother(o, all, g.ID) {
				continue
			}
			how := o.holds(g.File, g.Offset, g.Before)
			if how == another || how < sure || noLive == nil && os.SameFile(o.info, live) && how != theSame || s.belongs(o) {
				continue // a copy at the path counts as another log
			}
			if best >= 0 && how == sure && !files[best].isBeginningOf(o) {
				continue // they begin alike, and are not copies of one file
			}
			best, sure = j, how // the later copy has more
		}
		switch {
		case best < 0:
			missing = append(missing, *g)
		case sure == shorterCopy:
			s.noteCopy(files[best], g.ID, g.FirstLine, g.Line)
			s.gone(g, false)
		default:
			s.goOn(files[best], g, now)
			files[best] = nil
		}
	}
	return missing
}

// isOfAnother tells whether a file is that of another open generation.
func isOfAnother(o *opened, open []checkpoint.Generation, id int64) bool {
	return slices.ContainsFunc(open, func(g checkpoint.Generation) bool {
		return g.ID != id && g.Head.Length > 0 && sameInode(o.inode, g.Inode) && o.begins(g.Head)
	})
}

// siblings are those of a path, without the files that other sources follow.
func (s *source) siblings(path string) []sibling { return s.without(siblings(path, s.rotated...)) }

// without leaves out the files that other sources follow: one may be called like
// a rotated log of another, as app-20261127.log beside app.log.
func (s *source) without(found []sibling) []sibling {
	return slices.DeleteFunc(found, func(f sibling) bool {
		return slices.ContainsFunc(s.reader.sources, func(other *source) bool {
			return other != s && (other.Path == f.path || other.holding(f.info) != nil)
		})
	})
}

// openAll opens those of the siblings that are wanted and can be had.
func openAll(found []sibling, wanted func(sibling) bool) (files []*opened) {
	for _, sibling := range found {
		if !wanted(sibling) {
			continue
		}
		if o, err := sibling.open(); err == nil {
			files = append(files, o)
		}
	}
	return files
}

// closeAll closes those that nobody has taken.
func closeAll(files []*opened) {
	for _, o := range files {
		if o != nil {
			o.close()
		}
	}
}

// findUnseen looks for files that came to the path and were rotated away, or
// copied and truncated, between two looks. live, unless nil, is one that is about
// to be read. What is older than since was seen.
func (s *source) findUnseen(live *opened, since, now time.Time) {
	for _, f := range s.files {
		f.refresh()
	}
	at, err := os.Stat(s.Path)
	files := openAll(s.without(rotatedLogs(s.Path, s.rotated...)), func(f sibling) bool {
		return !f.info.ModTime().Before(since) && s.holding(f.info) == nil &&
			(err != nil || !os.SameFile(f.info, at)) && (live == nil || !os.SameFile(f.info, live.info))
	})
	defer closeAll(files)
	s.beginUnseen(files, live, since, now)
}

// beginUnseen begins a generation for each of the files, in their order, that is
// not older than what was read and that nobody has read, nor will read from
// what is at the path, unless that is nil.
func (s *source) beginUnseen(files []*opened, live *opened, since, now time.Time) {
	for j, o := range files {
		if o == nil || !o.rotated || o.info.ModTime().Before(since) || s.isKnown(o) || s.twin(files[:j], o) || live != nil && o.isBeginningOf(live) {
			continue
		}
		s.reader.log.Info("reading log file that was rotated unseen", "source", s.Name, "file", o.path)
		f := s.begin(o, 0, true, now)
		f.unsure = len(o.head) == 0
		s.inOrder(f)
		files[j] = nil
	}
}

// inOrder puts a file where it belongs by its time.
func (s *source) inOrder(f *file) {
	s.files = slices.DeleteFunc(s.files, func(other *file) bool { return other == f })
	at := slices.IndexFunc(s.files, func(other *file) bool { return other.info.ModTime().After(f.info.ModTime()) })
	if at < 0 {
		at = len(s.files)
	}
	s.files = slices.Insert(s.files, at, f)
}

// latest is when a file that was read was last written.
func (s *source) latest() (t time.Time) {
	for i := range s.finished {
		if at := time.Unix(0, s.finished[i].Modified); at.After(t) {
			t = at
		}
	}
	for _, f := range s.files {
		if f.asOf.After(t) {
			t = f.asOf
		}
	}
	return t
}

// gone makes an open generation a finished one without reading on.
func (s *source) gone(g *checkpoint.Generation, lost bool) {
	end := flow.Position{
		Generation: &flow.Generation{Source: s.Source.Source, ID: g.ID, FirstLine: g.FirstLine},
		Offset:     g.Offset, Line: g.Line,
	}
	s.furthest = max(s.furthest, g.Line)
	s.finish(checkpoint.Finished{
		File: g.File, ID: g.ID, FirstLine: g.FirstLine, LastLine: g.Line, Offset: g.Offset, Before: g.Before, Lost: lost,
	})
	if lost {
		s.reader.checkpoint.Lose(s.Name, g.ID)
	} else {
		s.reader.checkpoint.Leave(end)
	}
}

// noteCopy remembers a copy that holds nothing unread of a generation, so that
// it is not taken for a log that nobody has read.
func (s *source) noteCopy(o *opened, id, firstLine, line int64) {
	length, last, err := o.ending()
	if err != nil {
		return // the next look finds it as it is then
	}
	g := checkpoint.Finished{
		File: checkpoint.File{Inode: o.inode, Head: o.head.sum(), Size: length, Modified: o.info.ModTime().UnixNano()},
		ID:   id, FirstLine: firstLine, LastLine: line, Offset: length, Before: checkpoint.SumOf(last),
	}
	s.finish(g)
	s.reader.checkpoint.NoteCopy(s.Name, g)
}

// isKnown tells whether a file is, or is a copy of, one that is or was read.
func (s *source) isKnown(o *opened) bool {
	return !planted.Is(planted.FinishedForgotten) && s.belongs(o) || slices.ContainsFunc(s.files, o.isCopyOfOpen)
}

// belongs tells whether a file is, or is a copy of, that of a finished
// generation, and therefore not of another one, however alike they are.
func (s *source) belongs(o *opened) bool {
	for i := range s.finished {
		if o.isCopyOf(&s.finished[i]) {
			return true
		}
	}
	return false
}

// isCopy tells whether a file that was empty when it was found has turned out to
// be a copy in the making.
func (s *source) isCopy(f *file) bool {
	again, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", f.f.Fd()))
	if err != nil {
		return false
	}
	o := &opened{f: again, content: again, inode: f.inode}
	defer o.close()
	if o.info, err = again.Stat(); err != nil {
		return false
	}
	if same, err := o.head.grow(again); err != nil || !same {
		return false
	}
	if live, err := (sibling{path: s.Path}).open(); err == nil {
		defer live.close()
		if !os.SameFile(live.info, o.info) && o.isBeginningOf(live) {
			return true
		}
	}
	return s.belongs(o) || slices.ContainsFunc(s.files, func(other *file) bool {
		return other != f && o.holds(other.describe(), other.at.Offset, other.before()) > another
	})
}

// belongsToAnother tells the same, of generations that are being read too, but for
// that of a file.
func (s *source) belongsToAnother(o *opened, than *file) bool {
	return s.belongs(o) || slices.ContainsFunc(s.files, func(f *file) bool { return f != than && o.isCopyOfOpen(f) })
}

// twin tells whether all of a file is in an earlier one too, such as the log that
// is just being compressed.
func (s *source) twin(earlier []*opened, o *opened) bool {
	return slices.ContainsFunc(earlier, func(e *opened) bool { return e != nil && e.rotated && o.isBeginningOf(e) })
}
