// Random sequences of all that can happen to a log and to the daemon, without a disk.

package scene_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode"
)

// The model of package tail plays on real files, this one on files in memory, and a
// thousand times as fast: its subject is what is decided, not how it is done. In the
// end every line that was written must have been sent under one number, and no number
// may have two lines.

var (
	modelScenes = flag.Int("scenes", 20_000, "about how many scenes are decided; make scenes, and CI, decide a million")
	modelSeed   = flag.Uint64("scenes.seed", 0, "seed of the only sequence; 0: many")
)

const (
	modelSteps  = 34 // on average
	modelShards = 8
)

// environment is what happens between the steps: time, chunks, acknowledgements.
func (m *model) environment() {
	for range m.rand.IntN(3) {
		switch m.rand.IntN(6) {
		case 0, 1:
			m.wait(time.Duration(m.rand.IntN(300)) * time.Millisecond)
		case 2:
			m.wait(time.Duration(m.rand.IntN(3000)) * time.Millisecond)
		case 3, 4:
			if m.running() {
				m.daemon.acknowledge(1 + m.rand.IntN(4))
				if m.rand.IntN(3) > 0 {
					m.save(m.daemon.needsSave())
				}
			}
		case 5:
			if m.running() {
				m.daemon.room = 1 << 30
				if m.rand.IntN(3) == 0 {
					m.daemon.room = m.rand.IntN(3)
				}
			}
		}
	}
	m.expire()
}

// finish brings everything to rest. One more start reads nothing.
func (m *model) finish() {
	m.flush()
	m.finishCopy()
	if m.half != "" {
		m.append(m.nginx, m.half+"\n")
		m.half = ""
	}
	if m.disk.at() == nil { // without, the last half line of the file before is waited for
		m.create()
	}
	m.retire()
	for _, f := range m.disk.all {
		f.refused = false
	}
	for n := range 2 {
		m.start()
		m.daemon.room = 1 << 30
		for range 2 {
			m.wait(4 * modelWait)
			if n > 0 && len(m.daemon.unacked) > 0 && !m.refuses {
				m.fail("after one more start %d chunks are sent", len(m.daemon.unacked))
			}
			m.daemon.acknowledge(1 << 30)
			m.save(true)
		}
		m.daemon = nil
	}
}

// flush lets happen what was to happen in the middle of a look, if there was none.
func (m *model) flush() {
	for len(m.pending) > 0 {
		do := m.pending[0].do
		m.pending = m.pending[1:]
		do()
	}
}

// step is one thing that happens, with what it needs of chance.
type step struct {
	op     int
	seed   uint64
	within int // not 0: it happens in the middle of a look, if there is one
}

func (s step) String() string {
	return fmt.Sprintf("%s/%d/%d", modelOps[s.op].name, s.seed, s.within)
}

// play runs a script and returns what went wrong.
func play(seed uint64, script []step, trace io.Writer) (scenes int, err error) {
	m := newModel(seed, trace)
	defer func() {
		if why := recover(); why != nil {
			err = fmt.Errorf("panic: %v\n%s", why, debug.Stack())
		}
	}()
	m.create()
	m.nginx.inode.refused = m.refuses && seed%5 == 0 // at the very first start
	m.start()
	for _, s := range script {
		if m.err != nil {
			break
		}
		do := func() {
			m.tracef("## %s %s", m.disk.now.Format(clock), s)
			m.rand = rand.New(rand.NewPCG(s.seed, 2))
			modelOps[s.op].do(m)
		}
		if s.within > 0 && m.running() {
			m.pending = append(m.pending, moment{s.within - 1, do})
			if s.seed%4 > 0 { // the next thing happens soon after it
				continue
			}
		} else {
			m.flush()
			do()
		}
		m.environment()
	}
	m.finish()
	for i, f := range m.files {
		m.tracef("@@ file %d: deleted %v, gone %v, ended %v: %.200q", i, f.deleted, f.gone, f.ended, f.text)
	}
	return m.scenes, errors.Join(m.err, m.books.compare(m.files))
}

// script is a random sequence. In one of three, some things happen in the middle of a
// look, and half of them at the moment of the thing before.
func script(seed uint64) []step {
	r := rand.New(rand.NewPCG(seed, 3))
	races := r.IntN(3) == 0
	steps := make([]step, modelSteps-10+r.IntN(21))
	for i := range steps {
		s := step{op: r.IntN(len(modelOps)), seed: r.Uint64N(1 << 20)}
		if races && modelOps[s.op].within && r.IntN(4) > 0 {
			s.within = 1
			if r.IntN(2) == 0 {
				s.within += r.IntN(8)
			}
		}
		steps[i] = s
	}
	return steps
}

// shrink leaves out of a script whatever it fails without.
func shrink(seed uint64, steps []step, why error) []step {
	for size := len(steps) / 2; size > 0; size /= 2 {
		for at := 0; at+size <= len(steps); {
			less := slices.Concat(steps[:at], steps[at+size:])
			if _, err := play(seed, less, nil); kind(err) == kind(why) {
				steps = less
			} else {
				at += size
			}
		}
	}
	return steps
}

// kind is what went wrong first, whatever the line or the file.
func kind(err error) string {
	if err == nil {
		return ""
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, first)
}

func TestModel(t *testing.T) {
	t.Parallel()
	show := func(seed uint64, why error) {
		short := shrink(seed, script(seed), why)
		var trace bytes.Buffer
		_, err := play(seed, short, &trace)
		t.Errorf("seed %d (go test ./internal/scene -run TestModel -scenes.seed %d): %v\nshrunk to %d steps: %v\n%v\n%s",
			seed, seed, why, len(short), short, err, &trace)
	}
	if seed := *modelSeed; seed != 0 {
		if _, err := play(seed, script(seed), nil); err != nil {
			show(seed, err)
		}
		return
	}
	var scenes, sequences atomic.Int64
	var over atomic.Bool
	var wait sync.WaitGroup
	var once sync.Once
	began := time.Now()
	for shard := range modelShards {
		wait.Go(func() {
			share := 0
			for seed := uint64(shard + 1); share < *modelScenes/modelShards && !over.Load(); seed += modelShards {
				n, err := play(seed, script(seed), nil)
				if share += n; err != nil {
					over.Store(true)
					once.Do(func() { show(seed, err) })
				}
				sequences.Add(1)
			}
			scenes.Add(int64(share))
		})
	}
	wait.Wait()
	t.Logf("%d scenes of %d sequences, %.0f scenes a second", scenes.Load(), sequences.Load(), float64(scenes.Load())/time.Since(began).Seconds())
}
