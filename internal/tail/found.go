package tail

import (
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/growing"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/scene"
)

// found is the evidence of a scene: the files beside a log, each opened when something
// is first asked of it.
type found struct {
	path     string            // of the log
	listed   []logfile.Sibling // nil: they were not listed
	siblings []logfile.Sibling
	opened   []*logfile.Opened // nil: not yet, or taken
	errs     []error
	gone     bool // a file was another one, or none, when it was opened
	open     []*growing.File
	left     []beginning
	imports  []checkpoint.Generation
}

// list puts the files at the path and beside it into the scene, if it asks for them.
func (s *source) list(r *Reader, sc *scene.Scene) *found {
	b := &found{path: s.Path, open: s.files, left: s.beginnings, imports: sc.Ledger.Imports}
	sc.Evidence = b
	if !sc.NeedsList() {
		return b
	}
	b.listed = s.siblings(r, sc)
	if info, err := os.Stat(s.Path); err == nil {
		sc.Path.File = slices.IndexFunc(b.listed, func(f logfile.Sibling) bool { return os.SameFile(f.Info, info) })
	}
	for _, f := range b.listed {
		b.add(sc, f)
		sc.Beside[len(sc.Beside)-1].AtPath = sc.Path.File >= 0 && os.SameFile(f.Info, b.listed[sc.Path.File].Info)
	}
	return b
}

// add puts one more file into a scene.
func (b *found) add(sc *scene.Scene, f logfile.Sibling) {
	b.siblings, b.opened, b.errs = append(b.siblings, f), append(b.opened, nil), append(b.errs, nil)
	is := scene.Beside{
		Path: f.Path, Modified: f.Info.ModTime(), Inode: logfile.InodeIn(f.Info), Rotated: f.Rotated, Maybe: f.Maybe,
		Renamed: f.Renamed, Nameless: isByDescriptor(f.Path),
	}
	for _, f := range b.open {
		if f.Is(b.siblings[len(b.siblings)-1].Info) {
			is.Held = f.At.Generation.ID
		}
	}
	sc.Beside = append(sc.Beside, is)
}

// siblings are the files beside the path, and beside the paths that the source had when its
// unfinished generations began: the file at the path, and what has become of those before it.
func (s *source) siblings(r *Reader, sc *scene.Scene) []logfile.Sibling {
	paths := []string{s.Path}
	was := func(path string) {
		if path != "" && !slices.Contains(paths, path) && !s.isDay(path) {
			paths = append(paths, path)
		}
	}
	for _, g := range sc.Ledger.Open {
		was(g.Path)
	}
	if a := sc.Ledger.Awaited; a != nil {
		was(a.Path)
	}
	var all []logfile.Sibling
	for _, path := range paths {
		found := s.beside(r, path, sc.Ledger.Directories)
		// One may be called like a rotated log of another source, as app-20261127.log
		// beside app.log.
		found = slices.DeleteFunc(found, func(f logfile.Sibling) bool { return r.isAnothers(s, f) })
		if path != s.Path {
			for i := range found {
				found[i].Log = path
			}
		}
		all = append(all, found...)
	}
	if info, err := os.Stat(s.Path); err == nil && info.Mode().IsRegular() {
		is := func(f logfile.Sibling) bool { return os.SameFile(f.Info, info) }
		if at := slices.IndexFunc(all, is); at >= 0 {
			all[at].Path, all[at].Rotated = s.Path, false // a link leads to it
		} else {
			all = append(all, logfile.Sibling{Path: s.Path, Info: info})
		}
	}
	isListed := func(info fs.FileInfo) bool {
		return slices.ContainsFunc(all, func(f logfile.Sibling) bool { return os.SameFile(f.Info, info) })
	}
	for _, f := range s.files { // wherever they are now
		if f.Unsure && !isListed(f.Info) {
			all = append(all, logfile.Sibling{Path: byDescriptor(f.File), Info: f.Info})
		}
	}
	for _, w := range s.watched {
		if w.held == nil || !slices.Contains(sc.Regrown, w.id) {
			continue
		}
		if info, err := w.held.Stat(); err == nil && !isListed(info) && !r.isOpenElsewhere(s.Name, info) {
			all = append(all, logfile.Sibling{Path: byDescriptor(w.held), Info: info, Date: w.date})
		}
	}
	return all
}

