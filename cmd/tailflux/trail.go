package main

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/influx"
)

// trail holds back what is acknowledged by a store that does so from its memory, until it
// must be on the store's disk: the checkpoint trails by store_lag. When the store may have
// been killed meanwhile, that is forgotten, and lines are read again from the checkpoint.
// docs/adr/0015-store-lag.md has the argument.
type trail struct {
	checkpoint *checkpoint.Checkpoint
	log        *slog.Logger

	mu      sync.Mutex    // guards what follows; never held over I/O but the log
	lag     time.Duration // 0: an acknowledgement can be relied on
	process int64         // when the store was started, in Unix seconds; 0: it is not known
	doubt   string        // why the store may have been killed, "" if nothing says so
	waiting []promise     // in the order in which they came
	lost    chan struct{} // closed when what waits cannot be relied on
}

// promise is an acknowledgement.
type promise struct {
	at   time.Time
	cut  *flow.Cut // nil: of lines
	end  flow.Position
	last []byte
}

func newTrail(c *checkpoint.Checkpoint, log *slog.Logger) *trail {
	return &trail{checkpoint: c, log: log, lost: make(chan struct{})}
}

// follow says where points go from now on.
func (t *trail) follow(is influx.Server, lag time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !is.IsVictoria() {
		lag = 0
	}
	if len(t.waiting) == 0 {
		t.process, t.doubt = is.Flags.Started, ""
	}
	t.lag = lag
}

// add takes an acknowledgement, which the checkpoint gets at once, later, or never.
func (t *trail) add(p promise) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.lag == 0 && len(t.waiting) == 0:
		t.keep(p)
	case !isClosed(t.lost):
		p.at, p.last = time.Now(), bytes.Clone(p.last[max(0, len(p.last)-checkpoint.EndingBytes):])
		t.waiting = append(t.waiting, p)
	}
}

func (t *trail) keep(p promise) {
	if p.cut != nil {
		t.checkpoint.AcknowledgeCut(p.cut)
	} else {
		t.checkpoint.Acknowledge(p.end, p.last)
	}
}

// unanswered notes that the store did not answer a request.
func (t *trail) unanswered(why error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lag > 0 && t.doubt == "" {
		t.doubt = why.Error()
	}
	if t.lag > 0 && t.process == 0 { // it cannot be asked later whether it is the same one
		t.lose(t.doubt)
	}
}

// lose forgets what cannot be relied on.
func (t *trail) lose(why string) {
	if isClosed(t.lost) {
		return
	}
	t.log.Warn("the store may have lost what it acknowledged last: what was read is delivered, then again from where that is certain", "reason", why)
	close(t.lost)
	t.waiting = nil
}

// asked takes what the store, when asked at that time, said it was: what has waited longer
// than the lag is on its disk if it is the same process as before.
func (t *trail) asked(at time.Time, is influx.Server, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch started := is.Flags.Started; {
	case isClosed(t.lost):
		return
	case err != nil:
		if t.doubt = err.Error(); t.process == 0 {
			t.lose(t.doubt)
		}
		return
	case t.process != 0 && started != t.process:
		why := "it was started again"
		if started == 0 {
			why = "it does not tell any more when it was started"
		}
		t.lose(why)
		return
	}
	t.process, t.doubt = is.Flags.Started, ""
	n := 0
	for n < len(t.waiting) && !t.waiting[n].at.After(at.Add(-t.lag)) {
		t.keep(t.waiting[n])
		n++
	}
	t.waiting = append(t.waiting[:0], t.waiting[n:]...)
}

// reset makes it begin anew, for another run.
func (t *trail) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lost, t.waiting, t.process, t.doubt = make(chan struct{}), nil, 0, ""
}

func (t *trail) state() (lost <-chan struct{}, waits bool, lag time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lost, len(t.waiting) > 0, t.lag
}

// isDrained reports whether nothing is held back: the checkpoint stands where the store
// acknowledged.
func (t *trail) isDrained() bool {
	lost, waits, _ := t.state()
	return !waits && !isClosed(lost)
}

func (t *trail) isLost() bool {
	lost, _, _ := t.state()
	return isClosed(lost)
}

// watch asks the store, until ctx ends, whether it is the same process, several times
// within the lag: a store that is killed and back at once answers all requests.
func (t *trail) watch(ctx context.Context, ask func(context.Context) (influx.Server, error)) {
	for {
		_, waits, lag := t.state()
		select {
		case <-time.After(min(max(lag/3, 100*time.Millisecond), 5*time.Second)):
		case <-ctx.Done():
			return
		}
		if lag == 0 && !waits {
			continue
		}
		at := time.Now()
		is, err := ask(ctx)
		if ctx.Err() == nil {
			t.asked(at, is, err)
		}
	}
}

// drain waits until nothing is held back any more, or it is lost, or ctx ends.
func (t *trail) drain(ctx context.Context, alive func()) {
	for {
		lost, waits, _ := t.state()
		if !waits || isClosed(lost) {
			return
		}
		alive()
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return
		}
	}
}
