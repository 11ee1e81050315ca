package tail

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/escape"
	"github.com/tailflux/tailflux/internal/lineproto"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/stats"
)

// Glob is a pattern whose files are followed, each as a source of its own, also those that
// appear later; those that differ in a date only are one source. Rotated files beside them are
// not logs that appear: one with such a name, as access.log.1 or access.log-20261122.gz, and a
// file that was followed under another name, is left to the log that it was.
type Glob struct {
	Config  int    // place in the configuration, from 0
	Name    string // a file's source has it before a colon, and after that what stands in the path for the wildcards, but for dates
	Pattern string // as in path/filepath.Match
	// Exclude are patterns of what is left out, as in [logfile.CompilePattern].
	Exclude []string
	// Leave, if not nil, returns why a file is not to be followed, "" if it is; fatal
	// is set if its lines are missed with Once.
	Leave func(path string) (why string, fatal bool)
	// FromEnd is for the files that are there when it is configured.
	FromEnd bool
}

// globTick is how often new files are looked for.
const globTick = time.Second

// glob is a Glob with what was found.
type glob struct {
	Glob
	index    int // of stats
	pattern  logfile.Pattern
	listed   bool
	followed map[string]bool    // paths, also those that are left out
	left     []string           // of these, those that are left out
	others   map[string]string  // paths that are other names of what is followed, and what was behind them
	logs     map[string]*source // those whose files have dates in their names, by the source's name
	days     map[string]*source // the same, by the path of each of these files; nil: another source has it
	trouble  string             // why there are none, once that is logged
}

func newGlob(g Glob, st *stats.Stats) *glob {
	return &glob{
		Glob: g, index: st.AddGlob(g.Name, g.Pattern), pattern: logfile.CompilePattern(g.Pattern, g.Exclude...),
		followed: map[string]bool{}, others: map[string]string{}, logs: map[string]*source{}, days: map[string]*source{},
	}
}

// unmatched is why no file has matched; nil when one has.
func (g *glob) unmatched() error {
	if g.matched()+len(g.logs) > 0 {
		return nil
	}
	if n := len(g.left); n > 0 {
		return fmt.Errorf("no file that matches %s is an access log that can be read: files left out: %d", g.Pattern, n)
	}
	if err := g.pattern.NoMatch(); err != nil {
		return fmt.Errorf("no file matches %s: %w", g.Pattern, err)
	}
	return fmt.Errorf("no file matches %s", g.Pattern)
}

// matched is how many files match and are not left out.
func (g *glob) matched() int { return len(g.followed) + len(g.others) - len(g.left) }

// appeared returns the paths that match and are not followed yet, in their
// order. A file that is open already was rotated to its new name.
func (g *glob) appeared(r *Reader) (paths []string) {
	appeared := slices.DeleteFunc(g.pattern.Paths(g.followed), g.isOther)
	others := r.otherNames(appeared)
	for _, path := range appeared {
		if g.followed[logfile.RotatedFrom(path)] {
			continue
		}
		if log := g.pattern.Undated(path); log != path && r.checkpoint.Followed(log) {
			continue // it was rotated to this, and is not there at the moment
		}
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if other := others[path]; other != "" {
			g.others[path] = behind(path)
			r.log.Warn("file matches the glob but is another name of one that is followed; it is read once",
				"file", path, "glob", g.Pattern, "followed", other)
			continue
		}
		g.followed[path] = true
		if r.paths[path] == nil && g.isLeft(r, path) {
			continue
		}
		name, date := g.name(path)
		isRead := r.isRead
		if g.logs[name] != nil { // who follows it will see
			isRead = func(_ string, info os.FileInfo) bool { return r.isOpenElsewhere(name, info) }
		}
		if !isRead(path, info) {
			paths = append(paths, path)
		} else if date != "" {
			g.days[path] = nil
		}
	}
	return paths
}

// isLeft reports whether a file is left out, and says why.
func (g *glob) isLeft(r *Reader, path string) bool {
	if g.Leave == nil {
		return false
	}
	why, fatal := g.Leave(path)
	if why == "" {
		return false
	}
	g.left = append(g.left, path)
	r.log.Warn("file that matches the glob is left out until the next start or reload", "file", path, "glob", g.Pattern, "reason", why)
	if fatal && r.config.Once {
		r.fail(fmt.Errorf("%s: %s", path, why))
	}
	return true
}

// withOwnTags returns the names that no other source has in InfluxDB, where equal series and
// stamps overwrite each other: what InfluxDB refuses in a tag is cleaned, so that two names may
// be one there. The files of the others are left out. A log that is known goes on.
func (r *Reader) withOwnTags(g *glob, names []string, files map[string][]day) []string {
	if len(names) == 0 {
		return nil
	}
	type owner struct{ name, path string }
	owners, known := map[string]owner{}, r.checkpoint.Paths()
	for _, s := range r.sources {
		owners[lineproto.TagValue(s.Name)] = owner{s.Name, s.Path}
	}
	for _, before := range []bool{true, false} {
		for _, name := range names {
			if tag := lineproto.TagValue(name); (known[name] != "") == before && owners[tag].name == "" {
				owners[tag] = owner{name, files[name][0].path}
			}
		}
	}
	return slices.DeleteFunc(names, func(name string) bool {
		tag := lineproto.TagValue(name)
		if owners[tag].name == name {
			return false
		}
		followed := readable(owners[tag].path)
		for _, d := range files[name] {
			g.left = append(g.left, d.path)
			r.log.Error("file that matches the glob is left out until the next start or reload: its source has the tag of another one, and their points would overwrite each other; rename the file",
				"file", readable(d.path), "glob", g.Pattern, "source", tag, "followed", followed)
			if r.config.Once {
				r.fail(fmt.Errorf("%s: its source has the tag %s in InfluxDB, as that of %s; rename it", readable(d.path), tag, followed))
			}
		}
		return true
	})
}

