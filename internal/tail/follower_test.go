// Harness: one run of a reader whose chunks are collected and checked.

package tail_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/tail"
)

// Small ones, so that a test file has many blocks.
const (
	blockSize = 32 << 10
	maxLine   = 4 << 10
	longHead  = 8 << 10 // of a line over the limit
	gap       = 500_000 // between the line numbers of generations
)

// both runs a test without wake-ups, when time is synctest's, and with them,
// when it cannot be.
func both(t *testing.T, test func(t *testing.T, wakeups bool)) {
	t.Helper()
	t.Parallel()
	t.Run("ticks", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) { test(t, false) })
	})
	t.Run("wakeups", func(t *testing.T) {
		t.Parallel()
		test(t, true)
	})
}

// follower runs a reader and collects what it sends. In every test it checks that
// chunks are whole lines, that positions have no gaps, but for holes where the test
// makes some, and that all blocks are released in the end.
type follower struct {
	t       testing.TB
	reader  *tail.Reader
	stats   *stats.Stats
	pool    *flow.Pool
	sink    *sink
	blocks  int  // of the pool
	holes   bool // see options
	logs    func(string)
	chunks  chan flow.Chunk
	stopRun context.CancelFunc
	ended   chan error
	drained chan struct{}

	mu    sync.Mutex
	log   bytes.Buffer
	files []*file // in the order of their first chunk
	order []int   // source of every chunk
	wants map[int][]string
}

// file is what came of one generation.
type file struct {
	generation *flow.Generation
	start, end flow.Position
	lines      []string // without newline
	ends       []int64  // numbers of the lines behind its chunks
	tooLong    []int64  // the lengths
}

// options are what tests want to be different.
type options struct {
	tail.Config
	fromEnd bool
	blocks  int
	pause   time.Duration // of the collector after each chunk
	thread  func()        // called first in the reader's goroutine
	logs    func(string)  // called with what is logged, mostly in that goroutine

	holes     bool   // of NULs are in the files
	books     *books // nil: those of this run
	uncounted bool   // there are too many lines to enter them in books
}

// follow starts a reader whose chunks are collected.
func follow(t testing.TB, o options, paths ...string) *follower {
	t.Helper()
	f := start(t, o, paths...)
	f.drain(o.pause)
	return f
}

// start starts a reader whose chunks nobody takes yet.
func start(t testing.TB, o options, paths ...string) *follower {
	t.Helper()
	f := prepare(t, o, paths...)
	ctx, cancel := context.WithCancel(context.Background())
	f.stopRun = cancel
	go func() {
		if o.thread != nil {
			o.thread()
		}
		err := f.reader.Run(ctx, f.chunks)
		f.reader.Close()
		f.ended <- err
	}()
	t.Cleanup(f.stop)
	return f
}

func prepare(t testing.TB, o options, paths ...string) *follower {
	t.Helper()
	if o.MaxLine == 0 {
		o.MaxLine = maxLine
	}
	if o.blocks == 0 {
		o.blocks = 8
	}
	f := &follower{
		t: t, stats: stats.New(time.Now()), pool: flow.NewPool(o.blocks, blockSize), blocks: o.blocks, holes: o.holes,
		chunks: make(chan flow.Chunk, 1), ended: make(chan error, 1), drained: make(chan struct{}),
		wants: map[int][]string{},
	}
	for i, path := range paths {
		name := fmt.Sprintf("s%d", i)
		o.Sources = append(o.Sources, tail.Source{
			Name: name, Path: path, FromEnd: o.fromEnd,
		})
	}
	if o.Checkpoint == nil {
		o.Checkpoint = openCheckpoint(t, stateDir(t), f.stats, f)
	}
	f.sink = &sink{books: o.books, checkpoint: o.Checkpoint}
	if f.sink.books == nil {
		f.sink.books = newBooks()
	}
	if o.uncounted {
		f.sink.books = nil
	}
	f.logs = o.logs
	f.reader = tail.New(o.Config, f.pool, f.stats, slog.New(slog.NewTextHandler(f, nil)))
	return f
}

