package parse_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/internal/parse"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/mock/nginxlog"
)

const (
	good    = `192.0.2.7 - - [20/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "curl"`
	maxLine = 4 << 10
)

// stage is a parser with what it needs around it.
type stage struct {
	parser *parse.Parser
	stats  *stats.Stats
	lines  *flow.Pool // for chunks
	gen    *flow.Generation
}

func newStage(t testing.TB, format string, blocks, blockSize int) *stage {
	t.Helper()
	f, err := logformat.CompileFormat(format)
	if err != nil {
		t.Fatal(err)
	}
	st := stats.New(time.Now())
	source := &flow.Source{Index: st.AddSource("web", "access.log", f.Kind()), Name: "web"}
	p, err := parse.New([]parse.Source{{Format: f, Schema: accesslog.Schema{
		Measurement: "nginx_access", Host: "web1", Source: "web",
		Tags:   []string{"method", "status", "scheme", "path"},
		Fields: []string{"bytes_sent", "body_bytes_sent", "request_time", "upstream_response_time"},
	}}}, maxLine, flow.NewPool(blocks, blockSize), st)
	if err != nil {
		t.Fatal(err)
	}
	return &stage{parser: p, stats: st, lines: flow.NewPool(1000, 1<<20), gen: &flow.Generation{Source: source, ID: 1, FirstLine: 1}}
}

// chunk makes one of text, which begins at line and offset.
func (s *stage) chunk(t testing.TB, text string, line, offset int64) flow.Chunk {
	t.Helper()
	room, err := s.lines.Room(t.Context(), len(text))
	if err != nil {
		t.Fatal(err)
	}
	copy(room, text)
	c := flow.Chunk{Start: flow.Position{Generation: s.gen, Offset: offset, Line: line}}
	c.Data, c.Block = s.lines.Cut(len(text))
	c.End = c.Start
	c.End.Offset += int64(len(text))
	c.End.Line += int64(strings.Count(text, "\n"))
	return c
}

// run parses chunks and returns the batches.
func (s *stage) run(t testing.TB, chunks ...flow.Chunk) (batches []flow.Batch) {
	t.Helper()
	in, out := make(chan flow.Chunk, len(chunks)), make(chan flow.Batch, 1000)
	for _, c := range chunks {
		s.stats.Read(time.Now(), c.Lines(), int64(len(c.Data)))
		in <- c
	}
	close(in)
	if err := s.parser.Run(t.Context(), in, out); err != nil {
		t.Fatal(err)
	}
	for b := range out {
		batches = append(batches, b)
	}
	return batches
}

// Every line of a chunk is in the batches once and in order, as a point or with
// a reason.
func TestEveryLineOnce(t *testing.T) {
	long := strings.Replace(good, "curl", strings.Repeat("x", maxLine), 1)
	bad := strings.Replace(good, "20/Nov", "31/Feb", 1)
	text := strings.Join([]string{good, "", "nonsense", good, long, bad, good, ""}, "\n")
	s := newStage(t, "combined", 4, 64<<10)
	batches := s.run(t, s.chunk(t, text, 41, 1000))
	if len(batches) != 1 {
		t.Fatalf("%d batches, want 1", len(batches))
	}
	b := batches[0]
	want := []flow.Skip{{Line: 1, Reason: "empty"}, {Line: 2, Reason: "no match"}, {Line: 4, Reason: "too long"}, {Line: 5, Reason: "bad time"}}
	if !slices.Equal(b.Skipped, want) {
		t.Errorf("skipped %v, want %v", b.Skipped, want)
	}
	point := "nginx_access,host=web1,method=GET,path=/a,source=web,status=200 body_bytes_sent=5i 17951688000000000%d\n"
	if got, want := string(b.Points), fmt.Sprintf(point+point+point, 41, 44, 47); got != want || b.NumPoints != 3 {
		t.Errorf("%d points:\n%swant\n%s", b.NumPoints, got, want)
	}
	if string(b.Lines) != text || b.Start.Line != 41 || b.End.Line != 48 || b.Start.Offset != 1000 || b.End.Offset != 1000+int64(len(text)) {
		t.Errorf("batch from %+v to %+v with %d bytes of lines", b.Start, b.End, len(b.Lines))
	}
}

