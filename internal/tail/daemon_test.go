// Harness: a daemon that is stopped or killed and started again with the same state directory.

package tail_test

import (
	"bytes"
	"cmp"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/tail"
)

// daemon is stopped or killed, and started again with the same state directory.
// Its books are kept across its runs.
type daemon struct {
	*follower // of this run
	t         *testing.T
	options   options
	paths     []string
	state     string
	books     *books

	mu     sync.Mutex // guards what follows
	order  []int64    // generation of every chunk of this run, but for those of a last line without newline
	goesOn map[generationOf]flow.Position
}

type generationOf struct {
	source string
	id     int64
}

// newDaemon is one that was never started. Tests write every line once, unless
// they say otherwise.
func newDaemon(t *testing.T, wakeups bool, paths ...string) *daemon {
	t.Helper()
	d := &daemon{
		t: t, paths: paths, state: stateDir(t), books: newBooks(), goesOn: map[generationOf]flow.Position{},
		options: options{Config: tail.Config{Wakeups: wakeups, RotateWait: 300 * time.Millisecond}},
	}
	d.books.once = true
	return d
}

func (d *daemon) start() {
	d.t.Helper()
	d.prepare()
	go d.drain()
}

// prepare starts a run in which nobody takes the chunks yet.
func (d *daemon) prepare() {
	d.t.Helper()
	o := d.options
	o.books = d.books
	o.Checkpoint = openCheckpoint(d.t, d.state, stats.New(time.Now()), io.Discard)
	d.order = nil
	d.follower = start(d.t, o, d.paths...)
}

func (d *daemon) drain() {
	defer close(d.drained)
	for chunk := range d.chunks {
		d.receive(chunk)
	}
}

func (d *daemon) receive(c flow.Chunk) {
	d.note(c)
	d.collect(c)
	c.Block.Release()
}

// note checks that a generation goes on where its last acknowledged chunk ended.
func (d *daemon) note(c flow.Chunk) {
	d.mu.Lock()
	defer d.mu.Unlock()
	g := c.Start.Generation
	of := generationOf{g.Source.Name, g.ID}
	d.follower.mu.Lock()
	if !slices.ContainsFunc(d.files, func(file *file) bool { return file.generation == g }) {
		// The follower expects every generation to be a new one.
		at, known := d.goesOn[of]
		if !known {
			at = flow.Position{Generation: g, Line: g.FirstLine, Offset: c.Start.Offset}
		}
		skipped := d.holes && c.Start.Offset > at.Offset
		if c.Start.Line != at.Line || c.Start.Offset != at.Offset && !skipped || g.FirstLine != at.Generation.FirstLine {
			d.t.Errorf("generation %d, from line %d, goes on at offset %d, line %d, want %d and %d, and from %d",
				g.ID, g.FirstLine, c.Start.Offset, c.Start.Line, at.Offset, at.Line, at.Generation.FirstLine)
		}
		at.Generation = g
		d.files = append(d.files, &file{generation: g, start: c.Start, end: at})
		d.goesOn[of] = at
	}
	d.follower.mu.Unlock()
	if isAsInFile(c) {
		d.order = append(d.order, g.ID)
	}
}

// acknowledge acknowledges what was taken and saves it.
func (d *daemon) acknowledge() {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, end := range d.sink.acknowledge(everything) {
		d.goesOn[generationOf{end.Generation.Source.Name, end.Generation.ID}] = end
	}
	if err := d.sink.checkpoint.Save(); err != nil {
		d.t.Error(err)
	}
}

// stop ends a run in which everything was acknowledged.
func (d *daemon) stop() {
	d.t.Helper()
	d.follower.stop()
	d.acknowledge()
}

// kill ends a run. What was acknowledged and not saved is forgotten.
func (d *daemon) kill() {
	d.t.Helper()
	d.follower.stop()
}

// looked waits until the reader has been everywhere.
func (d *daemon) looked() {
	d.t.Helper()
	d.eventually("the first look", func() bool { return d.source().Trouble != "not opened yet" })
}

