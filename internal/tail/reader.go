package tail

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"syscall"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/growing"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/scene/keep"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/wake"
)

// Config says what to follow and how.
type Config struct {
	Sources []Source
	Globs   []Glob
	// MaxLine is the longest line in bytes that is sure to be sent whole.
	MaxLine int
	// RotateWait is how long a superseded file must not have grown before it
	// is left.
	RotateWait time.Duration
	// Wakeups makes hpcloud/tail/watch wake the reader when a quiet file
	// grows. Without, the tick alone does it.
	Wakeups bool
	// Checkpoint says where to continue, and records what becomes of the files.
	Checkpoint *checkpoint.Checkpoint
	// Scenes, if not "", is a directory to which each scene is written that leads to an
	// action.
	Scenes string
	// Once reads what is there, up to the last newline, and ends.
	Once bool
	// Ends makes the end of each generation known by a chunk without lines.
	Ends bool
	// Import reads these files instead, as logs of the only source, and ends; with
	// Once. Progress is called with how far that is.
	Import   []string
	Progress func(Progress)
	// Judge looks at the parts of a file that are about to be imported. Its error is why
	// the file is not: nothing of it is read. nil takes every file.
	Judge func(file *logfile.Log, parts []checkpoint.Part) error
}

// Source is one path to follow.
type Source struct {
	Config     int    // place in the configuration, from 0
	Name, Path string // the name is unique
	// FromEnd begins behind the last newline of a file that is there at the
	// start; a file that appears later is read from its first byte.
	FromEnd bool
}

// The tick: how long the reader waits before it looks at its files again, when
// one of them has grown lately and when none has.
const (
	activeTick = 100 * time.Millisecond
	idleTick   = 250 * time.Millisecond
	active     = time.Second
)

// Reader is the stage.
type Reader struct {
	config  Config
	sources []*source
	paths   map[string]*source
	globs   []*glob
	named   bool              // what is known of the logs is under the names that they have
	was     map[string]string // the earlier names of these, which is not said yet
	listed  time.Time         // when files were last looked for
	failed  error             // with Once, why logs are not read
	pool    *flow.Pool
	feed    *growing.Feed
	stats   *stats.Stats
	log     *slog.Logger
	watcher *wake.Watcher // nil without wake-ups
	open    int           // files
	most    int           // of them
	scenes  *keep.Dir     // nil: they are not kept

	checkpoint  *checkpoint.Checkpoint
	directories logfile.Directories // as they are in this look

	turn     []*growing.File // of read
	left     []flow.Position // where truncated files ended, which nobody was told yet
	looked   time.Time       // when it last looked at the paths
	began    time.Time       // when that look began
	stopped  <-chan struct{}
	enough   <-chan struct{} // see RunUntil
	caughtUp chan struct{}   // closed
}

// New returns a reader that reads into blocks of pool, which must hold more than
// MaxLine bytes, and more than 8 KiB, each. Nothing is opened yet.
func New(c Config, pool *flow.Pool, st *stats.Stats, log *slog.Logger) *Reader {
	r := &Reader{
		config: c, pool: pool, stats: st, log: log, checkpoint: c.Checkpoint, paths: map[string]*source{},
		scenes: keep.NewDir(c.Scenes, log), most: mostFiles(), caughtUp: make(chan struct{}),
	}
	for _, g := range c.Globs {
		r.globs = append(r.globs, newGlob(g, st))
	}
	for _, s := range c.Sources {
		r.add(s)
	}
	if c.Wakeups && !c.Once {
		r.watcher = wake.New(log)
	}
	return r
}

// mostFiles is how many log files may be open, so that enough descriptors are left for
// connections to InfluxDB and to /monitor, for files that are only looked at, and for those in
// state_dir.
func mostFiles() int {
	const others = 64
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxInt
	}
	n := int(min(limit.Cur, math.MaxInt32))
	return n - min(others, n/2)
}

// add follows one more source, which /monitor shows from now on.
func (r *Reader) add(s Source) *source {
	index := r.stats.AddSource(s.Name, s.Path)
	added := &source{
		Source:  &flow.Source{Index: index, Config: s.Config, Name: s.Name, Path: s.Path},
		fromEnd: s.FromEnd, ledger: r.checkpoint.Ledger(s.Name),
	}
	r.sources = append(r.sources, added)
	r.paths[s.Path] = added
	return added
}

