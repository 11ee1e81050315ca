package scene

import (
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
)

// lateOnes are files that have grown after they were left; and if they cannot be opened, or there
// are none, files that are left now.
func (d *decision) lateOnes() {
	if d.regrown(); d.isWaiting() {
		d.leaves()
	}
}

// leaves are superseded files that have not grown for long enough to be closed, and those that
// still grow.
func (d *decision) leaves() {
	for i := range d.Open {
		f := &d.Open[i]
		if d.isLate(f) {
			d.add(Action{Do: Late, ID: f.ID})
		}
		if d.isQuietEnd(f) {
			d.noteCopies(f)
			d.add(Action{Do: Leave, ID: f.ID})
		}
	}
}

// mostNoted is how many copies of one file are noted, the latest ones: the ledger keeps few
// files.
const mostNoted = 16

// noteCopies notes files that hold less than what was read of a file that has no name any
// more, such as one that was compressed while nginx still wrote to the original: once the
// original is closed, nothing would tell. A file that holds all of it has its time, or a later
// one.
func (d *decision) noteCopies(f *Held) {
	if !f.needsNotes() {
		return
	}
	noted := 0
	for i, c := range slices.Backward(d.Beside) {
		mayBe := c.Held == 0 && c.Modified.Before(f.AsOf) && !c.predates(&f.Generation)
		if mayBe && noted < mostNoted && !d.isNoted(c) && d.Trouble(i) == nil && d.Copies(i, f.ID) {
			d.add(Action{Do: NoteCopy, File: i, Prior: f.Generation})
			noted++
		}
	}
}

// needsNotes reports whether nobody has looked for copies since a file was deleted and has grown.
func (f *Held) needsNotes() bool { return f.Deleted && !f.Noted }

// isNoted reports whether a file is known as it is now.
func (d *decision) isNoted(c Beside) bool {
	is := func(g checkpoint.Generation) bool { return g.Inode.Is(c.Inode) && g.Modified == c.Modified.UnixNano() }
	return slices.ContainsFunc(d.Ledger.Finished, is)
}

// MostPatience is how long a file that has not grown is kept open while the one after it is
// empty, or nothing is at the path.
const MostPatience = 24 * time.Hour

// isQuietEnd reports whether a file is to be left. While nothing is at the path, or what is
// there is empty, nginx may be writing to any of those before, but not for ever.
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
	waits := newest != nil && newest.Empty && !f.Deleted || !s.Missed.IsZero()
	return !waits || quiet >= MostPatience
}

// isLate reports whether a file is still written to although nginx should have reopened
// its logs.
func (s *Scene) isLate(f *Held) bool {
	return f.Superseded && !f.Told && !s.Once && f.Late > max(s.RotateWait, time.Second)
}
