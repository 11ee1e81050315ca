// Random sequences of all that can happen to a log and to the daemon.

package tail_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
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

	"golang.org/x/sys/unix"

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
	modelRaces     = flag.Bool("model.races", false, "let things happen while the daemon looks; then a seed does not always give the same")
)

const (
	modelWait   = time.Second // rotate_wait
	modelSteps  = 34          // on average
	modelShards = 24          // that are played at once
)

// world is the file system, nginx and the daemon of one sequence.
type world struct {
	dir, state string
	path       string
	linked     bool // path is a symbolic link
	rand       *rand.Rand

	files   []*inode // all that have ever been
	nginx   *inode   // where nginx writes
	late    *inode   // where a worker of it still writes, or nil
	serial  int      // of lines and files
	half    string   // what completes the half line at the end of nginx's file
	alone   bool     // no file begins as another one any more
	failing bool     // the state directory is away
	fails   error

	daemon *daemon
	sent   map[int64]string // lines by number
	by     map[string][]int64
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
}

// daemon is the reader with a sink that acknowledges when it is told to.
type daemon struct {
	w          *world
	checkpoint *checkpoint.Checkpoint
	cancel     context.CancelFunc
	ended      chan struct{}

	mu      sync.Mutex
	unacked []ack
	stalled chan struct{} // not nil: nobody takes chunks until it is closed
}

type ack struct {
	end  flow.Position
	last []byte
}

func newWorld(dir, state string, seed uint64, trace io.Writer) *world {
	w := &world{
		dir: dir, state: state, path: filepath.Join(dir, "access.log"), rand: rand.New(rand.NewPCG(seed, 1)),
		sent: map[int64]string{}, by: map[string][]int64{}, trace: trace,
	}
	w.linked = w.rand.IntN(4) == 0
	return w
}

func (w *world) must(err error) {
	if err != nil && w.fails == nil {
		w.fails = err
	}
}

// create makes a new file at the path and lets nginx write there.
func (w *world) create() {
	tick()
	name := w.path
	if w.linked {
		w.serial++
		name = filepath.Join(w.dir, fmt.Sprintf("access.%06d.log", w.serial))
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o644)
	w.must(err)
	if w.linked {
		w.must(os.Symlink(name, w.path+".new"))
		w.must(os.Rename(w.path+".new", w.path))
	}
	if w.nginx != nil {
		w.distinct(w.nginx)
		w.retire()
		w.late = w.nginx
	}
	w.nginx = &inode{handle: f, since: time.Now(), maybe: map[string]int{}}
	w.half = ""
	w.files = append(w.files, w.nginx)
	// Some begin as others do, with a short line or with a kilobyte.
	kind := w.rand.IntN(6)
	if w.alone {
		kind = 5
	}
	switch kind {
	case 0:
		w.append(w.nginx, "begin\n")
	case 1:
		w.append(w.nginx, strings.Repeat("b", 1050)+"\n")
	}
}

// tick lets the file system's clock go on: it keeps time in steps of some
// milliseconds, within which no two files are made in earnest. This is the
// kernel's time, not synctest's.
func tick() {
	_ = unix.Nanosleep(&unix.Timespec{Nsec: 5e6}, nil)
}

// distinct sees to it that a file is no mere beginning of another one when it
// loses its place.
func (w *world) distinct(f *inode) {
	text := f.text.String()
	if text == "begin\n" || strings.Trim(text, "b") == "\n" {
		w.append(f, w.line()+"\n")
	}
}

// retire ends the time in which a worker writes to its old file.
func (w *world) retire() {
	if w.late != nil {
		w.late.ended = true
		w.late.handle.Close()
		w.late = nil
	}
}

func (w *world) append(f *inode, text string) {
	_, err := f.handle.WriteString(text)
	w.must(err)
	f.text.WriteString(text)
	f.since = time.Now()
	if f.deleted && !w.running() {
		f.gone = true
	}
}

func (w *world) running() bool { return w.daemon != nil }

