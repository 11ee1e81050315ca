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
// the same points again. Two things are saved before they are used: where
// reading begins, and the number of a generation's first line. Losing both files
// is a fresh start, and a loud one.
//
// The package never reads a log. Package tail says what is there, package write
// what was acknowledged.
package checkpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/planted"
	"github.com/tailflux/tailflux/internal/stats"
)

// maxFinished is how many finished generations of a source are remembered.
const maxFinished = 64

// A Sum tells some bytes of a file from others.
type Sum struct {
	Length int    `json:"length"` // in bytes; 0: nothing is known
	Hash   string `json:"hash,omitempty"`
}

// SumOf is the sum of all bytes of b.
func SumOf(b []byte) Sum {
	if len(b) == 0 {
		return Sum{}
	}
	hash := sha256.Sum256(b)
	return Sum{Length: len(b), Hash: hex.EncodeToString(hash[:8])}
}

// An Inode is what a file system calls a file. It may be given to another file
// when this one is deleted, which then has another Birth.
type Inode struct {
	Device uint64 `json:"device"`
	Number uint64 `json:"inode"`
	Birth  int64  `json:"birth,omitempty"` // nanoseconds since 1970; 0: the file system does not tell
}

// File describes the file of a generation as it was last seen.
type File struct {
	Inode    Inode `json:"file"`
	Head     Sum   `json:"head"` // of its first bytes, once there is a whole line in them
	Size     int64 `json:"size"`
	Modified int64 `json:"modified"` // nanoseconds since 1970

	// Path is that of the log it was, if the source was at another path then.
	Path string `json:"path,omitempty"`
}

// Generation is one that is not finished.
type Generation struct {
	File
	ID        int64 `json:"id"`
	FirstLine int64 `json:"first_line"`
	Offset    int64 `json:"offset"` // acknowledged up to here
	Line      int64 `json:"line"`   // number of the line that begins there
	Before    Sum   `json:"before"` // of the bytes before Offset

	// Left is the offset at which the reader left the file for good, -1 before.
	Left int64 `json:"left"`
}

// Finished is a generation that was delivered to its end, or is lost.
type Finished struct {
	File
	ID        int64 `json:"id"`
	FirstLine int64 `json:"first_line"`
	LastLine  int64 `json:"last_line"` // number of the line that would have been next
	Offset    int64 `json:"offset"`    // where reading ended
	Before    Sum   `json:"before"`    // of the bytes before Offset
	Lost      bool  `json:"lost,omitempty"`
}

// Source is what is remembered of a source.
type Source struct {
	Path        string       `json:"path"`
	Directories []string     `json:"directories,omitempty"` // where rotated files were seen
	Open        []Generation `json:"open,omitempty"`        // in the order in which they came to the path
	Finished    []Finished   `json:"finished,omitempty"`    // likewise
}

// Checkpoint is safe for use by several goroutines.
type Checkpoint struct {
	disk  disk
	stats *stats.Stats
	log   *slog.Logger

	mu      sync.Mutex // guards what follows; never held over I/O
	sources map[string]*Source
	needed  int  // counts what must be saved before it is used
	secured int  // needed as of the last save that ended
	changed bool // something is not saved
	failing bool
}

// Open reads the checkpoint in dir and keeps other processes from using it; see
// [ErrInUse]. A file that cannot be used is set aside, and the log says so.
// Close gives dir free.
func Open(dir string, st *stats.Stats, log *slog.Logger) (*Checkpoint, error) {
	c := &Checkpoint{stats: st, log: log, sources: map[string]*Source{}}
	if err := c.disk.lock(dir); err != nil {
		return nil, err
	}
	sources, err := c.disk.load(log)
	if err != nil {
		c.disk.unlock()
		return nil, err
	}
	if sources != nil {
		c.sources = sources
	}
	return c, nil
}

// Close gives the directory free. Nothing is saved.
func (c *Checkpoint) Close() { c.disk.unlock() }

// Fresh tells whether nothing is remembered of any source.
func (c *Checkpoint) Fresh() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sources) == 0
}

// Source returns a copy of what is known of a source. known is false at the very
// first start with it; from now on it is known.
func (c *Checkpoint) Source(name, path string) (s Source, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	saved, known := c.sources[name]
	if !known {
		saved = &Source{Path: path}
		c.sources[name] = saved
		c.needed++
	}
	if saved.Path != path {
		saved.moved(path)
		c.changed = true
	}
	s = Source{
		Path: saved.Path, Directories: slices.Clone(saved.Directories),
		Open: slices.Clone(saved.Open), Finished: slices.Clone(saved.Finished),
	}
	return s, known
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

// Begin adds a generation that is about to be read from a position, with before
// before it.
func (c *Checkpoint) Begin(at flow.Position, before Sum, f File) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := at.Generation
	open, s := c.open(g)
	if open != nil { // its file has come back before all of it was acknowledged
		open.File, open.Left = f, -1
		c.changed = true
		return
	}
	if s == nil {
		s = c.sources[g.Source.Name]
	}
	s.Finished = slices.DeleteFunc(s.Finished, func(f Finished) bool { return f.ID == g.ID })
	s.Open = append(s.Open, Generation{
		File: f, ID: g.ID, FirstLine: g.FirstLine, Offset: at.Offset, Line: at.Line, Before: before, Left: -1,
	})
	if !planted.Is(planted.StartNotSaved) {
		c.needed++
	}
	c.changed = true
}

