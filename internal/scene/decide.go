package scene

import (
	"errors"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/logfile"
)

// missingTick is how often files are looked for while nothing is at the path.
const missingTick = time.Second

// IsQuiet reports whether nothing can follow from a scene, of which nothing is known yet
// but the path and the open files. It is what nearly every look sees.
func (s *Scene) IsQuiet() bool {
	missing := s.Path.Missing && !s.Missed.IsZero() && !s.isMissed()
	if len(s.Regrown) > 0 || !s.Started || !s.Unsettled.IsZero() || !missing && (s.Path.Held == 0 || !s.Missed.IsZero()) {
		return false
	}
	for i := range s.Open {
		if f := &s.Open[i]; !f.Holds || f.Unsearched || f.Compressed || f.Unsure && !f.Empty || !missing && f.Superseded == (f.ID == s.Path.Held) || s.isQuietEnd(f) || s.isLate(f) {
			return false
		}
	}
	return true
}

// Decide says what follows from a scene. It does so step by step: of the first of these
// that applies, the actions are done, and the scene after them is looked at.
//
//	a start: where the generations of the ledger are now
//	a file that holds something else than what was read of it
//	a file that was empty when it was found and has turned out to be a copy, or not
//	files that came to the path and were rotated away, or copied and truncated, unseen;
//	  and what is at the path now
//	files that have grown after they were left; before that while nothing is at the path
//	files that have not grown for long enough, and those that still grow
func Decide(s *Scene) []Action {
	d := decision{Scene: s}
	for _, step := range []func(){d.start, d.truncations, d.emptyOnes, d.missed, d.arrivals, d.regrown, d.leaves} {
		if step(); len(d.actions) > 0 {
			break
		}
	}
	return d.actions
}

// decision is one in the making.
type decision struct {
	*Scene
	actions []Action
	done    []checkpoint.Generation // see finished
}

func (d *decision) add(a Action) { d.actions = append(d.actions, a) }

// NeedsList reports whether the files beside the log must be listed.
func (s *Scene) NeedsList() bool {
	_, searching := s.since()
	return !s.Started && len(s.Ledger.Open)+len(s.Ledger.Finished) > 0 || searching || len(s.Regrown) > 0 ||
		slices.ContainsFunc(s.Open, func(f Held) bool { return !f.Holds || f.Unsure && !f.Empty })
}

// isKnown reports whether anything of this log was ever read.
func (s *Scene) isKnown() bool { return len(s.Open)+len(s.Ledger.Open)+len(s.Ledger.Finished) > 0 }

// isNew reports whether a file is at the path that is not open.
func (s *Scene) isNew() bool { return s.Path.Trouble == nil && s.Path.Held == 0 }

// isMissed reports whether nothing is at the path, and it is time to look for what may
// have been there. While that is so, nginx writes to a file of another name until it
// opens its logs again.
func (s *Scene) isMissed() bool {
	return s.Path.Missing && s.Now.Sub(s.Missed) >= missingTick
}

// OpenAs is the open file of a generation, or nil.
func (s *Scene) OpenAs(id int64) *Held {
	for i := range s.Open {
		if s.Open[i].ID == id {
			return &s.Open[i]
		}
	}
	return nil
}

// newest is the open file that is or was last at the path, or nil.
func (s *Scene) newest() *Held {
	for i := range s.Open {
		if !s.Open[i].Superseded {
			return &s.Open[i]
		}
	}
	return nil
}

// truncations are files that hold something else now. That is a new generation. The one
// before goes on in the copy that logrotate made of the file before it truncated it
// (copytruncate), if there is one; by now it is whole.
func (d *decision) truncations() {
	for i := range d.Open {
		f := &d.Open[i]
		if f.Holds {
			continue
		}
		a := Action{Do: Truncated, ID: f.ID, File: -1, Since: d.asOf(f)}
		best, sure := -1, logfile.Different
		var parts []int // copies that were made when it had less than what is known of its beginning
		for i, c := range d.Beside {
			if c.Held == f.ID || c.Held != 0 && !d.OpenAs(c.Held).Unsure || d.Trouble(i) != nil {
				continue
			}
			how := d.Is(i, &f.Generation)
			isPart := d.IsPart(i, f.ID)
			if isPart {
				how = logfile.Prefix
			}
			if how == logfile.Different || d.wasRead(i, f.ID, 0) {
				continue
			}
			if isPart && !c.AtPath {
				parts = append(parts, i)
			}
			if how >= sure {
				best, sure = i, how
			}
		}
		for _, part := range parts {
			if part != best { // nothing else tells any more that it was read
				d.add(Action{Do: NoteCopy, File: part, Prior: f.Generation})
			}
		}
		unread := f.Known - f.Offset
		switch {
		case best >= 0 && d.Size(best) >= 0 && d.Size(best) <= f.Offset:
			// It was read further than it was copied.
			d.add(Action{Do: NoteCopy, File: best, Prior: f.Generation})
		case best >= 0:
			a.File = best
		case unread > 0 && f.Kept == 0:
			a.Bytes = unread
		}
		d.add(a)
		return
	}
}

