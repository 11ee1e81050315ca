// The daemon of the model: what it does to its files.

package scene_test

import (
	"cmp"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/scene"
)

// act carries out what was decided.
func (d *daemon) act(sc *scene.Scene, e *evidence, actions []scene.Action, moved bool) (more bool, err error) {
	var failed error
	for _, a := range actions {
		f := d.file(a.ID)
		switch a.Do {
		case scene.LookAgain:
			more = true
		case scene.Wait:
			err = a.Err
		case scene.CannotOpen:
			err, d.searchSince = a.Err, a.Since
			d.ledger.SearchSince(a.Since)
		case scene.Missing:
			if d.missed.IsZero() {
				d.grown(sc.Now)
			}
			d.missed = sc.Now
		case scene.IsBack:
			d.missed = time.Time{}
			d.grown(sc.Now)
		case scene.Search:
			d.searchFrom(a.Since)
		case scene.Searched:
			if failed != nil {
				d.searchFrom(a.Since)
				break
			}
			if !moved {
				d.searched()
			}
			more = more || len(sc.Regrown) > 0 // which come after that
		case scene.Leave:
			f.leaving = true
			f.notedCopies = f.notedCopies || sc.OpenAs(a.ID).Deleted
		case scene.Late:
			f.told = true
		case scene.Unreadable:
			d.m.fail("%s is said to be unreadable", sc.Beside[a.File].Path)
		case scene.Unwatch:
			d.unwatch(a.ID)
		case scene.Start:
			d.started, d.restarted, more = true, true, true
			d.watchFinished(&sc.Ledger)
		case scene.Sure:
			f.unsure, more = false, true
			f.describeChange()
		case scene.Back:
			f.superseded, f.leaving, more = false, false, true
		case scene.Supersede:
			f.superseded, f.grown, f.replaced, more = true, sc.Now, sc.Now, true
		case scene.Forget:
			d.forget(a.ID, f)
			more = true
		case scene.Lose:
			if more = true; moved || failed != nil {
				break
			}
			if a.ID == 0 {
				d.ledger.Await(nil)
			} else {
				d.ledger.Lose(a.ID)
			}
			if a.Why != "" {
				d.m.lost(a)
			}
		case scene.NoteCopy:
			d.noteCopy(e, a)
			more = true
		case scene.Begin, scene.Resume, scene.Truncated:
			failed = cmp.Or(failed, d.do(sc, e, a, f))
			err = cmp.Or(failed, err)
			more = true
		}
	}
	return more && err == nil, err
}

// do opens a file, or goes on with another part of one.
func (d *daemon) do(sc *scene.Scene, e *evidence, a scene.Action, f *file) error {
	if a.Do == scene.Truncated {
		return d.truncated(sc, e, a, f)
	}
	var o *opened
	if a.File >= 0 {
		o = e.file(a.File)
	} else if at := d.m.disk.at(); at != nil && d.openAs(at) == nil {
		one := evidence{d: d, listed: []entry{{path: logPath, inode: at, modified: at.modified}}, opened: []*opened{nil}}
		o = one.file(0)
	}
	if o == nil || o.err != nil {
		if o == nil {
			return nil
		}
		if a.Do == scene.Begin && a.File < 0 && sc.Ledger.Awaited == nil {
			d.await() // it came to the path after the start
		}
		return o.err
	}
	if a.Do == scene.Resume {
		d.resume(o, a, sc.Now)
	} else {
		d.begin(o, a, sc.Now)
	}
	return nil
}

func (d *daemon) begin(o *opened, a scene.Action, now time.Time) {
	if a.Offset > 0 {
		for _, f := range d.files {
			if !d.m.disk.hasName(f.inode) && a.Offset < f.size && int64(len(o.text())) > f.size {
				f.noRest = true // the half line at its end is whole in the copy
			}
		}
	}
	known := d.ledger.Copy()
	f := d.add(o, d.position(&known, a.Offset), a.Behind, now)
	d.ledger.Begin(f.at, f.before(), f.describe())
	if at := d.ledger.Awaited(); at != nil && !at.Shortened && o.inode.Is(at.Inode) {
		if d.ledger.Await(nil); !o.inode.packed && isShortenedTo(at, o.size, o.modified) {
			now := *at
			now.Shortened = true
			d.ledger.Await(&now)
			d.searchFrom(time.Unix(0, at.Modified))
		}
	}
	if !a.Behind {
		return
	}
	f.unsure = len(o.head) == 0
	d.inOrder(f)
}

// inOrder puts a file where it belongs by its time.
func (d *daemon) inOrder(f *file) {
	d.leave(f)
	at := slices.IndexFunc(d.files, func(other *file) bool { return other.modified.After(f.modified) })
	if at < 0 {
		at = len(d.files)
	}
	d.files = slices.Insert(d.files, at, f)
}

func (d *daemon) resume(o *opened, a scene.Action, now time.Time) {
	g := a.Prior
	at := flow.Position{Generation: d.generation(&g), Offset: g.Offset, Line: g.Line}
	f := d.add(o, at, a.Behind, now)
	f.unsure = scene.NeverRead(&g) && (o.rotated || a.Behind)
	f.described.Inode, f.described.Head = g.Inode, g.Head
	if d.started { // it has come back to the path, or has grown after it was left
		d.unwatch(g.ID)
		if a.Behind {
			d.inOrder(f)
			f.told = true
		}
		d.ledger.Begin(f.at, f.before(), f.describe())
		return
	}
	f.asOf = time.Unix(0, g.Modified)
	if f.packed {
		f.size = max(f.size, g.Size)
	}
	d.ledger.Stay(at.Generation)
	f.describeChange()
	slices.SortFunc(d.files, func(a, b *file) int { return cmp.Compare(a.at.Generation.ID, b.at.Generation.ID) })
}

