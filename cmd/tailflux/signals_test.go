package main

import (
	"bytes"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/stats"
)

// stopping is a stopper that watches, and what it has done.
type stopping struct {
	signals                  chan os.Signal
	over                     chan struct{}
	log                      bytes.Buffer
	reading, running, exited atomic.Bool
	reloads                  atomic.Int32
}

func watchSignals(t *testing.T, reloads bool) *stopping {
	t.Helper()
	s := &stopping{signals: make(chan os.Signal), over: make(chan struct{})}
	st := stats.New(time.Now())
	st.Read(time.Now(), 53, 1000)
	watching := stopper{
		func() { s.reading.Store(true) }, func() { s.running.Store(true) }, nil, func(code int) { s.exited.Store(code == exitFailed) },
		st, slog.New(slog.NewTextHandler(&s.log, nil)),
	}
	if reloads {
		watching.reload = func() { s.reloads.Add(1) }
	}
	done := make(chan struct{})
	go func() {
		watching.watch(s.signals, s.over)
		close(done)
	}()
	t.Cleanup(func() {
		close(s.over)
		<-done
	})
	return s
}

func (s *stopping) send(is os.Signal) {
	s.signals <- is
	synctest.Wait()
}

func (s *stopping) want(t *testing.T, reading, running, exited bool) {
	t.Helper()
	synctest.Wait()
	if r, e, x := s.reading.Load(), s.running.Load(), s.exited.Load(); r != reading || e != running || x != exited {
		t.Errorf("stopped reading %t, everything %t, exited %t; want %t, %t, %t", r, e, x, reading, running, exited)
	}
}

func TestFirstSignalStopsReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := watchSignals(t, false)
		s.send(syscall.SIGTERM)
		s.want(t, true, false, false)
		if log := s.log.String(); !strings.Contains(log, "lines=53") || !strings.Contains(log, "limit=10s") {
			t.Errorf("it logged %s", log)
		}
		time.Sleep(stopWithin - time.Second)
		s.want(t, true, false, false)
		time.Sleep(time.Second)
		s.want(t, true, true, false)
	})
}

func TestSecondSignalExitsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := watchSignals(t, false)
		s.send(syscall.SIGTERM)
		s.send(syscall.SIGTERM) // of timeout(1)
		s.want(t, true, false, false)
		time.Sleep(time.Second)
		s.send(syscall.SIGINT)
		s.want(t, true, false, true)
	})
}

// A stage that waits for the disk does not end with its context.
func TestSecondSignalExitsWhenTheTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := watchSignals(t, false)
		s.send(syscall.SIGTERM)
		time.Sleep(2 * stopWithin)
		s.want(t, true, true, false)
		s.send(syscall.SIGTERM)
		s.want(t, true, true, true)
	})
}

func TestSIGHUPDoesNothingAndSaysSoOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := watchSignals(t, false)
		s.send(syscall.SIGHUP)
		s.send(syscall.SIGHUP)
		s.want(t, false, false, false)
		if n := strings.Count(s.log.String(), "SIGHUP does nothing"); n != 1 {
			t.Errorf("it was logged %d times, want once", n)
		}
	})
}

// It reloads each time, until the daemon is about to end.
func TestSIGHUPReloads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := watchSignals(t, true)
		s.send(syscall.SIGHUP)
		s.send(syscall.SIGHUP)
		s.want(t, false, false, false)
		s.send(syscall.SIGTERM)
		s.send(syscall.SIGHUP)
		time.Sleep(time.Second)
		s.want(t, true, false, false)
		if n := s.reloads.Load(); n != 2 {
			t.Errorf("%d reloads, want 2", n)
		}
		s.send(syscall.SIGTERM)
		s.want(t, true, false, true)
	})
}

// A SIGHUP that came while tailflux was starting is a reload, as soon as there can be one.
func TestSIGHUPBeforeTheStart(t *testing.T) {
	signals, reloaded := make(chan os.Signal, 4), make(chan struct{})
	signals <- syscall.SIGHUP
	stop := onSignal(signals, func() {}, func() {}, func() { close(reloaded) }, stats.New(time.Now()), slog.New(slog.DiscardHandler))
	defer stop()
	select {
	case <-reloaded:
	case <-time.After(10 * time.Second):
		t.Error("nothing was reloaded")
	}
}
