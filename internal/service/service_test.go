package service_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailflux/tailflux/internal/service"
	"github.com/tailflux/tailflux/internal/stats"
)

// listen is systemd's end: what is received there.
func listen(t *testing.T) (received func() string) {
	t.Helper()
	address := &net.UnixAddr{Name: filepath.Join(t.TempDir(), "notify"), Net: "unixgram"}
	conn, err := net.ListenUnixgram("unixgram", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", address.Name)
	return func() string {
		t.Helper()
		message := make([]byte, 4096)
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(message)
		if err != nil {
			t.Fatal(err)
		}
		return string(message[:n])
	}
}

func newService(t *testing.T) (*service.Service, *stats.Stats, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	st := stats.New(time.Now())
	return service.New(st, slog.New(slog.NewTextHandler(&log, nil))), st, &log
}

// The life of a daemon, as systemd hears of it.
func TestMessages(t *testing.T) {
	received := listen(t)
	s, _, log := newService(t)
	want := func(pattern string) {
		t.Helper()
		if got := received(); !regexp.MustCompile("^(?:" + pattern + ")$").MatchString(got) {
			t.Errorf("received %q, want %s", got, pattern)
		}
	}
	s.Ready()
	want(`READY=1\nSTATUS=0 lines/s, 0 s behind`)
	s.Alive()
	want(`WATCHDOG=1`)
	s.Reloading()
	want(`RELOADING=1\nMONOTONIC_USEC=\d+`)
	s.Reloaded("reload refused: tags: no such tag\nMAINPID=1")
	want(`READY=1\nSTATUS=reload refused: tags: no such tag MAINPID=1; 0 lines/s, 0 s behind`)
	s.Reloading()
	want(`RELOADING=1\nMONOTONIC_USEC=\d+`)
	s.Reloaded("reload pending")
	want(`READY=1\nSTATUS=reload pending; 0 lines/s, 0 s behind`)
	s.Reloading()
	want(`RELOADING=1\nMONOTONIC_USEC=\d+`)
	s.Reloaded("")
	want(`READY=1\nSTATUS=0 lines/s, 0 s behind`)
	s.Stopping()
	want(`STOPPING=1\nSTATUS=stopping; 0 lines/s, 0 s behind`)
	if log.Len() > 0 {
		t.Errorf("it logged %s", log)
	}
}

// systemd compares the time of a reload with its own clock.
func TestReloadingTellsTheMonotonicTime(t *testing.T) {
	received := listen(t)
	s, _, _ := newService(t)
	clock := func() int64 {
		var now unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
			t.Fatal(err)
		}
		return now.Nano() / 1000
	}
	before := clock()
	s.Reloading()
	after := clock()
	_, text, _ := strings.Cut(received(), "MONOTONIC_USEC=")
	text, _, _ = strings.Cut(text, "\n")
	if usec, err := strconv.ParseInt(text, 10, 64); err != nil || usec < before || usec > after {
		t.Errorf("MONOTONIC_USEC=%s, want between %d and %d", text, before, after)
	}
}

func TestNobodyListens(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	s, _, log := newService(t)
	s.Ready()
	s.Alive()
	s.Run(t.Context()) // and does not wait for ctx
	s.Stopping()
	if log.Len() > 0 {
		t.Errorf("it logged %s", log)
	}
}

// The socket is gone: said once, and no reason to stop.
func TestSocketIsGone(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "gone"))
	s, _, log := newService(t)
	s.Ready()
	s.Alive()
	s.Stopping()
	if n := strings.Count(log.String(), "cannot tell systemd"); n != 1 {
		t.Errorf("it said %d times that it cannot: %s", n, log)
	}
}

func TestWatchdog(t *testing.T) {
	pid := strconv.Itoa(unix.Getpid())
	for _, tt := range []struct {
		usec, pid string
		want      time.Duration
		warns     bool
	}{
		{usec: "", want: 0},
		{usec: "3000000", want: 3 * time.Second},
		{usec: "60000000", pid: pid, want: time.Minute},
		{usec: "60000000", pid: "1", want: 0}, // meant for a process that started this one
		{usec: "soon", want: 0, warns: true},
		{usec: "-1", want: 0, warns: true},
	} {
		t.Setenv("WATCHDOG_USEC", tt.usec)
		t.Setenv("WATCHDOG_PID", tt.pid)
		s, _, log := newService(t)
		if got := s.Watchdog(); got != tt.want || (log.Len() > 0) != tt.warns {
			t.Errorf("WATCHDOG_USEC=%s WATCHDOG_PID=%s: %v, want %v; it logged %q", tt.usec, tt.pid, got, tt.want, log)
		}
	}
}

// sent keeps what a service sends.
type sent struct {
	mu  sync.Mutex
	all []string
}

func (s *sent) send(state string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, state)
	return true, nil
}

func (s *sent) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.all
	s.all = nil
	return all
}

// The sentence is sent when it has changed, and at most every five seconds.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, st, _ := newService(t)
		var out sent
		s.SetSend(out.send)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.Run(ctx)
		}()
		time.Sleep(time.Hour)
		if got, want := out.take(), []string{"STATUS=0 lines/s, 0 s behind"}; !slices.Equal(got, want) {
			t.Errorf("in a quiet hour %q, want %q", got, want)
		}
		st.Failed(errors.New("connection refused"))
		st.Down(time.Now())
		time.Sleep(119 * time.Second)
		if n := len(out.take()); n > 24 {
			t.Errorf("in two minutes it sent %d sentences", n)
		}
		time.Sleep(time.Minute)
		if got, want := out.take(), []string{"STATUS=InfluxDB away for 2 min; 0 lines wait: connection refused"}; !slices.Equal(got, want) {
			t.Errorf("in the third minute %q, want %q", got, want)
		}
		cancel()
		<-done
	})
}
