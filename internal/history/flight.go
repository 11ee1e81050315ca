package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Limits of what is asked, whoever asks.
const (
	AtOnce    = 2                // statements of InfluxQL
	Patience  = 25 * time.Second // for all of a question
	MaxAnswer = 48 << 20         // bytes of an answer to a statement

	maxFlights  = 8 // questions that are being answered
	keptAnswers = 16
	keptFor     = 5 * time.Minute // at most: see fresh
)

var (
	errBusy = errors.New("too many questions at once") // of others
	errSlow = errors.New("time was up")                // Patience was too short
)

// flights answers the same question once for all who ask it, now and for a while after.
type flights struct {
	now func() time.Time

	mu      sync.Mutex // guards what follows
	running []*flight
	kept    []*flight // the oldest first
}

// key is a question. Whoever is asked may change.
type key struct {
	request Request
	store   *Store
}

type flight struct {
	key     key
	waiting int // who wait for it
	cancel  context.CancelFunc
	done    chan struct{} // closed when what follows is there
	answer  *Answer
	err     error
	at      time.Time
}

// do returns the answer of work, which may be that of an earlier call or of one that goes on.
// When nobody waits for an answer any longer, its context ends. The error is [errBusy], that
// of ctx, or that of work, which is not kept; it is [errSlow] if Patience has ended it.
func (f *flights) do(ctx context.Context, k key, work func(context.Context) (*Answer, error)) (*Answer, error) {
	f.mu.Lock()
	of := func(k key) func(*flight) bool { return func(fl *flight) bool { return fl.key == k } }
	f.kept = slices.DeleteFunc(f.kept, func(fl *flight) bool { return f.now().Sub(fl.at) >= fl.fresh() })
	if at := slices.IndexFunc(f.kept, of(k)); at >= 0 {
		defer f.mu.Unlock()
		return f.kept[at].answer, nil
	}
	var fl *flight
	if at := slices.IndexFunc(f.running, of(k)); at >= 0 {
		fl = f.running[at]
	} else if len(f.running) >= maxFlights {
		f.mu.Unlock()
		return nil, errBusy
	} else {
		fl = f.start(k, work)
	}
	fl.waiting++
	f.mu.Unlock()
	select {
	case <-fl.done:
		return fl.answer, fl.err
	case <-ctx.Done():
		f.leave(fl)
		return nil, ctx.Err()
	}
}

// start begins to work. Whoever waits for it owns its goroutine; without them it is
// cancelled.
func (f *flights) start(k key, work func(context.Context) (*Answer, error)) *flight {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	fl := &flight{key: k, cancel: cancel, done: make(chan struct{})}
	f.running = append(f.running, fl)
	go func() {
		defer cancel()
		answer, err := work(ctx)
		if err != nil && isUp(ctx) {
			err = fmt.Errorf("%w: %w", errSlow, err)
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.remove(fl)
		fl.answer, fl.err, fl.at = answer, err, f.now()
		if err == nil && !answer.late {
			f.kept = append(f.kept, fl)
			f.kept = f.kept[max(0, len(f.kept)-keptAnswers):]
		}
		close(fl.done)
	}()
	return fl
}

// fresh is for how long its answer is the newest.
func (fl *flight) fresh() time.Duration {
	if fl.answer.soon {
		return fresh(0)
	}
	return fresh(fl.key.request.long())
}

func (f *flights) leave(fl *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl.waiting--; fl.waiting == 0 {
		fl.cancel()
		f.remove(fl) // who asks now does not get what is cancelled
	}
}

func (f *flights) remove(fl *flight) {
	f.running = slices.DeleteFunc(f.running, func(other *flight) bool { return other == fl })
}
