// Random sequences of all that can happen to a log and to the daemon.

package tail_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/tail"
)

// The model: random sequences of what can happen to a log file and to the
// daemon, in synctest's time, on real files. In the end every line that was
// written must have been sent under one number, and no number may have two
// lines, as InfluxDB would see it.

var (
	modelSequences = flag.Int("model", 200, "number of random sequences; make model plays 20,000, and CI 2,000")
	modelSeed      = flag.Uint64("model.seed", 0, "seed of the only sequence; 0: many")
	modelFirst     = flag.Bool("model.first", false, "end with the first sequence that fails, and do not shrink it: make mutants wants to know no more")
	modelScenes    = flag.String("model.scenes", "", "directory to which the daemon writes the scenes of a sequence")
	modelHoles     = flag.Bool("model.holes", false, "let holes of NULs come too; a seed then gives another sequence")
	modelRaces     = flag.Bool("model.races", false, "let things happen while the daemon looks; then a seed does not always give the same")
)

const (
	modelWait   = time.Second // rotate_wait
	modelSteps  = 34          // on average
	modelBlock  = 16 << 10    // bytes
	modelShards = 24          // that are played at once
)

// model is the file system, nginx and the daemon of one sequence.
type model struct {
	dir, state string
	path       string
	linked     bool // path is a symbolic link
	holes      bool // may come
	rand       *rand.Rand

	files   []*inode // all that have ever been
	nginx   *inode   // where nginx writes
	late    *inode   // where a worker of it still writes, or nil
	serial  int      // of lines and files
	half    string   // what completes the half line at the end of nginx's file
	alone   bool     // no file begins as another one any more
	failing bool     // the state directory is away

	mu    sync.Mutex
	fails error

	daemon *process
	books  *books
	trace  io.Writer // of the daemon's log
}

// inode is what was written to one file, or to it since it was truncated.
type inode struct {
	handle  *os.File
	text    bytes.Buffer
	deleted bool      // nobody has a name for it
	gone    bool      // what was not sent when it was, may be lost
	since   time.Time // it has grown or lost its name
	ended   bool      // half a line at its end will never be completed
	maybe   map[string]int
	seen    bool // the daemon has looked while it was at the path
	copied  bool // a copy of its beginning is beside it

	nameless bool // it was compressed, and a worker goes on with it
}

// process is one run of the reader, and a sink that acknowledges in steps.
type process struct {
	m      *model
	sink   *sink
	cancel context.CancelFunc
	ended  chan struct{}

	mu      sync.Mutex
	stalled chan struct{} // not nil: nobody takes chunks until it is closed
}

func newModel(dir, state string, seed uint64, holes bool, trace io.Writer) *model {
	m := &model{
		holes: holes, dir: dir, state: state, path: filepath.Join(dir, "access.log"), rand: rand.New(rand.NewPCG(seed, 1)),
		books: newBooks(), trace: trace,
	}
	m.linked = m.rand.IntN(4) == 0
	return m
}

func (m *model) must(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails == nil {
		m.fails = err
	}
}

// failed returns the first thing that went wrong.
func (m *model) failed() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.fails
}

// create makes a new file at the path and lets nginx write there.
func (m *model) create() {
	later()
	name := m.path
	if m.linked {
		m.serial++
		name = filepath.Join(m.dir, fmt.Sprintf("access.%06d.log", m.serial))
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o644)
	m.must(err)
	if m.linked {
		m.must(os.Symlink(name, m.path+".new"))
		m.must(os.Rename(m.path+".new", m.path))
	}
	if m.nginx != nil {
		m.distinct(m.nginx)
		m.retire()
		m.late = m.nginx
	}
	m.nginx = &inode{handle: f, since: time.Now(), maybe: map[string]int{}}
	m.half = ""
	m.files = append(m.files, m.nginx)
	// Some begin as others do, with a short line or with a kilobyte.
	kind := m.rand.IntN(6)
	if m.alone {
		kind = 5
	}
	switch kind {
	case 0:
		m.append(m.nginx, "begin\n")
	case 1:
		m.append(m.nginx, strings.Repeat("b", 1050)+"\n")
	}
}

// distinct sees to it that a file is no mere beginning of another one when it
// loses its place.
func (m *model) distinct(f *inode) {
	text := f.text.String()
	if text == "begin\n" || strings.Trim(text, "b") == "\n" {
		m.append(f, m.line()+"\n")
	}
}

// retire ends the time in which a worker writes to its old file.
func (m *model) retire() {
	if m.late != nil {
		m.late.ended = true
		m.late.handle.Close()
		m.late = nil
	}
}

