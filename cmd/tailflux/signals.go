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

// A stopper turns signals into the end of the pipeline, or into another one.
type stopper struct {
	stopReading, stopRunning context.CancelFunc
	reload                   func()         // nil: there is no other one
	exit                     func(code int) // of the process, at once
	stats                    *stats.Stats
	log                      *slog.Logger
}

// onSignal stops reading at the first signal and everything stopWithin later, and
// exits at the second one, whenever that comes. SIGHUP calls reload, if it is not nil. The
// returned function ends that and waits for its goroutine. signals has what came before, or
// is nil.
func onSignal(signals chan os.Signal, stopReading, stopRunning context.CancelFunc, reload func(), st *stats.Stats, log *slog.Logger) (stop func()) {
	if signals == nil {
		signals = make(chan os.Signal, 4)
	}
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	over := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { stopper{stopReading, stopRunning, reload, os.Exit, st, log}.watch(signals, over) })
	return func() {
		signal.Stop(signals)
		close(over)
		watching.Wait()
	}
}

// watch acts on signals until over is closed.
func (s stopper) watch(signals <-chan os.Signal, over <-chan struct{}) {
	// timeout(1) sends its signal twice: to the process and to its group.
	const twice = 20 * time.Millisecond
	warned := false
	var first time.Time
	var late <-chan time.Time
	for {
		select {
		case is := <-signals:
			switch {
			case is == syscall.SIGHUP && !first.IsZero():
			case is == syscall.SIGHUP && s.reload != nil:
				s.reload()
			case is == syscall.SIGHUP:
				if !warned {
					s.log.Warn("SIGHUP does nothing: this command reads its configuration once")
				}
				warned = true
			case first.IsZero():
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