// stateDir is a directory for a checkpoint, in memory where that can be had: the
// disk is not what is tested.
func stateDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "tailflux-test-") //nolint:usetesting // t.TempDir is on the disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func openCheckpoint(t testing.TB, dir string, st *stats.Stats, log io.Writer) *checkpoint.Checkpoint {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(log, nil))
	state, err := statedir.Open(dir, logger)
	if err != nil {
		t.Fatal(err)
	}
	state.Close() // it is opened again while the one before is there, as after a crash
	c, err := checkpoint.Open(state, st, logger)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Write makes the follower the reader's log.
func (f *follower) Write(p []byte) (int, error) {
	if f.logs != nil {
		f.logs(string(p))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log.Write(p)
}

// drain collects and releases chunks until the channel is closed.
func (f *follower) drain(pause time.Duration) {
	go func() {
		defer close(f.drained)
		for chunk := range f.chunks {
			f.collect(chunk)
			chunk.Block.Release()
			if pause > 0 {
				time.Sleep(pause)
			}
		}
	}()
}

func (f *follower) collect(c flow.Chunk) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.sink.take(c); err != nil {
		f.t.Error(err)
	}
	g := c.Start.Generation
	f.order = append(f.order, g.Source.Index)
	i := slices.IndexFunc(f.files, func(file *file) bool { return file.generation == g })
	if i < 0 {
		i = len(f.files)
		f.files = append(f.files, &file{generation: g, start: c.Start, end: c.Start})
		if c.Start.Line != g.FirstLine {
			f.t.Errorf("first chunk of generation %d begins at line %d, want %d", g.ID, c.Start.Line, g.FirstLine)
		}
	}
	file := f.files[i]
	if f.holes && c.Start.Offset > file.end.Offset {
		file.end.Offset = c.Start.Offset
	}
	if bytes.IndexByte(c.Data, 0) >= 0 {
		f.t.Errorf("there are NULs in %.200q", c.Data)
	}
	if c.Start != file.end {
		f.t.Errorf("chunk starts at %v, the one before ended at %v", c.Start, file.end)
	}
	if c.End.Generation != g {
		f.t.Errorf("chunk ends in another generation")
	}
	if !bytes.HasSuffix(c.Data, []byte("\n")) {
		f.t.Errorf("chunk ends with %q, want a newline", c.Data[max(0, len(c.Data)-20):])
	}
	lines := strings.Split(strings.TrimSuffix(string(c.Data), "\n"), "\n")
	if int64(len(lines)) != c.Lines() {
		f.t.Errorf("chunk of %d lines has positions for %d", len(lines), c.Lines())
	}
	if length := c.End.Offset - c.Start.Offset; c.TooLong > 0 {
		if len(lines) != 1 || len(lines[0]) != longHead || length != c.TooLong && length != c.TooLong-1 {
			f.t.Errorf("too long: %d lines, the first of %d bytes, TooLong %d, from %d to %d",
				len(lines), len(lines[0]), c.TooLong, c.Start.Offset, c.End.Offset)
		}
		file.tooLong = append(file.tooLong, c.TooLong)
	} else if length != int64(len(c.Data)) && length != int64(len(c.Data)-1) {
		f.t.Errorf("chunk of %d bytes from %d to %d", len(c.Data), c.Start.Offset, c.End.Offset)
	}
	file.lines, file.ends = append(file.lines, lines...), append(file.ends, c.End.Line)
	file.end = c.End
}

// file waits for the generation with an ID, of the only source.
func (f *follower) file(id int) (found file) {
	f.t.Helper()
	f.eventually(fmt.Sprintf("a line of generation %d", id), func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, file := range f.files {
			if file.generation.ID == int64(id) {
				found = *file
				found.lines = slices.Clone(file.lines)
				return true
			}
		}
		return false
	})
	return found
}

