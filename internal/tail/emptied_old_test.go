package tail_test

import (
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// The disk is full, and somebody empties a rotated file to which nginx still writes because nobody
// has told it to reopen its logs; or, with /proc/PID/fd, one that was deleted already.
func TestOldFileIsEmptied(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		deleted bool
		quiet   time.Duration // from then on until nginx writes the next line
		next    []string
	}{
		{"renamed, a line later", false, 10 * time.Second, []string{"n1"}},
		{"renamed, more than it had", false, 10 * time.Second, []string{"n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8"}},
		{"deleted, a line later", true, 10 * time.Second, []string{"n1"}},
		{"deleted, more than it had", true, 10 * time.Second, []string{"n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				had := []string{"a1", "a2", "a3", "a4", "a5"}
				d, path, old, _ := leftOld(t, false, text(had...), had...)
				if time.Sleep(2 * time.Second); c.deleted {
					remove(t, path+".1")
				}
				truncate(t, old, 0)
				time.Sleep(c.quiet)
				add(t, old, text(c.next...))
				want := append(append(slices.Clone(had), "b1"), c.next...)
				d.wantOf(want...)
				d.acknowledge()
				time.Sleep(10 * time.Second)
				add(t, old, "later\n")
				d.wantOf(append(want, "later")...)
				d.acknowledge()
				d.stop()
				later()
				if d.start(); c.deleted {
					d.wantNothing()
				} else {
					add(t, old, "last\n")
					d.wantOf("last")
				}
				d.stop()
			})
		})
	}
}

// Somebody shortens it, or changes what is in it in some other way: nothing in it is new.
func TestOldFileIsEdited(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(t *testing.T, old *os.File){
		"shortened":   func(t *testing.T, old *os.File) { truncate(t, old, 9) },
		"trimmed":     func(t *testing.T, old *os.File) { truncate(t, old, 0); add(t, old, text("a5")) },
		"other lines": func(t *testing.T, old *os.File) { truncate(t, old, 0); add(t, old, text("A1", "A2", "A3", "A4")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				had := []string{"a1", "a2", "a3", "a4", "a5"}
				d, _, old, _ := leftOld(t, false, text(had...), had...)
				edit(t, old)
				time.Sleep(10 * time.Second)
				d.wantOf(append(had, "b1")...)
				d.stop()
			})
		})
	}
}

// It is emptied, read on, and emptied once more after a restart.
func TestOldFileIsEmptiedTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		had := []string{"a1", "a2", "a3", "a4", "a5"}
		d, _, old, _ := leftOld(t, false, text(had...), had...)
		truncate(t, old, 0)
		time.Sleep(3 * time.Second)
		add(t, old, "n1\nn2\n")
		d.wantOf(append(had, "b1", "n1", "n2")...)
		time.Sleep(3 * time.Second)
		d.acknowledge()
		d.stop()
		later()
		d.start()
		time.Sleep(3 * time.Second)
		truncate(t, old, 0)
		time.Sleep(3 * time.Second)
		add(t, old, "m1\n")
		time.Sleep(3 * time.Second)
		d.wantOf("m1")
		d.stop()
	})
}
