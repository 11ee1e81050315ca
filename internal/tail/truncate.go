package tail

import (
	"cmp"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/stats"
)

// truncated begins a new generation with what is in the file now. The one before
// goes on in the copy that logrotate made of the file before it truncated it
// (copytruncate), if there is one.
func (f *file) truncated(now time.Time) error {
	s, old := f.source, f.at
	offset, err := f.untouched()
	if err != nil {
		return err
	}
	s.reader.log.Info("log file was truncated", "source", s.Name, "file", s.Path, "bytes", old.Offset, "offset", offset)
	s.turns++
	s.reader.stats.UpdateSource(s.Index, func(st *stats.Source) { st.Truncations++ })
	unread := f.known() - old.Offset
	ended := f.ended()
	rest := f.copied()
	switch {
	case rest != nil && rest.Size() != -1 && rest.Size() <= old.Offset:
		// It was read further than it was copied.
		s.noteCopy(rest, old.Generation.ID, old.Generation.FirstLine, old.Line)
		rest.Close()
		rest = nil
	case rest == nil && unread > 0 && offset == 0:
		s.lose(unread, "the file was truncated, and there is no copy of it")
	}
	if rest != nil {
		s.recover(rest, f, now)
	} else {
		s.finish(ended)
		s.reader.checkpoint.Leave(old)
	}
	s.furthest = max(s.furthest, old.Line)
	f.at = s.position(offset)
	f.head, f.summed, f.marks = nil, -1, nil
	f.seen, f.scanned, f.grown = offset, 0, now
	if f.info, err = f.f.Stat(); err != nil {
		return err
	}
	f.size = f.info.Size()
	if _, err := f.head.Grow(f.f); err != nil {
		return err
	}
	f.mark()
	since := f.asOf
	f.asOf = f.info.ModTime()
	s.reader.checkpoint.Begin(f.at, f.before(), f.describe())
	s.findUnseen(since, now)
	return nil
}

// known is the largest size that the file is known to have had.
func (f *file) known() int64 { return max(f.seen, f.at.Offset+f.scanned, f.described.Size) }

// untouched is how much of what was read is still in the file, up to a newline:
// 0 when it holds something else now.
func (f *file) untouched() (int64, error) {
	info, err := f.f.Stat()
	if err != nil {
		return 0, err
	}
	size := info.Size()
	if size >= f.at.Offset || size == 0 {
		return 0, nil // not cut, but written anew
	}
	short := f.head[:min(int64(len(f.head)), size)]
	now := logfile.Head(append([]byte(nil), short...))
	if same, err := now.Grow(f.f); err != nil || !same {
		return 0, err
	}
	if last, ok := f.marks.Last(size); ok {
		if same, err := last.Stands(f.f); err != nil || !same {
			return 0, err
		}
	}
	return logfile.AfterLastNewline(f.f, size)
}

// copied is the copy of what was in the file, or nil. By now it is whole.
func (f *file) copied() *logfile.Opened {
	saved, last := logfile.File{Inode: f.inode, Head: f.head.Sum()}, f.before()
	s := f.source
	list := func() []logfile.Sibling { return s.siblings(cmp.Or(f.described.Path, s.Path)) }
	files, _, _ := logfile.OpenAll(list, func(f logfile.Sibling) bool { held := s.openAs(f.Info); return held == nil || held.unsure })
	best, sure := -1, logfile.Different
	for i, o := range files {
		how := o.Compare(saved, f.at.Offset, last)
		if o.IsPartOf(f.head) {
			how = logfile.Prefix
		}
		if how > logfile.Different && how >= sure && !s.wasRead(o, f, 0) {
			best, sure = i, how
		}
	}
	if best < 0 {
		logfile.CloseAll(files)
		return nil
	}
	o := files[best]
	files[best] = nil
	logfile.CloseAll(files)
	if held := s.openAs(o.Info); held != nil { // it was empty when it was found
		held.drop()
	}
	return o
}

// recover goes on with the generation of a file in the copy of it.
func (s *source) recover(o *logfile.Opened, of *file, now time.Time) {
	rest := s.add(o, of.at, true, now)
	s.files = slices.DeleteFunc(s.files, func(f *file) bool { return f == rest })
	s.files = slices.Insert(s.files, slices.Index(s.files, of), rest) // it is the older one
	rest.describeChange()
	s.reader.stats.UpdateSource(s.Index, func(st *stats.Source) { st.Recovered++ })
	s.reader.log.Info("reading the rest of a truncated log file from its copy", "source", s.Name, "file", o.Path, "offset", of.at.Offset)
}
