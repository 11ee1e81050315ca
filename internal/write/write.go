// Package write is the third stage: it collects batches into requests, delivers
// them, and settles what was delivered in the order in which it was read.
//
// A request that fails is sent again until it is acknowledged; meanwhile at most
// Config.InFlight requests are on the way, nothing more is received, and so, in
// the end, nothing more is read: the log file is the buffer.
package write

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/stats"
)

// Sink is where points go.
type Sink interface {
	// Write returns nil only when all points in pieces, which together are
	// line protocol, are stored for good. After any error the same points are
	// written again: storing them twice must give one point each. It may block
	// until ctx ends, and is called by several goroutines.
	Write(ctx context.Context, pieces [][]byte) error
	// Prepare is called at the start, and again while it fails. It may block
	// for some seconds.
	Prepare() error
}

// Rejects is where rejected lines go.
type Rejects interface {
	// Append writes all entries or, with an error, none. It is tried again.
	Append(entries []rejects.Entry) error
}

// Config bounds requests.
type Config struct {
	BatchPoints   int           // points in a request at most
	FlushInterval time.Duration // a line waits for others at most this long
	InFlight      int           // requests on the way at most
}

// MaxRequestBytes is the size, in lines read and also in line protocol, at which
// a request is sent although it could take more points. One batch may go over.
const MaxRequestBytes = 2 << 20

// Writer is the stage.
type Writer struct {
	config  Config
	sink    Sink
	rejects Rejects
	stats   *stats.Stats
	log     *slog.Logger
	outage  outage

	backlog backlog    // received, not yet in a request
	due     bool       // the backlog has waited long enough
	queue   []*request // on the way or done, oldest first; at most InFlight
	done    chan *request
	entries []rejects.Entry
}

// New returns a writer. All of its parts are used by it alone until Run returns.
func New(c Config, sink Sink, rj Rejects, st *stats.Stats, log *slog.Logger) *Writer {
	return &Writer{
		config: c, sink: sink, rejects: rj, stats: st, log: log,
		outage: outage{stats: st, log: log},
		done:   make(chan *request, c.InFlight), // nobody blocks on it
	}
}

// ErrUndelivered is returned when ctx ended before everything was delivered.
var ErrUndelivered = errors.New("not delivered")

// Run delivers until in is closed and everything is settled. When ctx ends
// before that, the error is [ErrUndelivered] if lines were left over.
func (w *Writer) Run(ctx context.Context, in <-chan flow.Batch) error {
	sending, cancel := context.WithCancel(ctx)
	var senders sync.WaitGroup // the requests in flight
	defer senders.Wait()
	defer cancel()
	start := func(r *request, send func(context.Context, *request)) {
		w.queue = append(w.queue, r)
		senders.Go(func() {
			send(sending, r)
			w.done <- r
		})
	}
	start(&request{}, w.prepare)

	flush := time.NewTimer(w.config.FlushInterval)
	flush.Stop()
	for {
		if err := w.settle(ctx); err != nil {
			return err
		}
		for len(w.queue) < w.config.InFlight && (w.due || w.full()) {
			r := w.backlog.take(w.config.BatchPoints)
			if w.due = w.due && !w.backlog.empty(); !w.due {
				flush.Reset(w.config.FlushInterval) // for what is left over
			}
			if r == nil {
				break
			}
			start(r, w.deliver)
		}
		if in == nil && w.backlog.empty() && !w.unsettled() {
			return nil
		}
		receive := in
		if w.full() {
			receive = nil
		}
		select {
		case b, ok := <-receive:
			if !ok {
				in, w.due = nil, true
				continue
			}
			w.stats.Writing(b.NumLines(), int64(len(b.Points)))
			if w.backlog.empty() {
				flush.Reset(w.config.FlushInterval)
			}
			w.backlog.add(b)
		case <-flush.C:
			w.due = true
		case r := <-w.done:
			r.done = true
		case <-ctx.Done():
			return w.undelivered(ctx)
		}
	}
}

// full tells whether a request should be sent without waiting for more.
func (w *Writer) full() bool {
	return w.backlog.points >= w.config.BatchPoints || w.backlog.bytes >= MaxRequestBytes
}

// unsettled tells whether lines are on the way; the preparation has none.
func (w *Writer) unsettled() bool {
	for _, r := range w.queue {
		if len(r.batches) > 0 {
			return true
		}
	}
	return false
}

// settle closes the books on the requests that are done and have no older one
// before them: rejected lines go to the reject file, blocks back to their pools.
func (w *Writer) settle(ctx context.Context) error {
	for len(w.queue) > 0 && w.queue[0].done {
		r := w.queue[0]
		if r.err != nil {
			return w.undelivered(ctx)
		}
		w.entries = r.rejected(w.entries[:0], time.Now())
		if err := w.reject(ctx); err != nil {
			return err
		}
		w.stats.Written(int64(r.points))
		for i := range r.batches {
			r.batches[i].Release()
		}
		w.queue = append(w.queue[:0], w.queue[1:]...)
	}
	return nil
}

// reject writes w.entries to the reject file; a disk that is full is waited for.
func (w *Writer) reject(ctx context.Context) error {
	pauses := newPauses()
	for failed := false; ; failed = true {
		err := w.rejects.Append(w.entries)
		if err == nil {
			if failed {
				w.stats.RejectsTrouble("")
				w.log.Info("reject file can be written again")
			}
			break
		}
		if !failed {
			w.stats.RejectsTrouble(err.Error())
			w.log.Error("reject file cannot be written, waiting", "err", err)
		}
		select {
		case <-time.After(pauses.next(0)):
		case <-ctx.Done():
			return w.undelivered(ctx)
		}
	}
	for rest := w.entries; len(rest) > 0; {
		n, first := 1, rest[0]
		for n < len(rest) && rest[n].SourceIndex == first.SourceIndex && rest[n].Reason == first.Reason {
			n++
		}
		w.stats.Rejected(first.SourceIndex, int64(n), first.Reason, rest[n-1].Line)
		rest = rest[n:]
	}
	return nil
}

func (w *Writer) undelivered(ctx context.Context) error {
	lines := w.backlog.lines()
	for _, r := range w.queue {
		lines += r.lines()
	}
	if lines == 0 {
		return ctx.Err()
	}
	return fmt.Errorf("%d lines %w", lines, ErrUndelivered)
}
