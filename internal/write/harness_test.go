package write_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/write"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sink is a write.Sink; what is nil succeeds.
type sink struct {
	write   func(ctx context.Context, body string) error
	prepare func(ctx context.Context) error
}

func (s sink) Write(ctx context.Context, pieces [][]byte) error {
	if s.write == nil {
		return nil
	}
	return s.write(ctx, string(bytes.Join(pieces, nil)))
}

func (s sink) Prepare(ctx context.Context) error {
	if s.prepare == nil {
		return nil
	}
	return s.prepare(ctx)
}

// rejectFile keeps entries; fail, unless nil, is asked first.
type rejectFile struct {
	fail func() error

	mu      sync.Mutex
	entries []rejects.Entry
}

func (f *rejectFile) Append(entries []rejects.Entry) error {
	if f.fail != nil && len(entries) > 0 {
		if err := f.fail(); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range entries {
		e.Line = bytes.Clone(e.Line)
		f.entries = append(f.entries, e)
	}
	return nil
}

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
	outageBegins = "influxdb takes no points, trying again; reading waits"
	outageEnds   = "influxdb takes points again"
)

// What became of a line, as the parse stage says.
const (
	point    = 'p'
	noMatch  = 'x'
	empty    = 'e'
	filtered = 'f'
)

const (
	blocks    = 64
	blockSize = 64 << 10
)

// feed makes batches as the parse stage does: out of blocks, counted in the
// books before they are sent. Lines are numbered from 1.
type feed struct {
	tb            testing.TB
	stats         *stats.Stats
	lines, points *flow.Pool
	generation    *flow.Generation
	at            flow.Position
	numPoints     int  // made so far
	stamps        bool // points have one
}

func newFeed(tb testing.TB, st *stats.Stats) *feed {
	tb.Helper()
	source := &flow.Source{Index: st.AddSource("web", "/access.log", "scanner"), Name: "web", Path: "/access.log"}
	generation := &flow.Generation{Source: source, ID: 7, FirstLine: 1}
	return &feed{
		tb: tb, stats: st, generation: generation, at: flow.Position{Generation: generation, Line: 1},
		lines: flow.NewPool(blocks, blockSize), points: flow.NewPool(blocks, blockSize),
	}
}

// batch makes one of a letter for each line.
func (f *feed) batch(kinds string) flow.Batch {
	f.tb.Helper()
	var lines, points []byte
	b := flow.Batch{Start: f.at}
	notCounted := int64(0)
	for i, kind := range []byte(kinds) {
		line := fmt.Sprintf("line %d is %c", f.at.Line, kind)
		switch kind {
		case point:
			points = append(points, f.point()...)
			b.NumPoints++
		case noMatch:
			b.Skipped = append(b.Skipped, flow.Skip{Line: int32(i), Reason: "no match"})
		case empty:
			line = ""
			b.Skipped = append(b.Skipped, flow.Skip{Line: int32(i), Reason: "empty"})
		case filtered:
			b.Skipped = append(b.Skipped, flow.Skip{Line: int32(i)})
			notCounted++
		default:
			f.tb.Fatalf("batch(%q): no kind %q", kinds, kind)
		}
		lines = append(append(lines, line...), '\n')
		f.at.Line++
		f.at.Offset += int64(len(line) + 1)
	}
	b.End = f.at
	b.Lines, b.LinesBlock = f.cut(f.lines, lines)
	if len(points) > 0 {
		b.Points, b.PointsBlock = f.cut(f.points, points)
	}
	f.count(b, notCounted)
	return b
}

// point is the next one: its number is its value.
func (f *feed) point() string {
	f.numPoints++
	if f.stamps {
		return fmt.Sprintf("m v=%di %d\n", f.numPoints, f.numPoints)
	}
	return fmt.Sprintf("m v=%di\n", f.numPoints)
}

// tooLong makes a batch of a line of n bytes, newline included, of which only
// the head was kept.
func (f *feed) tooLong(head string, n int64) flow.Batch {
	f.tb.Helper()
	b := flow.Batch{Start: f.at, TooLong: n, Skipped: []flow.Skip{{Reason: "too long"}}}
	f.at.Line++
	f.at.Offset += n
	b.End = f.at
	b.Lines, b.LinesBlock = f.cut(f.lines, []byte(head+"\n"))
	f.count(b, 0)
	return b
}

func (f *feed) cut(pool *flow.Pool, data []byte) ([]byte, *flow.Block) {
	f.tb.Helper()
	room, err := pool.Room(f.tb.Context(), len(data))
	if err != nil {
		f.tb.Fatal(err)
	}
	return pool.Cut(copy(room, data))
}

func (f *feed) count(b flow.Batch, filtered int64) {
	f.stats.Read(time.Now(), b.NumLines(), int64(len(b.Lines)))
	f.stats.Parsing(b.NumLines(), int64(len(b.Lines)))
	f.stats.Parsed(f.generation.Source.Index, time.Time{}, b.NumLines(), filtered, int64(len(b.Points)))
}

// checkReleased checks that every block is back in its pool.
func (f *feed) checkReleased() {
	f.tb.Helper()
	for name, pool := range map[string]*flow.Pool{"lines": f.lines, "points": f.points} {
		for i := range blocks {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			_, err := pool.Room(ctx, blockSize)
			cancel()
			if err != nil {
				f.tb.Errorf("%s: %d of %d blocks are back", name, i, blocks)
				break
			}
			pool.Cut(blockSize)
		}
	}
}

// bench is a writer with its surroundings, inside a bubble of synctest.
type bench struct {
	*feed
	t       *testing.T
	log     *logged
	rejects *rejectFile
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
		feed: newFeed(t, st), t: t, log: newLogged(), rejects: rj,
		in: make(chan flow.Batch), cancel: cancel, ended: make(chan struct{}),
	}
	w := write.New(c, s, rj, st, slog.New(b.log))
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

// numbers reads the points of a body back.
func numbers(tb testing.TB, body string) (all []int) {
	tb.Helper()
	for text := range strings.Lines(body) {
		text, ok1 := strings.CutPrefix(text, "m v=")
		text, ok2 := strings.CutSuffix(text, "i\n")
		n, err := strconv.Atoi(text)
		if !ok1 || !ok2 || err != nil {
			tb.Errorf("body %q is not line protocol", body)
		}
		all = append(all, n)
	}
	return all
}

// deliveries are the points of the requests that a sink received, with the time
// since it was made.
type deliveries struct {
	tb    testing.TB
	began time.Time

	mu  sync.Mutex
	all []delivery
}

type delivery struct {
	points []int
	at     time.Duration
}

func newDeliveries(tb testing.TB) *deliveries {
	tb.Helper()
	return &deliveries{tb: tb, began: time.Now()}
}

func (d *deliveries) add(body string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, delivery{numbers(d.tb, body), time.Since(d.began)})
}

func (d *deliveries) write(_ context.Context, body string) error {
	d.add(body)
	return nil
}

// list is all of them so far, oldest first.
func (d *deliveries) list() []delivery {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.all)
}

// sizes is the number of points in each.
func (d *deliveries) sizes() (sizes []int) {
	for _, one := range d.list() {
		sizes = append(sizes, len(one.points))
	}
	return sizes
}
