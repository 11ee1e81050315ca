package parse_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/parse"
	"github.com/tailflux/tailflux/internal/rollup"
)

var definitions = []rollup.Definition{
	{Measurement: "nginx_site", Interval: 10 * time.Second, Tags: []string{"method", "status"}},
	{Measurement: "nginx_paths", Interval: time.Minute, Tags: []string{"path", "status_class"}},
}

// addingStage is a stage with rollups; from says which line a destination begins at, 1 if it
// does not.
func addingStage(t testing.TB, format string, raw bool, from map[string]int64, intents ...rollup.Intent) (*stage, *parse.Rollups) {
	t.Helper()
	s, _ := openStage(t, format, t.TempDir(), 10_000, 16, 256<<10, func(c *accesslog.Schema) {
		for _, d := range definitions {
			c.Rollups = append(c.Rollups, d.Tags)
		}
		c.Values = nil
	})
	r := &parse.Rollups{
		Sums: rollup.New(definitions, "web1", 16<<20), Book: rollup.NewBook(nil, intents), Raw: raw, Last: -1,
		From: func(_ *flow.Generation, destination string) int64 { return max(1, from[destination]) },
	}
	if !raw {
		r.Last = 1
	}
	for _, d := range definitions {
		r.Keys = append(r.Keys, d.Key())
	}
	s.parser.AddUp(r)
	return s, r
}

func request(n int) string {
	return fmt.Sprintf("192.0.2.7 - - [20/Nov/2026:10:00:%02d +0000] \"GET /a HTTP/1.1\" 200 %d \"-\" \"x\"\n", n%60, n)
}

// brief shows batches: points, and of lines that have none why; and cuts.
func brief(batches []flow.Batch) (all []string) {
	for _, b := range batches {
		if c := b.Cut; c != nil {
			all = append(all, fmt.Sprintf("%s %d-%d: %d requests, lines %d", rollup.Measurement(c.Rollup), c.Begin, c.End.Line, requests(b.Points), b.Written()))
			continue
		}
		why := ""
		for _, s := range b.Skipped {
			if why += "f"; !s.Filtered {
				why = why[:len(why)-1] + "r"
			}
		}
		all = append(all, fmt.Sprintf("%d-%d: %d points %s, lines %d", b.Start.Line, b.End.Line, b.NumPoints, why, b.Written()))
	}
	return all
}

func requests(points []byte) (n int64) {
	for line := range strings.Lines(string(points)) {
		if !rollup.IsZeros([]byte(line)) {
			n += rollup.Requests([]byte(line))
		}
	}
	return n
}

// A destination gets the lines from its own position on, whoever else needs those before.
func TestDestinationsGetWhatTheyDidNotGet(t *testing.T) {
	site, paths := definitions[0].Key(), definitions[1].Key()
	text := ""
	for n := range 20 {
		if text += request(n); n%5 == 4 {
			text += "junk\n"
		}
	} // 24 lines, of which 6, 12, 18 and 24 are junk
	for _, tt := range []struct {
		name string
		raw  bool
		from map[string]int64
		want []string
	}{
		{"all from the beginning", true, nil, []string{
			"1-25: 20 points rrrr, lines 20", "nginx_site 1-25: 20 requests, lines 0", "nginx_paths 1-25: 20 requests, lines 0",
		}},
		{"a rollup is behind", true, map[string]int64{checkpoint.Lines: 13, checkpoint.Raw: 13, site: 13}, []string{
			"1-13: 0 points ff, lines 12", "13-25: 10 points rr, lines 10",
			"nginx_site 13-25: 10 requests, lines 0", "nginx_paths 1-25: 20 requests, lines 0",
		}},
		{"a rollup is ahead", true, map[string]int64{paths: 19}, []string{
			"1-25: 20 points rrrr, lines 20", "nginx_site 1-25: 20 requests, lines 0", "nginx_paths 19-25: 5 requests, lines 0",
		}},
		{"points are behind", true, map[string]int64{checkpoint.Lines: 13, site: 13, paths: 13}, []string{
			"1-13: 10 points ff, lines 12", "13-25: 10 points rr, lines 10",
			"nginx_site 13-25: 10 requests, lines 0", "nginx_paths 13-25: 10 requests, lines 0",
		}},
		{"without points", false, nil, []string{
			"1-25: 0 points rrrr, lines 0", "nginx_site 1-25: 20 requests, lines 0", "nginx_paths 1-25: 20 requests, lines 20",
		}},
		{"without points, and one rollup is behind", false, map[string]int64{checkpoint.Lines: 25, paths: 13}, []string{
			"1-25: 0 points ffff, lines 14", "nginx_site 1-25: 20 requests, lines 0", "nginx_paths 13-25: 10 requests, lines 10",
		}},
	} {
		s, _ := addingStage(t, "combined", tt.raw, tt.from)
		if got := brief(s.run(t, s.chunk(t, text, 1, 0))); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
		if r := s.stats.Snapshot(time.Now()).Books; r.Filtered != 0 {
			t.Errorf("%s: %d lines are counted as filtered", tt.name, r.Filtered)
		}
	}
}

