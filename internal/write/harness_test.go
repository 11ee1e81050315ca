package write_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/write"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sink is a write.Sink; what is nil succeeds.
type sink struct {
	write     func(ctx context.Context, body string) error
	prepare   func(ctx context.Context) error
	probe     func(ctx context.Context) error
	retention func(ctx context.Context) (influx.Window, error)
}

func (s sink) Write(ctx context.Context, pieces [][]byte) error {
	if s.write == nil {
		return nil
	}
	return s.write(ctx, string(bytes.Join(pieces, nil)))
}

func (s sink) Prepare(ctx context.Context) (string, error) {
	if s.prepare == nil {
		return "1.8.10", nil
	}
	return "1.8.10", s.prepare(ctx)
}

func (s sink) Probe(ctx context.Context) error {
	if s.probe == nil {
		return nil
	}
	return s.probe(ctx)
}

func (s sink) Retention(ctx context.Context) (influx.Window, error) {
	if s.retention == nil {
		return influx.Window{}, nil
	}
	return s.retention(ctx)
}

// rejectFile keeps entries, up to 256 at once; fail, unless nil, is asked first.
type rejectFile struct {
	fail func() error

	mu      sync.Mutex
	entries []rejects.Entry
}

func (f *rejectFile) Append(entries []rejects.Entry) (n int, err error) {
	for len(entries) > 0 {
		if f.fail != nil {
			if err := f.fail(); err != nil {
				return n, err
			}
		}
		f.mu.Lock()
		some := entries[:min(len(entries), 256)]
		for _, e := range some {
			e.Line = bytes.Clone(e.Line)
			f.entries = append(f.entries, e)
		}
		f.mu.Unlock()
		n += len(some)
		entries = entries[len(some):]
	}
	return n, nil
}

func (*rejectFile) Replays(string, int64, int64) bool          { return false }
func (*rejectFile) Replayed(rejects.Entry) (flow.Reason, bool) { return "", false }

// shown is every entry in a few words.
func (f *rejectFile) shown() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, e := range f.entries {
		all = append(all, fmt.Sprintf("%s %d:%d %s %q %d", e.Source, e.Generation, e.LineNumber, e.Reason, e.Line, e.LineBytes))
	}
	return strings.Join(all, "\n")
}

// acks is a write.Checkpointer that keeps what it is told.
type acks struct {
	mu    sync.Mutex
	end   flow.Position // of the latest acknowledgement
	last  string        // how it ended
	saved flow.Position
	saves []time.Time // that had something to save
}

func (a *acks) Acknowledge(end flow.Position, last []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.end, a.last = end, string(last)
}

func (a *acks) Save() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.saved != a.end {
		a.saved = a.end
		a.saves = append(a.saves, time.Now())
	}
	return nil
}

// state is the number of the first line that is not acknowledged, of the first
// one that is not saved, and how often it was saved.
func (a *acks) state() (acknowledged, saved int64, saves int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.end.Line, a.saved.Line, len(a.saves)
}

// logged keeps the messages of a logger.
type logged struct {
	slog.Handler
	mu       sync.Mutex
	messages []string
}

func newLogged() *logged { return &logged{Handler: slog.DiscardHandler} }

func (*logged) Enabled(context.Context, slog.Level) bool { return true }

func (l *logged) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.messages = append(l.messages, r.Message)
	return nil
}

func (l *logged) count(message string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.messages {
		if m == message {
			n++
		}
	}
	return n
}

const (
	outageBegins = "influxdb is not accepting writes; retrying, reading is paused"
	outageEnds   = "influxdb is accepting writes again"
)

// bench is a writer with its surroundings, inside a bubble of synctest.
type bench struct {
	*feed
	t       *testing.T
	log     *logged
	rejects *rejectFile
	acks    *acks
	in      chan flow.Batch
	cancel  context.CancelFunc
	ended   chan struct{}
	err     error // of Run, once ended
}

// start runs a writer. in has no room, so what was sent was received.
func start(t *testing.T, c write.Config, s sink, rj *rejectFile) *bench {
	t.Helper()
	if c.FlushInterval == 0 {
		c.FlushInterval = time.Second
	}
	if c.InFlight == 0 {
		c.InFlight = 2
	}
	st := stats.New(time.Now())
	ctx, cancel := context.WithCancel(context.Background())
	b := &bench{
		feed: newFeed(t, st), t: t, log: newLogged(), rejects: rj, acks: &acks{},
		in: make(chan flow.Batch), cancel: cancel, ended: make(chan struct{}),
	}
	w := write.New(c, s, rj, b.acks, st, slog.New(b.log))
	go func() {
		defer close(b.ended)
		b.err = w.Run(ctx, b.in)
	}()
	t.Cleanup(cancel)
	return b
}

func (b *bench) send(kinds string) { b.in <- b.batch(kinds) }

// offer sends unless the writer does not receive now.
func (b *bench) offer(batch flow.Batch) bool {
	synctest.Wait()
	select {
	case b.in <- batch:
		return true
	default:
		return false
	}
}

// finish closes in, waits for Run and checks that all is well and balanced.
func (b *bench) finish() {
	b.t.Helper()
	close(b.in)
	<-b.ended
	if b.err != nil {
		b.t.Errorf("Run = %v, want nil", b.err)
	}
	books := b.books()
	if books.InFlight != 0 || books.Read != b.at.Line-1 {
		b.t.Errorf("books are %+v at the end of %d lines", books, b.at.Line-1)
	}
	if acknowledged, saved, _ := b.acks.state(); b.at.Line > 1 && (acknowledged != b.at.Line || saved != b.at.Line) {
		b.t.Errorf("acknowledged up to line %d, saved up to %d, want %d", acknowledged, saved, b.at.Line)
	}
	b.checkReleased()
}

// books balance, or the test fails.
func (b *bench) books() stats.Books {
	b.t.Helper()
	books := b.stats.Snapshot(time.Now()).Books
	checkBalance(b.t, books)
	return books
}

func checkBalance(tb testing.TB, b stats.Books) {
	tb.Helper()
	if b.Read != b.Written+b.Rejected+b.Filtered+b.InFlight {
		tb.Errorf("books do not balance: %+v", b)
	}
}
