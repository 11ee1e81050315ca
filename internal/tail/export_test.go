package tail

import (
	"time"

	"github.com/tailflux/tailflux/internal/scene"
)

var UsedTwice = usedTwice

// Look is one look at the paths.
func (r *Reader) Look() { r.look(time.Now()) }

// Step carries out what one scene of the first source says, and looks no further.
func (r *Reader) Step() error {
	s := r.sources[0]
	sc := s.observe(r, time.Now())
	sc.Ledger = s.ledger.Copy()
	for i, f := range s.files {
		sc.Open[i].Generation = f.Generation()
	}
	b := s.list(r, &sc)
	defer b.close()
	_, err := s.act(r, &sc, b, scene.Decide(&sc), false)
	return err
}

// Moves reports whether what a scene of the first source says is not true any more after
// something was done.
func (r *Reader) Moves(do func()) bool {
	s := r.sources[0]
	sc := s.observe(r, time.Now())
	sc.Ledger = s.ledger.Copy()
	b := s.list(r, &sc)
	defer b.close()
	do()
	return b.moved(r, s, &sc)
}
