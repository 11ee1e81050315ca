package logfile

import (
	"os"
	"time"
)

// Directories lists directories, each once as long as nothing in it changes: a
// thousand logs of one directory ask for the same listing. It is for one goroutine;
// nil lists anew each time.
type Directories struct{ lists map[string]listing }

type listing struct {
	entries  []os.DirEntry
	modified time.Time
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

// list returns the entries of a directory, sorted by name. The slice is shared.
func (d *Directories) list(dir string) ([]os.DirEntry, error) {
	if d == nil {
		return os.ReadDir(dir)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if known, ok := d.lists[dir]; ok && known.modified.Equal(info.ModTime()) {
		return known.entries, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	safe := step
	if info.ModTime().Nanosecond() == 0 {
		safe = coarseStep
	}
	if time.Since(info.ModTime()) > safe {
		if d.lists == nil {
			d.lists = map[string]listing{}
		}
		d.lists[dir] = listing{entries, info.ModTime()}
	}
	return entries, nil
}
