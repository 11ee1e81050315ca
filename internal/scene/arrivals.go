package scene

import (
	"errors"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/logfile"
)

// missed looks, while nothing is at the path, at files that have grown after they were left.
// That comes before arrivals, whose search is due at the same moments and would always win.
func (d *decision) missed() {
	if d.isMissed() {
		if d.regrown(); d.isWaiting() {
			d.actions = nil // others may have come
		}
	}
}

// arrivals are the files that came to the path since the last look: those that were rotated
// away, or copied and truncated, before they were seen there, and the one that is there now.
func (d *decision) arrivals() {
	since, searching := d.since()
	comes := d.isNew()
	var openErr error
	if comes && d.Path.File >= 0 {
		openErr = d.Trouble(d.Path.File)
		comes = openErr == nil
	}
	if comes && d.newest() != nil {
		d.add(Action{Do: Supersede, ID: d.newest().ID})
	}
	if searching && !d.unseen(since, comes, openErr) {
		return
	}
	switch f := d.OpenAs(d.Path.Held); {
	case comes:
		d.comes()
	case f != nil && f.Superseded:
		if n := d.newest(); n != nil {
			d.add(Action{Do: Supersede, ID: n.ID})
		}
		d.add(Action{Do: Back, ID: f.ID})
	}
	switch {
	case (d.isKnown() || d.Ledger.Awaited != nil) && d.isMissed():
		d.add(Action{Do: Missing})
	case !d.Path.Missing && !d.Missed.IsZero():
		d.add(Action{Do: IsBack})
	}
}

// unseen begins a generation for each rotated file that was not read, in their order. It
// leaves out files that are older than what was read, and those whose lines will be read from
// the file that comes to the path. While one of them, or the file at the path, cannot be
// opened, since stays as it is, so the next look finds the same files again. It returns false if
// a file is missing, and might still turn up.
func (d *decision) unseen(since time.Time, comes bool, openErr error) bool {
	s := search{d, since, comes}
	for i := range d.Beside {
		switch {
		case !s.mayBeUnread(i):
		case d.cannotOpen(i):
			openErr = d.Trouble(i)
		default:
			if a, ok := s.follows(i); ok {
				d.add(a)
			}
		}
	}
	if openErr != nil { // the next look goes on
		d.add(Action{Do: CannotOpen, Err: openErr, Since: since})
	} else {
		d.add(Action{Do: Searched, Since: since})
	}
	return d.awaited(openErr == nil)
}

// search is the search for rotated files that were not read.
type search struct {
	*decision
	since time.Time // older ones are left out
	comes bool      // a file comes to the path
}

// mayBeUnread reports whether a file may be looked for, by its name and its times.
func (s *search) mayBeUnread(file int) bool {
	c := s.Beside[file]
	called := c.Rotated || c.Maybe && s.Restarted && !c.Renamed || s.isAwaited(file)
	if c.AtPath || c.Held != 0 || c.Modified.Before(s.since) || s.isBeforeAwaited(file) {
		return false
	}
	return called || c.Renamed && s.isRenamed(file)
}

// follows is what to do about a file that may be unread; ok is false if that is nothing.
func (s *search) follows(file int) (a Action, ok bool) {
	c := s.Beside[file]
	before, sure := s.isBefore(c)
	if err := s.Trouble(file); err != nil { // it is open, and cannot be unpacked
		packed, _ := errors.AsType[logfile.PackedError](err)
		other := packed.NoText && !c.Rotated && sure && !before
		return Action{Do: Unreadable, File: file, Err: err}, s.Restarted && !other && !s.isKnownTime(c.Modified)
	}
	if s.isReadFromAnother(file) {
		return a, false
	}
	if g := s.lost(file); g != nil {
		return Action{Do: Resume, File: file, Prior: *g, Behind: true}, true
	}
	if s.comes && s.Path.File >= 0 && s.Within(file, s.Path.File) || s.wasRead(file, 0, 0) {
		return a, false
	}
	if g := s.anonymised(file); g != nil {
		return Action{Do: Anonymised, File: file, Prior: *g}, true
	}
	if g := s.goesOn(file); g != nil {
		return Action{Do: Resume, File: file, Prior: *g, Behind: true}, true
	}
	if c.Rotated || c.Renamed || before || s.isAwaited(file) {
		return Action{Do: Begin, File: file, Behind: true}, true
	}
	return Action{Do: Unreadable, File: file, Err: errUnplaced}, !sure
}