func (m *model) append(f *inode, text string) {
	_, err := f.handle.WriteString(text)
	m.must(err)
	f.text.WriteString(text)
	f.since = time.Now()
	if f.deleted && !m.running() {
		f.gone = true
	}
}

func (m *model) running() bool { return m.daemon != nil }

// line returns a line that was never written before.
func (m *model) line() string {
	m.serial++
	n := m.rand.IntN(40)
	switch chance := m.rand.IntN(300); {
	case chance == 0:
		n = m.rand.IntN(3 * modelBlock) // perhaps over the limit, or longer than a block
	case chance <= 10:
		n = 2000 // many of these fill a block
	}
	return fmt.Sprintf("%d-%s-%d", m.serial, strings.Repeat("x", n), m.serial)
}

// rotated gives the file at the path, or its copy, the name that logrotate would.
func (m *model) shift() {
	for n := 9; n > 0; n-- {
		for _, end := range []string{"", ".gz"} {
			from, to := fmt.Sprintf("%s.%d%s", m.path, n, end), fmt.Sprintf("%s.%d%s", m.path, n+1, end)
			if _, err := os.Lstat(from); err == nil {
				m.must(os.Rename(from, to))
			}
		}
	}
}

func (m *model) there() bool {
	_, err := os.Stat(m.path)
	return err == nil
}

// wait lets time pass.
func (m *model) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
	if m.running() && d >= 300*time.Millisecond && m.nginx != nil {
		m.nginx.seen = true
	}
	m.expire()
}

// expire ends the writing to an old file that has been quiet for as long as the
// daemon waits: later writes are beyond the promise, but for those to one that was compressed
// and is held.
func (m *model) expire() {
	if m.late == nil || !m.running() || time.Since(m.late.since) <= modelWait-10*time.Millisecond {
		return
	}
	if text := m.late.text.Bytes(); !m.late.nameless || len(text) > 0 && !bytes.HasSuffix(text, []byte{'\n'}) {
		m.retire()
	}
}

func (m *model) start() {
	if m.running() {
		return
	}
	if m.failing {
		m.heal()
	}
	st := stats.New(time.Now())
	log := slog.New(slog.NewTextHandler(m.trace, nil))
	state, err := statedir.Open(m.state, log)
	if err == nil {
		state.Close() // there is one daemon at a time
	}
	var cp *checkpoint.Checkpoint
	if err == nil {
		cp, err = checkpoint.Open(state, st, log)
	}
	if err != nil {
		m.must(err)
		return
	}
	source := tail.Source{Name: "web", Path: m.path, FromEnd: true}
	chunks := make(chan flow.Chunk, 1)
	r := tail.New(tail.Config{
		Sources: []tail.Source{source}, MaxLine: maxLine, RotateWait: modelWait, Checkpoint: cp, Scenes: *modelScenes,
	}, flow.NewPool(4, modelBlock), st, log)
	ctx, cancel := context.WithCancel(context.Background())
	p := &process{m: m, sink: &sink{books: m.books, checkpoint: cp}, cancel: cancel, ended: make(chan struct{})}
	m.daemon = p
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		defer r.Close()
		if err := r.Run(ctx, chunks); err != nil {
			m.must(err)
		}
	}()
	go func() {
		defer close(p.ended)
		defer func() { <-closed }()
		for c := range chunks {
			if ctx.Err() == nil {
				m.must(p.sink.take(c))
			}
			c.Block.Release()
			p.mu.Lock()
			stalled := p.stalled
			p.mu.Unlock()
			if stalled != nil {
				select {
				case <-stalled:
				case <-ctx.Done():
				}
			}
		}
	}()
}

// acknowledge acknowledges some of what was taken, in order.
func (p *process) acknowledge(n int, save bool) {
	p.sink.acknowledge(n)
	if save {
		_ = p.sink.checkpoint.Save()
	}
}

// kill ends the daemon; what it had not saved is gone.
func (m *model) kill() {
	p := m.daemon
	if p == nil {
		return
	}
	if m.failing {
		m.heal()
	}
	p.cancel()
	<-p.ended
	m.daemon = nil
	for _, f := range m.files {
		f.gone = f.gone || f.deleted
	}
	m.checkAlone()
}

// checkAlone stops the model from making files that begin alike, once one of them
// is deleted or lost: the daemon looks for it, and may take another one that is
// the same for a kilobyte.
func (m *model) checkAlone() {
	for _, f := range m.files {
		m.alone = m.alone || (f.gone || f.deleted) && strings.HasPrefix(f.text.String(), "b")
	}
}