// Describe notes what the file of a generation looks like now.
func (c *Checkpoint) Describe(g *flow.Generation, f File) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if open, _ := c.open(g); open != nil && open.File != f {
		// Without a head, the file cannot be found again once it is compressed.
		if open.Head.Length == 0 && f.Head.Length > 0 {
			c.needed++
		}
		c.changed = true
		open.File = f
	}
}

// RotatedTo notes a directory where rotated files of a source were seen.
func (c *Checkpoint) RotatedTo(source, dir string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.sources[source]
	if !slices.Contains(s.Directories, dir) {
		s.Directories = append(s.Directories, dir)
		c.changed = true
	}
}

// Leave notes that nothing of a generation will be read behind end. It is
// finished as soon as that much is acknowledged.
func (c *Checkpoint) Leave(end flow.Position) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if open, s := c.open(end.Generation); open != nil {
		open.Left = end.Offset
		c.changed = true
		c.finish(s, open, false)
	}
}

// Stay takes Leave back: the reader goes on with the generation.
func (c *Checkpoint) Stay(g *flow.Generation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if open, _ := c.open(g); open != nil {
		open.Left = -1
		c.changed = true
	}
}

// Forget takes Begin back: nothing of the generation was read.
func (c *Checkpoint) Forget(g *flow.Generation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if open, s := c.open(g); open != nil {
		s.Open = slices.DeleteFunc(s.Open, func(open Generation) bool { return open.ID == g.ID })
		c.changed = true
	}
}

// Lose notes that the file of a generation is nowhere to be found.
func (c *Checkpoint) Lose(source string, id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.sources[source]
	for i := range s.Open {
		if s.Open[i].ID == id {
			c.changed = true
			c.finish(s, &s.Open[i], true)
			return
		}
	}
}

// NoteCopy remembers a file that holds nothing that is to be read, being a copy
// of what was.
func (c *Checkpoint) NoteCopy(source string, f Finished) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sources[source].remember(f)
	c.changed = true
}

// Acknowledge notes that everything before a position is delivered. last is how
// what was delivered ends, as far as it is known, and is not kept.
func (c *Checkpoint) Acknowledge(end flow.Position, last []byte) {
	const before = 64
	sum := SumOf(last[max(0, len(last)-before):])
	c.mu.Lock()
	defer c.mu.Unlock()
	if open, s := c.open(end.Generation); open != nil {
		open.Offset, open.Line, open.Before = end.Offset, end.Line, sum
		c.changed = true
		c.finish(s, open, false)
	}
}

// open is the open generation, or nil, and its source.
func (c *Checkpoint) open(g *flow.Generation) (*Generation, *Source) {
	s := c.sources[g.Source.Name]
	if s == nil {
		return nil, nil
	}
	for i := range s.Open {
		if s.Open[i].ID == g.ID {
			return &s.Open[i], s
		}
	}
	return nil, s
}

// finish makes a generation a finished one if it is.
func (c *Checkpoint) finish(s *Source, g *Generation, lost bool) {
	if !lost && g.Offset != g.Left {
		return
	}
	s.remember(Finished{
		File: g.File, ID: g.ID, FirstLine: g.FirstLine, LastLine: g.Line, Offset: g.Offset, Before: g.Before, Lost: lost,
	})
	id := g.ID
	s.Open = slices.DeleteFunc(s.Open, func(g Generation) bool { return g.ID == id })
}

func (s *Source) remember(f Finished) {
	s.Finished = append(s.Finished, f)
	if extra := len(s.Finished) - maxFinished; extra > 0 {
		s.Finished = append(s.Finished[:0], s.Finished[extra:]...)
	}
}

// Secure saves what must be saved before it is used. It is called before each
// chunk, and has nothing to do but look most of the time. When the disk does not
// take it, the trouble is told, and the caller goes on all the same.
func (c *Checkpoint) Secure() {
	c.mu.Lock()
	unsaved := c.needed > c.secured
	c.mu.Unlock()
	if unsaved {
		_ = c.Save() // which has told
	}
}

// Save makes everything durable that has changed since the last save. It blocks
// for the disk, and for another's save. The error was logged when it began, and
// is shown on /monitor.
func (c *Checkpoint) Save() error {
	c.disk.saving <- struct{}{}
	defer func() { <-c.disk.saving }()
	c.mu.Lock()
	needed := c.needed
	unsaved := needed > c.secured
	if !unsaved && !c.changed {
		c.mu.Unlock()
		return nil
	}
	c.changed = false
	data, err := encode(c.sources)
	c.mu.Unlock()
	if err == nil {
		err = c.disk.save(data)
	}
	c.mu.Lock()
	c.secured = needed
	if err != nil {
		// Not unsaved: what had to be saved first is used now, saved or not, and
		// who reads must not wait for the disk with every chunk.
		c.changed = true
	}
	failed := c.failing
	c.failing = err != nil
	c.mu.Unlock()
	c.report(err, failed, unsaved)
	return err
}

// report tells of trouble when it begins and ends.
func (c *Checkpoint) report(err error, failed, unsaved bool) {
	switch {
	case err != nil && !failed:
		c.log.Error("checkpoint cannot be saved; delivery goes on, and a crash now may double or lose lines of a file that is new",
			"err", err, "new_file", unsaved)
	case err == nil && failed:
		c.stats.CheckpointTrouble("")
		c.log.Info("checkpoint can be saved again")
	}
	if err == nil {
		c.stats.CheckpointSaved(time.Now())
		return
	}
	c.stats.CheckpointTrouble(err.Error())
}