// isReadFromAnother reports whether another of the files has all the lines of a file, and is
// read for them. Of files that are alike one that may grow is read, or else the first; of
// copies that were made while the log grew, the last.
func (s *search) isReadFromAnother(file int) bool {
	return s.any(func(other int) bool {
		before, _ := s.isBefore(s.Beside[other])
		isLog := s.Beside[other].Rotated || s.Beside[other].Renamed || before || s.isAwaited(other)
		isRead := s.mayBeUnread(other) && s.Trouble(other) == nil && isLog
		return other != file && isRead && s.Within(file, other) && (s.isRather(other, file) || !s.Within(other, file))
	})
}

var errUnplaced = errors.New("nothing tells whether it was this log, or is another one")

// isBefore is for a file that does not have the name of a rotated one. It reports whether it
// was last written before the file at the path was made, or soon after. If not, it may be
// another log, which is still being written. sure is false if that cannot be told.
func (d *decision) isBefore(c Beside) (before, sure bool) {
	const soon = 5 * time.Second
	if d.Path.File < 0 || d.Trouble(d.Path.File) != nil {
		return false, false
	}
	born := d.Born(d.Path.File).Birth
	return born > 0 && !c.Modified.After(time.Unix(0, born).Add(soon)), born > 0
}

// isRenamed reports whether a file with a name as from logrotate's renamecopy really comes from
// it: then it was made when the log was renamed, or later. Scripts use such names, too.
func (d *decision) isRenamed(file int) bool {
	const early = time.Second // the clock of births has steps
	if d.AtPath.IsZero() || d.Trouble(file) != nil {
		return false
	}
	return d.Born(file).Birth >= d.AtPath.Add(-early).UnixNano()
}

// isRather reports whether a file is to be read rather than another one that is alike.
func (d *decision) isRather(file, other int) bool {
	if canGrow := d.Size(file) >= 0; canGrow != (d.Size(other) >= 0) {
		return canGrow
	}
	return file < other
}

// isKnownTime reports whether some file that was read was last written at that time: a
// compressor gives its output the time of its input.
func (d *decision) isKnownTime(at time.Time) bool {
	is := func(g checkpoint.Generation) bool { return g.Modified == at.UnixNano() }
	return slices.ContainsFunc(d.Ledger.Finished, is) || slices.ContainsFunc(d.Ledger.Open, is)
}

// comes begins a generation with the file at the path now, or goes on with a finished one
// whose file has come back. A copy of a finished one is a new generation, unless the file of
// that one was lost: then somebody has restored it.
func (d *decision) comes() {
	file, first := d.Path.File, d.newest() == nil
	if file < 0 { // nothing was ever read
		d.add(Action{Do: Begin, File: -1, First: true})
		return
	}
	if g := d.lost(file); g != nil {
		d.add(Action{Do: Resume, File: file, Prior: *g, First: first})
		return
	}
	for _, g := range d.finished() {
		if g.Head.Length > 0 && d.Is(file, &g) == logfile.Same {
			d.add(Action{Do: Resume, File: file, Prior: g, First: first})
			return
		}
	}
	d.add(Action{Do: Begin, File: file, First: first, Offset: d.copied(file)})
}