// heal gives the state directory back and saves the checkpoint, as the daemon does
// once a second.
func (m *model) heal() {
	m.must(os.Rename(m.state+".away", m.state))
	m.failing = false
	if m.daemon != nil {
		m.must(m.daemon.sink.checkpoint.Save())
	}
}

// check compares what was written with what was sent.
func (m *model) check() error {
	if err := m.failed(); err != nil {
		return err
	}
	must, may := map[string]int{}, map[string]int{}
	for i, f := range m.files {
		fmt.Fprintf(m.trace, "@@ file %d: deleted %v, gone %v, ended %v, seen %v: %.200q\n", i, f.deleted, f.gone, f.ended, f.seen, f.text.String())
		for text, whole := range written(f.text.String()) {
			text = entered(text)
			may[text]++
			if whole && !f.gone && f.maybe[text] == 0 {
				must[text]++
			}
			if !whole && !f.ended && !strings.HasSuffix(f.text.String(), "\x00") {
				may[text]-- // it will be completed, so half of it must not be sent
			}
		}
	}
	return errors.Join(m.books.compare("web", must, may), m.inOrder())
}

// written are the lines in a text, and whether they are at their end: a newline is
// behind them, or NULs and more text.
func written(text string) iter.Seq2[string, bool] {
	return func(yield func(string, bool) bool) {
		for {
			text = strings.TrimLeft(text, "\x00")
			end := strings.IndexAny(text, "\n\x00")
			if end < 0 {
				if text != "" {
					yield(text, false)
				}
				return
			}
			line, whole := text[:end], text[end] == '\n' || strings.Trim(text[end:], "\x00") != ""
			text = strings.TrimPrefix(text[end:], "\n")
			if !yield(line, whole) {
				return
			}
		}
	}
}

// inOrder reports a line whose number is not above that of the line before it in
// its file. Lines that were written or sent more than once say nothing.
func (m *model) inOrder() error {
	for i, f := range m.files {
		var before string
		last := int64(-1)
		for text := range written(f.text.String()) {
			numbers := m.books.sent("web", text)
			if len(numbers) != 1 || strings.HasPrefix(text, "b") {
				continue
			}
			if numbers[0] <= last {
				return fmt.Errorf("file %d: %.40q has number %d, and %.40q before it %d", i, text, numbers[0], before, last)
			}
			before, last = text, numbers[0]
		}
	}
	return nil
}

// finish brings everything to rest.
func (m *model) finish() {
	if m.failing {
		m.heal()
	}
	if m.half != "" && m.nginx != nil {
		m.append(m.nginx, m.half+"\n")
	}
	m.retire()
	m.start()
	if m.daemon != nil {
		m.daemon.resume()
		m.wait(4 * modelWait)
		m.daemon.acknowledge(1<<30, true)
		m.wait(4 * modelWait)
		m.daemon.acknowledge(1<<30, true)
	}
	m.kill()
	if m.nginx != nil {
		m.nginx.handle.Close()
	}
}

func (p *process) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stalled != nil {
		close(p.stalled)
		p.stalled = nil
	}
}

// step is one thing that happens, with what it needs of chance.
type step struct {
	op   int
	seed uint64
}

func (s step) String() string { return fmt.Sprintf("%s/%d", modelOps[s.op].name, s.seed) }

// play runs a script in a bubble and returns what went wrong.
func play(t *testing.T, seed uint64, holes bool, script []step, trace io.Writer) (err error) {
	dir, state := t.TempDir(), stateDir(t)
	synctest.Test(t, func(*testing.T) {
		m := newModel(dir, state, seed, holes, trace)
		m.create()
		m.append(m.nginx, "before\n") // which start: end leaves out
		m.nginx.maybe["before"] = 1
		before := m.nginx.text.String()
		m.start()
		m.wait(0) // until it has begun
		if strings.HasPrefix(before, "begin") || strings.HasPrefix(before, "bbb") {
			m.nginx.maybe[strings.SplitN(before, "\n", 2)[0]] = 1
		}
		for _, s := range script {
			if m.failed() != nil {
				break
			}
			m.rand = rand.New(rand.NewPCG(s.seed, 2))
			fmt.Fprintln(trace, "##", s)
			modelOps[s.op].do(m)
			if !*modelRaces {
				synctest.Wait()
			}
			m.environment()
		}
		m.finish()
		err = m.check()
	})
	for _, d := range []string{dir, state, state + ".away"} {
		os.RemoveAll(d)
	}
	return err
}

