package parse_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/parse"
	"github.com/tailflux/tailflux/internal/shape"
	"github.com/tailflux/tailflux/internal/stats"
)

// floods are what every other line of a log may be that is in the format timed.
var floods = map[string]func(line string, i int) string{
	"cut":     func(line string, _ int) string { return line[:len(line)/2] },
	"garbage": func(_ string, i int) string { return fmt.Sprintf("\x16\x03\x01 half a line \"%d\" \\", i) },
	"error log": func(_ string, i int) string {
		return fmt.Sprintf("2026/11/20 10:00:00 [error] 17#17: *%d open() \"/a\" failed (2: No such file or directory)", i)
	},
	"other format": func(line string, _ int) string {
		return strings.Replace(strings.Replace(line, ` http `, ` `, 1), ` https `, ` `, 1)
	},
	"no time":  func(line string, _ int) string { return strings.Replace(line, "[20/Nov", "[31/Feb", 1) },
	"empty":    func(string, int) string { return "" },
	"too long": func(line string, _ int) string { return strings.Repeat(line, maxLine/len(line)+1) },
}

// half is a log of which every other line is of a flood.
func half(b testing.TB, flood string, lines int) string {
	b.Helper()
	var all strings.Builder
	i := 0
	for line := range strings.Lines(corpus(b, "timed", lines)) {
		if i++; i%2 == 0 {
			line = floods[flood](strings.TrimSuffix(line, "\n"), i) + "\n"
		}
		all.WriteString(line)
	}
	return all.String()
}

// newShaped is a stage with a shaper as the daemon has it.
func newShaped(t testing.TB, format string) *stage {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	c := config.Default()
	c.Sources = []config.Source{{Name: "web", Path: t.TempDir() + "/access.log", Format: format, Start: "beginning"}}
	shaper, err := shape.Open(shape.Options{Config: &c, Host: "web1", Log: log, Followed: func(string) bool { return true }})
	if err != nil {
		t.Fatal(err)
	}
	st := stats.New(time.Now())
	source := &flow.Source{Index: st.AddSource("web", c.Sources[0].Path), Name: "web", Path: c.Sources[0].Path}
	return &stage{
		parser: parse.New(shaper, maxLine, flow.NewPool(8, 1<<20), st, log),
		stats:  st, lines: flow.NewPool(1000, 4<<20), gen: &flow.Generation{Source: source, ID: 1, FirstLine: 1},
	}
}

// repeated returns what has a stage parse the same lines again and again, behind some
// that are as they should be.
func repeated(t testing.TB, s *stage, text string) (each func() (skipped int), lines int) {
	t.Helper()
	in, out := make(chan flow.Chunk), make(chan flow.Batch)
	go func() { _ = s.parser.Run(context.Background(), in, out) }()
	t.Cleanup(func() { close(in) })
	next := int64(1)
	parse := func(chunk flow.Chunk) (skipped int) {
		chunk.Block.Hold()
		chunk.Start.Line, chunk.End.Line = next, next+chunk.Lines()
		next = chunk.End.Line
		in <- chunk
		for left := chunk.Lines(); left > 0; {
			b := <-out
			left -= b.NumLines()
			skipped += len(b.Skipped)
			b.Release()
		}
		return skipped
	}
	parse(s.chunk(t, corpus(t, "timed", 100), 1, 0))
	chunk := s.chunk(t, text, 1, 0)
	parse(chunk)
	return func() (skipped int) { return parse(chunk) }, int(chunk.Lines())
}

// What every other line costs that is rejected, with the one before it.
func BenchmarkRejected(b *testing.B) {
	for _, format := range []string{"timed", "auto"} {
		for flood := range floods {
			if flood == "too long" {
				continue
			}
			b.Run(format+"/"+flood, func(b *testing.B) {
				each, lines := repeated(b, newShaped(b, format), half(b, flood, 2000))
				b.ReportAllocs()
				for b.Loop() {
					each()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(lines)*2, "ns/pair")
			})
		}
	}
}
