package main

import (
	"bytes"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/stats"
)

// stopping is a stopper that watches, and what it has done.
type stopping struct {
	signals, hangups         chan os.Signal
	over                     chan struct{}
	log                      bytes.Buffer
	reading, running, exited atomic.Bool
	reloads                  atomic.Int32
	reloadTakes              time.Duration
}

func watchSignals(t *testing.T, reloads bool) *stopping {
	t.Helper()
	s := &stopping{signals: make(chan os.Signal), hangups: make(chan os.Signal, 1), over: make(chan struct{})}
	st := stats.New(time.Now())
	st.Read(time.Now(), 53, 1000)
	watching := stopper{
		func() { s.reading.Store(true) }, func() { s.running.Store(true) }, nil, func(code int) { s.exited.Store(code == exitFailed) },
		st, slog.New(slog.NewTextHandler(&s.log, nil)),
	}
	if reloads {
		watching.reload = func() {
			s.reloads.Add(1)
			time.Sleep(s.reloadTakes)
		}
	}
	ends := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() { watching.watch(s.signals, ends, s.over) })
	done.Go(func() { watching.watchHangups(s.hangups, ends, s.over) })
	t.Cleanup(func() {
		close(s.over)
		done.Wait()
	})
	return s
}

func (s *stopping) send(is os.Signal) {
	if is == syscall.SIGHUP {
		s.hangups <- is
	} else {
		s.signals <- is
	}
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

// A reload that takes long keeps nobody from stopping, nor does SIGHUP after SIGHUP.
func TestStopsDuringAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := watchSignals(t, true)
		s.reloadTakes = time.Minute
		s.send(syscall.SIGHUP)
		s.send(syscall.SIGHUP) // the next one
		s.send(syscall.SIGTERM)
		s.want(t, true, false, false)
		time.Sleep(stopWithin)
		s.want(t, true, true, false)
		s.send(syscall.SIGTERM)
		s.want(t, true, true, true)
		time.Sleep(time.Hour)
		if n := s.reloads.Load(); n != 1 {
			t.Errorf("%d reloads, want 1", n)
		}
	})
}

// However many SIGHUPs come at once, SIGTERM is not lost.
func TestManyHangups(t *testing.T) {
	reloaded, stopped := make(chan struct{}, 1000), make(chan struct{})
	stop := onSignal(nil, func() { close(stopped) }, func() {}, func() {
		time.Sleep(50 * time.Millisecond)
		reloaded <- struct{}{}
	}, stats.New(time.Now()), slog.New(slog.DiscardHandler))
	defer stop()
	for range 100 {
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond) // pending ones of a kind are one
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-stopped:
	case <-time.After(10 * time.Second):
		t.Fatal("SIGTERM was lost")
	}
	if n := len(reloaded); n < 1 || n > 10 {
		t.Errorf("%d reloads of 50 ms each within 100 SIGHUPs of one millisecond", n)
	}
}

// A SIGHUP that came while tailflux was starting is a reload, as soon as there can be one.
func TestSIGHUPBeforeTheStart(t *testing.T) {
	hangups, reloaded := make(chan os.Signal, 1), make(chan struct{})
	hangups <- syscall.SIGHUP
	stop := onSignal(hangups, func() {}, func() {}, func() { close(reloaded) }, stats.New(time.Now()), slog.New(slog.DiscardHandler))
	defer stop()
	select {
	case <-reloaded:
	case <-time.After(10 * time.Second):
		t.Error("nothing was reloaded")
	}
}
