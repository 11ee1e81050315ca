// Package write is the third stage: it collects batches into requests, delivers
// them, and settles what was delivered in the order in which it was read.
//
// A request that fails is sent again until each of its points is acknowledged, or
// refused for good and in the reject file (docs/delivery.md says which answer
// means what). Meanwhile at most Config.InFlight requests are on the way, nothing
// more is received, and so, in the end, nothing more is read: the log file is the
// buffer.
//
//	write.go      the stage: collect, settle in the order of reading, acknowledge
//	request.go    batches and what is cut from them; lines and points of a request
//	deliver.go    one request on its way, by pieces when it must be: points.go
//	time.go       points that are refused for their time
//	doubt.go      answers that may be about points, or not
//	probe.go      whether points could be written, while there are none
//	outage.go     pauses, and what is logged of outages
//	limits.go     how much at once, and how fast a refused point is looked for
//	retention.go  which times are kept
//	reject.go     the reject file
//	pulse.go      whether all stages work
//	target.go     points of several retention policies
//	own.go        points about tailflux itself: ownrun.go sends them, ownpoint.go writes them, ownspan.go observed time
package write

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/rollup"
	"github.com/tailflux/tailflux/internal/stats"
)

// Sink is where points go. Its methods may block until ctx ends.
type Sink interface {
	Server
	// Write returns nil only when all points in pieces, which together are
	// line protocol, are stored for good. [influx.VerdictOf] says what an error
	// means for them. Unless it means that some are refused, the same points are
	// written again: storing them twice must give one point each. It is called
	// by several goroutines.
	Write(ctx context.Context, pieces [][]byte) error
	// Retention is which points are kept. It is called at the start, and at most
	// once an hour.
	Retention(ctx context.Context) (influx.Window, error)
}

// Server is what a [Sink] does without points.
type Server interface {
	// Prepare is called at the start, and again while it fails; nothing is
	// written before it succeeded. It returns the server's
	// version, or what it is.
	Prepare(ctx context.Context) (version string, err error)
	// Probe returns nil if points could be written now, and else an error as Write's.
	// It is called at the start, and every ten seconds in which nothing is written.
	Probe(ctx context.Context) error
}

// Rejects is where rejected lines go.
type Rejects interface {
	// Append returns when the first n entries are there for good, each once; all
	// of them, unless there is an error. Then the others are tried again.
	Append(entries []rejects.Entry) (n int, err error)
	// Replays reports whether lines of a generation, from a number on, may have
	// entries from before the start.
	Replays(source string, generation, line int64) bool
	// Replayed reports whether a line has, and for which reason.
	Replayed(line rejects.Entry) (reason flow.Reason, ok bool)
}

// Checkpointer remembers what was delivered.
type Checkpointer interface {
	// Acknowledge notes that all lines of a generation before end are stored, or
	// in the reject file, for good. last is how they end, as far as it is known;
	// it is not kept. It is called in the order in which the lines were read, and
	// does not block.
	Acknowledge(end flow.Position, last []byte)
	// Save makes it durable; it blocks for the disk. Whether it can or not, what
	// is acknowledged later is still delivered. It logs trouble itself.
	Save() error
}

// Cuts remembers which cuts of rollups were begun and ended.
type Cuts interface {
	// Register notes that deltas of a cut are about to be sent: nothing of a request is
	// sent before that is durable, which is up to the sink. It is called in the order in
	// which the lines were read, and does not block. millis is for [rollup.Restamp].
	Register(c *flow.Cut) (millis int64)
	// AcknowledgeCut notes that all deltas of a cut are stored. It is called in the same
	// order, and does not block.
	AcknowledgeCut(c *flow.Cut)
}

// saveInterval is how often the checkpoint is saved at most.
const saveInterval = time.Second