// want waits for exactly these lines of a generation. Nothing else may have come
// of it when the follower stops.
func (f *follower) want(id int, lines ...string) {
	f.t.Helper()
	f.wants[id] = lines
	if !f.poll(func() bool { return slices.Equal(lines, f.got(id)) }) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.t.Fatalf("lines of generation %d (-want +got):\n%s\nthe log:\n%s", id, cmp.Diff(lines, f.lines(id)), &f.log)
	}
}

// still looks some time later whether it is still what was wanted last.
func (f *follower) still() {
	f.t.Helper()
	time.Sleep(600 * time.Millisecond)
	f.check()
}

func (f *follower) check() {
	f.t.Helper()
	for id, lines := range f.wants {
		if got := f.got(id); !slices.Equal(lines, got) {
			f.t.Errorf("later: lines of generation %d (-want +got):\n%s", id, cmp.Diff(lines, got))
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, file := range f.files {
		if _, wanted := f.wants[int(file.generation.ID)]; !wanted && len(f.wants) > 0 {
			f.t.Errorf("generation %d, from line %d, was not wanted: %.200q", file.generation.ID, file.start.Line, file.lines)
		}
	}
}

// got is what came of a generation so far.
func (f *follower) got(id int) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.lines(id))
}

func (f *follower) lines(id int) []string {
	for _, file := range f.files {
		if file.generation.ID == int64(id) {
			return file.lines
		}
	}
	return nil
}

// stop ends the reader, at once, and checks what is left.
func (f *follower) stop() {
	if f.stopRun == nil {
		return
	}
	f.stopRun()
	f.stopRun = nil
	select {
	case err := <-f.ended:
		if err != nil {
			f.t.Errorf("Run = %v, want nil", err)
		}
	case <-time.After(20 * time.Second):
		f.t.Fatal("Run does not return")
	}
	f.closed()
}

// wait waits until Run ends by itself and returns its error.
func (f *follower) wait() error {
	f.t.Helper()
	var err error
	select {
	case err = <-f.ended:
	case <-time.After(20 * time.Second):
		f.t.Fatal("Run does not return")
	}
	f.stopRun()
	f.stopRun = nil
	f.closed()
	return err
}

// closed checks that the channel is closed, every line accounted for, and every
// block given back.
func (f *follower) closed() {
	select {
	case <-f.drained:
	case <-time.After(20 * time.Second):
		f.t.Fatal("the channel was not closed")
	}
	f.check()
	var lines int64
	f.mu.Lock()
	for _, file := range f.files {
		lines += int64(len(file.lines))
	}
	f.mu.Unlock()
	if books := f.stats.Snapshot(time.Now()).Books; books.Read != lines || books.InFlight != lines {
		f.t.Errorf("read %d, in flight %d, want %d: %d were sent", books.Read, books.InFlight, lines, lines)
	}
	late, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for i := range f.blocks {
		if _, err := f.pool.Room(late, blockSize); err != nil {
			f.t.Fatalf("%d of %d blocks came back", i, f.blocks)
		}
		f.pool.Cut(blockSize)
	}
}

// source is what the books say of the only source, or the first one.
func (f *follower) source() stats.Source {
	if all := f.stats.Snapshot(time.Now()).Sources; len(all) > 0 {
		return all[0]
	}
	return stats.Source{Trouble: "not opened yet"}
}

// logged is how often something stands in the log.
func (f *follower) logged(text string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Count(f.log.String(), text)
}

// collected is how many lines have come. The reader counts one before that, and again if it is
// stopped before it was taken.
func (f *follower) collected() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, file := range f.files {
		n += len(file.lines)
	}
	return n
}

func (f *follower) eventually(what string, cond func() bool) {
	f.t.Helper()
	if !f.poll(cond) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.t.Fatalf("in vain waited for %s; the log:\n%s", what, &f.log)
	}
}

func (f *follower) poll(cond func() bool) bool {
	for deadline := time.Now().Add(20 * time.Second); !cond(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}