// emptyOnes are files that were empty when they were found beside the log. What has come
// to one since may be a copy, whole or in the making.
func (d *decision) emptyOnes() {
	for i := range d.Open {
		f := &d.Open[i]
		if f.Compressed { // at the path it is refused, and beside it found once more, as what it is
			d.add(Action{Do: Forget, ID: f.ID})
			d.add(Action{Do: Search, Since: d.latest()})
			return
		}
		if !f.Unsure || f.Empty {
			continue
		}
		file := slices.IndexFunc(d.Beside, func(c Beside) bool { return c.Held == f.ID })
		if f.Superseded && file >= 0 && d.wasRead(file, f.ID, 0) {
			d.add(Action{Do: Forget, ID: f.ID})
		} else {
			d.add(Action{Do: Sure, ID: f.ID})
		}
		return
	}
}

// missed looks at files that have grown after they were left, while nothing is at the path:
// what may have been there is looked for at the same moments, and would always come first.
func (d *decision) missed() {
	if d.isMissed() {
		d.regrown()
	}
}

// arrivals are files that came to the path: those that were rotated away, or copied and
// truncated, and never seen there, and the one that is there now.
func (d *decision) arrivals() {
	since, searching := d.since()
	comes := d.isNew()
	var refusal error
	if comes && d.Path.File >= 0 {
		refusal = d.Trouble(d.Path.File)
		comes = refusal == nil
	}
	if comes && d.newest() != nil {
		d.add(Action{Do: Supersede, ID: d.newest().ID})
	}
	if searching {
		d.unseen(since, comes, refusal)
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
	case d.isKnown() && d.isMissed():
		d.add(Action{Do: Missing})
	case !d.Path.Missing && !d.Missed.IsZero():
		d.add(Action{Do: IsBack})
	}
}

// unseen begins a generation for each rotated file, in their order, that is not older
// than what was read and that nobody has read, nor will read from what comes to the path.
// While one of them, or what is at the path, is refused, none is older than since.
func (d *decision) unseen(since time.Time, comes bool, refusal error) {
	mayBe := func(i int) bool {
		c := d.Beside[i]
		return (c.Rotated || c.Maybe && d.Restarted) && !c.AtPath && c.Held == 0 && !c.Modified.Before(since)
	}
	for i, c := range d.Beside {
		if !mayBe(i) {
			continue
		}
		if err := d.Trouble(i); err != nil {
			if _, packed := errors.AsType[logfile.PackedError](err); !packed {
				refusal = err
			} else if d.Restarted && !d.isKnownTime(c.Modified) {
				d.add(Action{Do: Unreadable, File: i, Err: err})
			}
			continue
		}
		earlier := func(j int) bool { return j < i && mayBe(j) && d.Trouble(j) == nil && d.Within(i, j) }
		if g := d.lost(i); g != nil {
			d.add(Action{Do: Resume, File: i, Prior: *g, Behind: true})
			continue
		}
		if d.any(earlier) || comes && d.Path.File >= 0 && d.Within(i, d.Path.File) || d.wasRead(i, 0, 0) {
			continue
		}
		switch before, sure := d.isBefore(c); {
		case c.Rotated || before:
			d.add(Action{Do: Begin, File: i, Behind: true})
		case !sure:
			d.add(Action{Do: Unreadable, File: i, Err: errUnplaced})
		}
	}
	if refusal != nil { // the next look goes on
		d.add(Action{Do: Refused, Err: refusal, Since: since})
	} else {
		d.add(Action{Do: Searched})
	}
}

var errUnplaced = errors.New("nothing tells whether it was this log, or is another one")

// isBefore reports whether a file that is not called as rotated ones are was last written
// before that at the path was made, or soon after: another log, which is still written to,
// may have such a name. sure is false if that cannot be told.
func (d *decision) isBefore(c Beside) (before, sure bool) {
	const soon = 5 * time.Second
	if d.Path.File < 0 || d.Trouble(d.Path.File) != nil {
		return false, false
	}
	born := d.Born(d.Path.File).Birth
	return born > 0 && !c.Modified.After(time.Unix(0, born).Add(soon)), born > 0
}