// After a crash it is cut where it was before, in the middle of what is read; and what was
// not read so far stays open when nothing more comes.
func TestCutWhereIntentsEnd(t *testing.T) {
	site := definitions[0].Key()
	text := ""
	for n := range 20 {
		text += request(n)
	}
	s, r := addingStage(t, "combined", true, nil,
		rollup.Intent{Rollup: site, Source: "web", Generation: 1, Begin: 1, End: 8},
		rollup.Intent{Rollup: site, Source: "web", Generation: 1, Begin: 8, End: 12},
		rollup.Intent{Rollup: site, Source: "web", Generation: 1, Begin: 12, End: 100})
	want := []string{
		"1-8: 7 points , lines 7", "nginx_site 1-8: 7 requests, lines 0", "8-12: 4 points , lines 4", "nginx_site 8-12: 4 requests, lines 0",
		"12-21: 9 points , lines 9", "nginx_paths 1-21: 20 requests, lines 0",
	}
	if got := brief(s.run(t, s.chunk(t, text, 1, 0))); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := r.Sums.States()[0].Lines; n != 9 {
		t.Errorf("%d lines are open, want those from 12 on", n)
	}
}

// Cuts of a generation that was numbered otherwise are none of it: it is cut as if there were none,
// and the log says which lines may count twice.
func TestCutsOfAnotherNumberingAreGivenUp(t *testing.T) {
	site := definitions[0].Key()
	s, r := addingStage(t, "combined", true, nil,
		rollup.Intent{Rollup: site, Source: "web", Generation: 1, First: 3001, Begin: 3001, End: 3008},
		rollup.Intent{Rollup: site, Source: "web", Generation: 1, First: 3001, Begin: 3008, End: 3012},
		rollup.Intent{Rollup: site, Source: "web", Generation: 2, First: 9001, Begin: 9001, End: 9008})
	want := []string{"1-4: 3 points , lines 3", "nginx_site 1-4: 3 requests, lines 0", "nginx_paths 1-4: 3 requests, lines 0"}
	if got := brief(s.run(t, s.chunk(t, request(1)+request(2)+request(3), 1, 0))); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := r.Book.Len(site); n != 1 {
		t.Errorf("%d intents are left, want that of the other generation", n)
	}
	if logged := s.log.String(); strings.Count(logged, "numbered otherwise now") != 1 || !strings.Contains(logged, "measurement=nginx_site lines=11") {
		t.Errorf("want one warning about 11 lines: %s", logged)
	}
}

