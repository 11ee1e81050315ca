package write_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/stats"
)

// What became of a line, as the parse stage says.
const (
	point    = 'p'
	noMatch  = 'x'
	empty    = 'e'
	filtered = 'f'
	crlf     = 'r' // no match, and the line ends with CR LF
)

const (
	blocks    = 32
	blockSize = 128 << 10
)

// feed makes batches as the parse stage does: out of blocks, counted in the
// books before they are sent. Lines are numbered from 1.
type feed struct {
	tb            testing.TB
	stats         *stats.Stats
	lines, points *flow.Pool
	generation    *flow.Generation
	at            flow.Position
	numPoints     int                // made so far
	stamp         func(n int) int64  // of a point; nil: none has one
	from          int64              // of a batch whose time was seen
	text          func(n int) string // of a point in place of all that, without its newline
}

func newFeed(tb testing.TB, st *stats.Stats) *feed {
	tb.Helper()
	source := &flow.Source{Index: st.AddSource("web", "/access.log"), Name: "web", Path: "/access.log"}
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
		case crlf:
			line += "\r"
			b.Skipped = append(b.Skipped, flow.Skip{Line: int32(i), Reason: "no match"})
		case empty:
			line = ""
			b.Skipped = append(b.Skipped, flow.Skip{Line: int32(i), Reason: "empty"})
		case filtered:
			b.Skipped = append(b.Skipped, flow.Skip{Line: int32(i), Filtered: true})
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
	if f.text != nil {
		return f.text(f.numPoints) + "\n"
	}
	if f.stamp != nil {
		return fmt.Sprintf("m v=%di %d\n", f.numPoints, f.stamp(f.numPoints))
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
	if len(data) > len(room) {
		f.tb.Fatalf("%d bytes do not fit in a block", len(data))
	}
	return pool.Cut(copy(room, data))
}

func (f *feed) count(b flow.Batch, filtered int64) {
	f.stats.Read(time.Now(), b.NumLines(), int64(len(b.Lines)))
	f.stats.Parsing(b.NumLines(), int64(len(b.Lines)))
	f.stats.Parsed(f.generation.Source.Index, time.Time{}, b.NumLines(), filtered, int64(len(b.Points)), 0)
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

// numbers reads the points of a body back.
func numbers(tb testing.TB, body string) (all []int) {
	tb.Helper()
	for text := range strings.Lines(body) {
		text, ok1 := strings.CutPrefix(text, "m v=")
		text, _, ok2 := strings.Cut(text, "i") // a stamp may follow
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
