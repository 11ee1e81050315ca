package parse_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/mock/nginxlog"
)

// corpus is a chunk of realistic lines.
func corpus(b testing.TB, format string, lines int) string {
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
			const chunks, lines = 32, 1000 // more than any cache remembers
			text := corpus(b, format, chunks*lines)
			b.SetBytes(int64(len(text) / lines / chunks))
			in, out := make(chan flow.Chunk), make(chan flow.Batch, 16)
			done := make(chan struct{})
			go func() {
				defer close(done)
				for batch := range out {
					batch.Release()
				}
			}()
			go func() { _ = s.parser.Run(context.Background(), in, out) }()
			var all []flow.Chunk
			for some := range slices.Chunk(strings.SplitAfter(text, "\n"), lines) {
				if len(some) == lines {
					all = append(all, s.chunk(b, strings.Join(some, ""), 1, 0))
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range (b.N + lines - 1) / lines {
				chunk := all[i%len(all)]
				chunk.Block.Hold()
				in <- chunk
			}
			close(in)
			<-done
		})
	}
}

// Once the values are known no line of any preset allocates, with paths folded
// and values capped, and some of them over the cap. What is allocated per chunk
// does not grow with its lines.
func TestNothingIsAllocatedPerLine(t *testing.T) {
	for _, name := range nginxlog.Names() {
		format, _ := nginxlog.Format(name)
		for _, limit := range []int{20, 100_000} {
			const lines = 2000
			s, _ := openStage(t, format, t.TempDir(), limit, 8, 1<<20, func(c *accesslog.Schema) {
				if name == "json" {
					c.Escape = "json"
				}
			})
			in, out := make(chan flow.Chunk), make(chan flow.Batch)
			go func() { _ = s.parser.Run(context.Background(), in, out) }()
			chunk := s.chunk(t, corpus(t, name, lines), 1, 0)
			points := 0
			each := func() {
				points = 0
				chunk.Block.Hold()
				in <- chunk
				for left := chunk.Lines(); left > 0; {
					b := <-out
					left -= b.NumLines()
					points += b.NumPoints
					b.Release()
				}
			}
			each()
			if n := testing.AllocsPerRun(20, each); n > 20 || points < lines*9/10 {
				t.Errorf("%s, %d values: %v allocations in %d lines, %d points", name, limit, n, lines, points)
			}
			close(in)
		}
	}
}
