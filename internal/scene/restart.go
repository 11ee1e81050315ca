package scene

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/logfile"
)

// agreed is how often a look must see the same before anything is concluded from not finding a
// file: the file may be in the middle of a copytruncate, with a copy that did not exist yet
// when the directory was read.
const agreed = 2

// start goes on where the ledger says. What is found is put in the order in which it was
// written: first the generations of the ledger, wherever their files are now. The next scene
// adds the files that came to the path later and were rotated away unseen, and what is at the
// path.
func (d *decision) start() {
	if d.Started {
		return
	}
	open := d.Ledger.Open
	switch {
	case len(open) == 1 && d.isAtPath(&open[0]): // as it nearly always is
		d.add(Action{Do: Resume, File: d.Path.File, Prior: d.shortened(d.Path.File, acknowledged(open[0]))})
	case len(open) > 0 && d.Path.Missing && d.Bare && !d.Once:
		d.add(Action{Do: Wait, Err: d.Path.Trouble})
		return
	case d.isKnown():
		if err := d.unreadable(); err != nil {
			d.add(Action{Do: Wait, Err: err})
			return
		}
		if !d.restore() {
			return
		}
	}
	since := d.latest()
	at := d.Ledger.SearchSince
	if at != 0 && (!d.isKnown() || at < since.UnixNano()) {
		since = time.Unix(0, at)
	}
	if d.isKnown() || at != 0 {
		d.add(Action{Do: Search, Since: since})
	}
	d.add(Action{Do: Start})
}

// acknowledged is a generation that is read again from where it was acknowledged.
func acknowledged(g checkpoint.Generation) checkpoint.Generation {
	g.State, g.Left = checkpoint.Reading, checkpoint.Reached{}
	return g
}

// shortened takes back what destinations got of the log beyond the one that got least, if the
// file does not hold that any more: otherwise what is written there next would count as
// delivered to them.
func (d *decision) shortened(file int, g checkpoint.Generation) checkpoint.Generation {
	gone := func(a checkpoint.Ahead) bool {
		got := g
		got.Offset, got.Line, got.Before = a.Offset, a.Line, a.Before
		return d.Is(file, &got) < logfile.Copy
	}
	if slices.ContainsFunc(g.Ahead, gone) { // which is rare: others hold this slice
		g.Ahead = slices.DeleteFunc(slices.Clone(g.Ahead), gone)
	}
	return g
}

// isAtPath reports whether a generation's file is still at the path.
func (d *decision) isAtPath(g *checkpoint.Generation) bool {
	file := d.Path.File
	if file < 0 || d.Trouble(file) != nil {
		return false
	}
	untouched := g.Head.Length > 0 || d.Beside[file].Modified.UnixNano() == g.Modified
	return untouched && d.Is(file, g) == logfile.Same
}

// unreadable is why a file cannot be read that is the log itself, or one of the
// ledger's: by its inode, or perhaps, if it is compressed and the other files are not.
func (d *decision) unreadable() error {
	for i, c := range d.Beside {
		err := d.Trouble(i)
		if err == nil {
			continue
		}
		if i == d.Path.File {
			return err
		}
		if packed, ok := errors.AsType[logfile.PackedError](err); ok && packed.NoText { // it is not going to be
			continue
		}
		for j := range d.Ledger.Open {
			if d.mayBe(c, &d.Ledger.Open[j]) {
				return err
			}
		}
	}
	if d.Path.Trouble != nil && !d.Path.Missing {
		return d.Path.Trouble
	}
	return nil
}

// mayBe reports whether a file that cannot be opened may be that of a generation:
// by its inode, or because it is compressed and none of the others is.
func (d *decision) mayBe(c Beside, g *checkpoint.Generation) bool {
	if c.Inode.Is(g.Inode) {
		return true
	}
	if !c.Rotated || !logfile.IsCompressed(c.Path) || c.Modified.UnixNano() < g.Modified {
		return false
	}
	best, _ := d.match(g, nil)
	return best < 0
}

// restore finds the files of the ledger's generations. It returns false if one is
// missing, and might still turn up.
func (d *decision) restore() bool {
	taken := map[int]bool{}
	var missing []*checkpoint.Generation
	for _, g := range d.headsFirst() {
		g := acknowledged(g)
		best, sure := d.match(&g, taken)
		switch {
		case best < 0:
			missing = append(missing, &g)
		case sure == logfile.Prefix:
			taken[best] = true
			d.add(Action{Do: NoteCopy, ID: g.ID, File: best, Prior: g})
		default:
			taken[best] = true
			behind := !d.Beside[best].AtPath
			if !behind {
				g = d.shortened(best, g)
			}
			d.add(Action{Do: Resume, File: best, Prior: g, Behind: behind})
		}
	}
	for _, g := range missing {
		if NeverRead(g) && d.any(func(file int) bool { return d.isFile(file, g) }) {
			d.add(Action{Do: Forget, ID: g.ID}) // it became the copy of another one
			continue
		}
		if d.Agreed < agreed {
			d.actions = []Action{{Do: LookAgain}}
			return false
		}
		lost := Action{Do: Lose, ID: g.ID, Bytes: max(0, g.Size-g.Offset), Why: d.whyLost(g)}
		if NeverRead(g) && d.any(func(file int) bool { return !taken[file] && d.isUnseen(file, g) }) {
			lost.Why = "" // it was compressed when it had lines, which are all read
		}
		d.add(lost)
	}
	d.keepLast()
	return true
}