// Run reads until ctx ends, and with Once until the end of each file, and closes
// out. Files that are missing or cannot be read are waited for; with Once they
// are the error. What was read and nobody has taken is read again by the next process.
func (r *Reader) Run(ctx context.Context, out chan<- flow.Chunk) error {
	return r.RunUntil(ctx, nil, out)
}

// RunUntil is Run, and also ends after enough is closed, as soon as what was read is taken.
// Then files stay open, for another Run; Close closes them.
func (r *Reader) RunUntil(ctx context.Context, enough <-chan struct{}, out chan<- flow.Chunk) error {
	defer close(out)
	if len(r.config.Import) > 0 {
		return r.imports(ctx, out)
	}
	r.stats.Looked(time.Now())
	defer r.stats.Looked(time.Time{})
	if r.feed == nil {
		r.feed = r.newFeed(out, r.lookIfDue)
	}
	r.feed.Through(r.config.MaxLine, r.pool, out)
	r.feed.Ends = r.config.Ends
	r.stopped, r.enough = ctx.Done(), enough
	tick := time.NewTimer(idleTick)
	defer tick.Stop()
	r.look(time.Now())
	r.checkpoint.Secure()
	var grown time.Time
	for {
		now := time.Now()
		more, grew, err := r.read(ctx, now)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case r.hasEnough():
			return nil
		case grew:
			grown = now
		}
		if more {
			continue
		}
		if !slices.ContainsFunc(r.sources, func(s *source) bool { return s.failed }) {
			r.catchUp()
		}
		if r.config.Once {
			return nil
		}
		wait := activeTick
		if now.Sub(grown) >= active {
			if wait = idleTick; r.watch() {
				r.looked = time.Time{} // what came before the watch began
				continue
			}
		}
		tick.Reset(wait)
		select {
		case <-tick.C:
		case <-r.watcher.Woken():
			r.looked = time.Time{}
		case <-enough:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

func (r *Reader) newFeed(out chan<- flow.Chunk, meanwhile func() (next time.Time)) *growing.Feed {
	return growing.NewFeed(growing.FeedConfig{
		MaxLine: r.config.MaxLine, Pool: r.pool, Out: out, Checkpoint: r.checkpoint, Meanwhile: meanwhile, Stats: r.stats, Log: r.log,
	})
}

// hasEnough reports whether nothing more is to be read in this Run.
func (r *Reader) hasEnough() bool {
	select {
	case <-r.enough:
		return true
	default:
		return false
	}
}

// CaughtUp is closed once every log was read to its end: what an earlier process had read
// has been read again.
func (r *Reader) CaughtUp() <-chan struct{} { return r.caughtUp }

func (r *Reader) catchUp() {
	select {
	case <-r.caughtUp:
	default:
		close(r.caughtUp)
	}
}

// Stand looks at the paths until ctx ends, and reads nothing: a file that came and went
// between two Runs would be lost.
func (r *Reader) Stand(ctx context.Context) {
	r.stopped = ctx.Done()
	defer r.stats.Looked(time.Time{})
	tick := time.NewTicker(activeTick)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.lookIfDue()
		case <-ctx.Done():
			return
		}
	}
}

// maxWatched is the number of sources beyond which there are no wake-ups.
const maxWatched = 64

// watch watches every newest file that is not being watched. It reports whether
// there was one: such a file must be read once more.
func (r *Reader) watch() (some bool) {
	if len(r.sources) > maxWatched {
		return false
	}
	for _, s := range r.sources {
		if f := s.newest(); f != nil && r.watcher.Watch(f.File, f.At.Offset) {
			some = true
		}
	}
	return some
}

// isAnothers reports whether a file is followed by another source, or open for it.
func (r *Reader) isAnothers(s *source, f logfile.Sibling) bool {
	if other := r.paths[f.Path]; other != nil {
		return other != s
	}
	if other := r.dayOf(f.Path); other != nil {
		return other != s
	}
	return r.isOpenElsewhere(s.Name, f.Info)
}

// Close closes all files. Call it after the last Run.
func (r *Reader) Close() {
	for _, s := range r.sources {
		r.closeFiles(s)
	}
	r.watcher.Close()
}

func (r *Reader) closeFiles(s *source) {
	for _, f := range s.files {
		r.watcher.Forget(f.File)
		f.Close()
		r.open--
	}
	s.files = nil
	for i := range s.watched {
		r.release(&s.watched[i])
	}
	s.watched = nil
}