// isKnownTime reports whether a file that was read was last written at a time: what
// compresses a file gives it the time of that.
func (d *decision) isKnownTime(at time.Time) bool {
	is := func(g checkpoint.Generation) bool { return g.Modified == at.UnixNano() }
	return slices.ContainsFunc(d.Ledger.Finished, is) || slices.ContainsFunc(d.Ledger.Open, is)
}

// any reports whether something is true of one of the files.
func (d *decision) any(is func(file int) bool) bool {
	for i := range d.Beside {
		if is(i) {
			return true
		}
	}
	return false
}

// comes begins a generation with what is at the path now, or goes on with a finished one
// that has come back. A copy of that at the path counts as another one, but not if its file
// was lost: it was restored.
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

// lost is the lost generation whose file has turned up, or was restored from a copy, which is
// not one of what else was read; nil if none has.
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

// copied is how much of the file at the path was read, or will be, from the one that was
// there before, if that has no name any more: then it is a copy that was put in its place.
// While the one before has a name, a log that begins alike is another one.
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
			file := slices.IndexFunc(d.Beside, func(c Beside) bool { return g.ID == id && g.Head.Length > 0 && c.Held == 0 && c.Inode.Is(g.Inode) })
			if file >= 0 && d.isFile(file, &g) && d.Is(file, &g) == logfile.Same {
				a = Action{Do: Resume, ID: id, File: file, Prior: g, Behind: true}
				break
			}
		}
		d.add(a)
	}
}

// leaves are superseded files that have not grown for so long that they are closed, and
// those that still grow.
func (d *decision) leaves() {
	for i := range d.Open {
		f := &d.Open[i]
		if d.isLate(f) {
			d.add(Action{Do: Late, ID: f.ID})
		}
		if d.isQuietEnd(f) {
			d.add(Action{Do: Leave, ID: f.ID})
		}
	}
}

// MostPatience is how long a file that has a name, and has not grown, is kept open while
// the one after it is empty.
const MostPatience = 24 * time.Hour

// isQuietEnd reports whether a file is to be left. While nothing is at the path, or what is
// there is empty, nginx may be writing to any of those before.
func (s *Scene) isQuietEnd(f *Held) bool {
	quiet := s.Now.Sub(f.Grown)
	over := s.Dated && s.Path.Missing && f.Deleted // what comes next has another name
	if !f.Superseded && !over || !f.Idle || s.Once || quiet < s.RotateWait {
		return false
	}
	if f.Packed || over {
		return true
	}
	newest := s.newest()
	waits := newest != nil && newest.Empty && !f.Deleted && quiet < MostPatience
	return s.Missed.IsZero() && !waits
}

// isLate reports whether a file is still written to although nginx should have reopened
// its logs.
func (s *Scene) isLate(f *Held) bool {
	return f.Superseded && !f.Told && !s.Once && f.Late > max(s.RotateWait, time.Second)
}

// finished are the generations that were read to where reading ended for good, those
// that are not yet acknowledged included, each as it was read.
func (d *decision) finished() []checkpoint.Generation {
	if d.done == nil {
		d.done = slices.Clone(d.Ledger.Finished)
		for _, g := range d.Ledger.Open {
			if at := g.Left; g.State == checkpoint.Left && d.Started {
				g.Offset, g.Line, g.Before = at.Offset, at.Line, at.Before
				d.done = append(d.done, g)
			}
		}
	}
	return d.done
}

// wasRead reports whether a file is, or is a copy of, one that is or was read, or was
// imported to its end. The open file except is ignored, and so are the noted copies of
// the generation but, to which the source may return because it was read and not
// acknowledged; 0 means none.
func (d *decision) wasRead(file int, except, but int64) bool {
	if d.Imported(file) {
		return true
	}
	for _, g := range d.finished() {
		if g.ID != but && d.HoldsAll(file, &g) {
			return true
		}
	}
	for i := range d.Open {
		if f := &d.Open[i]; f.ID != except && d.Beside[file].Held != f.ID && d.Copies(file, f.ID) {
			return true
		}
	}
	return false
}

// WasRead reports whether a file can be opened and holds nothing but what is or was read.
func (s *Scene) WasRead(file int) bool {
	d := decision{Scene: s}
	return d.Trouble(file) == nil && d.wasRead(file, 0, 0)
}
