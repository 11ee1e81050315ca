package scene

import (
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
)

// missingTick is how often files are looked for while nothing is at the path.
const missingTick = time.Second

// IsQuiet reports whether nothing can follow from a scene, of which nothing is known yet
// but the path and the open files. It is what nearly every look sees.
func (s *Scene) IsQuiet() bool {
	missing := s.Path.Missing && !s.Missed.IsZero() && !s.isMissed()
	if len(s.Regrown) > 0 || !s.Started || !s.SearchSince.IsZero() || !missing && (s.Path.Held == 0 || !s.Missed.IsZero()) {
		return false
	}
	for i := range s.Open {
		if f := &s.Open[i]; !f.Holds || f.Unsearched || f.Compressed || f.Unsure && !f.Empty ||
			!missing && f.Superseded == (f.ID == s.Path.Held) || s.isQuietEnd(f) || s.isLate(f) {
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
	for _, step := range []func(){d.start, d.truncations, d.emptyOnes, d.missed, d.arrivals, d.lateOnes} {
		if step(); len(d.actions) > 0 {
			break
		}
	}
	return d.actions
}

// decision is a decision in the making.
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
		slices.ContainsFunc(s.Open, func(f Held) bool { return !f.Holds || f.Unsure && !f.Empty || f.needsNotes() && s.isQuietEnd(&f) })
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

// predates reports whether a file was last written before that of a generation was made, so
// that it cannot be a copy of it. Programs that copy files may cut their times to
// microseconds, or to seconds.
func (c *Beside) predates(g *checkpoint.Generation) bool {
	step := 10 * time.Millisecond // the kernel's clock of files has such, too
	if c.Modified.Nanosecond() == 0 {
		step = 2 * time.Second
	}
	return c.Inode.Device == g.Inode.Device && c.Modified.Add(step).UnixNano() < g.Inode.Birth
}

// anonymised is the generation that a file is the same as except for its addresses, and all of
// which was or will be read: its own file is open, and not at the path, where it might be
// truncated. nil if there is none.
func (d *decision) anonymised(file int) *checkpoint.Generation {
	id := d.Anonymised(file)
	if f := d.OpenAs(id); f != nil && f.ID != d.Path.Held {
		return &f.Generation
	}
	for i, g := range d.finished() {
		if id != 0 && g.ID == id && d.OpenAs(id) == nil {
			return &d.finished()[i]
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

// any reports whether something is true of one of the files.
func (d *decision) any(is func(file int) bool) bool {
	for i := range d.Beside {
		if is(i) {
			return true
		}
	}
	return false
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
