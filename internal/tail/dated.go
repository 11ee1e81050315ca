package tail

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/stats"
)

// dated is the state of a source whose files have dates in their names, such as
// access-2026-11-28.log. The path of the source is that of the latest day, and moves on when a
// later one appears: then the day before counts as rotated, and is a file beside the log.
type dated struct {
	pattern logfile.Pattern
	date    string          // of the path
	first   string          // what is earlier is left alone, unless it has come since the start
	come    map[string]bool // paths that have come since the start
	// onlyDays is set at the very first start, when all days that are there are read, and
	// nothing else that may be beside them.
	onlyDays bool
	allDays  bool // all that match are read, however early: that is not done yet
}

// day is a path that matches a glob, and has a date.
type day struct{ path, date string }

func earlier(a, b day) int {
	return cmp.Or(cmp.Compare(a.date, b.date), cmp.Compare(a.path, b.path))
}

// name is that of the source of a path, and the date in it.
func (g *glob) name(path string) (name, date string) {
	label, date := g.pattern.Label(path)
	if label == "" && date != "" {
		return g.Name, date
	}
	return g.Name + ":" + label, date
}

// undated sorts after any date. It is the date of a log without one whose rotated files are
// named like days, such as access.log.
const undated = "none"

// followDays follows the days of one log that have appeared. If there was none before, it
// follows the latest, and the others count as files beside it.
func (r *Reader) followDays(g *glob, name string, days []day, fromEnd bool) {
	days = slices.DeleteFunc(days, func(d day) bool {
		_, err := os.Lstat(d.path)
		return d.date == "" && err != nil
	})
	if len(days) == 0 {
		return
	}
	for i := range days {
		days[i].date = cmp.Or(days[i].date, undated)
	}
	slices.SortFunc(days, earlier)
	latest := days[len(days)-1]
	s := g.logs[name]
	switch {
	case s == nil:
		s = r.add(Source{Config: g.Config, Name: name, Path: latest.path, FromEnd: fromEnd})
		s.glob, s.dated = g, &dated{pattern: g.pattern, date: latest.date, come: map[string]bool{}}
		g.logs[name] = s
	case latest.date > s.dated.date:
		s.moveTo(r, latest)
	}
	for _, d := range days {
		g.days[d.path], r.paths[d.path] = s, s
		if info, err := os.Stat(d.path); err == nil && s.opened && d.path != s.Path {
			s.dated.come[d.path] = true
			s.searchFrom(info.ModTime())
		}
	}
}

// moveTo makes another day's file the one that is followed.
func (s *source) moveTo(r *Reader, d day) {
	for _, f := range s.files {
		f.WasAt(s.Path)
	}
	moved := *s.Source // others have the old one
	moved.Path = d.path
	s.Source, s.dated.date = &moved, d.date
	s.ledger.Follow(d.path)
	r.stats.UpdateSource(s.Index, func(st *stats.Source) { st.Path = d.path })
}

// isOpenElsewhere reports whether a source other than the named one has a file open.
func (r *Reader) isOpenElsewhere(name string, info fs.FileInfo) bool {
	return slices.ContainsFunc(r.sources, func(s *source) bool { return s.Name != name && s.openAs(info) != nil })
}

// forgetDays forgets days whose files were deleted.
func (r *Reader) forgetDays(g *glob) {
	for path, s := range g.days {
		if s != nil && path == s.Path {
			continue
		}
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			delete(g.days, path)
			delete(g.followed, path)
			if s != nil {
				delete(r.paths, path)
				delete(s.dated.come, path)
			}
		}
	}
}

