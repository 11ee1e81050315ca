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

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/tail"
)

// lives are those of one daemon, which is stopped or killed, and started again
// with the same state directory. What it sends is seen as InfluxDB sees it: no
// number may be of two lines, and no line may have two numbers.
type lives struct {
	*follower  // of this life
	t          *testing.T
	options    options
	paths      []string
	state      string
	alike      bool // lines may be
	uncounted  bool // there are too many
	checkpoint *checkpoint.Checkpoint

	mu     sync.Mutex // guards what follows
	taken  []taken
	order  []int64 // generation of every chunk of this life, but for those of a last line without newline
	goesOn map[key]flow.Position
	lines  map[key]string // by number
	number map[string]int64
}

// taken is what is to be acknowledged.
type taken struct {
	end  flow.Position
	last []byte
}

// key is of a source.
type key struct {
	source string
	number int64
}

// newLives is a daemon that was never started.
func newLives(t *testing.T, wakeups bool, paths ...string) *lives {
	t.Helper()
	return &lives{
		t: t, paths: paths, state: stateDir(t), goesOn: map[key]flow.Position{}, lines: map[key]string{}, number: map[string]int64{},
		options: options{Config: tail.Config{Wakeups: wakeups, RotateWait: 300 * time.Millisecond}},
	}
}

func (l *lives) start() {
	l.t.Helper()
	l.prepare()
	go l.drain()
}

// prepare starts a life in which nobody takes the chunks yet.
func (l *lives) prepare() {
	l.t.Helper()
	o := l.options
	o.Checkpoint = openCheckpoint(l.t, l.state, stats.New(time.Now()), io.Discard)
	l.checkpoint = o.Checkpoint
	l.taken, l.order = nil, nil
	l.follower = start(l.t, o, l.paths...)
}

func (l *lives) drain() {
	defer close(l.drained)
	for chunk := range l.chunks {
		l.receive(chunk)
	}
}

func (l *lives) receive(c flow.Chunk) {
	l.take(c)
	l.collect(c)
	c.Block.Release()
}

func (l *lives) take(c flow.Chunk) {
	l.mu.Lock()
	defer l.mu.Unlock()
	source, g := c.Start.Generation.Source.Name, c.Start.Generation
	l.follower.mu.Lock()
	if !slices.ContainsFunc(l.files, func(file *file) bool { return file.generation == g }) {
		// The follower takes every generation for a new one.
		l.files = append(l.files, &file{generation: g, start: c.Start, end: c.Start})
		at, known := l.goesOn[key{source, g.ID}]
		if !known {
			at = flow.Position{Generation: g, Line: g.FirstLine, Offset: c.Start.Offset}
		}
		if c.Start.Line != at.Line || c.Start.Offset != at.Offset || g.FirstLine != at.Generation.FirstLine {
			l.t.Errorf("generation %d, from line %d, goes on at offset %d, line %d, want %d and %d, and from %d",
				g.ID, g.FirstLine, c.Start.Offset, c.Start.Line, at.Offset, at.Line, at.Generation.FirstLine)
		}
		at.Generation = g
		l.goesOn[key{source, g.ID}] = at
	}
	l.follower.mu.Unlock()
	number := c.Start.Line
	for line := range strings.Lines(string(c.Data)) {
		if l.uncounted {
			break
		}
		at, what := key{source, number}, source+" "+line
		if other, known := l.lines[at]; known && other != line {
			l.t.Errorf("number %d of %s is of two lines: %.40q and %.40q", number, source, other, line)
		}
		if other, known := l.number[what]; known && other != number && !l.alike {
			l.t.Errorf("line %.40q of %s has two numbers: %d and %d; it is not looked at more of them", line, source, other, number)
			l.alike = true
		}
		l.lines[at], l.number[what] = line, number
		number++
	}
	end := taken{end: c.End}
	if int64(len(c.Data)) == c.End.Offset-c.Start.Offset { // else they do not tell how the file is there
		end.last = slices.Clone(c.Data)
		l.order = append(l.order, g.ID)
	}
	l.taken = append(l.taken, end)
}

// acknowledge acknowledges what was taken and saves it.
func (l *lives) acknowledge() {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, taken := range l.taken {
		l.checkpoint.Acknowledge(taken.end, taken.last)
		l.goesOn[key{taken.end.Generation.Source.Name, taken.end.Generation.ID}] = taken.end
	}
	l.taken = nil
	if err := l.checkpoint.Save(); err != nil {
		l.t.Error(err)
	}
}