// Config bounds requests.
type Config struct {
	BatchPoints   int           // points in a request at most
	FlushInterval time.Duration // a line waits for others at most this long
	InFlight      int           // requests on the way at most
	Cuts          Cuts          // of rollups; nil without
	// Policy is the sink of another retention policy, which a cut may name.
	Policy   func(name string) Sink
	Hold     func() bool   // hold a batch of which more than half is refused; nil: no
	Timeout  time.Duration // a request may last this long
	Watchdog Watchdog
	Own      *Own // points about tailflux itself; nil: none
}

// MaxRequestBytes is the size, in lines read and also in line protocol, at which
// a request is sent although it could take more points. One batch may go over.
const MaxRequestBytes = 2 << 20

// Writer is the stage.
type Writer struct {
	config     Config
	main       *target
	rejects    Rejects
	checkpoint Checkpointer
	stats      *stats.Stats
	log        *slog.Logger

	// What the requests in flight share.
	outage   outage
	answered atomic.Int64 // when there was last an answer about points, in Unix nanoseconds
	limit    sizeLimit
	limiter  limiter

	backlog  backlog    // received, not yet in a request
	queue    []*request // on the way or done, oldest first; at most InFlight
	done     chan *request
	entries  []rejects.Entry
	targets  map[string]*target  // by retention policy
	refusals map[string]refusals // by reason in brief
	told     time.Time           // when it was last said that a delta is refused
	begun    map[int]bool        // sources, by index, of which points are written

	beats <-chan time.Time // of the watchdog
	pulse pulse
	tries atomic.Int64 // of requests, and to prepare the sink, that have ended
}

// New returns a writer. All of its parts are used by it alone until Run returns.
func New(c Config, sink Sink, rj Rejects, cp Checkpointer, st *stats.Stats, log *slog.Logger) *Writer {
	w := &Writer{
		config: c, main: newTarget("", sink, log), rejects: rj, checkpoint: cp, stats: st, log: log,
		outage: outage{stats: st, log: log}, limit: sizeLimit{log: log},
		targets:  map[string]*target{},
		begun:    map[int]bool{},
		done:     make(chan *request, c.InFlight), // nobody blocks on it
		refusals: map[string]refusals{},
	}
	w.targets[""] = w.main
	return w
}

// ErrUndelivered is returned when ctx ended before everything was delivered.
var ErrUndelivered = errors.New("not delivered")

// Run delivers until in is closed and everything is settled. When ctx ends
// before that, the error is [ErrUndelivered] with the number of lines it was
// left with, and ctx's when there are none.
func (w *Writer) Run(ctx context.Context, in <-chan flow.Batch) error {
	sending, cancel := context.WithCancel(ctx)
	var senders sync.WaitGroup // the requests in flight
	defer senders.Wait()
	defer cancel()
	prepared := make(chan struct{})
	senders.Go(func() {
		version, ok := w.prepare(sending)
		close(prepared)
		if ok {
			w.watch(sending, version)
		}
	})

	flush := time.NewTimer(0)
	flush.Stop()
	defer flush.Stop()
	beats, stop := w.beat()
	w.beats, w.pulse = beats, pulse{patience: w.config.patience(), moved: time.Now()}
	defer stop()
	save, saved := time.NewTimer(saveInterval), make(chan struct{}, 1)
	defer save.Stop()
	defer func() { _ = w.checkpoint.Save() }() // which logs trouble
	ready := false                             // the sink is prepared
	due := false                               // what is oldest in the backlog has waited long enough
	wait := func() {
		if due = false; !w.backlog.empty() {
			flush.Reset(time.Until(w.backlog.since().Add(w.config.FlushInterval)))
		}
	}
	own := w.startOwn()
	defer own.stop()
	for {
		if err := w.settle(ctx); err != nil {
			return err
		}
		for ready && len(w.queue) < w.config.InFlight && (w.full() || due && !w.backlog.empty()) {
			w.sendOldest(sending, &senders)
			wait()
		}
		if in == nil && w.backlog.empty() && len(w.queue) == 0 {
			own.last(ctx, w.stats, ready && !w.outage.isOn())
			return nil
		}
		receive := in
		if w.full() {
			receive = nil
		}
		select {
		case b, ok := <-receive:
			if !ok {
				in, due = nil, true
				continue
			}
			w.stats.Writing(b.NumLines(), int64(len(b.Points)))
			w.backlog.add(b, time.Now())
			if len(w.backlog.parts) == 1 {
				wait()
			}
		case <-flush.C:
			due = true
		case <-save.C:
			senders.Go(func() { // which may take long on a busy disk
				_ = w.checkpoint.Save()
				saved <- struct{}{}
			})
		case <-saved:
			save.Reset(saveInterval)
		case <-w.beats:
			w.alive(!ready)
		case <-own.due():
			own.send(sending, &senders, ready, w.stats)
		case err := <-own.answers():
			own.answered(err)
			own.goOn(sending, &senders, w.stats)
		case <-prepared:
			prepared, ready = nil, true
		case r := <-w.done:
			r.done = true
		case <-ctx.Done():
			return w.undelivered(ctx)
		}
	}
}

