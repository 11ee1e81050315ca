package logfile

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A Sibling is a file that may be, or may hold what was, the log at some path:
// the file there, those it was rotated to, and copies of them.
type Sibling struct {
	Path    string
	Info    fs.FileInfo
	Rotated bool   // it is called as rotated logs of this path are called
	Maybe   bool   // it is not, but perhaps it is one
	Renamed bool   // it is called as logrotate's renamecopy calls one for a while
	Log     string // the path of that log, if the source was there earlier, else ""
	Date    string // of a day of a dated log, the digits of it
	order   int    // among files of one time: of 2 and 1, 2 is the older one
}

// MaxDirectories bounds how many directories below that of the log are searched.
// Of more than maxAlike files, only those are looked into that are called as
// rotated logs of this path are: a thousand logs may lie side by side.
const (
	MaxDirectories = 64
	maxAlike       = 64
)

// Siblings returns the files in the log's directory, in those below it, in that
// of the file that a link at the path leads to, and in others that are named,
// whose names begin as the log's does. The latest one comes last.
func (d *Directories) Siblings(path string, others ...string) []Sibling {
	return d.siblings(path, nil, others)
}

func (d *Directories) siblings(path string, days *days, others []string) []Sibling {
	to := target(path)
	dirs := []string{filepath.Dir(path)}
	if l, err := d.list(dirs[0]); err == nil {
		dirs = append(dirs, l.below[:min(len(l.below), MaxDirectories-1)]...)
	}
	for _, dir := range slices.Concat(others, []string{filepath.Dir(to)}, days.directories()) {
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	names := d.names(filepath.Base(path), filepath.Base(to))
	type candidate struct {
		Sibling
		entry os.DirEntry
	}
	var called []candidate
	for _, dir := range dirs {
		l, err := d.list(dir)
		if err != nil {
			continue
		}
		entries := l.entries
		if days == nil {
			entries = l.within(names.stem)
			if len(entries) > maxAlike && names.begin != "" { // nearly all of them are of other logs
				entries = l.within(names.begin)
			}
		}
		for _, e := range entries {
			date := days.date(dir, e.Name())
			if !e.Type().IsRegular() || date == "" && !names.alike(e.Name()) ||
				isBeingPacked(dir, e.Name(), names.base, l.entries) || wasPacked(dir, e.Name(), names.base, l.entries) {
				continue
			}
			rotated, order := names.rotated(e.Name())
			rotated = rotated || date != ""
			at := filepath.Join(dir, e.Name())
			called = append(called, candidate{Sibling{
				Path: at, Rotated: rotated && at != path, Maybe: !rotated && names.maybe(e.Name()),
				Renamed: names.renamed(e.Name()), Date: date, order: order,
			}, e})
		}
	}
	if len(called) > maxAlike { // those of other logs
		called = slices.DeleteFunc(called, func(f candidate) bool { return !f.Rotated && !f.Maybe && f.Path != path && f.Path != to })
	}
	var found []Sibling
	for _, c := range called {
		info, err := c.entry.Info()
		if err != nil {
			continue // it has just gone
		}
		c.Info = info
		found = append(found, c.Sibling)
	}
	ages := agesOf(found)
	slices.SortStableFunc(found, func(a, b Sibling) int {
		return cmp.Or(ages[a.Path].Compare(ages[b.Path]), cmp.Compare(a.Date, b.Date), -cmp.Compare(a.order, b.order), cmp.Compare(a.Path, b.Path))
	})
	return found
}

// agesOf are the times of files, by their paths. A day is not older than the day before,
// whatever the times of their files are.
func agesOf(files []Sibling) map[string]time.Time {
	ages := map[string]time.Time{}
	var latest time.Time
	for _, f := range slices.SortedStableFunc(slices.Values(files), func(a, b Sibling) int { return cmp.Compare(a.Date, b.Date) }) {
		age := f.Info.ModTime()
		if f.Date != "" && age.Before(latest) {
			age = latest
		}
		if f.Date != "" {
			latest = age
		}
		ages[f.Path] = age
	}
	return ages
}

// UnsearchedDirectories is how many directories below that of a log are not searched
// for its rotated files, being more than [MaxDirectories]. The error is why the
// directory cannot be listed.
func (d *Directories) UnsearchedDirectories(path string) (n int, err error) {
	l, err := d.list(filepath.Dir(path))
	if err != nil {
		return 0, err
	}
	return max(0, 1+len(l.below)-MaxDirectories), nil
}

// SameFiles reports whether the same files have the same names.
func SameFiles(a, b []Sibling) bool {
	named := map[string]Sibling{}
	for _, f := range a {
		named[f.Path] = f
	}
	for _, f := range b {
		if was, ok := named[f.Path]; !ok || !os.SameFile(was.Info, f.Info) {
			return false
		}
	}
	return len(a) == len(b)
}

// isBeingPacked reports whether a compressed file stands beside what it is made of:
// it is not whole yet, and what compresses files removes the other one then. If that is
// overwritten first (logrotate's shred), the compressed one is whole.
func isBeingPacked(dir, name, log string, sorted []os.DirEntry) bool {
	if !IsCompressed(name) {
		return false
	}
	plain := strings.TrimSuffix(name, filepath.Ext(name))
	if plain == log { // it is there again when that is over
		return false
	}
	return isListed(plain, sorted) && !isOverwritten(filepath.Join(dir, plain), true)
}

// wasPacked reports whether a rotated file was overwritten, and what was in it is in a
// compressed one beside it.
func wasPacked(dir, name, log string, sorted []os.DirEntry) bool {
	packed := func(ending string) bool { return isListed(name+ending, sorted) }
	return name != log && slices.ContainsFunc([]string{".gz", ".zst"}, packed) && isOverwritten(filepath.Join(dir, name), false)
}

func isListed(name string, sorted []os.DirEntry) bool {
	_, there := slices.BinarySearchFunc(sorted, name, func(e os.DirEntry, name string) int { return strings.Compare(e.Name(), name) })
	return there
}

// isOverwritten reports whether a file holds nothing that a log could. At the end of that
// it is empty, as others are.
func isOverwritten(path string, orEmpty bool) bool {
	o, err := Sibling{Path: path}.Open()
	if err != nil {
		return false
	}
	defer o.Close()
	return orEmpty && o.Size() == 0 || o.Size() > 0 && o.Head.IsNoise()
}

// Behind are the paths that a link leads to, one after the other, and at last the one
// without any link in it; nothing of a path that has none.
func Behind(path string) (names []string) {
	const most = 40 // as Linux goes
	for at := path; len(names) < most; at = names[len(names)-1] {
		to, err := os.Readlink(at)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(at), to)
		}
		names = append(names, filepath.Clean(to))
	}
	if to, err := filepath.EvalSymlinks(path); err == nil && to != path {
		names = append(names, to)
	}
	return names
}

// target is where a link at the path leads, even if nothing is there; else path.
func target(path string) string {
	if names := Behind(path); len(names) > 0 {
		return names[len(names)-1]
	}
	return path
}