func (d *daemon) generation(g *checkpoint.Generation) *flow.Generation {
	return &flow.Generation{Source: d.source, ID: g.ID, FirstLine: g.FirstLine}
}

func (d *daemon) add(o *opened, at flow.Position, superseded bool, now time.Time) *file {
	f := &file{
		inode: o.inode, d: d, ledger: d.ledger, packed: o.inode.packed, head: slices.Clone(o.head), modified: o.modified,
		at: at, seen: at.Offset, size: max(o.size, at.Offset), grown: now, summed: -1, examined: o.modified, asOf: o.modified, superseded: superseded, replaced: now,
	}
	f.mark()
	d.files = append(d.files, f)
	return f
}

// position is where a new generation begins.
func (d *daemon) position(known *checkpoint.Source, offset int64) flow.Position {
	var last int64
	for _, of := range [][]checkpoint.Generation{known.Finished, known.Open} {
		for i := range of {
			last = max(last, of[i].ID)
		}
	}
	line := int64(1)
	if last > 0 {
		line = d.firstLine(known, 0)
	}
	g := &flow.Generation{Source: d.source, ID: last + 1, FirstLine: line}
	return flow.Position{Generation: g, Offset: offset, Line: line}
}

// firstLine is beyond the lines of all generations but one.
func (d *daemon) firstLine(known *checkpoint.Source, except int64) (line int64) {
	for _, of := range [][]checkpoint.Generation{known.Finished, known.Open} {
		for i := range of {
			if g := &of[i]; g.ID != except {
				line = max(line, g.FirstLine, g.Read().Line)
			}
		}
	}
	for _, f := range d.files {
		if f.at.Generation.ID != except {
			line = max(line, f.at.Line)
		}
	}
	return line + modelGap
}

func (d *daemon) truncated(sc *scene.Scene, e *evidence, a scene.Action, f *file) error {
	offset, old := sc.OpenAs(a.ID).Kept, f.at
	if a.Bytes > 0 {
		d.m.lost(a)
	}
	if a.File < 0 {
		d.ledger.Leave(old, f.before())
	} else if err := d.recover(sc, e, a.File, f); err != nil {
		return err
	}
	d.searchFrom(a.Since)
	known := d.ledger.Copy()
	f.at = d.position(&known, offset)
	f.head, f.summed, f.marks, f.unsearched = nil, -1, nil, false
	f.described = logfile.File{}
	f.seen, f.grown = offset, sc.Now
	f.modified, f.size = f.inode.modified, int64(len(f.inode.text))
	f.examined, f.asOf, f.changed = f.modified, f.modified, false
	f.grow()
	f.mark()
	d.ledger.Begin(f.at, f.before(), f.describe())
	return nil
}

// recover goes on with the generation of a file in the copy of it.
func (d *daemon) recover(sc *scene.Scene, e *evidence, copied int, of *file) error {
	o := e.file(copied)
	if o.err != nil {
		return o.err
	}
	if held := d.openAs(o.inode); held != nil { // it was empty when it was found
		d.forget(held.at.Generation.ID, held)
	}
	rest := d.add(o, of.at, true, sc.Now)
	d.leave(rest)
	d.files = slices.Insert(d.files, slices.Index(d.files, of), rest)
	rest.describeChange()
	return nil
}

func (d *daemon) noteCopy(e *evidence, a scene.Action) {
	g := a.Prior
	if a.ID > 0 {
		d.ledger.Leave(flow.Position{Generation: d.generation(&g), Offset: g.Offset, Line: g.Line}, g.Before)
	}
	o := e.file(a.File)
	if o.err != nil {
		return
	}
	if held := d.openAs(o.inode); held != nil {
		d.forget(held.at.Generation.ID, held)
	}
	length, head := int64(len(o.text())), sumOfHead(o.head)
	if head.Length == 0 {
		head = logfile.SumOf(o.head)
	}
	g.File = logfile.File{Inode: o.inode.Inode, Head: head, Size: length, Modified: o.modified.UnixNano()}
	g.State, g.Offset, g.Before = checkpoint.Finished, length, logfile.SumOf(before(o.text(), length))
	d.ledger.NoteCopy(g)
}

func (d *daemon) forget(id int64, f *file) {
	d.ledger.Forget(&flow.Generation{Source: d.source, ID: id})
	if f != nil {
		d.leave(f)
		f.closed = true
	}
}

// searched notes that nobody has to look for files any more, and gives those that have
// their first line its number.
func (d *daemon) searched() {
	d.searchSince, d.restarted = time.Time{}, false
	d.ledger.SearchSince(time.Time{})
	for _, f := range d.files {
		if g := f.at.Generation; f.unsearched && len(f.head) > 0 && !f.packed && f.at.Offset == 0 && g.ID > 1 {
			known := d.ledger.Copy()
			if line := d.firstLine(&known, g.ID); line > g.FirstLine {
				g.FirstLine, f.at.Line = line, line
				d.ledger.Renumber(g)
			}
		}
		f.unsearched = false
	}
}

func (d *daemon) grown(now time.Time) {
	for _, f := range d.files {
		f.grown = now
	}
}

func (d *daemon) searchFrom(since time.Time) {
	if d.searchSince.IsZero() || since.Before(d.searchSince) {
		d.searchSince = since
		d.ledger.SearchSince(since)
	}
}