// sendOldest makes a request of the oldest lines of the backlog, and puts it on its way.
func (w *Writer) sendOldest(sending context.Context, senders *sync.WaitGroup) {
	r := w.backlog.take(w.config.BatchPoints)
	w.register(r)
	w.address(r)
	w.replayed(r)
	w.queue = append(w.queue, r)
	senders.Go(func() {
		w.deliver(sending, r)
		w.done <- r
	})
}

// full reports whether a request should be sent without waiting for more.
func (w *Writer) full() bool {
	return w.backlog.points >= w.config.BatchPoints || w.backlog.bytes >= MaxRequestBytes
}

// settle closes the books on the requests that are done and have no older one
// before them: rejected lines go to the reject file, blocks back to their pools.
func (w *Writer) settle(ctx context.Context) error {
	for len(w.queue) > 0 && w.queue[0].done {
		r := w.queue[0]
		if r.err != nil {
			return w.undelivered(ctx)
		}
		r.skipRefused()
		w.config.Own.settled(r)
		r.settled = r.written()
		w.stats.Written(r.settled)
		if err := w.reject(ctx, r); err != nil {
			return err
		}
		w.acknowledge(r)
		for i := range r.parts {
			r.parts[i].Release()
		}
		w.queue = append(w.queue[:0], w.queue[1:]...)
	}
	return nil
}

// acknowledge lets the checkpoint pass what is settled.
func (w *Writer) acknowledge(r *request) {
	for i := range r.parts {
		w.config.Own.seen(&r.parts[i])
		if cut := r.parts[i].Cut; cut != nil {
			if !r.parts[i].More {
				w.config.Cuts.AcknowledgeCut(cut)
			}
			continue
		}
		w.checkpoint.Acknowledge(r.parts[i].End, r.parts[i].Ending())
		w.stats.Settled(r.parts[i].NumLines())
		w.stats.UpdateSource(r.parts[i].Start.Generation.Source.Index, func(s *stats.Source) { s.Unsettled -= r.parts[i].NumLines() })
		w.sayFirst(&r.parts[i].Batch)
	}
}

// register notes which cuts a request begins, or goes on with.
func (w *Writer) register(r *request) {
	for i := range r.parts {
		if cut := r.parts[i].Cut; cut != nil {
			rollup.Restamp(r.parts[i].Points, cut, w.config.Cuts.Register(cut))
		}
	}
}

// sayFirst logs the first points of a source: whoever has just set it up waits for that.
func (w *Writer) sayFirst(b *flow.Batch) {
	source, skipped := b.Start.Generation.Source, int64(len(b.Skipped))
	if w.begun[source.Index] || b.NumLines() == skipped {
		return
	}
	w.begun[source.Index] = true
	w.log.Info("first points written", "source", source.Name, "points", b.NumLines()-skipped, "other_lines", skipped)
}

func (w *Writer) undelivered(ctx context.Context) error {
	lines := books(w.backlog.parts)
	for _, r := range w.queue {
		lines += books(r.parts) - r.settled
	}
	if lines == 0 {
		return ctx.Err()
	}
	return fmt.Errorf("%d lines %w", lines, ErrUndelivered)
}
