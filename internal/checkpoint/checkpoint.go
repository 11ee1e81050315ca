// Package checkpoint keeps, across restarts and crashes, how far each log was
// delivered: which generations are open, up to where InfluxDB acknowledged them,
// and which are finished, so that nothing is delivered twice.
//
// The checkpoint is a JSON file in state_dir, always replaced as a whole:
//
//	checkpoint      the latest save
//	checkpoint.1    the one before it
//
// The latest save may be lost at any time: lines that are read again become the
// same points again. Three things are saved before they are used, and twice, so
// that both files have them: where reading begins, the number of a generation's
// first line, and the first bytes of its file. Losing both files is a fresh start,
// which is logged as an error.
//
// The package never reads a log. Package tail reports the files it finds, package
// write the positions that were acknowledged.
//
//	checkpoint.go    all of it, and what each part is called
//	ledger.go        what a follower says of one source
//	awaited.go       the file that nobody could open yet
//	generations.go   what is acknowledged
//	destinations.go  that of rollups, each of which has its own position
//	spans.go         which lines a destination got that was not there all the time
//	save.go          when it is saved, and what must be before
//	format.go        what stands in the file
//	disk.go          the two files
//	names.go         sources that are called otherwise now
//	unite.go         sources that are one now
//	records.go       which lines of a file were delivered, for verify and import
//	missing.go       which were not, for import
package checkpoint

import (
	"cmp"
	"log/slog"
	"slices"
	"sync"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/stats"
)

// maxFinished is the number of finished generations that are kept for a source,
// and maxImports the number of imported files.
const (
	maxFinished = 64
	maxImports  = 4096
)

// Generation is what is known of a generation, or of an imported file.
type Generation struct {
	logfile.File
	State     State
	ID        int64 // from 1 up; of an imported file from -1 down
	FirstLine int64
	Earlier   int64       // as in flow.Generation
	Offset    int64       // acknowledged up to here
	Line      int64       // number of the line that begins there
	Before    logfile.Sum // of the bytes before Offset
	Left      Reached     // where reading ended, in the state Left; only its offset is saved
	Ahead     []Ahead     // destinations that got more; what others got is Offset, Line and Before
	Spans     []Span      // what destinations got that were not there all the time
	Grown     logfile.Sum // of more of its head, which may not be on the disk yet; not saved
}

// State is what became of a generation.
type State int

// States. A file is read again from Offset on after a start if it is Reading or Left.
const (
	Reading  State = iota // more of it may be read
	Left                  // nothing more of it will be read, and some was not acknowledged
	Finished              // delivered to its end, or a copy of what was
	Lost                  // its file cannot be found any more; if it turns up, each destination goes on where it was
)

// Reached is a place in a file.
type Reached struct {
	Offset, Line int64
	Before       logfile.Sum // of the bytes before Offset
}

// Read returns up to where a generation was read, acknowledged or not, if its file is
// not open.
func (g *Generation) Read() Reached {
	if g.State == Left {
		return g.Left
	}
	return Reached{g.Offset, g.Line, g.Before}
}

// Source is the saved state of a source.
type Source struct {
	Path        string       // "": it was never followed
	Directories []string     // where rotated files were seen
	Open        []Generation // Reading and Left, in the order in which they appeared at the path
	Finished    []Generation // Finished and Lost, in the order in which they became so
	Imports     []Generation // imported files
	SearchSince int64        // files not older than this are still to be looked for, or one of them cannot be opened; Unix ns, 0: none
	Awaited     *Awaited     // the file at the path that nobody could open yet, or nil
	FirstLine   int64        // in a copy: the least number that a line may have, because another log had the name before, or as Expect was told; 0: any
}

// Checkpoint is safe for use by several goroutines.
type Checkpoint struct {
	disk  disk
	stats *stats.Stats
	log   *slog.Logger

	outage  outage     // for the goroutine that saves
	syncing sync.Mutex // held while logs are synced

	mu       sync.Mutex // guards the fields below; never held over I/O
	sources  map[string]*Source
	first    map[string]int64 // of a name that a log had before: the number that the first line of another one must have at least
	needed   int              // counts changes that must be saved before they are used
	secured  int              // needed as of the last save that ended
	changed  bool             // something is not saved
	dropping bool             // an imported file was forgotten, which was logged
	syncLogs func()           // nil: what is acknowledged counts at once
	waiting  []acknowledged   // for the logs to be synced

	destinations []string              // of each line; none: one without a name
	files        [2]map[string]*Source // what the latest save has, and the one before it; nil: it is not known
}

