package write_test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/write"
	"github.com/tailflux/tailflux/mock/nginxlog"
)

// null acknowledges everything unread, and keeps no entries.
type null struct{ retention time.Duration }

func (null) Write(context.Context, [][]byte) error   { return nil }
func (null) Probe(context.Context) error             { return nil }
func (null) Prepare(context.Context) (string, error) { return "", nil }
func (n null) Retention(context.Context) (influx.Window, error) {
	return influx.Window{Past: n.retention}, nil
}
func (null) Append(e []rejects.Entry) (int, error)      { return len(e), nil }
func (null) Replays(string, int64, int64) bool          { return false }
func (null) Replayed(rejects.Entry) (flow.Reason, bool) { return "", false }
func (null) Acknowledge(flow.Position, []byte)          { /* forgotten */ }
func (null) Save() error                                { return nil }

// realBatch makes a batch of lines as nginx writes them. Each of its points is
// as long as one with the usual tags and fields; every rejectedth line has none.
func realBatch(tb testing.TB, f *feed, lines, rejected int) flow.Batch {
	tb.Helper()
	g, err := nginxlog.New(nginxlog.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	const p = "nginx_access,host=web1,source=web,method=GET,status=200,scheme=https,path=/api/items/7 " +
		"bytes_sent=14322i,request_time=0.013,upstream_response_time=0.012 1795168800000000001\n"
	b := flow.Batch{Start: f.at}
	var text []byte
	for i := range lines {
		text = g.Append(text, time.Unix(1795168800, 0))
		if rejected > 0 && i%rejected == 0 {
			b.Skipped = append(b.Skipped, flow.Skip{Line: int32(i), Reason: "no match"})
		} else {
			b.NumPoints++
		}
	}
	b.End = flow.Position{Generation: f.generation, Line: f.at.Line + int64(lines), Offset: f.at.Offset + int64(len(text))}
	b.Lines, b.LinesBlock = f.cut(flow.NewPool(1, len(text)), text)
	points := strings.Repeat(p, b.NumPoints)
	b.Points, b.PointsBlock = f.cut(flow.NewPool(1, len(points)), []byte(points))
	return b
}

// startNull runs a writer whose sink takes everything. What it returns sends a
// batch, any number of times; the last function waits for the end.
func startNull(tb testing.TB, batchPoints int, retention time.Duration) (f *feed, send func(flow.Batch), finish func()) {
	tb.Helper()
	st := stats.New(time.Now())
	c := write.Config{BatchPoints: batchPoints, FlushInterval: time.Second, InFlight: 2}
	w := write.New(c, null{retention}, null{}, null{}, st, slog.New(slog.DiscardHandler))
	in := make(chan flow.Batch, 64)
	ended := make(chan error)
	go func() { ended <- w.Run(context.Background(), in) }()
	send = func(b flow.Batch) {
		b.LinesBlock.Hold()
		b.PointsBlock.Hold()
		in <- b
	}
	return newFeed(tb, st), send, func() {
		close(in)
		if err := <-ended; err != nil {
			tb.Error(err)
		}
	}
}

// aCentury is a retention within which all points of these tests are.
const aCentury = 876_000 * time.Hour

func BenchmarkRun(b *testing.B) {
	for _, bb := range []struct {
		lines, rejected, batchPoints int
		retention                    time.Duration
	}{
		{1000, 0, 5000, 0},
		{1000, 0, 5000, aCentury}, // with one age looked at for each batch
		{1000, 100, 5000, 0},      // with one in a hundred rejected
		{1000, 0, 100, 0},         // cut into ten
		{1, 0, 5000, 0},           // a live server
		{1, 0, 100_000, 0},        // the same, with the largest backlog there can be
	} {
		b.Run(fmt.Sprintf("lines=%d/rejected=%d/batch_points=%d/retention=%t", bb.lines, bb.rejected, bb.batchPoints, bb.retention > 0), func(b *testing.B) {
			f, send, finish := startNull(b, bb.batchPoints, bb.retention)
			batch := realBatch(b, f, bb.lines, bb.rejected)
			b.SetBytes(int64(len(batch.Lines)))
			b.ReportAllocs()
			for b.Loop() {
				send(batch)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(bb.lines), "ns/line")
			finish()
		})
	}
}

// Lines cost no allocation each, whatever the batches are like.
func TestNothingIsAllocatedPerLine(t *testing.T) {
	for _, tt := range []struct {
		lines, batches int
		most           float64 // allocations per line
		retention      time.Duration
	}{
		{1000, 2000, 0.01, 0},
		{1000, 2000, 0.01, aCentury},
		{1, 100_000, 0.01, 0},
	} {
		t.Run(fmt.Sprint(tt.lines, tt.retention), func(t *testing.T) {
			f, send, finish := startNull(t, 5000, tt.retention)
			batch := realBatch(t, f, tt.lines, 0)
			for range tt.batches / 10 { // until all slices have grown
				send(batch)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range tt.batches {
				send(batch)
			}
			runtime.ReadMemStats(&after)
			finish()
			if got := float64(after.Mallocs-before.Mallocs) / float64(tt.lines*tt.batches); got > tt.most {
				t.Errorf("%.3f allocations per line, want at most %.3f", got, tt.most)
			}
		})
	}
}