// unite makes one source of those that were days of one log: before their dates were
// recognised, each was a source of its own, with the date in its name. A new name of the glob
// renames all its logs.
func (r *Reader) unite(g *glob) {
	paths := r.checkpoint.Paths()
	logs := map[string][]string{} // names of sources, by the name that they have now
	for was, path := range paths {
		if name, date := g.name(path); date != "" && g.pattern.Matches(path) && was != name && !r.isName(was, path) {
			logs[name] = append(logs[name], was)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(logs)) {
		was := logs[name]
		slices.SortFunc(was, func(a, b string) int {
			_, dateOfA := g.name(paths[a])
			_, dateOfB := g.name(paths[b])
			return cmp.Or(earlier(day{paths[a], dateOfA}, day{paths[b], dateOfB}), cmp.Compare(a, b))
		})
		gone := map[string]bool{}
		for _, source := range was[:len(was)-1] { // to the latest, more may have been written
			gone[source] = r.isGone(source, paths[source])
		}
		if path := paths[name]; path != "" && !g.isOf(name, path) { // that of another log
			r.checkpoint.SetAside(name)
		}
		r.checkpoint.Unite(name, was, func(source string) bool { return gone[source] })
		r.log.Warn("the days of a log are one source now; continuing where they were", "source", name, "was", strings.Join(was, " "))
	}
}

// isGone reports whether there is no file of a log any more, under any name.
func (r *Reader) isGone(source, path string) bool {
	known := r.checkpoint.Ledger(source).Copy()
	return !slices.ContainsFunc(r.directories.Siblings(path, known.Directories...), func(f logfile.Sibling) bool {
		if strings.HasPrefix(filepath.Base(f.Path), filepath.Base(path)) {
			return true
		}
		isFile := func(g checkpoint.Generation) bool { return logfile.InodeIn(f.Info).Is(g.Inode) && isGeneration(f, &g) }
		return slices.ContainsFunc(known.Open, isFile)
	})
}

// isGeneration reports whether a file is that of a generation, if it can be read.
func isGeneration(f logfile.Sibling, g *checkpoint.Generation) bool {
	o, err := f.Open()
	if err != nil {
		return false
	}
	defer o.Close()
	return o.Compare(g.File, g.Offset, g.Before) > logfile.Different
}

// isName reports whether a source of that name is configured, or one of a glob that has the
// file at path.
func (r *Reader) isName(name, path string) bool {
	isSource := func(s *source) bool { return s.Name == name && (s.opened || s.Path == path) }
	return slices.ContainsFunc(r.sources, isSource) || slices.ContainsFunc(r.globs, func(g *glob) bool { return g.isOf(name, path) })
}

// isOf reports whether a file is one of the glob's source of that name.
func (g *glob) isOf(name, path string) bool {
	is, _ := g.name(path)
	return is == name && g.pattern.Matches(path)
}

// dayOf is the source that a file is a day of, compressed or not; nil if there is none.
func (r *Reader) dayOf(path string) *source {
	if logfile.IsCompressed(path) {
		path = strings.TrimSuffix(path, filepath.Ext(path))
	}
	for _, g := range r.globs {
		if len(g.logs) == 0 || !g.pattern.Matches(path) {
			continue
		}
		if name, date := g.name(path); date != "" && g.logs[name] != nil {
			return g.logs[name]
		}
	}
	return nil
}

// beside lists the files beside a log.
func (s *source) beside(r *Reader, path string, directories []string) []logfile.Sibling {
	if s.dated == nil {
		return r.directories.Siblings(path, directories...)
	}
	all := r.directories.Days(s.dated.pattern, path, directories...)
	if s.dated.onlyDays {
		all = slices.DeleteFunc(all, func(f logfile.Sibling) bool { return f.Date == "" || !s.dated.pattern.Matches(f.Path) })
	}
	for i, f := range all {
		if f.Date != "" && f.Path != s.Path && s.dated.pattern.Matches(f.Path) {
			all[i].Log = f.Path
		}
		isRead := s.dated.come[f.Path] || s.dated.allDays && s.dated.pattern.Matches(f.Path)
		if f.Date != "" && f.Date < s.dated.first && !isRead {
			all[i].Rotated = false
		}
	}
	return all
}

// isDay reports whether a path is that of another day of the log.
func (s *source) isDay(path string) bool {
	if s.dated == nil {
		return false
	}
	label, date := s.dated.pattern.Label(path)
	ours, _ := s.dated.pattern.Label(s.Path)
	return date != "" && label == ours && s.dated.pattern.Matches(path)
}

// on is the date of the path; "" without one.
func (d *dated) on() string {
	if d == nil {
		return ""
	}
	return d.date
}

// firstDay finds the first day that is read. At the very first start that is the first
// that is there, or the one of the path; later, the first of which something is known.
func (s *source) firstDay(known bool) {
	if !known && !s.fromEnd {
		s.dated.onlyDays = true
		s.searchFrom(everyDay)
		return
	}
	s.dated.first = s.dated.date
	is := s.ledger.Copy()
	s.dated.allDays = is.SearchSince == everyDay.UnixNano()
	began := func(path string) {
		if _, date := s.dated.pattern.Label(cmp.Or(path, s.Path)); date != "" {
			s.dated.first = min(s.dated.first, date)
		}
	}
	for _, g := range slices.Concat(is.Open, is.Finished) {
		began(g.Path)
	}
	if is.Awaited != nil {
		began(is.Awaited.Path)
	}
}

// everyDay is since when files are looked for when all days are to be read. It outlives a restart
// while one of them cannot be opened.
var everyDay = time.Unix(0, 1)
