package tail

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/tailflux/tailflux/internal/logfile"
)

// A sibling is a file that may be, or may hold what was, the log at some path:
// the file there, those it was rotated to, and copies of them.
type sibling struct {
	path    string
	info    fs.FileInfo
	rotated bool   // it is called as rotated logs of this path are called
	log     string // the path of that log, if the source was there earlier, else ""
	order   int    // among files of one time: of 2 and 1, 2 is the older one
}

// maxDirectories bounds how many directories below that of the log are searched.
// Of more than maxAlike files, only those are looked into that are called as
// rotated logs of this path are: a thousand logs may lie side by side.
const (
	maxDirectories = 64
	maxAlike       = 64
)

// siblings returns the files in the log's directory, in those below it, in that
// of the file that a link at the path leads to, and in others that are named,
// whose names begin as the log's does. The latest one comes last.
func siblings(path string, others ...string) []sibling { return beside(path, false, others) }

// rotatedLogs are those of the siblings that are called as rotated logs of the
// path are.
func rotatedLogs(path string, others ...string) []sibling { return beside(path, true, others) }

func beside(path string, rotatedOnly bool, others []string) []sibling {
	to := target(path)
	dirs := []string{filepath.Dir(path)}
	if entries, err := os.ReadDir(dirs[0]); err == nil {
		for _, e := range entries {
			if e.IsDir() && len(dirs) < maxDirectories {
				dirs = append(dirs, filepath.Join(dirs[0], e.Name()))
			}
		}
	}
	for _, dir := range append(others, filepath.Dir(to)) {
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	names := newNames(filepath.Base(path), filepath.Base(to))
	type candidate struct {
		sibling
		entry os.DirEntry
	}
	var called []candidate
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if !e.Type().IsRegular() || !names.alike(e.Name()) {
				continue
			}
			rotated, order := names.rotated(e.Name())
			if rotatedOnly && !rotated || isBeingPacked(e.Name(), entries) {
				continue
			}
			at := filepath.Join(dir, e.Name())
			called = append(called, candidate{sibling{path: at, rotated: rotated && at != path, order: order}, e})
		}
	}
	if len(called) > maxAlike { // those of other logs
		called = slices.DeleteFunc(called, func(f candidate) bool { return !f.rotated && f.path != path && f.path != to })
	}
	var found []sibling
	for _, c := range called {
		info, err := c.entry.Info()
		if err != nil {
			continue // it has just gone
		}
		c.info = info
		found = append(found, c.sibling)
	}
	slices.SortStableFunc(found, func(a, b sibling) int {
		return cmp.Or(a.info.ModTime().Compare(b.info.ModTime()), -cmp.Compare(a.order, b.order), cmp.Compare(a.path, b.path))
	})
	return found
}

// sameFiles tells whether the same files have the same names.
func sameFiles(a, b []sibling) bool {
	named := map[string]sibling{}
	for _, f := range a {
		named[f.path] = f
	}
	for _, f := range b {
		if was, ok := named[f.path]; !ok || !os.SameFile(was.info, f.info) {
			return false
		}
	}
	return len(a) == len(b)
}

// isBeingPacked tells whether a compressed file stands beside what it is made of:
// it is not whole yet, and what compresses files removes the other one then.
func isBeingPacked(name string, sorted []os.DirEntry) bool {
	if formatOf(name) == nil {
		return false
	}
	plain := strings.TrimSuffix(name, filepath.Ext(name))
	_, there := slices.BinarySearchFunc(sorted, plain, func(e os.DirEntry, name string) int { return strings.Compare(e.Name(), name) })
	return there
}

// target is where a link at the path leads, even if nothing is there; else path.
func target(path string) string {
	if to, err := filepath.EvalSymlinks(path); err == nil {
		return to
	}
	to, err := os.Readlink(path)
	if err != nil {
		return path
	}
	if !filepath.IsAbs(to) {
		to = filepath.Join(filepath.Dir(path), to)
	}
	return to
}

// names tells from its name whether a file may be a rotated log. Logrotate calls
// them access.log.1, access.log-20261122, access-20261122.log when it is told to
// keep the extension, each with .gz or .zst after it.
type names struct {
	stem     string
	begin    string // of all names that match a pattern, if it is known
	patterns []*regexp.Regexp
}

// newNames is for a log called base, which may be a link to another name.
func newNames(base, to string) names {
	n := names{stem: stem(base), begin: strings.TrimSuffix(base, filepath.Ext(base))}
	const number, packed = `\.(\d{1,3})`, `(?:\.gz|\.zst)?$`
	ext := filepath.Ext(base)
	plain := regexp.QuoteMeta(strings.TrimSuffix(base, ext))
	quoted := regexp.QuoteMeta(base)
	for _, p := range []string{
		quoted + number, quoted + logfile.Date, quoted + `()\.(?:old|bak)`,
		plain + number + regexp.QuoteMeta(ext), plain + logfile.Date + regexp.QuoteMeta(ext),
	} {
		n.patterns = append(n.patterns, regexp.MustCompile(`^`+p+packed))
	}
	if to != base {
		// A link is turned to a file of another date or number.
		shape := regexp.MustCompile(`\d+`).ReplaceAllString(regexp.QuoteMeta(to), `\d+`)
		n.patterns = append(n.patterns, regexp.MustCompile(`^`+shape+packed))
		n.begin = ""
		if s := stem(to); !strings.HasPrefix(s, n.stem) {
			n.stem = ""
		}
	}
	return n
}

// stem is what all names of rotated files begin with.
func stem(base string) string {
	end := strings.IndexFunc(base, func(r rune) bool { return strings.ContainsRune(".-_", r) || unicode.IsDigit(r) })
	if end <= 0 {
		return base
	}
	return base[:end]
}

func (n *names) alike(name string) bool { return strings.HasPrefix(name, n.stem) }

func (n *names) rotated(name string) (ok bool, order int) {
	if n.begin != "" && !strings.HasPrefix(name, n.begin) {
		return false, 0 // without asking an expression, for the sake of thousands of logs in one directory
	}
	for _, p := range n.patterns {
		if m := p.FindStringSubmatch(name); m != nil {
			if len(m) > 1 {
				order, _ = strconv.Atoi(m[1])
			}
			return true, order
		}
	}
	return false, 0
}
