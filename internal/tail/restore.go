package tail

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
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
		if was, ok := s.reader.checkpoint.Rename(s.Name, s.Path, s.reader.follows); ok {
			s.reader.log.Warn("source has a new name; continuing where it was", "source", s.Name, "was", was, "file", s.Path)
		}
		switch n, err := s.reader.directories.UnsearchedDirectories(s.Path); {
		case n > 0:
			s.reader.log.Warn("too many directories beside the log; some are not searched for its rotated files: use a directory of its own for the log, or for olddir",
				"source", s.Name, "file", s.Path, "limit", logfile.MaxDirectories)
		case errors.Is(err, fs.ErrPermission):
			s.reader.log.Warn("cannot list the directory of the log: lines are lost when it is rotated while tailflux is stopped, or faster than it is checked",
				"source", s.Name, "err", err)
		}
		saved, known := s.reader.checkpoint.Source(s.Name, s.Path)
		s.saved = &saved
		if info, err := os.Stat(s.Path); err == nil && !known && s.fromEnd {
			s.there = info
		}
		s.finished, s.imported, s.rotated = saved.Finished, saved.Imports, saved.Directories
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
	if len(saved.Open) == 1 && s.isAtPath(&saved.Open[0], now) { // as it nearly always is
		s.findUnseen(s.latest(now), now) // another one may have been there for a while
	} else {
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

// unreadable is why a file cannot be read that is the log itself, or one of the
// checkpoint's: by its inode, or perhaps, if it is compressed and the other files
// are not.
func (s *source) unreadable(saved *checkpoint.Source) error {
	files, found := []*logfile.Opened(nil), s.everywhere(saved)
	defer func() { logfile.CloseAll(files) }()
	refused := map[string]error{}
	for _, f := range found {
		if o, err := f.Open(); err == nil {
			files = append(files, o)
		} else if !errors.Is(err, fs.ErrNotExist) {
			refused[f.Path] = err
		}
	}
	for _, f := range found {
		err := refused[f.Path]
		if err != nil && (f.Path == s.Path || slices.ContainsFunc(saved.Open, func(g checkpoint.Generation) bool { return mayBe(f, &g, files) })) {
			return err
		}
	}
	if _, err := os.Stat(s.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// mayBe reports whether a file that cannot be opened may be that of a generation:
// by its inode, or because it is compressed and none of the others is.
func mayBe(f logfile.Sibling, g *checkpoint.Generation, others []*logfile.Opened) bool {
	if st, ok := f.Info.Sys().(*syscall.Stat_t); ok && g.Inode.Device == st.Dev && g.Inode.Number == st.Ino {
		return true
	}
	return f.Rotated && logfile.IsCompressed(f.Path) && f.Info.ModTime().UnixNano() >= g.Modified &&
		!slices.ContainsFunc(others, func(o *logfile.Opened) bool { return o.Compare(g.File, g.Offset, g.Before) > logfile.Different })
}

// isAtPath goes on with a generation whose file is still at the path.
func (s *source) isAtPath(g *checkpoint.Generation, now time.Time) bool {
	o, err := logfile.Sibling{Path: s.Path}.Open()
	if err != nil {
		return false
	}
	untouched := g.Head.Length > 0 || o.Info.ModTime().UnixNano() == g.Modified
	if !untouched || o.Compare(g.File, g.Offset, g.Before) != logfile.Same {
		o.Close()
		return false
	}
	s.goOn(o, g, now)
	return true
}

// goOn opens a generation of the checkpoint again.
func (s *source) goOn(o *logfile.Opened, g *checkpoint.Generation, now time.Time) {
	at := flow.Position{
		Generation: &flow.Generation{Source: s.Source, ID: g.ID, FirstLine: g.FirstLine},
		Offset:     g.Offset, Line: g.Line,
	}
	f := s.add(o, at, true, now)
	f.unsure = neverRead(g) && o.Rotated
	f.asOf = time.Unix(0, g.Modified) // since then something may have come and gone
	if f.packed != nil {
		f.size = max(f.size, g.Size)
	}
	s.reader.checkpoint.Stay(at.Generation)
	f.describeChange()
	s.reader.log.Info("continuing with log file", "source", s.Name, "file", o.Path, "offset", at.Offset, "line", at.Line)
}

// neverRead reports whether a file was empty whenever it was looked at.
func neverRead(g *checkpoint.Generation) bool {
	return g.Head.Length == 0 && g.Size == 0 && g.Offset == 0
}

// search looks for the files of the checkpoint's generations, and for those that
// came after them.
func (s *source) search(saved *checkpoint.Source, now time.Time) {
	open := saved.Open
	var files []*logfile.Opened
	var refused []logfile.Refusal
	defer func() { logfile.CloseAll(files) }()
	// A file that is not found may just be being copied and truncated: its copy
	// was not there yet when the directory was read.
	list := func() []logfile.Sibling { return s.everywhere(saved) }
	for range 3 {
		logfile.CloseAll(files)
		files, _, refused = logfile.OpenAll(list, func(f logfile.Sibling) bool { return s.openAs(f.Info) == nil })
		if open = s.match(files, open, saved.Open, now); len(open) == 0 {
			break
		}
	}
	for i := range open {
		g := &open[i]
		if neverRead(g) && (slices.ContainsFunc(s.files, func(f *file) bool { return f.inode.Is(g.Inode) }) ||
			slices.ContainsFunc(files, func(o *logfile.Opened) bool { return o != nil && o.Inode.Is(g.Inode) })) {
			s.reader.checkpoint.Forget(&flow.Generation{Source: s.Source, ID: g.ID}) // it became the copy of another one
			continue
		}
		why := "no file beside the log is, or is a copy of, what was read"
		if _, err := os.ReadDir(filepath.Dir(s.Path)); err != nil {
			why = "the files beside the log cannot be found: " + err.Error()
		}
		s.lose(max(0, g.Size-g.Offset), why+unpackable(refused, g))
		s.gone(g, true)
	}
	slices.SortFunc(s.files, func(a, b *file) int { return cmp.Compare(a.at.Generation.ID, b.at.Generation.ID) })
	// The log may just be being copied, and not be truncated yet.
	if live, err := (logfile.Sibling{Path: s.Path}).Open(); err == nil {
		defer live.Close()
		s.coming = live
		for _, o := range files {
			if o != nil && os.SameFile(o.Info, live.Info) {
				o.Rotated = false // a link leads to it
			}
		}
	}
	since := s.latest(now)
	s.beginUnseen(files, since, now)
	s.coming = nil
	s.refuse(refused, since)
}

// match goes on with those of the open generations whose files are found, which
// it takes out of files. It returns the others.
func (s *source) match(files []*logfile.Opened, open, all []checkpoint.Generation, now time.Time) (missing []checkpoint.Generation) {
	live, noLive := os.Stat(s.Path)
	for i := range open {
		g := &open[i]
		best, sure := -1, logfile.Different
		for j, o := range files {
			if o == nil || belongsToAnother(o, all, g.ID) {
				continue
			}
			how := o.Compare(g.File, g.Offset, g.Before)
			atPath := noLive == nil && os.SameFile(o.Info, live)
			if how == logfile.Different || how < sure || atPath && !isLog(how, g) || s.wasRead(o, nil, g.ID) {
				continue // a copy elsewhere is not what else was read
			}
			if best >= 0 && how == sure && !files[best].IsPrefixOf(o) {
				continue // they begin alike, and are not copies of one file
			}
			best, sure = j, how // the later copy has more
		}
		switch {
		case best < 0:
			missing = append(missing, *g)
		case sure == logfile.Prefix:
			s.noteCopy(files[best], g.ID, g.FirstLine, g.Line)
			s.gone(g, false)
		default:
			s.goOn(files[best], g, now)
			files[best] = nil
		}
	}
	return missing
}

// isLog reports whether a file at the path is that of the generation: it is the same
// one, or it is a copy and has all that was read. The log may have been restored, or
// its file system have another device number since the machine was started.
func isLog(how logfile.Identity, g *checkpoint.Generation) bool {
	return how == logfile.Same || how == logfile.Copy && g.Before.Length > 0
}

// belongsToAnother reports whether a file is that of another open generation.
func belongsToAnother(o *logfile.Opened, open []checkpoint.Generation, id int64) bool {
	return slices.ContainsFunc(open, func(g checkpoint.Generation) bool {
		return g.ID != id && g.Head.Length > 0 && o.Inode.Is(g.Inode) && o.Begins(g.Head)
	})
}

// gone makes an open generation a finished one without reading on.
func (s *source) gone(g *checkpoint.Generation, lost bool) {
	end := flow.Position{
		Generation: &flow.Generation{Source: s.Source, ID: g.ID, FirstLine: g.FirstLine},
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
func (s *source) noteCopy(o *logfile.Opened, id, firstLine, line int64) {
	length, last, err := o.Ending()
	if err != nil {
		return // the next look finds it as it is then
	}
	g := checkpoint.Finished{
		File: logfile.File{Inode: o.Inode, Head: o.Head.Sum(), Size: length, Modified: o.Info.ModTime().UnixNano()},
		ID:   id, FirstLine: firstLine, LastLine: line, Offset: length, Before: logfile.SumOf(last),
	}
	s.finish(g)
	s.reader.checkpoint.NoteCopy(s.Name, g)
}