// A log that is left is cut at once.
func TestLeftIsCut(t *testing.T) {
	s, _ := addingStage(t, "combined", true, nil)
	c := s.chunk(t, request(1), 1, 0)
	left := flow.Chunk{Start: c.End, End: c.End, Left: true}
	more := s.chunk(t, request(2), 2, c.End.Offset)
	want := []string{
		"1-2: 1 points , lines 1", "nginx_site 1-2: 1 requests, lines 0", "nginx_paths 1-2: 1 requests, lines 0",
		"2-3: 1 points , lines 1", "nginx_site 2-3: 1 requests, lines 0", "nginx_paths 2-3: 1 requests, lines 0",
	}
	if got := brief(s.run(t, c, left, more)); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A line of a later window ends the one before it, also if that had no other piece of the log,
// unless both are read at once.
func TestNextWindowEndsTheOneBefore(t *testing.T) {
	for _, tt := range []struct {
		name  string
		pause time.Duration
		want  []string
	}{
		{"as it was written", 3 * time.Second, []string{"1-2: 1 points , lines 1", "nginx_site 1-2: 1 requests, lines 0", "2-3: 1 points , lines 1", "nginx_site 2-3: 1 requests, lines 0"}},
		{"a backlog", 0, []string{"1-2: 1 points , lines 1", "2-3: 1 points , lines 1", "nginx_site 1-3: 2 requests, lines 0"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, _ := addingStage(t, "combined", true, nil)
			in, out := make(chan flow.Chunk), make(chan flow.Batch, 100)
			go func() {
				defer close(in)
				first := s.chunk(t, request(8), 1, 0)
				in <- first
				time.Sleep(tt.pause)
				in <- s.chunk(t, request(11), 2, first.End.Offset)
			}()
			if err := s.parser.Run(t.Context(), in, out); err != nil {
				t.Fatal(err)
			}
			var batches []flow.Batch
			for b := range out {
				batches = append(batches, b)
			}
			want := strings.Join(append(tt.want, "nginx_paths 1-3: 2 requests, lines 0"), "\n")
			if got := strings.Join(brief(batches), "\n"); got != want {
				t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, want)
			}
		})
	}
}

// BenchmarkRollups is the whole stage, per line, with and without points.
func BenchmarkRollups(b *testing.B) {
	for name, with := range map[string]struct{ raw, rollups bool }{
		"points": {true, false}, "points and rollups": {true, true}, "rollups": {false, true},
	} {
		b.Run(name, func(b *testing.B) {
			const chunks, lines = 16, 1000
			s, _ := addingStage(b, "timed", with.raw, nil)
			if !with.rollups {
				s = newStage(b, "timed", 16, 256<<10)
			}
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
			for some := range slices.Chunk(strings.SplitAfter(corpus(b, "timed", chunks*lines), "\n"), lines) {
				if len(some) == lines {
					all = append(all, s.chunk(b, strings.Join(some, ""), 1, 0))
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			at := all[0].Start
			for i := range (b.N + lines - 1) / lines {
				chunk := all[i%len(all)]
				length := chunk.End.Offset - chunk.Start.Offset
				chunk.Start = at
				at.Line, at.Offset = at.Line+lines, at.Offset+length
				chunk.End = at
				chunk.Block.Hold()
				in <- chunk
			}
			close(in)
			<-done
		})
	}
}

// A batch says up to which time no line of its source waits anywhere, once it is settled.
func TestSeen(t *testing.T) {
	at := func(second int) int64 { return time.Date(2026, 11, 20, 10, 0, second, 0, time.UTC).UnixNano() }
	for _, tt := range []struct {
		name    string
		rollups bool
		raw     bool
		lines   string
		from    int64 // of all batches
		first   int64 // of the batch of the lines
		last    int64 // of the last batch
	}{
		{"points alone", false, true, request(17) + request(18), at(17), at(18), at(18)},
		{"rollups wait", true, true, request(17) + request(18), at(17), at(0), at(18)},
		{"rollups alone", true, false, request(17) + request(18), at(17), at(0), at(18)},
		{"an older line", true, true, request(25) + request(17), at(25), at(0), at(17)},
		{"the first has no time", true, false, "junk\n" + request(17) + request(18), at(17), at(0), at(18)},
		{"none in the format", true, true, "junk\n", 0, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage(t, "combined", 16, 256<<10)
			if tt.rollups {
				s, _ = addingStage(t, "combined", tt.raw, nil)
			}
			batches := s.run(t, s.chunk(t, tt.lines, 1, 0))
			first, last := batches[0], batches[len(batches)-1]
			waits := tt.rollups && tt.first > 0
			if first.Seen != tt.first || first.Whole == waits || last.Seen != tt.last || !last.Whole {
				t.Errorf("seen %d (whole %t), at last %d (whole %t), want %d (%t) and %d (true)", first.Seen, first.Whole, last.Seen, last.Whole, tt.first, !waits, tt.last)
			}
			for _, b := range batches {
				if b.From != tt.from {
					t.Errorf("from %d, want %d", b.From, tt.from)
				}
			}
			for _, b := range batches[1:] {
				if b.Whole && b.More {
					t.Error("whole, and more deltas are to come")
				}
			}
		})
	}
}
