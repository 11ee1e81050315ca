package logfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// Directories lists directories, each once as long as nothing in it changes: a
// thousand logs of one directory ask for the same listing. It is for one goroutine;
// nil lists anew each time.
type Directories struct {
	lists map[string]listing
	known map[[2]string]names // of logs, by their names and those of what links there lead to
}

type listing struct {
	entries  []os.DirEntry // sorted by name
	below    []string      // the directories among them
	modified time.Time
}

// within are the entries that begin with a prefix.
func (l listing) within(prefix string) []os.DirEntry {
	from := sort.Search(len(l.entries), func(i int) bool { return l.entries[i].Name() >= prefix })
	n := sort.Search(len(l.entries)-from, func(i int) bool { return !strings.HasPrefix(l.entries[from+i].Name(), prefix) })
	return l.entries[from : from+n]
}

// names are those that rotated files of a log may have.
func (d *Directories) names(base, to string) names {
	if d == nil {
		return newNames(base, to)
	}
	key := [2]string{base, to}
	n, ok := d.known[key]
	if !ok {
		n = newNames(base, to)
		if d.known == nil {
			d.known = map[[2]string]names{}
		}
		d.known[key] = n
	}
	return n
}

// Forget drops what was listed. Call it at the beginning of each look, so that no
// listing outlives one: a network's clock, or its idea of a directory's time, may be
// anything.
func (d *Directories) Forget() { clear(d.lists) }

// Two changes of a directory within a step of its file system's clock leave it with
// one time: a listing from within that step is used once. Where times are whole
// seconds, the step may be two of them.
const (
	step       = 100 * time.Millisecond
	coarseStep = 2500 * time.Millisecond
)

// list lists a directory. What it returns is shared.
func (d *Directories) list(dir string) (listing, error) {
	if d == nil {
		return read(dir)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return listing{}, err
	}
	if known, ok := d.lists[dir]; ok && known.modified.Equal(info.ModTime()) {
		return known, nil
	}
	l, err := read(dir)
	if err != nil {
		return listing{}, err
	}
	l.modified = info.ModTime()
	safe := step
	if info.ModTime().Nanosecond() == 0 {
		safe = coarseStep
	}
	if time.Since(info.ModTime()) > safe {
		if d.lists == nil {
			d.lists = map[string]listing{}
		}
		d.lists[dir] = l
	}
	return l, nil
}

// IsBare reports whether a directory is empty, or not there, as the one at which a volume is
// still to be mounted. One below root may also have been deleted: then that in which it was tells.
func (d *Directories) IsBare(dir, root string) bool {
	l, err := d.list(dir)
	isThere := !errors.Is(err, fs.ErrNotExist)
	if below, notBelow := filepath.Rel(root, dir); !isThere && notBelow == nil && below != "." && filepath.IsLocal(below) {
		return d.IsBare(filepath.Dir(dir), root)
	}
	return len(l.entries) == 0 && (err == nil || !isThere)
}

func read(dir string) (l listing, err error) {
	l.entries, err = os.ReadDir(dir)
	for _, e := range l.entries {
		if e.IsDir() {
			l.below = append(l.below, filepath.Join(dir, e.Name()))
		}
	}
	return l, err
}
