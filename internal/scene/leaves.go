package scene

import (
	"time"
)

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