// moved reports whether files have other names now than in the scene, or others hold what was
// read of them, or anything at all. Then the scene says nothing any more.
func (b *found) moved(r *Reader, s *source, sc *scene.Scene) bool {
	if b.gone {
		return true
	}
	if info, err := os.Stat(s.Path); err == nil && sc.Path.Trouble == nil {
		for i, f := range s.files {
			if f.Is(info) != (sc.Open[i].ID == sc.Path.Held) {
				return true
			}
		}
	} else if errors.Is(err, fs.ErrNotExist) != sc.Path.Missing {
		return true
	}
	for i, f := range s.files {
		was := &sc.Open[i]
		if holds, _, err := f.Examine(sc.Now); err != nil || holds != was.Holds || (len(f.Head) == 0) != was.Empty || f.Unsearched != was.Unsearched {
			return true
		}
	}
	return b.listed != nil && !logfile.SameFiles(b.listed, s.siblings(r, sc))
}

// file opens a file, unless that was done.
func (b *found) file(i int) (*logfile.Opened, error) {
	if b.opened[i] != nil || b.errs[i] != nil {
		return b.opened[i], b.errs[i]
	}
	open := b.siblings[i].Open
	if b.siblings[i].Path == b.path { // nothing is appended to a compressed file
		open = func() (*logfile.Opened, error) { return logfile.OpenPlain(b.path) }
	}
	o, err := open()
	switch {
	case err != nil:
	case !os.SameFile(o.Info, b.siblings[i].Info):
		o.Close()
		err = fs.ErrNotExist
	case b.siblings[i].Path != b.path && o.Head.IsNoise():
		o.Close()
		err = logfile.NoText(o.Path)
	}
	if err != nil {
		b.gone = b.gone || errors.Is(err, fs.ErrNotExist)
		b.errs[i] = err
		return nil, err
	}
	b.opened[i] = o
	return o, nil
}

// take hands an open file over: the caller closes it.
func (b *found) take(i int) (*logfile.Opened, error) {
	o, err := b.file(i)
	b.opened[i] = nil
	return o, err
}

func (b *found) close() { logfile.CloseAll(b.opened) }

func (b *found) Trouble(i int) error {
	_, err := b.file(i)
	return err
}

func (b *found) Born(i int) logfile.Inode {
	if o, err := b.file(i); err == nil {
		return o.Inode
	}
	return logfile.InodeIn(b.siblings[i].Info)
}

func (b *found) Size(i int) int64 {
	if o, err := b.file(i); err == nil {
		return o.Size()
	}
	return -1
}

func (b *found) Is(i int, g *checkpoint.Generation) logfile.Identity {
	o, err := b.file(i)
	if err != nil {
		return logfile.Different
	}
	return o.Compare(g.File, g.Offset, g.Before)
}

func (b *found) HoldsAll(i int, g *checkpoint.Generation) bool {
	o, err := b.file(i)
	return err == nil && o.HoldsAllOf(g.File, g.Offset, g.Before)
}

func (b *found) Copies(i int, id int64) bool {
	o, err := b.file(i)
	return err == nil && slices.ContainsFunc(b.open, func(f *growing.File) bool {
		return f.At.Generation.ID == id && o.IsCopyOf(f.Opened, f.Size)
	})
}

func (b *found) CopyOf(i, j int) bool {
	o, err := b.file(i)
	other, errOther := b.file(j)
	return err == nil && errOther == nil && o.IsCopyOf(other, max(0, other.Size()))
}

func (b *found) IsPart(i int, id int64) bool {
	o, err := b.file(i)
	return err == nil && slices.ContainsFunc(b.open, func(f *growing.File) bool { return f.At.Generation.ID == id && o.IsPartOf(f.Head) })
}

func (b *found) Within(i, j int) bool {
	if one, other := b.siblings[i].Date, b.siblings[j].Date; one != other && one != "" && other != "" {
		return false // nobody copies a day to the name of another one, and a quiet one may be as short as the next
	}
	o, err := b.file(i)
	other, errOther := b.file(j)
	return err == nil && errOther == nil && o.IsPrefixOf(other)
}

func (b *found) Agrees(i int, id int64) (from int64, ok bool) {
	o, err := b.file(i)
	if err != nil {
		return 0, false
	}
	for _, f := range b.open {
		if f.At.Generation.ID == id {
			return o.Continues(f.Opened, f.At.Offset)
		}
	}
	return 0, false
}

func (b *found) Anonymised(i int) int64 {
	o, err := b.file(i)
	if err != nil {
		return 0
	}
	for _, f := range b.open {
		if !f.Is(o.Info) && f.Head.IsAnonymised(o.Head) {
			return f.At.Generation.ID
		}
	}
	for _, was := range b.left {
		if was.head.IsAnonymised(o.Head) {
			return was.id
		}
	}
	return 0
}

func (b *found) Imported(i int) bool {
	o, err := b.file(i)
	if err != nil {
		return false
	}
	read, ok := checkpoint.ImportedTo(o, b.imports)
	return ok && !o.HasMore(read.Offset)
}