// readable is a path in which each byte is seen by which it differs from another one.
func readable(path string) string { return escape.Unprintable(path, escape.Hex) }

// waiting returns the paths in the checkpoint at which there is no file any more, but of whose
// logs something is still to be read.
func (g *glob) waiting(c *checkpoint.Checkpoint) (paths []string) {
	for _, path := range c.Waiting() {
		if ok, err := filepath.Match(g.Pattern, path); ok && err == nil && g.pattern.Matches(path) && !g.followed[path] {
			g.followed[path] = true
			paths = append(paths, path)
		}
	}
	return paths
}

// find follows the files that have appeared.
func (r *Reader) find(now time.Time) {
	if now.Sub(r.listed) < globTick {
		return
	}
	r.listed = now
	for _, g := range r.globs {
		first := !g.listed
		g.listed = true
		if first {
			r.unite(g)
		}
		r.forgetDays(g)
		paths := g.appeared(r)
		fromEnd := false
		if first {
			known := r.checkpoint.Ledger(ofGlob(g.Pattern)).Follow(g.Pattern)
			fromEnd = g.FromEnd && !known
			paths = append(paths, g.waiting(r.checkpoint)...)
		}
		var names []string
		files := map[string][]day{}
		for _, path := range paths {
			if other := r.paths[path]; other != nil {
				r.log.Warn("file matches the glob but belongs to another source; it is read once",
					"file", path, "glob", g.Pattern, "source", other.Name)
				continue
			}
			if r.config.Once && r.isUnreadable(path) {
				continue
			}
			name, date := g.name(path)
			if files[name] == nil {
				names = append(names, name)
			}
			files[name] = append(files[name], day{path, date})
		}
		for _, name := range r.withOwnTags(g, names, files) {
			if all := files[name]; g.logs[name] == nil && len(all) == 1 && all[0].date == "" {
				r.add(Source{Config: g.Config, Name: name, Path: all[0].path, FromEnd: fromEnd}).glob = g
			} else {
				r.followDays(g, name, all, fromEnd)
			}
		}
		r.reportMatches(g)
	}
}

// reportMatches logs why no file matches, when that starts and when the reason changes.
func (r *Reader) reportMatches(g *glob) {
	trouble := ""
	if err := g.unmatched(); err != nil {
		trouble = err.Error()
	}
	if trouble != "" && trouble != g.trouble && !r.config.Once { // Once says it in the end
		r.log.Warn("no file matches the glob yet; waiting for one", "glob", g.Pattern, "reason", trouble)
	}
	g.trouble = trouble
	r.stats.Matched(g.index, g.matched(), trouble)
}

// unmatched is why no file has matched globs, unless that was said of each file.
func (r *Reader) unmatched() (err error) {
	for _, g := range r.globs {
		if r.failed == nil || len(g.left) == 0 {
			err = errors.Join(err, g.unmatched())
		}
	}
	return err
}

// Failed is why some logs were not read with Once, although the others were; nil if all were.
// Call it after Run.
func (r *Reader) Failed() error { return r.failed }

// isUnreadable reports whether a file of a glob cannot be read, and notes why.
func (r *Reader) isUnreadable(path string) bool {
	o, err := logfile.OpenPlain(path)
	if err == nil {
		o.Close()
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) { // the rest of it may be in another one
		return false
	}
	r.log.Error("file that matches the glob cannot be read; the others are", "file", path, "err", err)
	r.fail(err)
	return true
}

// isRead reports whether a file that has appeared is being read already under
// another name, or is a copy of what was at a path that its own continues, as
// access.log.copy does.
func (r *Reader) isRead(path string, info os.FileInfo) bool {
	for _, s := range r.sources {
		if s.openAs(info) != nil || strings.HasPrefix(path, s.Path) && s.hasNothingNew(r, path, info) {
			return true
		}
	}
	return false
}

// hasNothingNew reports whether a file holds only what is or was read.
func (s *source) hasNothingNew(r *Reader, path string, info os.FileInfo) bool {
	for range maxScenes {
		_ = s.look(r, time.Now()) // if a log was truncated, its copy is known now
		sc := s.observe(r, time.Now())
		sc.Ledger = s.ledger.Copy()
		b := s.list(r, &sc)
		b.add(&sc, logfile.Sibling{Path: path, Info: info})
		known := sc.WasRead(len(sc.Beside) - 1)
		moved := b.moved(r, s, &sc)
		b.close()
		if !moved {
			return known
		}
	}
	return true
}
