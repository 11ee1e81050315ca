// The daemon of the model: files that it has left, and that may grow again.

package scene_test

import (
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/scene"
)

const (
	watchTick = time.Second
	watchFor  = time.Hour
)

// watched is a file that was left, and is not read.
type watched struct {
	id    int64
	inode logfile.Inode
	end   int64
	until time.Time
	held  *inode // or nil
}

// end closes a file, and looks at it by its name from now on, or holds it.
func (d *daemon) end(f *file) {
	if !f.packed && (d.m.holds || d.m.disk.hasName(f.inode)) {
		d.watch(f.at.Generation.ID, f.inode.Inode, f.at.Offset)
		if d.m.holds {
			d.watched[len(d.watched)-1].held = f.inode
		}
	}
	f.describeChange()
	f.ledger.Leave(f.at, f.before())
	f.closed = true
	d.leave(f)
}

func (d *daemon) watch(id int64, inode logfile.Inode, end int64) {
	d.watched = append(d.watched, watched{id, inode, end, d.m.disk.now.Add(watchFor), nil})
	d.watched = d.watched[max(0, len(d.watched)-64):]
}

func (d *daemon) unwatch(id int64) {
	d.watched = slices.DeleteFunc(d.watched, func(w watched) bool { return w.id == id })
}

// watchFinished begins to look at files that were left before a start.
func (d *daemon) watchFinished(known *checkpoint.Source) {
	for _, g := range known.Finished {
		if g.State == checkpoint.Finished && (g.Head.Length > 0 || scene.NeverRead(&g)) {
			d.watch(g.ID, g.Inode, g.Offset)
		}
	}
}

// regrown are the generations whose files have grown since they were left.
func (d *daemon) regrown() (ids []int64) {
	gone := map[int64]bool{}
	d.watched = slices.DeleteFunc(d.watched, func(w watched) bool {
		if w.held != nil {
			if w.hasGrown() {
				ids = append(ids, w.id)
			}
			return false
		}
		for _, f := range d.m.disk.names {
			if f.Number == w.inode.Number { // a listing does not tell when it was born
				if int64(len(f.text)) > w.end {
					ids = append(ids, w.id)
				}
				return false
			}
		}
		gone[w.id] = true
		return true
	})
	if len(gone) > 0 {
		d.grownElsewhere(gone)
	}
	return ids
}

func (w *watched) hasGrown() bool { return int64(len(w.held.text)) > w.end }

// holds reports whether a file is open, or held.
func (d *daemon) holds(f *inode) bool {
	return d.openAs(f) != nil || slices.ContainsFunc(d.watched, func(w watched) bool { return w.held == f })
}

// grownElsewhere looks for what has become of files that are gone, if they may have grown.
func (d *daemon) grownElsewhere(gone map[int64]bool) {
	known := d.ledger.Copy()
	all := slices.Concat(known.Finished, known.Open)
	for _, g := range all {
		for _, f := range d.m.disk.list() {
			at := f.modified.UnixNano()
			isKnown := func(g checkpoint.Generation) bool { return g.Modified == at }
			if gone[g.ID] && f.rotated && at > g.Modified && !slices.ContainsFunc(all, isKnown) {
				d.searchFrom(f.modified)
			}
		}
	}
}
