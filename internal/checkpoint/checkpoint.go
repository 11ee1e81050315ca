// Package checkpoint remembers, across restarts and crashes, how far each log
// was delivered: which generations are open, up to where InfluxDB acknowledged
// them, and which ones are finished, so that nothing is read twice.
//
// It is a file of JSON in state_dir, replaced as a whole and never changed:
//
//	checkpoint      the latest save
//	checkpoint.1    the one before it
//
// Losing the latest save is harmless at any instant: what is read again becomes
// the same points again. Three things are saved before they are used, and twice,
// so that both files have them: where reading begins, the number of a generation's
// first line, and the first bytes of its file. Losing both files is a fresh start,
// and a loud one.
//
// The package never reads a log. Package tail says what is there, package write
// what was acknowledged.
package checkpoint

import (
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/stats"
)

// maxFinished is how many finished generations of a source are remembered, and
// maxImports how many files that were imported.
const (
	maxFinished = 64
	maxImports  = 4096
)

// Generation is one that is not finished.
type Generation struct {
	logfile.File
	ID        int64       `json:"id"`
	FirstLine int64       `json:"first_line"`
	Offset    int64       `json:"offset"` // acknowledged up to here
	Line      int64       `json:"line"`   // number of the line that begins there
	Before    logfile.Sum `json:"before"` // of the bytes before Offset

	// Left is the offset at which the reader left the file for good, -1 before.
	Left int64 `json:"left"`
}

// Finished is a generation that was delivered to its end, or is lost.
type Finished struct {
	logfile.File
	ID        int64       `json:"id"`
	FirstLine int64       `json:"first_line"`
	LastLine  int64       `json:"last_line"` // number of the line that would have been next
	Offset    int64       `json:"offset"`    // where reading ended
	Before    logfile.Sum `json:"before"`    // of the bytes before Offset
	Lost      bool        `json:"lost,omitempty"`
}

// Source is what is remembered of a source.
type Source struct {
	Path        string       `json:"path"`                  // "": it was never followed
	Directories []string     `json:"directories,omitempty"` // where rotated files were seen
	Open        []Generation `json:"open,omitempty"`        // in the order in which they came to the path
	Finished    []Finished   `json:"finished,omitempty"`    // likewise
	Imports     []Generation `json:"imports,omitempty"`     // files that were imported; Left is the end once it is known
}

// Checkpoint is safe for use by several goroutines.
type Checkpoint struct {
	disk  disk
	stats *stats.Stats
	log   *slog.Logger

	outage outage // belongs to the one who saves

	mu      sync.Mutex // guards what follows; never held over I/O
	sources map[string]*Source
	needed  int  // counts what must be saved before it is used
	secured int  // needed as of the last save that ended
	changed bool // something is not saved
}

// Open reads the checkpoint in a state directory. A file that cannot be used is
// set aside, and the log says what that costs. The error is [statedir.ErrNewer],
// or that a bad file cannot be set aside.
func Open(dir *statedir.Dir, st *stats.Stats, log *slog.Logger) (*Checkpoint, error) {
	c := &Checkpoint{
		disk:  disk{dir: dir, saving: make(chan struct{}, 1)},
		stats: st, log: log, sources: map[string]*Source{},
	}
	sources, err := c.disk.load(log)
	if err != nil {
		return nil, err
	}
	if sources != nil {
		c.sources = sources
	}
	return c, nil
}

// Fresh tells whether nothing is remembered of any source.
func (c *Checkpoint) Fresh() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sources) == 0
}

// Rename gives what is known of the source at a path to a new name. Nothing is
// known of that, and the name that it has belongs to no source any more, which used
// tells.
func (c *Checkpoint) Rename(name, path string, used func(name string) bool) (was string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sources[name] != nil {
		return "", false
	}
	for _, was := range slices.Sorted(maps.Keys(c.sources)) {
		s := c.sources[was]
		if s.Path != path || used(was) {
			continue
		}
		c.sources[name] = s
		delete(c.sources, was)
		c.needed++
		c.changed = true
		return was, true
	}
	return "", false
}

// Source returns a copy of what is known of a source. known is false at the very
// first start with it; from now on it is known.
func (c *Checkpoint) Source(name, path string) (s Source, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	saved, known := c.sources[name]
	if known && saved.Path == "" && len(saved.Imports) > 0 { // nothing but imported
		saved.Path, known = path, false
	}
	if !known {
		saved = c.source(name)
		saved.Path = path
		c.needed++
	}
	if saved.Path != path {
		saved.moved(path)
		c.changed = true
	}
	s = Source{
		Path: saved.Path, Directories: slices.Clone(saved.Directories),
		Open: slices.Clone(saved.Open), Finished: slices.Clone(saved.Finished), Imports: slices.Clone(saved.Imports),
	}
	return s, known
}

// source is that of the name, made if need be.
func (c *Checkpoint) source(name string) *Source {
	s := c.sources[name]
	if s == nil {
		s = &Source{}
		c.sources[name] = s
	}
	return s
}

// Import returns a copy of what is known of a source, for a file of it that is
// to be imported.
func (c *Checkpoint) Import(name string) Source {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := *c.source(name)
	s.Open, s.Finished, s.Imports = slices.Clone(s.Open), slices.Clone(s.Finished), slices.Clone(s.Imports)
	return s
}

// BeginImport adds a file that is about to be imported. Its generation's ID is
// below zero, and that of no other.
func (c *Checkpoint) BeginImport(at flow.Position, before logfile.Sum, f logfile.File) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.source(at.Generation.Source.Name)
	s.Imports = append(s.Imports, Generation{
		File: f, ID: at.Generation.ID, FirstLine: at.Generation.FirstLine, Offset: at.Offset, Line: at.Line, Before: before, Left: -1,
	})
	if extra := len(s.Imports) - maxImports; extra > 0 {
		s.Imports = slices.Delete(s.Imports, 0, extra)
	}
	c.needed++
	c.changed = true
}

// Undelivered tells whether a line of a generation may be read again: the
// generation is not finished, and not acknowledged up to there.
func (c *Checkpoint) Undelivered(source string, generation, line int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.sources[source]
	if s == nil {
		return false
	}
	g := s.open(generation)
	return g != nil && line >= g.Line
}

// moved takes note that another path is followed from now on. The earlier one is
// kept with the generations that are not finished.
func (s *Source) moved(path string) {
	for i := range s.Open {
		if g := &s.Open[i]; g.Path == "" {
			g.Path = s.Path
		}
	}
	s.Path = path
}

// Waiting returns the paths of the sources that have open generations.
func (c *Checkpoint) Waiting() (paths []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sources {
		if len(s.Open) > 0 {
			paths = append(paths, s.Path)
		}
	}
	slices.Sort(paths)
	return paths
}
