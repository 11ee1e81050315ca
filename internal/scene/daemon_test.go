// The daemon of the model: it observes a scene on the disk in memory, and carries out
// what is decided, as package tail does.

package scene_test

import (
	"bytes"
	"io/fs"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/scene"
)

const (
	modelWait  = time.Second // rotate_wait
	modelTick  = 100 * time.Millisecond
	modelBlock = 32 * lineBytes // no line is longer
	modelGap   = 500_000
	maxScenes  = 30
)

// daemon is one run of it.
type daemon struct {
	m           *model
	checkpoint  *checkpoint.Checkpoint
	ledger      *checkpoint.Ledger
	source      *flow.Source
	files       []*file
	started     bool
	restarted   bool // files that were rotated before the start are still to be looked for
	watched     []watched
	checked     time.Time
	missed      time.Time
	searchSince time.Time
	trouble     error
	room        int // blocks until somebody takes them
	unacked     []sent
}

// sent is a chunk that is not acknowledged.
type sent struct {
	end  flow.Position
	last []byte
}

func (d *daemon) file(id int64) *file {
	return d.find(func(f *file) bool { return f.at.Generation.ID == id })
}

func (d *daemon) openAs(at *inode) *file {
	return d.find(func(f *file) bool { return f.inode == at })
}

func (d *daemon) find(is func(*file) bool) *file {
	if i := slices.IndexFunc(d.files, is); i >= 0 {
		return d.files[i]
	}
	return nil
}

func (d *daemon) leave(f *file) {
	d.files = slices.DeleteFunc(d.files, func(other *file) bool { return other == f })
}

// look looks at scenes until nothing follows.
func (d *daemon) look() {
	agreed, seen := 0, false
	for n := range maxScenes {
		sc := d.observe()
		d.trouble, seen = sc.Path.Trouble, sc.Path.Trouble == nil
		quiet := sc.IsQuiet()
		d.m.meanwhile()
		sc.Agreed, sc.Ledger = agreed, d.ledger.Copy()
		for i, f := range d.files {
			sc.Open[i].Generation = f.generation()
		}
		e := d.list(&sc)
		actions := scene.Decide(&sc)
		d.m.decided(&sc, actions, quiet)
		d.m.meanwhile()
		if quiet {
			break
		}
		moved := len(actions) > 0 && e.moved(&sc)
		if moved && n < maxScenes-1 {
			agreed = 0
			continue
		}
		d.m.meanwhile()
		more, err := d.act(&sc, e, actions, moved)
		if err != nil {
			d.trouble = err
		}
		if !more {
			break
		}
		if agreed = 0; actions[0].Do == scene.LookAgain {
			agreed = sc.Agreed + 1
		}
		if n == maxScenes-1 {
			d.m.endless()
		}
	}
	for _, f := range d.files {
		f.settle(seen || d.missed.Equal(d.m.disk.now))
	}
}

func (d *daemon) observe() scene.Scene {
	sc := scene.Scene{
		Now: d.m.disk.now, RotateWait: modelWait,
		Started: d.started, Restarted: d.restarted, Missed: d.missed, SearchSince: d.searchSince, Path: scene.There{File: -1},
	}
	at := d.m.disk.at()
	if at == nil {
		sc.Path.Missing, sc.Path.Trouble = true, fs.ErrNotExist
		sc.Bare = !d.started && len(d.siblings()) == 0
	}
	d.m.meanwhile()
	for _, f := range d.files {
		f.examined = f.modified
		holds, kept := f.examine()
		id := f.at.Generation.ID
		if f.inode == at {
			sc.Path.Held = id
		}
		sc.Open = append(sc.Open, scene.Held{
			Generation: checkpoint.Generation{ID: id}, Holds: holds, Kept: kept, Known: f.known(), Empty: len(f.head) == 0,
			Superseded: f.superseded, Unsure: f.unsure, Unsearched: f.unsearched, Packed: f.packed, Idle: f.idle(),
			Grown: f.grown, AsOf: f.asOf, Deleted: !f.packed && !d.m.disk.hasName(f.inode), Noted: f.notedCopies, Told: f.told, Late: f.late,
		})
	}
	if at != nil && sc.Path.Held == 0 {
		sc.Path.Awaited = d.isAwaited(at)
	}
	if d.started && sc.Now.Sub(d.checked) >= watchTick {
		if sc.Regrown = d.regrown(); len(sc.Regrown) == 0 { // else once more, until something is done about them
			d.checked = sc.Now
		}
	}
	return sc
}

// await notes the file at the path, of which nothing was read yet.
func (d *daemon) await() {
	if at := d.m.disk.at(); at != nil {
		d.ledger.Await(&checkpoint.Awaited{Inode: at.Inode, Size: int64(len(at.text)), Modified: at.modified.UnixNano()})
	}
}

func (d *daemon) isAwaited(at *inode) bool {
	a := d.ledger.Awaited()
	if a == nil || a.Shortened || !at.Is(a.Inode) {
		return false
	}
	now, size := *a, int64(len(at.text))
	now.Size, now.Shortened = max(a.Size, size), isShortenedTo(a, size, at.modified)
	d.ledger.Await(&now)
	return !now.Shortened
}