// wantNothing looks some time later whether nothing has come in this run.
func (d *daemon) wantNothing() {
	d.t.Helper()
	d.looked()
	time.Sleep(600 * time.Millisecond)
	d.follower.mu.Lock()
	defer d.follower.mu.Unlock()
	for _, file := range d.files {
		d.t.Errorf("generation %d came again from line %d: %.200q; the log:\n%s", file.generation.ID, file.start.Line, file.lines, &d.log)
	}
}

// wantAll waits for the lines of each generation, in order, from the first on; nil
// means that no lines come of it. Nothing else may come.
func (d *daemon) wantAll(generations ...[]string) {
	d.t.Helper()
	for i, lines := range generations {
		if lines != nil {
			d.want(i+1, lines...)
		}
	}
	d.looked()
	d.still()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.IsSorted(d.order) {
		d.t.Errorf("the chunks are of generations %d, want them in their order", d.order)
	}
}

// wantOf waits for the lines, of whatever generation. Nothing else may come.
func (d *daemon) wantOf(lines ...string) {
	d.t.Helper()
	slices.Sort(lines)
	all := func() (all []string) {
		d.follower.mu.Lock()
		defer d.follower.mu.Unlock()
		for _, file := range d.files {
			all = append(all, file.lines...)
		}
		slices.Sort(all)
		return all
	}
	d.eventually("as many lines", func() bool { return d.collected() >= len(lines) })
	time.Sleep(600 * time.Millisecond)
	if got := all(); !slices.Equal(got, lines) {
		d.follower.mu.Lock()
		defer d.follower.mu.Unlock()
		d.t.Errorf("%d lines came, want %d; the log:\n%s", len(got), len(lines), &d.log)
	}
}

// hasSent reports whether a line came in any run.
func (d *daemon) hasSent(line string) bool {
	return len(d.books.sent("s0", line)) > 0
}

// left waits until the reader has left all but the newest of the files.
func (d *daemon) left(paths ...string) {
	d.t.Helper()
	for _, path := range paths {
		d.eventually("the end of "+filepath.Base(path), func() bool { return !isOpen(d.t, path) })
	}
}

// stopped is what happens to a log after a stop, and what comes of it at the
// next start.
type stopped struct {
	name      string
	before    string // in the file, and read; "a1\na2\n" if empty
	meanwhile func(t *testing.T, path string, file *os.File)
	want      [][]string // by generation, nil if nothing comes of it
	holes     bool       // of NULs are in the file
	lost      int64      // generations
	lostBytes int64
}

// restarts plays each of them. The first start after the stop ends with a kill,
// so that everything comes again; after the second everything has come.
func restarts(t *testing.T, cases ...stopped) {
	t.Helper()
	t.Parallel()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				before := cmp.Or(c.before, "a1\na2\n")
				file := create(t, path, before)
				d := newDaemon(t, wakeups, path)
				d.options.holes = c.holes
				d.start()
				d.looked()
				whole := strings.Split(before, "\n")
				if whole = whole[:len(whole)-1]; len(whole) > 0 {
					d.want(1, whole...)
				}
				time.Sleep(300 * time.Millisecond) // the half line is seen too
				d.stop()
				c.meanwhile(t, path, file)
				d.start()
				d.wantAll(c.want...)
				errors := int64(0)
				if c.lostBytes > 0 {
					errors = c.lost
				}
				if s := d.source(); s.Lost != c.lost || s.LostBytes != c.lostBytes || int64(d.logged("level=ERROR")) != errors {
					t.Errorf("lost %d generations with %d bytes, want %d with %d; the log:\n%s", s.Lost, s.LostBytes, c.lost, c.lostBytes, &d.log)
				}
				d.kill()
				d.start()
				d.wantAll(c.want...)
				d.stop()
				d.start()
				d.wantNothing()
				if text, err := os.ReadFile(path); err == nil { // else it is missing
					appendTo(t, path, "end\n")
					d.want(max(1, len(c.want)), string(text[bytes.LastIndexAny(text, "\n\x00")+1:])+"end")
				}
				d.stop()
			})
		})
	}
}