// environment is what happens between the steps: time, chunks, acknowledgements.
func (m *model) environment() {
	for range m.rand.IntN(3) {
		switch m.rand.IntN(6) {
		case 0, 1:
			m.wait(time.Duration(m.rand.IntN(300)) * time.Millisecond)
		case 2:
			m.wait(time.Duration(m.rand.IntN(3000)) * time.Millisecond)
		case 3, 4:
			if m.daemon != nil {
				synctest.Wait()
				m.daemon.acknowledge(1+m.rand.IntN(4), m.rand.IntN(3) > 0)
			}
		case 5:
			if m.daemon != nil {
				m.daemon.resume()
				if m.rand.IntN(3) == 0 {
					m.daemon.mu.Lock()
					m.daemon.stalled = make(chan struct{})
					m.daemon.mu.Unlock()
				}
			}
		}
	}
	m.expire()
}

func script(seed uint64, holes bool) []step {
	ops := len(modelOps)
	if !holes {
		ops--
	}
	r := rand.New(rand.NewPCG(seed, 3))
	steps := make([]step, modelSteps-10+r.IntN(21))
	for i := range steps {
		steps[i] = step{r.IntN(ops), r.Uint64N(1 << 20)}
	}
	return steps
}

// shrink leaves out of a script whatever it fails without.
func shrink(t *testing.T, seed uint64, holes bool, steps []step) []step {
	for size := len(steps) / 2; size > 0; size /= 2 {
		for at := 0; at+size <= len(steps); {
			less := slices.Concat(steps[:at], steps[at+size:])
			if play(t, seed, holes, less, io.Discard) != nil {
				steps = less
			} else {
				at += size
			}
		}
	}
	return steps
}

// fail shows a sequence that fails.
func fail(t *testing.T, seed uint64, holes bool, steps []step, why error) {
	t.Helper()
	if *modelFirst {
		t.Errorf("seed %d: %v", seed, why)
		return
	}
	short := shrink(t, seed, holes, steps)
	var trace bytes.Buffer
	var err error
	for range 20 { // it may depend on the kernel's time
		trace.Reset()
		if err = play(t, seed, holes, short, &trace); err != nil {
			break
		}
	}
	t.Errorf("seed %d (go test -run TestModel -model.seed %d -model.holes=%t): %v\nshrunk to %d steps: %v\n%v\n%s", seed, seed, holes, why, len(short), short, err, &trace)
}

// traced is the trace of a sequence: what the model did and what the daemon logged.
type traced struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *traced) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

func TestModel(t *testing.T) {
	t.Parallel()
	if seed := *modelSeed; seed != 0 {
		var trace bytes.Buffer
		steps := script(seed, *modelHoles)
		if err := play(t, seed, *modelHoles, steps, &trace); err != nil {
			t.Logf("%s", &trace)
			fail(t, seed, *modelHoles, steps, err)
		}
		return
	}
	playAll(t, *modelSequences, *modelHoles)
}

// Every sequence may have holes of NULs in it. The names of files that begin alike are
// not what this is about: those that are found with more sequences come without holes too.
func TestModelWithHoles(t *testing.T) {
	t.Parallel()
	playAll(t, min(*modelSequences, 200), true)
}

// playAll plays the sequences of so many seeds.
func playAll(t *testing.T, sequences int, holes bool) {
	t.Helper()
	if raceEnabled { // which takes five times as long
		sequences = min(sequences, 60)
	}
	var mu sync.Mutex
	pairs, operations := map[[2]int]int{}, 0
	var over atomic.Bool
	t.Run("sequences", func(t *testing.T) {
		for shard := range modelShards {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for i := shard; i < sequences && !t.Failed() && !over.Load(); i += modelShards {
					seed := uint64(i + 1)
					steps := script(seed, holes)
					var trace traced
					if !*modelRaces {
						if err := play(t, seed, holes, steps, io.Discard); err != nil {
							fail(t, seed, holes, steps, err)
						}
					} else if err := play(t, seed, holes, steps, &trace); err != nil { // it may never happen again
						t.Errorf("seed %d: %v\n%v\n%s", seed, err, steps, &trace.text)
					}
					if *modelFirst && t.Failed() {
						over.Store(true)
					}
					mu.Lock()
					operations += len(steps)
					for j := 1; j < len(steps); j++ {
						pairs[[2]int{steps[j-1].op, steps[j].op}]++
					}
					mu.Unlock()
				}
			})
		}
	})
	least := operations
	ops := len(modelOps)
	if !holes {
		ops--
	}
	for a := range ops {
		for b := range ops {
			least = min(least, pairs[[2]int{a, b}])
		}
	}
	t.Logf("%d sequences, %.1f operations each, every ordered pair of them at least %d times",
		sequences, float64(operations)/float64(sequences), least)
	if sequences >= 2000 && least < 100 && !t.Failed() {
		t.Errorf("a pair of operations came only %d times", least)
	}
}
