package tail

import (
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/lineproto"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/wake"
)

// Reconfigure makes the next Run follow what c says, with lines in blocks of pool. Call it
// between two Runs, when all that was read is acknowledged: files stay open, and are read
// on from where they are. Checkpoint, Scenes and Once of c must be as before.
//
// A source is the same one if its path or its name is. What is followed no more is closed;
// the checkpoint keeps its position.
func (r *Reader) Reconfigure(c Config, pool *flow.Pool) {
	r.wakeups(c.Wakeups && !c.Once)
	unchanged := r.unchangedGlobs(c)
	r.config, r.pool, r.listed, r.looked = c, pool, time.Time{}, time.Time{}
	m := moves{reader: r, left: r.sources, to: map[*source]Source{}}
	r.sources, r.paths, r.named = nil, map[string]*source{}, false
	r.globs = m.globs(c.Globs, r.globs, unchanged)
	m.match(c.Sources)
	m.intoGlobs(r.globs, unchanged)
	for _, s := range m.left { // before another one has its name
		r.drop(s)
	}
	m.move()
	for _, s := range c.Sources {
		if r.paths[s.Path] == nil {
			r.add(s)
		}
	}
}

// Rewind makes the next Run read each log from where the checkpoint stands, as a start does.
// Call it between two Runs.
func (r *Reader) Rewind() {
	for _, s := range r.sources {
		for _, f := range s.files {
			f.Describe()
		}
		r.closeFiles(s)
		fresh := source{Source: s.Source, fromEnd: s.fromEnd, glob: s.glob, ledger: s.ledger}
		if s.dated != nil {
			fresh.dated = &dated{pattern: s.dated.pattern, date: s.dated.date, come: map[string]bool{}}
		}
		*s = fresh // in place: globs, and the paths of days, lead to it
	}
	r.left, r.listed, r.looked, r.caughtUp = nil, time.Time{}, time.Time{}, make(chan struct{})
}

// wakeups has the kernel wake the reader from now on, or not.
func (r *Reader) wakeups(wanted bool) {
	switch {
	case wanted && r.watcher == nil:
		r.watcher = wake.New(r.log)
	case !wanted && r.watcher != nil:
		for _, s := range r.sources {
			for _, f := range s.files {
				r.watcher.Forget(f.File)
			}
		}
		r.watcher.Close()
		r.watcher = nil
	}
}

// unchangedGlobs are those of the reader that stay as they are, by their place in c. One
// is another if it shares its files in another way with the sources that have a path.
func (r *Reader) unchangedGlobs(c Config) map[int]*glob {
	all := map[int]*glob{}
	for i, g := range c.Globs {
		for _, was := range r.globs {
			if was.Name == g.Name && was.Pattern == g.Pattern && slices.Equal(was.Exclude, g.Exclude) &&
				slices.Equal(was.among(r.config.Sources), was.among(c.Sources)) {
				all[i] = was
			}
		}
	}
	return all
}

// among are the paths of sources that match.
func (g *glob) among(sources []Source) (paths []string) {
	for _, s := range sources {
		if g.pattern.Matches(s.Path) {
			paths = append(paths, s.Path)
		}
	}
	slices.Sort(paths)
	return paths
}

// moves are what becomes of the sources that are followed.
type moves struct {
	reader *Reader
	left   []*source          // nothing is known of these yet
	order  []*source          // that are followed on
	to     map[*source]Source // as what
}

// keep follows a source on.
func (m *moves) keep(s *source, as Source) {
	m.left = slices.DeleteFunc(m.left, func(other *source) bool { return other == s })
	m.order = append(m.order, s)
	m.to[s] = as
}

// globs are the new ones, those that are unchanged with their sources.
func (m *moves) globs(next []Glob, before []*glob, unchanged map[int]*glob) (all []*glob) {
	for i, g := range next {
		was := unchanged[i]
		if was == nil {
			all = append(all, newGlob(g, m.reader.stats))
			continue
		}
		was.Glob = g
		for _, path := range was.left { // in the new format they may be logs
			delete(was.followed, path)
		}
		was.left = nil
		clear(was.others) // what they lead to may be followed no more
		all = append(all, was)
		for _, s := range slices.Clone(m.left) {
			if s.glob == was {
				m.keep(s, Source{Config: g.Config, Name: s.Name, Path: s.Path})
			}
		}
		for path, s := range was.days {
			if s != nil {
				m.reader.paths[path] = s
			}
		}
	}
	for _, g := range before {
		if !slices.Contains(all, g) {
			m.reader.stats.DropGlob(g.index)
		}
	}
	return all
}