// Open reads the checkpoint in a state directory. A file that cannot be used is
// renamed, and the log says what that costs. Open returns [statedir.ErrNewer], or
// an error if a bad file cannot be renamed.
func Open(dir *statedir.Dir, st *stats.Stats, log *slog.Logger) (*Checkpoint, error) {
	d := disk{dir: dir, saving: make(chan struct{}, 1)}
	latest, before, err := d.load(log)
	if err != nil {
		return nil, err
	}
	c := InMemory(latest.Sources)
	if latest.FirstLines != nil {
		c.first = latest.FirstLines
	}
	c.destinations = latest.Destinations
	c.files = [2]map[string]*Source{c.snapshot(), before.Sources}
	c.disk, c.stats, c.log = d, st, log
	return c, nil
}

// InMemory is a checkpoint without a disk, which knows these sources by their names. Saving it
// does nothing.
func InMemory(sources map[string]*Source) *Checkpoint {
	if sources == nil {
		sources = map[string]*Source{}
	}
	return &Checkpoint{sources: sources, first: map[string]int64{}}
}

// Fresh reports whether no source has any state.
func (c *Checkpoint) Fresh() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sources) == 0
}

// Followed reports whether the log at path was followed: a generation of it was begun.
func (c *Checkpoint) Followed(path string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sources {
		if s.Path == path && len(s.Open)+len(s.Finished) > 0 {
			return true
		}
	}
	return false
}

// know adds a source if necessary, and its path. It reports whether it was followed
// before.
func (c *Checkpoint) know(name, path string) bool {
	saved, known := c.sources[name]
	if known && saved.Path == "" && len(saved.Imports) > 0 { // it was only imported
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
	return known
}

func (s *Source) clone() Source {
	return Source{
		Path: s.Path, Directories: slices.Clone(s.Directories),
		Open: slices.Clone(s.Open), Finished: slices.Clone(s.Finished), Imports: slices.Clone(s.Imports),
		SearchSince: s.SearchSince, Awaited: s.Awaited,
	}
}

// source returns the source of a name, and adds it if necessary.
func (c *Checkpoint) source(name string) *Source {
	s := c.sources[name]
	if s == nil {
		s = &Source{}
		c.sources[name] = s
	}
	return s
}

// BeginImport adds a file that is about to be imported. The ID of its generation is
// negative and unique. Beyond a limit the oldest file is forgotten, which is logged
// once.
func (c *Checkpoint) BeginImport(at flow.Position, before logfile.Sum, f logfile.File) {
	source := at.Generation.Source.Name
	if c.addImport(source, Generation{
		File: f, ID: at.Generation.ID, FirstLine: at.Generation.FirstLine, Earlier: at.Generation.Earlier,
		Offset: at.Offset, Line: at.Line, Before: before,
	}) {
		c.log.Warn("too many imported files, forgetting the oldest; if you import one of those again, "+
			"its lines become the same points, but its rejected lines get a second entry",
			"source", source, "limit", maxImports)
	}
}

// KeepImport adds what an imported file looked like before more was read of a longer copy.
func (c *Checkpoint) KeepImport(source string, was Generation) { c.addImport(source, was) }

// addImport reports whether the first imported file was forgotten.
func (c *Checkpoint) addImport(source string, g Generation) (first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.source(source)
	s.Imports = append(s.Imports, g)
	if extra := len(s.Imports) - maxImports; extra > 0 {
		s.Imports = slices.Delete(s.Imports, 0, extra)
		first, c.dropping = !c.dropping, true
	}
	c.needed++
	c.changed = true
	return first
}

// Undelivered reports whether a line of a generation may be read again for a rollup, or for
// lines if that is empty: the generation is not finished and the line was not acknowledged.
func (c *Checkpoint) Undelivered(rollup, source string, generation, line int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.sources[source]
	if s == nil {
		return false
	}
	g := s.undelivered(generation)
	return g != nil && line >= g.reached(cmp.Or(rollup, Lines)).Line
}

// moved records that the source has another path from now on. Its generations keep the
// old one.
func (s *Source) moved(path string) {
	for _, all := range [][]Generation{s.Open, s.Finished} {
		for i := range all {
			all[i].Path = cmp.Or(all[i].Path, s.Path)
		}
	}
	s.Awaited = s.Awaited.of(s.Path)
	s.Path = path
}

// Waiting returns the paths of the sources of which more is to be read, wherever it is: that have
// open generations, or a file that nobody could open yet.
func (c *Checkpoint) Waiting() (paths []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sources {
		if len(s.Open) > 0 || s.Awaited != nil {
			paths = append(paths, s.Path)
		}
	}
	slices.Sort(paths)
	return paths
}
