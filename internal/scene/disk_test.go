// The disk of the model: files in memory, and who has which name.

package scene_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/logfile"
)

// inode is a file. Its text is what is in it when it is uncompressed.
type inode struct {
	logfile.Inode
	text     []byte
	modified time.Time
	packed   bool
	copied   bool // by logrotate, or a copy of one that was
	refused  bool // nobody may read it
}

// disk is one directory.
type disk struct {
	now   time.Time
	step  time.Duration // between two things that happen, at least
	clock time.Duration // of files: their times are whole ones of it, and a step is longer
	names map[string]*inode
	link  string // what the path is a link to, "" if it is none
	all   []*inode
}

// newDisk is a disk on which little time passes between two things, or more; and then the times
// of its files may be coarse, as whole seconds are on old file systems.
func newDisk(r *rand.Rand) *disk {
	d := &disk{now: time.Unix(1_700_000_000, 0), step: 5 * time.Millisecond, clock: 1, names: map[string]*inode{}}
	switch r.IntN(4) {
	case 0:
		d.step, d.clock = 105*time.Millisecond, 100*time.Millisecond
	case 1:
		d.step = 105 * time.Millisecond
	}
	return d
}

// tick lets time go on: no two files are made within one step of the file system's clock.
func (d *disk) tick() { d.now = d.now.Add(d.step) }

// stamp is what a file has as its time that is written to now.
func (d *disk) stamp() time.Time { return d.now.Truncate(d.clock) }

// create makes a file. A number that no file in use has any more is given again; what is
// born when is known, or else an empty file and the next one with its number look alike.
func (d *disk) create(name string, inUse func(*inode) bool) *inode {
	d.tick()
	f := &inode{modified: d.stamp(), Inode: logfile.Inode{Device: 1, Number: uint64(len(d.all) + 1)}}
	for _, old := range d.all {
		taken := func(other *inode) bool { return other.Number == old.Number && (inUse(other) || d.hasName(other)) }
		if !slices.ContainsFunc(d.all, taken) {
			f.Number = old.Number
		}
	}
	f.Birth = d.stamp().UnixNano()
	d.names[name] = f
	d.all = append(d.all, f)
	return f
}

func (d *disk) hasName(f *inode) bool { return d.nameOf(f) != "" }

// nameOf is the name of a file, "" if it has none.
func (d *disk) nameOf(f *inode) string {
	for name, other := range d.names {
		if other == f {
			return name
		}
	}
	return ""
}

func (d *disk) rename(from, to string) {
	d.names[to] = d.names[from]
	delete(d.names, from)
}

// at is the file at the path, or nil.
func (d *disk) at() *inode {
	if d.link != "" {
		return d.names[d.link]
	}
	return d.names[logPath]
}

// shift makes room for access.log.1.
func (d *disk) shift() {
	for n := 12; n > 0; n-- {
		for _, end := range []string{"", ".gz"} {
			if from := fmt.Sprintf("%s.%d%s", logPath, n, end); d.names[from] != nil {
				d.rename(from, fmt.Sprintf("%s.%d%s", logPath, n+1, end))
			}
		}
	}
}

// pack compresses a file as gzip does: the time of the file stays.
func (d *disk) pack(name string, inUse func(*inode) bool) *inode {
	from := d.names[name]
	to := d.create(name+".gz", inUse)
	to.packed, to.copied, to.text, to.modified = true, from.copied, from.text, from.modified
	delete(d.names, name)
	return to
}

// entry is one of a listing.
type entry struct {
	path     string
	inode    *inode
	modified time.Time
	rotated  bool
	order    int
}

// list is what logfile.Siblings would list.
func (d *disk) list() (all []entry) {
	for name, f := range d.names {
		if plain, packed := strings.CutSuffix(name, ".gz"); packed && d.names[plain] != nil {
			continue // it is just being compressed
		}
		rotated, order := d.rotated(name)
		all = append(all, entry{name, f, f.modified, rotated, order})
	}
	slices.SortFunc(all, func(a, b entry) int {
		return cmp.Or(a.modified.Compare(b.modified), -cmp.Compare(a.order, b.order), cmp.Compare(a.path, b.path))
	})
	if i := slices.IndexFunc(all, func(e entry) bool { return e.inode == d.at() }); i >= 0 {
		all[i].path, all[i].rotated = logPath, false // a link leads to it
	}
	return all
}

// rotated reports whether a file is called as rotated ones are: by a number, or like
// what the path is a link to.
func (d *disk) rotated(name string) (ok bool, order int) {
	name = strings.TrimSuffix(name, ".gz")
	if number, ok := strings.CutPrefix(name, logPath+"."); ok {
		order, _ = strconv.Atoi(number)
		return true, order
	}
	return d.link != "" && name != logPath, 0
}
