package write

import (
	"context"
	"time"
)

// prepare prepares the sink, retrying until ctx ends; then ok is false. It returns the version
// of the server.
func (w *Writer) prepare(ctx context.Context) (version string, ok bool) {
	retry := w.outage.retry()
	for {
		version, err := w.main.sink.Prepare(ctx)
		w.tries.Add(1)
		if err == nil {
			retry.over()
			w.stats.Identified(version)
			w.main.retention.span(ctx)
			return version, true
		}
		if retry.wait(ctx, err) != nil {
			return "", false
		}
	}
}

// probeInterval is how long there is no answer about points before one is asked for.
const probeInterval = 10 * time.Second

// probePause is how soon it is asked again after a failure: when points are stored again,
// that must not be said much later.
const probePause = time.Second

// watch asks, whenever nothing else was answered for a while, whether points could be
// written: a wrong password, or a server that is gone, is known before there is a line. It
// ends with ctx.
func (w *Writer) watch(ctx context.Context, version string) {
	retry := w.outage.retry()
	var failed time.Time
	defer func() {
		if w.answered.Load() > failed.UnixNano() {
			retry.over()
		}
	}()
	if w.stats.Snapshot(time.Now()).Books.InFlight > 0 { // their answer is one, too
		select {
		case <-time.After(probePause):
		case <-ctx.Done():
			return
		}
	}
	for {
		asked := time.Now()
		var err error
		if w.answered.Load() < asked.Add(-probeInterval).UnixNano() {
			err = w.main.sink.Probe(ctx)
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil && w.answered.Load() < asked.UnixNano() {
			failed = asked
			retry.fails(err)
			select {
			case <-time.After(probePause):
				continue
			case <-ctx.Done():
				return
			}
		}
		retry.over()
		w.stats.Answered(version)
		for quiet := time.Duration(0); quiet < probeInterval; {
			select {
			case <-time.After(probeInterval - quiet):
			case <-ctx.Done():
				return
			}
			quiet = time.Since(time.Unix(0, max(w.answered.Load(), asked.UnixNano())))
			if w.outage.isOn() { // requests fail, and are tried again
				quiet = 0
			}
		}
	}
}