// isUnseen reports whether a file was compressed after a generation had begun, and will be
// read from its beginning. A plain file would have the generation's inode.
func (d *decision) isUnseen(file int, g *checkpoint.Generation) bool {
	c := d.Beside[file]
	return c.Rotated && !c.AtPath && c.Modified.UnixNano() >= g.Modified && d.Trouble(file) == nil && d.Size(file) < 0 && !d.wasRead(file, 0, 0)
}

// whyLost is why a generation's file is not found. One that cannot be unpacked may be it.
func (d *decision) whyLost(g *checkpoint.Generation) string {
	why := "no file beside the log is, or is a copy of, what was read"
	if d.Unlisted != nil {
		why = "the files beside the log cannot be found: " + d.Unlisted.Error()
	}
	for i, c := range d.Beside {
		if packed, ok := errors.AsType[logfile.PackedError](d.Trouble(i)); ok && c.Modified.UnixNano() >= g.Modified {
			return why + ", but this may be it: " + packed.Error() + ", and tailflux import delivers the rest"
		}
	}
	return why
}

// headsFirst puts the generations of which only the inode is known behind the others, and of
// these the one at the path first: a file that was empty may have become the copy of one
// before it.
func (d *decision) headsFirst() []checkpoint.Generation {
	rank := func(g checkpoint.Generation) int {
		switch at := d.Path.File; {
		case g.Head.Length > 0:
			return 0
		case at >= 0 && d.isFile(at, &g):
			return 1
		}
		return 2
	}
	return slices.SortedStableFunc(slices.Values(d.Ledger.Open), func(a, b checkpoint.Generation) int { return cmp.Compare(rank(a), rank(b)) })
}

// keepLast makes the last of the files that are resumed the newest one if none is at
// the path: it may still be written to.
func (d *decision) keepLast() {
	if d.Path.Trouble == nil {
		return
	}
	last := -1
	for i, a := range d.actions {
		if a.Do == Resume && (last < 0 || a.Prior.ID > d.actions[last].Prior.ID) {
			last = i
		}
	}
	if last >= 0 && d.Size(d.actions[last].File) >= 0 {
		d.actions[last].Behind = false
	}
}

// match finds the file of a generation.
func (d *decision) match(g *checkpoint.Generation, taken map[int]bool) (best int, sure logfile.Identity) {
	best, sure = -1, logfile.Different
	for i, c := range d.Beside {
		if taken[i] || c.Held != 0 || d.Trouble(i) != nil || d.belongsToAnother(i, g.ID) {
			continue
		}
		how := d.Is(i, g)
		if how == logfile.Different || how < logfile.Same && c.predates(g) || how < sure || c.AtPath && !d.isLog(i, how, g) {
			continue
		}
		if itself := how == logfile.Same && g.Head.Length > 0; !itself && d.wasReadByNow(i, g.ID, taken) {
			continue // a copy elsewhere is not what else was read
		}
		if best >= 0 && how == sure && !d.Within(best, i) {
			continue // they begin alike, and are not copies of one file
		}
		best, sure = i, how // the later copy has more
	}
	return best, sure
}

// wasReadByNow is wasRead, where the files that are resumed are open already.
func (d *decision) wasReadByNow(file int, but int64, taken map[int]bool) bool {
	if d.wasRead(file, 0, but) {
		return true
	}
	return d.any(func(other int) bool { return taken[other] && d.CopyOf(file, other) })
}

// isLog reports whether a file at the path is that of the generation: it is the same
// one, or it is a copy and has all that was read. The log may have been restored, or
// its file system have another device number since the machine was started. If nothing was
// acknowledged by all destinations, what stands before the furthest of them tells.
func (d *decision) isLog(file int, how logfile.Identity, g *checkpoint.Generation) bool {
	if how != logfile.Copy || g.Before.Length > 0 {
		return how >= logfile.Copy
	}
	most := *g
	most.Offset, most.Before = g.Furthest().Offset, g.Furthest().Before
	return most.Before.Length > 0 && d.Is(file, &most) >= logfile.Copy
}

// belongsToAnother reports whether a file is that of another open generation.
func (d *decision) belongsToAnother(file int, id int64) bool {
	for i := range d.Ledger.Open {
		g := &d.Ledger.Open[i]
		if g.ID != id && g.Head.Length > 0 && d.isFile(file, g) && d.Is(file, g) == logfile.Same {
			return true
		}
	}
	return false
}

// isFile reports whether a file has the inode of a generation's file.
func (d *decision) isFile(file int, g *checkpoint.Generation) bool {
	return d.Beside[file].Inode.Is(g.Inode) && d.Trouble(file) == nil && d.Born(file).Is(g.Inode)
}

// NeverRead reports whether a file was empty whenever it was looked at.
func NeverRead(g *checkpoint.Generation) bool {
	return g.Head.Length == 0 && g.Size == 0 && g.Offset == 0
}
