package parse_test

import (
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/flow"
)

// Of a log whose path has a date each day is another value of its source. To an earlier day more
// is written when the next one is there: it goes on where it was.
func TestEarlierDayGoesOn(t *testing.T) {
	s, r := addingStage(t, "combined", false, nil)
	cuts := map[string]string{} // series and time of a delta: the delta
	run := func(chunk flow.Chunk) flow.Position {
		t.Helper()
		for _, b := range s.run(t, chunk, flow.Chunk{Start: chunk.End, End: chunk.End, Left: true}) {
			if b.Cut == nil {
				continue
			}
			r.Book.Register(b.Cut) // and InfluxDB is away
			for point := range strings.Lines(string(b.Points)) {
				f := strings.Fields(point)
				if at := f[0] + " " + f[2]; cuts[at] != "" && f[1] != cuts[at] {
					t.Errorf("one point for two deltas, of which the second replaces the first:\n%s\n%s\n%s", at, cuts[at], f[1])
				} else {
					cuts[at] = f[1]
				}
			}
		}
		return chunk.End
	}
	end := run(s.chunk(t, request(1)+request(2), 1, 0))
	nextDay, earlier := *s.gen.Source, *s.gen
	nextDay.Path = "another-day.log"
	earlier.Source = &nextDay
	if s.gen = &earlier; r.Sums.Of(s.gen) == nil {
		t.Error("what was added up of it is not known any more")
	}
	run(s.chunk(t, request(3), 3, end.Offset))
}

// Lines of the next day wait in a rollup: not all is observed up to their time.
func TestLinesOfTheNextDayWait(t *testing.T) {
	s, _ := addingStage(t, "combined", true, nil)
	first := s.chunk(t, request(17), 1, 0)
	nextDay := *s.gen.Source
	nextDay.Path = "another-day.log"
	s.gen = &flow.Generation{Source: &nextDay, ID: s.gen.ID + 1, FirstLine: 1}
	in, out := make(chan flow.Chunk, 3), make(chan flow.Batch, 100)
	in <- first
	in <- flow.Chunk{Start: first.End, End: first.End, Left: true}
	in <- s.chunk(t, request(27), 1, 0)
	close(in)
	if err := s.parser.Run(t.Context(), in, out); err != nil {
		t.Fatal(err)
	}
	var whole []bool
	for b := range out {
		if b.Cut == nil {
			whole = append(whole, b.Whole)
		}
	}
	if len(whole) != 2 || whole[0] || whole[1] {
		t.Errorf("whole are %v of the batches with lines, want none: a rollup has them open", whole)
	}
}
