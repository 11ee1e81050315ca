package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/tailflux/tailflux/internal/stats"
)

// stopWithin is how long what was read may take to be delivered after a signal.
const stopWithin = 10 * time.Second

// A stopper turns signals into the end of the pipeline, or into a reload.
type stopper struct {
	stopReading, stopRunning context.CancelFunc
	reload                   func()         // nil: there is no other one
	exit                     func(code int) // of the process, at once
	stats                    *stats.Stats
	log                      *slog.Logger
}

// onSignal stops reading at the first signal and everything stopWithin later, and
// exits at the second one, whenever that comes. SIGHUP calls reload, if it is not nil. The
// returned function ends that and waits for its goroutines. hangups has a SIGHUP that came
// before, or is nil.
//
// However many SIGHUPs come, and however long a reload takes, the other signals are acted on:
// they have a channel and a goroutine of their own. Of the SIGHUPs that come during a reload
// one is enough, because the next reload reads what is there then.
func onSignal(hangups chan os.Signal, stopReading, stopRunning context.CancelFunc, reload func(), st *stats.Stats, log *slog.Logger) (stop func()) {
	if hangups == nil {
		hangups = make(chan os.Signal, 1)
	}
	signal.Notify(hangups, syscall.SIGHUP)
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	over, ends := make(chan struct{}), make(chan struct{})
	var watching sync.WaitGroup
	s := stopper{stopReading, stopRunning, reload, os.Exit, st, log}
	watching.Go(func() { s.watch(signals, ends, over) })
	watching.Go(func() { s.watchHangups(hangups, ends, over) })
	return func() {
		signal.Stop(hangups)
		signal.Stop(signals)
		close(over)
		watching.Wait()
	}
}

// watch acts on signals until over is closed. At the first one it closes ends.
func (s stopper) watch(signals <-chan os.Signal, ends chan<- struct{}, over <-chan struct{}) {
	// timeout(1) sends its signal twice: to the process and to its group.
	const twice = 20 * time.Millisecond
	var first time.Time
	var late <-chan time.Time
	for {
		select {
		case is := <-signals:
			switch {
			case first.IsZero():
				close(ends)
				s.stopReading()
				s.log.Info("stopping: waiting for InfluxDB to accept the lines that were read; a second signal exits at once",
					"signal", is.String(), "lines", s.stats.Snapshot(time.Now()).Books.InFlight, "limit", stopWithin.String())
				first, late = time.Now(), time.After(stopWithin)
			case time.Since(first) > twice:
				s.exit(exitFailed)
				return
			}
		case <-late:
			s.stopRunning()
		case <-over:
			return
		}
	}
}

// watchHangups acts on SIGHUP until ends or over is closed.
func (s stopper) watchHangups(hangups <-chan os.Signal, ends, over <-chan struct{}) {
	warned := false
	for {
		select {
		case <-hangups:
		case <-ends:
			return
		case <-over:
			return
		}
		switch {
		case isClosed(ends):
			return
		case s.reload != nil:
			s.reload()
		case !warned:
			s.log.Warn("SIGHUP does nothing: this command reads its configuration once")
			warned = true
		}
	}
}