// line is one that nobody else has.
func (w *world) line() string {
	w.serial++
	n := w.rand.IntN(40)
	if w.rand.IntN(30) == 0 {
		n = 2000 // many of these fill a block
	}
	return fmt.Sprintf("%d-%s-%d", w.serial, strings.Repeat("x", n), w.serial)
}

// rotated gives the file at the path, or its copy, the name that logrotate would.
func (w *world) shift() {
	for n := 9; n > 0; n-- {
		for _, end := range []string{"", ".gz"} {
			from, to := fmt.Sprintf("%s.%d%s", w.path, n, end), fmt.Sprintf("%s.%d%s", w.path, n+1, end)
			if _, err := os.Lstat(from); err == nil {
				w.must(os.Rename(from, to))
			}
		}
	}
}

func (w *world) there() bool {
	_, err := os.Stat(w.path)
	return err == nil
}

// wait lets time pass.
func (w *world) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
	if w.running() && d >= 300*time.Millisecond && w.nginx != nil {
		w.nginx.seen = true
	}
	w.expire()
}

// expire ends what nobody may do any more: write to an old file after it was
// quiet for as long as the daemon waits.
func (w *world) expire() {
	if w.late != nil && w.running() && time.Since(w.late.since) > modelWait-10*time.Millisecond {
		w.retire()
	}
}

func (w *world) start() {
	if w.running() {
		return
	}
	if w.failing {
		w.heal()
	}
	st := stats.New(time.Now())
	log := slog.New(slog.NewTextHandler(w.trace, nil))
	state, err := statedir.Open(w.state, log)
	if err == nil {
		state.Close() // there is one daemon at a time
	}
	var cp *checkpoint.Checkpoint
	if err == nil {
		cp, err = checkpoint.Open(state, st, log)
	}
	if err != nil {
		w.must(err)
		return
	}
	source := tail.Source{Name: "web", Path: w.path, FromEnd: true}
	chunks := make(chan flow.Chunk, 1)
	r := tail.New(tail.Config{
		Sources: []tail.Source{source}, MaxLine: 4 << 10, RotateWait: modelWait, Checkpoint: cp,
	}, flow.NewPool(4, 16<<10), st, log)
	ctx, cancel := context.WithCancel(context.Background())
	d := &daemon{w: w, checkpoint: cp, cancel: cancel, ended: make(chan struct{})}
	w.daemon = d
	go func() {
		if err := r.Run(ctx, chunks); err != nil {
			w.must(err)
		}
	}()
	go func() {
		defer close(d.ended)
		for c := range chunks {
			if ctx.Err() == nil {
				d.take(c)
			}
			c.Block.Release()
			d.mu.Lock()
			stalled := d.stalled
			d.mu.Unlock()
			if stalled != nil {
				select {
				case <-stalled:
				case <-ctx.Done():
				}
			}
		}
	}()
}

// take is what InfluxDB sees: the lines, each with its number.
func (d *daemon) take(c flow.Chunk) {
	d.mu.Lock()
	defer d.mu.Unlock()
	number := c.Start.Line
	for text := range strings.Lines(string(c.Data)) {
		text = strings.TrimSuffix(text, "\n")
		if old, ok := d.w.sent[number]; ok && old != text {
			d.w.must(fmt.Errorf("number %d is of %.40q and of %.40q", number, old, text))
		} else if !ok {
			d.w.by[text] = append(d.w.by[text], number)
		}
		d.w.sent[number] = text
		number++
	}
	if number != c.End.Line {
		d.w.must(fmt.Errorf("a chunk of lines up to %d ends at %d", number, c.End.Line))
	}
	a := ack{end: c.End}
	if int64(len(c.Data)) == c.End.Offset-c.Start.Offset {
		a.last = bytes.Clone(c.Data)
	}
	d.unacked = append(d.unacked, a)
}

// acknowledge acknowledges some of what was taken, in order.
func (d *daemon) acknowledge(n int, save bool) {
	d.mu.Lock()
	n = min(n, len(d.unacked))
	some := d.unacked[:n]
	d.unacked = d.unacked[n:]
	d.mu.Unlock()
	for _, a := range some {
		d.checkpoint.Acknowledge(a.end, a.last)
	}
	if save {
		_ = d.checkpoint.Save()
	}
}