// match finds who is followed as what: first by path and name, then by the path, because a
// name is only what somebody calls a log, then by the name if the log at the path is a new one.
func (m *moves) match(next []Source) {
	done := map[int]bool{}
	for _, is := range []func(s *source, as Source) bool{
		func(s *source, as Source) bool { return s.Path == as.Path && s.Name == as.Name },
		func(s *source, as Source) bool { return s.Path == as.Path },
		func(s *source, as Source) bool {
			return s.Name == as.Name && s.glob == nil && !m.reader.checkpoint.Followed(as.Path)
		},
	} {
		for i, as := range next {
			at := slices.IndexFunc(m.left, func(s *source) bool { return s.dated == nil && is(s, as) })
			if !done[i] && at >= 0 {
				done[i] = true
				s := m.left[at]
				s.glob, s.fromEnd = nil, as.FromEnd
				m.keep(s, as)
			}
		}
	}
}

// intoGlobs lets globs have sources that are left, whose files they match.
func (m *moves) intoGlobs(globs []*glob, unchanged map[int]*glob) {
	for i, g := range globs {
		if unchanged[i] != nil {
			continue
		}
		for _, s := range slices.Clone(m.left) {
			if name, date := g.name(s.Path); s.dated == nil && date == "" && g.pattern.Matches(s.Path) && !m.isTaken(name) {
				s.glob, g.followed[s.Path] = g, true
				m.keep(s, Source{Config: g.Config, Name: name, Path: s.Path})
			}
		}
	}
}

// isTaken reports whether a source has a name already, or one that is the same tag.
func (m *moves) isTaken(name string) bool {
	for _, as := range m.to {
		if lineproto.TagValue(as.Name) == lineproto.TagValue(name) {
			return true // find says so
		}
	}
	return false
}

// move makes the sources what they are from now on.
func (m *moves) move() {
	r, names := m.reader, map[string]string{}
	for s, as := range m.to {
		if s.Name != as.Name {
			names[s.Name] = as.Name
		}
	}
	raised := r.checkpoint.RenameAll(names)
	for _, s := range m.order {
		as, was := m.to[s], s.Name
		if was != as.Name {
			r.log.Warn("source has a new name; continuing where it was", "source", as.Name, "was", was, "file", as.Path)
		}
		s.become(r, as, raised[as.Name])
		r.sources = append(r.sources, s)
		r.paths[s.Path] = s
	}
}

// become is a source with another name, path or place in the configuration, and with greater
// numbers of its lines. Nobody else has a part of it now.
func (s *source) become(r *Reader, as Source, raised int64) {
	s.ledger.Renamed(as.Name)
	if s.Path != as.Path {
		for _, f := range s.files {
			f.WasAt(s.Path)
		}
		if s.opened {
			s.ledger.Follow(as.Path)
		}
		r.log.Info("source has another path", "source", as.Name, "was", s.Path, "file", as.Path)
	}
	s.Config, s.Name, s.Path = as.Config, as.Name, as.Path
	for _, f := range s.files {
		of := f.At.Generation.Source // that of an earlier day is another value
		of.Config, of.Name = as.Config, as.Name
		f.At = f.At.Raised(raised)
		f.Rescan()
	}
	s.next = time.Time{}
	r.stats.UpdateSource(s.Index, func(st *stats.Source) { st.Name, st.Path = as.Name, as.Path })
}

// drop follows a source no more.
func (r *Reader) drop(s *source) {
	var unread int64
	for _, f := range s.files {
		unread += max(0, f.Size-f.At.Offset)
		f.Describe()
	}
	r.log.Info("source is followed no more; it continues there when it is configured again", "source", s.Name, "file", s.Path, "bytes", unread)
	r.closeFiles(s)
	r.stats.DropSource(s.Index)
}
