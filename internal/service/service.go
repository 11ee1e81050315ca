// Package service tells systemd how the daemon is, as sd_notify(3) has it: that it is
// ready, reloads, stops and is alive, and in one sentence what it is doing. Where nobody
// listens, such as in a container or on a terminal, it does nothing.
package service

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"

	"github.com/tailflux/tailflux/internal/stats"
)

// sentenceInterval is how often the sentence is made anew. It is sent if it has changed.
const sentenceInterval = 5 * time.Second

// Service is safe for use by several goroutines. Make it with [New].
type Service struct {
	stats    *stats.Stats
	log      *slog.Logger
	watchdog time.Duration
	send     func(state string) (heard bool, err error)

	unheard atomic.Bool // nobody listens
	failed  atomic.Bool // to send, which is logged

	mu       sync.Mutex // guards what follows, and keeps messages in order
	note     string
	sentence string // that was sent last
	stopping bool
}

// New returns the service of a daemon whose figures are in st.
func New(st *stats.Stats, log *slog.Logger) *Service {
	s := &Service{stats: st, log: log, send: func(state string) (bool, error) { return daemon.SdNotify(false, state) }}
	var err error
	if s.watchdog, err = daemon.SdWatchdogEnabled(false); err != nil {
		log.Warn("the watchdog of systemd is not fed", "err", err)
	}
	return s
}

// Watchdog is how long systemd waits for Alive before it ends the process; 0: it does
// not wait.
func (s *Service) Watchdog() time.Duration { return s.watchdog }

// Alive feeds the watchdog.
func (s *Service) Alive() { s.tell(daemon.SdNotifyWatchdog) }

// Ready says that the daemon has started.
func (s *Service) Ready() { s.change(daemon.SdNotifyReady, func() {}) }

// Stopping says that it is about to end.
func (s *Service) Stopping() { s.change(daemon.SdNotifyStopping, func() { s.stopping = true }) }

// Reloading says that a reload has begun. Reloaded must follow.
func (s *Service) Reloading() {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // cannot fail
	s.change(fmt.Sprintf("%s\nMONOTONIC_USEC=%d", daemon.SdNotifyReloading, now.Nano()/1000), func() {})
}

// Reloaded says that the reload is over. The sentence begins with the note until there
// is another one: "reload refused: …"; "" if there is nothing to say.
func (s *Service) Reloaded(note string) {
	s.change(daemon.SdNotifyReady, func() { s.note = note })
}

// Run keeps the sentence true until ctx ends.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(sentenceInterval)
	defer tick.Stop()
	for !s.unheard.Load() {
		s.change("", func() {})
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// change calls to, and tells systemd a state, unless it is "", and the sentence, if it is
// another one now.
func (s *Service) change(state string, to func()) {
	at := time.Now()
	snapshot := s.stats.Snapshot(at)
	s.mu.Lock()
	defer s.mu.Unlock()
	to()
	now := sentence(&snapshot, at)
	if s.note != "" {
		now = s.note + "; " + now
	}
	if s.stopping {
		now = "stopping; " + now
	}
	if now = clean(now); now != s.sentence {
		s.sentence = now
		state = strings.TrimPrefix(state+"\nSTATUS="+now, "\n")
	}
	if state != "" {
		s.tell(state)
	}
}

// tell sends a state.
func (s *Service) tell(state string) {
	heard, err := s.send(state)
	s.unheard.Store(!heard && err == nil)
	if err != nil && !s.failed.Swap(true) {
		s.log.Warn("cannot tell systemd how tailflux is", "err", err)
	}
}