// kill ends the daemon; what it had not saved is gone.
func (w *world) kill() {
	d := w.daemon
	if d == nil {
		return
	}
	if w.failing {
		w.heal()
	}
	d.cancel()
	<-d.ended
	w.daemon = nil
	for _, f := range w.files {
		f.gone = f.gone || f.deleted
	}
	w.checkAlone()
}

// checkAlone sees to it that a file whose name nobody has any more, and that the
// daemon therefore looks for in vain, has no double: of files that are alike for
// a kilobyte it may find the wrong one.
func (w *world) checkAlone() {
	for _, f := range w.files {
		w.alone = w.alone || (f.gone || f.deleted) && strings.HasPrefix(f.text.String(), "b")
	}
}

// heal gives the state directory back, and the next save, of which there is one
// a second, succeeds.
func (w *world) heal() {
	w.must(os.Rename(w.state+".away", w.state))
	w.failing = false
	if w.daemon != nil {
		w.must(w.daemon.checkpoint.Save())
	}
}

// check compares what was written with what was sent.
func (w *world) check() error {
	if w.fails != nil {
		return w.fails
	}
	must, may := map[string]int{}, map[string]int{}
	for i, f := range w.files {
		fmt.Fprintf(w.trace, "@@ file %d: deleted %v, gone %v, ended %v, seen %v: %.200q\n", i, f.deleted, f.gone, f.ended, f.seen, f.text.String())
		for text := range strings.Lines(f.text.String()) {
			text, whole := strings.CutSuffix(text, "\n")
			may[text]++
			if whole && !f.gone && f.maybe[text] == 0 {
				must[text]++
			}
			if !whole && !f.ended {
				may[text]-- // it is to be completed
			}
		}
	}
	var all []error
	for text, numbers := range w.by {
		if len(numbers) > max(may[text], 0) {
			all = append(all, fmt.Errorf("%.40q was written %d times and sent as %d", text, may[text], numbers))
		}
	}
	for text, n := range must {
		if len(w.by[text]) < n {
			all = append(all, fmt.Errorf("%.40q was written %d times and sent as %d", text, n, w.by[text]))
		}
	}
	slices.SortFunc(all, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(all[:min(len(all), 4)]...)
}

// finish brings everything to rest.
func (w *world) finish() {
	if w.failing {
		w.heal()
	}
	if w.half != "" && w.nginx != nil {
		w.append(w.nginx, w.half+"\n")
	}
	w.retire()
	w.start()
	if w.daemon != nil {
		w.daemon.resume()
		w.wait(4 * modelWait)
		w.daemon.acknowledge(1<<30, true)
		w.wait(4 * modelWait)
		w.daemon.acknowledge(1<<30, true)
	}
	w.kill()
	if w.nginx != nil {
		w.nginx.handle.Close()
	}
}

func (d *daemon) resume() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stalled != nil {
		close(d.stalled)
		d.stalled = nil
	}
}

// step is one thing that happens, with what it needs of chance.
type step struct {
	op   int
	seed uint64
}

func (s step) String() string { return fmt.Sprintf("%s/%d", modelOps[s.op].name, s.seed) }

// play runs a script in a bubble and returns what went wrong.
func play(t *testing.T, seed uint64, script []step, trace io.Writer) (err error) {
	dir, state := t.TempDir(), stateDir(t)
	synctest.Test(t, func(*testing.T) {
		w := newWorld(dir, state, seed, trace)
		w.create()
		w.append(w.nginx, "before\n") // which start: end leaves out
		w.nginx.maybe["before"] = 1
		before := w.nginx.text.String()
		w.start()
		w.wait(0) // until it has begun
		if strings.HasPrefix(before, "begin") || strings.HasPrefix(before, "bbb") {
			w.nginx.maybe[strings.SplitN(before, "\n", 2)[0]] = 1
		}
		for _, s := range script {
			if w.fails != nil {
				break
			}
			w.rand = rand.New(rand.NewPCG(s.seed, 2))
			fmt.Fprintln(trace, "##", s)
			modelOps[s.op].do(w)
			if !*modelRaces {
				synctest.Wait()
			}
			w.environment()
		}
		w.finish()
		err = w.check()
	})
	for _, d := range []string{dir, state, state + ".away"} {
		os.RemoveAll(d)
	}
	return err
}

