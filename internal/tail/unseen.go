package tail

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/logfile"
)

// findUnseen looks for files that came to the path and were rotated away, or
// copied and truncated, between two looks. What is older than since was seen.
func (s *source) findUnseen(since, now time.Time) {
	var live fs.FileInfo
	list := func() []logfile.Sibling {
		live, _ = os.Stat(s.Path)
		found := s.without(s.reader.directories.RotatedLogs(s.Path, s.rotated...))
		if live != nil { // which may be renamed right now too
			found = append(found, logfile.Sibling{Path: s.Path, Info: live})
		}
		return found
	}
	if !s.unsettled.IsZero() && s.unsettled.Before(since) {
		since = s.unsettled
	}
	s.unsettled = time.Time{}
	files, settled, refused := logfile.OpenAll(list, func(f logfile.Sibling) bool {
		return !f.Info.ModTime().Before(since) && s.openAs(f.Info) == nil &&
			(live == nil || !os.SameFile(f.Info, live)) && (s.coming == nil || !os.SameFile(f.Info, s.coming.Info))
	})
	defer logfile.CloseAll(files)
	if !settled {
		s.unsettled = since // the next look goes on
	}
	s.beginUnseen(files, since, now)
	s.refuse(refused, since)
}

// refuse notes files that cannot be opened and may be logs that nobody has
// read: the next look continues. The reason is reported until there are none.
func (s *source) refuse(refused []logfile.Refusal, since time.Time) {
	s.refused = nil
	for _, f := range refused {
		if f.Rotated && !f.Info.ModTime().Before(since) {
			s.refused, s.unsettled = f.Err, since
		}
	}
}

// beginUnseen begins a generation for each of the files, in their order, that is
// not older than what was read and that nobody has read, nor will read from
// what is at the path.
func (s *source) beginUnseen(files []*logfile.Opened, since, now time.Time) {
	for j, o := range files {
		if o == nil || !o.Rotated || o.Info.ModTime().Before(since) || isPrefixOfAny(o, files[:j]) ||
			s.coming != nil && o.IsPrefixOf(s.coming) || !s.isUnread(o, nil, now) {
			continue
		}
		s.reader.log.Info("reading log file that was rotated unnoticed", "source", s.Name, "file", o.Path)
		f := s.begin(o, 0, true, now)
		f.unsure = len(o.Head) == 0
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

// latest is when a file that was read was last written. Times that are yet to come
// do not count, if there are others: the clock was wrong.
func (s *source) latest(now time.Time) (t time.Time) {
	var wrong time.Time
	take := func(at time.Time) {
		if at.After(now.Add(time.Minute)) {
			if at.After(wrong) {
				wrong = at
			}
		} else if at.After(t) {
			t = at
		}
	}
	for i := range s.finished {
		take(time.Unix(0, s.finished[i].Modified))
	}
	for _, f := range s.files {
		take(f.asOf)
	}
	if t.IsZero() {
		return wrong
	}
	return t
}

// isUnread reports whether a file, which is open as f or not at all, is neither one
// that is or was read nor a copy of one. A copy is recognised as long as the log has
// not been truncated. So if it does not seem to be one, the open files are looked at
// once more: if one has been truncated meanwhile, its rest was searched for, and found
// in this file if it is the copy.
func (s *source) isUnread(o *logfile.Opened, f *file, now time.Time) bool {
	for before := -1; before != s.turns; {
		_ = s.lookAtFiles(now) // the next look reports what is wrong
		if s.openAs(o.Info) != f || s.wasRead(o, f, 0) {
			return false
		}
		before = s.turns
		_ = s.lookAtFiles(now)
	}
	return true
}

// wasRead reports whether o is, or is a copy of, a file that we are reading, have
// read, or have imported to its end. f itself is ignored, and so are the noted copies
// of generation except, to which the source may return because it was read and not
// acknowledged; 0 means none.
func (s *source) wasRead(o *logfile.Opened, f *file, except int64) bool {
	if read, imported := importedTo(o, s.imported); imported && !o.HasMore(read.Offset) {
		return true
	}
	return s.isFinished(o, except) || slices.ContainsFunc(s.files, func(other *file) bool {
		return other != f && !os.SameFile(other.info, o.Info) && other.isCopiedBy(o)
	})
}

// isFinished reports whether o is, or is a copy of, the file of a finished generation
// other than except. However alike two files are, it is not another one then.
func (s *source) isFinished(o *logfile.Opened, except int64) bool {
	for i := range s.finished {
		if s.finished[i].ID != except && holdsAllOf(o, &s.finished[i]) {
			return true
		}
	}
	return false
}

// becameCopy reports whether a file that was empty when it was found has turned out to
// be a copy, whole or in the making.
func (s *source) becameCopy(f *file) bool {
	o, err := (logfile.Sibling{Path: fmt.Sprintf("/proc/self/fd/%d", f.f.Fd())}).Open()
	if err != nil {
		return false
	}
	defer o.Close()
	return !s.isUnread(o, f, time.Now())
}

// isPrefixOfAny reports whether all of o is in an earlier file too, such as the log
// that is just being compressed.
func isPrefixOfAny(o *logfile.Opened, earlier []*logfile.Opened) bool {
	return slices.ContainsFunc(earlier, func(e *logfile.Opened) bool { return e != nil && e.Rotated && o.IsPrefixOf(e) })
}

// holdsAllOf reports whether a file is, or is a copy of, that of a finished generation.
func holdsAllOf(o *logfile.Opened, g *checkpoint.Finished) bool {
	return o.HoldsAllOf(g.File, g.Offset, g.Before)
}

// isCopiedBy reports whether o is a copy of the file, with nothing else in it.
func (f *file) isCopiedBy(o *logfile.Opened) bool { return o.IsCopyOf(f.opened(), f.size) }

// opened is the file as package logfile knows it.
func (f *file) opened() *logfile.Opened {
	o := &logfile.Opened{File: f.f, Content: f.f, Inode: f.inode, Head: f.head}
	if f.packed != nil {
		o.Content = f.packed
	}
	return o
}