func isShortenedTo(a *checkpoint.Awaited, size int64, modified time.Time) bool {
	return size < a.Size || size == 0 && modified.UnixNano() > a.Modified
}

func (d *daemon) list(sc *scene.Scene) *evidence {
	e := &evidence{d: d}
	sc.Evidence = e
	if !sc.NeedsList() {
		return e
	}
	e.listed = d.siblings()
	e.opened = make([]*opened, len(e.listed))
	sc.Path.File = slices.IndexFunc(e.listed, func(f entry) bool { return f.path == logPath })
	for _, f := range e.listed {
		is := scene.Beside{Path: f.path, Modified: f.modified, Inode: logfile.Inode{Device: 1, Number: f.inode.Number}, Rotated: f.rotated, Nameless: f.path == byDescriptor}
		is.AtPath = sc.Path.File >= 0 && f.inode == e.listed[sc.Path.File].inode
		if held := d.openAs(f.inode); held != nil {
			is.Held = held.at.Generation.ID
		}
		sc.Beside = append(sc.Beside, is)
	}
	return e
}

func (d *daemon) siblings() []entry {
	all := d.m.disk.list()
	for _, f := range d.files {
		if f.unsure && !slices.ContainsFunc(all, func(e entry) bool { return e.inode == f.inode }) {
			all = append(all, entry{path: byDescriptor, inode: f.inode, modified: f.modified})
		}
	}
	for _, w := range d.watched {
		if w.held != nil && w.hasGrown() && !slices.ContainsFunc(all, func(e entry) bool { return e.inode == w.held }) {
			all = append(all, entry{path: byDescriptor, inode: w.held, modified: w.held.modified})
		}
	}
	return all
}

// moved reports whether the scene is not what is there now.
func (e *evidence) moved(sc *scene.Scene) bool {
	d, at := e.d, e.d.m.disk.at()
	if e.gone || (at == nil) != sc.Path.Missing {
		return true
	}
	for i, f := range d.files {
		if at != nil && (f.inode == at) != (sc.Open[i].ID == sc.Path.Held) {
			return true
		}
	}
	for i, f := range d.files {
		was := &sc.Open[i]
		if holds, _ := f.examine(); holds != was.Holds || (len(f.head) == 0) != was.Empty || f.unsearched != was.Unsearched {
			return true
		}
	}
	if e.listed == nil {
		return false
	}
	now := d.siblings()
	for _, f := range now {
		if !slices.ContainsFunc(e.listed, func(was entry) bool { return was.path == f.path && was.inode == f.inode }) {
			return true
		}
	}
	return len(now) != len(e.listed)
}

// turn looks, and reads what there is to read.
func (d *daemon) turn() {
	d.look()
	d.secure()
	for more := true; more && d.room > 0; {
		more = slices.ContainsFunc(slices.Clone(d.files), d.read) // of the oldest one that has more
	}
}

// read reads a block of a file, or what it ends with.
func (d *daemon) read(f *file) (more bool) {
	if d.room == 0 || f.closed {
		return false
	}
	if !f.idle() {
		var err error
		if more, err = f.read(); err != nil {
			d.look()
			return d.trouble == nil
		}
	}
	if more || !f.leaving || f.closed {
		return more
	}
	if !f.packed && int64(len(f.inode.text)) != f.seen {
		f.leaving = false
		return false
	}
	if err := f.sendTail(); err != nil {
		d.look()
		return d.trouble == nil
	}
	if f.leaving && !f.closed {
		d.end(f)
	}
	return false
}

// secure saves what must be saved before lines are used.
func (d *daemon) secure() {
	if d.needsSave() {
		d.m.save(true)
	}
}

func (d *daemon) needsSave() bool {
	now := d.ledger.Copy()
	return slices.ContainsFunc(now.Open, func(g checkpoint.Generation) bool {
		saved := slices.IndexFunc(d.m.saved.Open, func(s checkpoint.Generation) bool { return s.ID == g.ID })
		if saved < 0 {
			return true
		}
		s := &d.m.saved.Open[saved]
		return g.Head.Length > 0 && s.Head.Length == 0 || g.FirstLine != s.FirstLine
	})
}

// send sends lines, and enters them in the books.
func (d *daemon) send(f *file, data []byte, length int64) {
	d.secure()
	d.m.enter(f.at, data)
	f.at.Line += int64(bytes.Count(data, []byte{'\n'}))
	f.at.Offset += length
	f.marks = append(f.marks, mark{f.at.Offset, before(data[:length], length)})
	last := data
	if int64(len(data)) != length {
		last = nil
	}
	d.unacked = append(d.unacked, sent{f.at, last})
	d.room--
}

func (d *daemon) acknowledge(n int) {
	n = min(n, len(d.unacked))
	for _, s := range d.unacked[:n] {
		d.checkpoint.Acknowledge(s.end, before(s.last, int64(len(s.last))))
	}
	d.unacked = d.unacked[n:]
}