// environment is what happens between the steps: time, chunks, acknowledgements.
func (w *world) environment() {
	for range w.rand.IntN(3) {
		switch w.rand.IntN(6) {
		case 0, 1:
			w.wait(time.Duration(w.rand.IntN(300)) * time.Millisecond)
		case 2:
			w.wait(time.Duration(w.rand.IntN(3000)) * time.Millisecond)
		case 3, 4:
			if w.daemon != nil {
				synctest.Wait()
				w.daemon.acknowledge(1+w.rand.IntN(4), w.rand.IntN(3) > 0)
			}
		case 5:
			if w.daemon != nil {
				w.daemon.resume()
				if w.rand.IntN(3) == 0 {
					w.daemon.mu.Lock()
					w.daemon.stalled = make(chan struct{})
					w.daemon.mu.Unlock()
				}
			}
		}
	}
	w.expire()
}

func script(seed uint64) []step {
	r := rand.New(rand.NewPCG(seed, 3))
	steps := make([]step, modelSteps-10+r.IntN(21))
	for i := range steps {
		steps[i] = step{r.IntN(len(modelOps)), r.Uint64N(1 << 20)}
	}
	return steps
}

// shrink leaves out of a script whatever it fails without.
func shrink(t *testing.T, seed uint64, steps []step) []step {
	for size := len(steps) / 2; size > 0; size /= 2 {
		for at := 0; at+size <= len(steps); {
			less := slices.Concat(steps[:at], steps[at+size:])
			if play(t, seed, less, io.Discard) != nil {
				steps = less
			} else {
				at += size
			}
		}
	}
	return steps
}

// fail shows a sequence that fails.
func fail(t *testing.T, seed uint64, steps []step, why error) {
	t.Helper()
	if *modelFirst {
		t.Errorf("seed %d: %v", seed, why)
		return
	}
	short := shrink(t, seed, steps)
	var trace bytes.Buffer
	var err error
	for range 20 { // it may depend on the kernel's time
		trace.Reset()
		if err = play(t, seed, short, &trace); err != nil {
			break
		}
	}
	t.Errorf("seed %d (go test -run TestModel -model.seed %d): %v\nshrunk to %d steps: %v\n%v\n%s", seed, seed, why, len(short), short, err, &trace)
}

// traced is what happened, as told by the model and the daemon at once.
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
		if err := play(t, seed, script(seed), &trace); err != nil {
			t.Logf("%s", &trace)
			fail(t, seed, script(seed), err)
		}
		return
	}
	var mu sync.Mutex
	pairs, operations := map[[2]int]int{}, 0
	var over atomic.Bool
	t.Run("sequences", func(t *testing.T) {
		for shard := range modelShards {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for i := shard; i < *modelSequences && !t.Failed() && !over.Load(); i += modelShards {
					seed := uint64(i + 1)
					steps := script(seed)
					var trace traced
					if !*modelRaces {
						if err := play(t, seed, steps, io.Discard); err != nil {
							fail(t, seed, steps, err)
						}
					} else if err := play(t, seed, steps, &trace); err != nil { // it may never happen again
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
	for a := range modelOps {
		for b := range modelOps {
			least = min(least, pairs[[2]int{a, b}])
		}
	}
	t.Logf("%d sequences, %.1f operations each, every ordered pair of them at least %d times",
		*modelSequences, float64(operations)/float64(*modelSequences), least)
	if *modelSequences >= 2000 && least < 100 && !t.Failed() {
		t.Errorf("a pair of operations came only %d times", least)
	}
}