// Points that do not fit in one block go on in the next, and the batches join
// without a gap.
func TestSmallBlocks(t *testing.T) {
	const n = 1000
	s := newStage(t, "combined", 100, 4<<10)
	batches := s.run(t, s.chunk(t, strings.Repeat(good+"\nbad\n", n/2), 1, 0))
	if len(batches) < 10 {
		t.Fatalf("%d batches: the blocks are not small", len(batches))
	}
	var points, skipped int
	at := batches[0].Start
	for i, b := range batches {
		if b.Start != at {
			t.Fatalf("batch %d starts at %+v, want %+v", i, b.Start, at)
		}
		at = b.End
		points += b.NumPoints
		skipped += len(b.Skipped)
		if int64(b.NumPoints+len(b.Skipped)) != b.NumLines() || int64(len(b.Lines)) != b.End.Offset-b.Start.Offset ||
			bytes.Count(b.Points, []byte("\n")) != b.NumPoints {
			t.Errorf("batch %d: %d points and %d skipped in %d lines", i, b.NumPoints, len(b.Skipped), b.NumLines())
		}
		b.Release()
	}
	if points != n/2 || skipped != n/2 || at.Line != n+1 {
		t.Errorf("%d points and %d skipped to line %d", points, skipped, at.Line)
	}
}

// A point longer than a block is rejected and stops nobody.
func TestPointLongerThanABlock(t *testing.T) {
	s := newStage(t, "combined", 4, 512)
	long := strings.Replace(good, "/a", "/"+strings.Repeat("b", 600), 1)
	for _, text := range []string{long + "\n", good + "\n" + long + "\n" + good + "\n"} {
		var points, skipped int
		for _, b := range s.run(t, s.chunk(t, text, 1, 0)) {
			points += b.NumPoints
			for _, skip := range b.Skipped {
				if skip.Reason != "too long" {
					t.Errorf("reason %q", skip.Reason)
				}
				skipped++
			}
			b.Release()
		}
		if want := strings.Count(text, "\n") - 1; skipped != 1 || points != want {
			t.Errorf("%d points and %d skipped, want %d and 1", points, skipped, want)
		}
	}
}

// Of a line that fits in no block only the head is there.
func TestTooLong(t *testing.T) {
	s := newStage(t, "combined", 4, 64<<10)
	c := s.chunk(t, good+"\n", 7, 100) // it would match
	c.TooLong = 1 << 20
	c.End.Offset = c.Start.Offset + c.TooLong
	batches := s.run(t, c)
	if len(batches) != 1 || batches[0].TooLong != 1<<20 || batches[0].End != c.End || batches[0].NumPoints != 0 ||
		!slices.Equal(batches[0].Skipped, []flow.Skip{{Line: 0, Reason: "too long"}}) {
		t.Errorf("batches %+v", batches)
	}
}

// While nothing is released, Run waits for a block, and ends with its context.
func TestWaitsForABlock(t *testing.T) {
	s := newStage(t, "combined", 2, 4<<10)
	in, out := make(chan flow.Chunk, 1), make(chan flow.Batch, 1000)
	in <- s.chunk(t, strings.Repeat(good+"\n", 1000), 1, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.parser.Run(ctx, in, out); err == nil {
		t.Error("Run ended well without a free block")
	}
}

// corpus is a chunk of realistic lines.
func corpus(b *testing.B, format string, lines int) string {
	b.Helper()
	g, err := nginxlog.New(nginxlog.Options{Format: format})
	if err != nil {
		b.Fatal(err)
	}
	var buf []byte
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for i := range lines {
		buf = g.Append(buf, at.Add(time.Duration(i)*time.Millisecond))
	}
	return string(buf)
}

// BenchmarkParse is the whole stage, per line.
func BenchmarkParse(b *testing.B) {
	for _, format := range []string{"combined", "timed", "vhost_combined"} {
		b.Run(format, func(b *testing.B) {
			s := newStage(b, format, 8, 256<<10)
			const lines = 1000
			text := corpus(b, format, lines)
			b.SetBytes(int64(len(text) / lines))
			in, out := make(chan flow.Chunk), make(chan flow.Batch, 16)
			done := make(chan struct{})
			go func() {
				defer close(done)
				for batch := range out {
					batch.Release()
				}
			}()
			go func() { _ = s.parser.Run(context.Background(), in, out) }()
			chunk := s.chunk(b, text, 1, 0)
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i += lines {
				chunk.Block.Hold()
				in <- chunk
			}
			close(in)
			<-done
		})
	}
}