// lost is the lost generation whose file has turned up, or was restored from a copy; nil if
// there is none. A copy of something else that was read does not count.
func (d *decision) lost(file int) *checkpoint.Generation {
	for i := range d.Ledger.Finished {
		g := &d.Ledger.Finished[i]
		if g.State != checkpoint.Lost || g.Head.Length == 0 {
			continue
		}
		if how := d.Is(file, g); d.isLog(file, how, g) && (how == logfile.Same || !d.wasRead(file, 0, g.ID)) {
			return g
		}
	}
	return nil
}

// goesOn is the finished generation of which a file is a longer copy; nil if there is none.
// Its file has grown, and was compressed or copied before anybody saw that. A short one does
// not count: many files may begin like it.
func (d *decision) goesOn(file int) *checkpoint.Generation {
	for _, g := range d.finished() {
		if g.Offset >= logfile.HeadBytes && g.Head.Length > 0 && d.OpenAs(g.ID) == nil && d.Is(file, &g) >= logfile.Copy {
			return &g
		}
	}
	return nil
}

// copied is how much of the file at the path was, or will be, read from the file that was
// there before. If that file has no name any more, this one is a copy that was put in its
// place. While it still has a name, a log that begins alike is another one.
func (d *decision) copied(file int) int64 {
	f := d.newest()
	if f == nil || !f.Deleted || !f.Holds || f.Packed {
		return 0
	}
	from, ok := d.Agrees(file, f.ID)
	if !ok {
		return 0
	}
	return from
}

// regrown are files that were left, and have grown since.
func (d *decision) regrown() {
	for _, id := range d.Regrown {
		a := Action{Do: Unwatch, ID: id}
		for _, g := range d.finished() {
			file := slices.IndexFunc(d.Beside, func(c Beside) bool {
				return g.ID == id && c.Held == 0 && c.Inode.Is(g.Inode) && (g.Head.Length > 0 || NeverRead(&g) && (c.Rotated || c.Nameless))
			})
			if file < 0 || d.OpenAs(id) != nil || d.opens(file) {
				continue
			}
			if d.cannotOpen(file) {
				a = Action{Do: Wait, Err: d.Trouble(file)}
				break
			}
			// What has grown may have been truncated and be another file by now; its copies
			// have not grown.
			if d.isFile(file, &g) && d.Size(file) > g.Offset && d.Is(file, &g) == logfile.Same {
				a = Action{Do: Resume, ID: id, File: file, Prior: g, Behind: true}
				break
			}
			if was := d.anonymised(file); was != nil && d.isFile(file, &g) {
				d.add(Action{Do: Anonymised, File: file, Prior: *was})
				break
			}
			if slices.Contains(d.Emptied, id) && d.isWrittenAnew(file, &g) {
				a = Action{Do: Begin, ID: id, File: file, Behind: true}
				break
			}
		}
		d.add(a)
	}
}

// cannotOpen reports whether a file cannot be opened now, but perhaps later.
func (d *decision) cannotOpen(file int) bool {
	err := d.Trouble(file)
	_, packed := errors.AsType[logfile.PackedError](err)
	return err != nil && !packed
}

// opens reports whether it was decided to open a file: it may have been several generations.
func (d *decision) opens(file int) bool {
	return slices.ContainsFunc(d.actions, func(a Action) bool { return (a.Do == Begin || a.Do == Resume) && a.File == file })
}

// isWrittenAnew reports whether a file that was left now holds something else, which nobody
// has read.
func (d *decision) isWrittenAnew(file int, g *checkpoint.Generation) bool {
	c := d.Beside[file]
	return (c.Rotated || c.Nameless) && d.isFile(file, g) && g.Head.Length > 0 && !d.HoldsAll(file, g) &&
		!d.wasRead(file, 0, 0) && d.anonymised(file) == nil
}

// isWaiting reports whether there is nothing to do but wait.
func (d *decision) isWaiting() bool {
	return !slices.ContainsFunc(d.actions, func(a Action) bool { return a.Do != Wait })
}
