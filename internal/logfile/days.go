package logfile

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/tailflux/tailflux/internal/lazyregexp"
)

// days are the files of a log whose names differ in their dates.
type days struct {
	pattern Pattern
	label   string
	path    string   // of one of them
	others  []string // directories where rotated files were seen

	begin, end string // of the names of all, without the date
	inName     bool   // the date is in the name, and not in directories alone
}

// maxDated bounds how many directories with a date are searched, the latest of them.
const maxDated = 64

// Days returns the [Directories.Siblings] of the log at path, where a file that matches
// the pattern and has the label of path and a date, compressed or not, is called like a
// rotated file of it, too; so is one in one of the others, if only its name is like that.
// Where their dates say otherwise, their times do not count.
func (d *Directories) Days(p Pattern, path string, others ...string) []Sibling {
	m := p.match(path)
	if m == nil || len(m.dates) == 0 {
		return d.Siblings(path, others...)
	}
	last := m.dates[len(m.dates)-1]
	base := strings.LastIndexByte(path, '/') + 1
	of := &days{pattern: p, path: path, others: others, begin: path[base:]}
	of.label, _ = p.Label(path)
	if of.inName = last.end > base; of.inName {
		of.begin = strings.TrimRight(path[base:max(base, last.begin)], "-._")
		of.end = path[last.end:]
	}
	return d.siblings(path, of, others)
}

// date returns the digits of the date in the path of a file that is a day of the log, ""
// for any other.
func (d *days) date(dir, name string) string {
	if d == nil {
		return ""
	}
	if IsCompressed(name) {
		name = strings.TrimSuffix(name, filepath.Ext(name))
	}
	if !strings.HasPrefix(name, d.begin) || !strings.HasSuffix(name, d.end) {
		return "" // without asking an expression, for the sake of thousands of logs in one directory
	}
	if at := filepath.Join(dir, name); d.pattern.Matches(at) {
		if label, date := d.pattern.Label(at); label == d.label {
			return date
		}
		return ""
	}
	if !d.inName || !slices.Contains(d.others, dir) || len(name) < len(d.begin)+len(d.end) {
		return ""
	}
	between := strings.TrimLeft(name[len(d.begin):len(name)-len(d.end)], "-._")
	if all := datesIn(between); len(all) == 1 && len(between) == all[0].end-all[0].begin {
		return all[0].digits
	}
	return ""
}

var anyNumber = lazyregexp.New(`\d+`)

// directories are those of other days, if the date is in that of the path.
func (d *days) directories() []string {
	if d == nil || !strings.ContainsAny(filepath.Dir(d.pattern.glob), `*?[`) {
		return nil
	}
	like := func(path string) string { return anyNumber().ReplaceAllString(path, "0") }
	dir := filepath.Dir(d.path)
	all, _ := filepath.Glob(filepath.Dir(d.pattern.glob)) // the glob was checked
	all = slices.DeleteFunc(all, func(other string) bool { return other == dir || like(other) != like(dir) })
	return all[max(0, len(all)-maxDated):]
}