// stop ends a life in which everything was acknowledged.
func (l *lives) stop() {
	l.t.Helper()
	l.follower.stop()
	l.acknowledge()
}

// kill ends a life. What was acknowledged and not saved is forgotten.
func (l *lives) kill() {
	l.t.Helper()
	l.follower.stop()
}

// looked waits until the reader has been everywhere.
func (l *lives) looked() {
	l.t.Helper()
	l.eventually("the first look", func() bool { return l.source().Trouble != "not opened yet" })
}

// wantNothing looks some time later whether nothing has come in this life.
func (l *lives) wantNothing() {
	l.t.Helper()
	l.looked()
	time.Sleep(600 * time.Millisecond)
	l.follower.mu.Lock()
	defer l.follower.mu.Unlock()
	for _, file := range l.files {
		l.t.Errorf("generation %d came again from line %d: %.200q; the log:\n%s", file.generation.ID, file.start.Line, file.lines, &l.log)
	}
}

// wantAll waits for the lines of each generation, from the first on, nil being
// none; one after the other. Nothing else may come.
func (l *lives) wantAll(generations ...[]string) {
	l.t.Helper()
	for i, lines := range generations {
		if lines != nil {
			l.want(i+1, lines...)
		}
	}
	l.looked()
	l.still()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.IsSorted(l.order) {
		l.t.Errorf("the chunks are of generations %d, want them in their order", l.order)
	}
}

// wantOf waits for the lines, of whatever generation. Nothing else may come.
func (l *lives) wantOf(lines ...string) {
	l.t.Helper()
	slices.Sort(lines)
	all := func() (all []string) {
		l.follower.mu.Lock()
		defer l.follower.mu.Unlock()
		for _, file := range l.files {
			all = append(all, file.lines...)
		}
		slices.Sort(all)
		return all
	}
	l.eventually("as many lines", func() bool { return l.collected() >= len(lines) })
	time.Sleep(600 * time.Millisecond)
	if got := all(); !slices.Equal(got, lines) {
		l.follower.mu.Lock()
		defer l.follower.mu.Unlock()
		l.t.Errorf("%d lines came, want %d; the log:\n%s", len(got), len(lines), &l.log)
	}
}

// collected is how many lines came in this life.
func (l *lives) collected() (n int) {
	l.follower.mu.Lock()
	defer l.follower.mu.Unlock()
	for _, file := range l.files {
		n += len(file.lines)
	}
	return n
}

// hasSent tells whether a line came in any life.
func (l *lives) hasSent(line string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, sent := l.number["s0 "+line+"\n"]
	return sent
}

// left waits until the reader has left all but the newest of the files.
func (l *lives) left(paths ...string) {
	l.t.Helper()
	for _, path := range paths {
		l.eventually("the end of "+filepath.Base(path), func() bool { return !isOpen(l.t, path) })
	}
}

// stopped is what happens to a log after a stop, and what comes of it at the
// next start.
type stopped struct {
	name      string
	before    string // in the file, and read; "a1\na2\n" if empty
	meanwhile func(t *testing.T, path string, file *os.File)
	want      [][]string // by generation, nil if nothing comes of it
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
				l := newLives(t, wakeups, path)
				l.start()
				l.looked()
				whole := strings.Split(before, "\n")
				if whole = whole[:len(whole)-1]; len(whole) > 0 {
					l.want(1, whole...)
				}
				time.Sleep(300 * time.Millisecond) // the half line is seen too
				l.stop()
				c.meanwhile(t, path, file)
				l.start()
				l.wantAll(c.want...)
				errors := int64(0)
				if c.lostBytes > 0 {
					errors = c.lost
				}
				if s := l.source(); s.Lost != c.lost || s.LostBytes != c.lostBytes || int64(l.logged("level=ERROR")) != errors {
					t.Errorf("lost %d generations with %d bytes, want %d with %d; the log:\n%s", s.Lost, s.LostBytes, c.lost, c.lostBytes, &l.log)
				}
				l.kill()
				l.start()
				l.wantAll(c.want...)
				l.stop()
				l.start()
				l.wantNothing()
				if text, err := os.ReadFile(path); err == nil { // else it is missing
					appendTo(t, path, "end\n")
					l.want(max(1, len(c.want)), string(text[bytes.LastIndexByte(text, '\n')+1:])+"end")
				}
				l.stop()
			})
		})
	}
}
