package write

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/stats"
)

// ownRun sends the points about tailflux itself in one Run; nil: there are none. One
// request at a time has them, and whether they are stored is asked at the next turn: points
// that may be stored are sent again as they were.
type ownRun struct {
	*Own
	sink  Sink
	log   *slog.Logger
	timer *time.Timer
	done  chan error
	busy  bool      // a request is on its way
	turn  time.Time // of what was last said; observed time may follow it

	away    func() bool // lines are not accepted either
	refused bool        // what was sent last, in words that are not about points
}

// startOwn is called at the start of Run.
func (w *Writer) startOwn() *ownRun {
	o, sink := w.config.Own, w.main.sink
	if o == nil {
		return nil
	}
	if o.Policy != "" {
		sink = w.config.Policy(o.Policy)
	}
	first := ownInterval
	if o.AtStart {
		first = 0
	}
	return &ownRun{Own: o, sink: sink, log: w.log, timer: time.NewTimer(first), done: make(chan error, 1), away: w.outage.isOn}
}

func (o *ownRun) stop() {
	if o != nil {
		o.timer.Stop()
	}
}

// due is when there is something to be sent.
func (o *ownRun) due() <-chan time.Time {
	if o == nil {
		return nil
	}
	return o.timer.C
}

// answers are those to what was sent.
func (o *ownRun) answers() <-chan error {
	if o == nil {
		return nil
	}
	return o.done
}

// send sends what there is to say now, or what was sent before and is not known to be stored.
func (o *ownRun) send(ctx context.Context, senders *sync.WaitGroup, ready bool, st *stats.Stats) {
	if !ready {
		o.timer.Reset(time.Second)
		return
	}
	o.timer.Reset(ownInterval)
	if o.busy {
		return
	}
	if o.unsent == nil {
		o.unsent = o.now(st)
	}
	o.start(ctx, senders)
}

// goOn sends what is left of observed time behind an answer, without the next turn. It
// has no other points: what counts those knows how many there are in a minute.
func (o *ownRun) goOn(ctx context.Context, senders *sync.WaitGroup, st *stats.Stats) {
	if !o.left || o.unsent != nil {
		return
	}
	if time.Since(o.turn) < ownInterval {
		o.unsent = o.spans(nil)
	} else {
		o.unsent = o.now(st)
	}
	o.start(ctx, senders)
}

func (o *ownRun) start(ctx context.Context, senders *sync.WaitGroup) {
	o.busy = true
	text := o.unsent
	senders.Go(func() { o.done <- o.sink.Write(ctx, [][]byte{text}) })
}

func (o *ownRun) now(st *stats.Stats) []byte {
	looked := st.Motion().Looked // before what it found
	o.turn = time.Now()
	return o.points(nil, looked, st.Snapshot(o.turn), o.turn)
}

// answered notes what became of what was sent, and reports whether that is settled. Time
// that InfluxDB keeps no points of is not observed there, either.
func (o *ownRun) answered(err error) bool {
	o.busy = false
	switch influx.VerdictOf(err) {
	case influx.Retry, influx.Slow:
		return false
	case influx.Stored, influx.OutOfTime:
		o.refused = false
	case influx.Unclear, influx.TooLarge:
		if o.away() || !o.refused { // a proxy may be wrong for a while
			o.refused = true
			return false
		}
		fallthrough
	default:
		if !o.said {
			o.said = true
			o.log.Warn("influxdb does not store points about tailflux itself; lines are not concerned (self_metrics: false turns them off)",
				"err", err)
		}
	}
	o.unsent = nil
	return true
}

// last sends what there is to say at the end, if that may work: each request once, none
// after one that has no answer, and all of them for ownPatience at most.
func (o *ownRun) last(ctx context.Context, st *stats.Stats, works bool) {
	if o == nil || !works {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, ownPatience)
	defer cancel()
	if o.busy {
		select {
		case err := <-o.done:
			o.answered(err)
		case <-ctx.Done():
			return
		}
	}
	var pieces [][]byte
	if o.unsent != nil {
		pieces = append(pieces, o.unsent)
	}
	pieces = append(pieces, o.now(st))
	for o.answered(o.sink.Write(ctx, pieces)) && o.left {
		pieces = [][]byte{o.spans(nil)}
	}
}
