package tail

import "time"

var UsedTwice = usedTwice

// Look is one look at the paths.
func (r *Reader) Look() error { return r.look(time.Now()) }

// Moves reports whether what a scene of the first source says is not true any more after
// something was done.
func (r *Reader) Moves(do func()) bool {
	s := r.sources[0]
	scene := s.observe(r, time.Now())
	scene.Ledger = s.ledger.Copy()
	b := s.list(r, &scene)
	defer b.close()
	do()
	return b.moved(r, s, &scene)
}
