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
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/live"
	"github.com/tailflux/tailflux/internal/stats"
)

// fresh is a line of now.
func fresh(path string) string {
	return fmt.Sprintf(`192.0.2.7 - - [%s] "GET %s HTTP/1.1" 200 5 "-" "curl"`, time.Now().Format("02/Jan/2006:15:04:05 -0700"), path)
}

// watched is a stage with a board.
func watched(t *testing.T, format string, blocks, blockSize int, change ...func(*accesslog.Schema)) (*stage, *live.Board) {
	t.Helper()
	s, _ := openStage(t, format, t.TempDir(), 10_000, blocks, blockSize, change...)
	board := live.New(live.Config{})
	s.parser.Show(board)
	return s, board
}

// What is shown are the lines that became points, once each: not those that were rejected or
// left out, nor a line in pieces for each of them.
func TestLinesThatArePointsAreShown(t *testing.T) {
	long := strings.Replace(fresh("/a"), "curl", strings.Repeat("x", maxLine), 1)
	bad := strings.Replace(fresh("/a"), " -0700", "", 1)
	dropped := func(s *accesslog.Schema) { s.Drop = []accesslog.Rule{{{Variable: "path", Match: "/healthz"}}} }
	for _, tt := range []struct {
		name, format string
		lines        []string
		want         int64
	}{
		{"points", "combined", []string{fresh("/a"), fresh("/b"), fresh("/a")}, 3},
		{"rejected", "combined", []string{fresh("/a"), "nonsense", "", long, strings.Replace(bad, "[", "[32/", 1), fresh("/a")}, 2},
		{"left out", "combined", []string{fresh("/healthz"), fresh("/a"), fresh("/healthz")}, 1},
		{"in pieces", "cri combined", strings.Split(strings.TrimSuffix(pieces(fresh("/a")), "\n")+"\n"+entry+"F "+fresh("/b"), "\n"), 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, board := watched(t, tt.format, 4, 64<<10, dropped)
			points := int64(0)
			for _, b := range s.run(t, s.chunk(t, strings.Join(tt.lines, "\n")+"\n", 1, 0)) {
				points += int64(b.NumPoints)
			}
			if got := board.Snapshot().Total.Requests; got != tt.want || points != tt.want {
				t.Errorf("%d requests are shown of %d points, want %d", got, points, tt.want)
			}
		})
	}
}

// A line that had no room in a block, and is encoded again, is shown once.
func TestLinesAreShownOnceWhereBlocksEnd(t *testing.T) {
	const n = 500
	s, board := watched(t, "combined", 200, 4<<10)
	var text strings.Builder
	for i := range n {
		text.WriteString(fresh("/"+strings.Repeat("z", i)) + "\n")
	}
	batches := s.run(t, s.chunk(t, text.String(), 1, 0))
	if len(batches) < 10 {
		t.Fatalf("%d batches: the blocks are not small", len(batches))
	}
	if got := board.Snapshot().Total.Requests; got != n {
		t.Errorf("%d requests, want %d", got, n)
	}
}

// Lines that are read again, because the store has lost them or for a reload, are not shown
// again; those of another file are, whatever their numbers.
func TestLinesThatAreReadAgainAreShownOnce(t *testing.T) {
	s, board := watched(t, "combined", 100, 64<<10)
	chunk := func(from, to int) flow.Chunk {
		var text strings.Builder
		for range to - from {
			text.WriteString(fresh("/a") + "\n")
		}
		return s.chunk(t, text.String(), int64(from), int64(from)*100)
	}
	read := func(what string, want int64, chunks ...flow.Chunk) {
		t.Helper()
		s.run(t, chunks...)
		if got := board.Snapshot().Total.Requests; got != want {
			t.Errorf("%s: %d requests, want %d", what, got, want)
		}
	}
	read("read", 20, chunk(1, 11), chunk(11, 21))
	read("again", 20, chunk(1, 11), chunk(11, 21))
	read("again in other chunks, and further", 30, chunk(5, 31))
	first := *s.gen
	s.gen = &flow.Generation{Source: first.Source, ID: 2, FirstLine: 1}
	read("the next file", 35, chunk(1, 6))
	s.gen = &first // another value for the same file
	read("the first one again, and further", 40, chunk(25, 36))
	s.gen = &flow.Generation{Source: first.Source, ID: 2, FirstLine: 1}
	read("the next file further, while the first is read", 42, chunk(6, 8))
}

// What was parsed is visible within a second, and nothing is while there is no board.
func TestBoardIsPublishedEachSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, board := watched(t, "combined", 4, 64<<10)
		in, out := make(chan flow.Chunk), make(chan flow.Batch, 10)
		done := make(chan error)
		go func() { done <- s.parser.Run(context.Background(), in, out) }()
		for n := range int64(3) {
			in <- s.chunk(t, fresh("/a")+"\n", 1+n, n*100)
			time.Sleep(1001 * time.Millisecond)
			if got := board.Snapshot().Total.Requests; got != n+1 {
				t.Errorf("after a second: %d requests, want %d", got, n+1)
			}
		}
		in <- s.chunk(t, fresh("/a")+"\n", 4, 300)
		close(in)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got := board.Snapshot().Total.Requests; got != 4 {
			t.Errorf("at the end: %d requests, want 4", got)
		}
	})
}

// Where all was read and nothing came there were no requests; where something is still to be
// read nobody knows.
func TestQuietIsObserved(t *testing.T) {
	for _, behind := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s, board := watched(t, "combined", 4, 64<<10)
			in, out := make(chan flow.Chunk), make(chan flow.Batch, 10)
			go func() { _ = s.parser.Run(context.Background(), in, out) }()
			defer close(in)
			s.stats.Read(time.Now(), 1, 100)
			in <- s.chunk(t, fresh("/a")+"\n", 1, 0)
			for range 60 {
				time.Sleep(time.Second)
				s.stats.Looked(time.Now())
				s.stats.UpdateSource(0, func(is *stats.Source) {
					is.Open, is.Trouble, is.Files, is.Offset, is.Size = true, "", 1, 100, 100
					if behind {
						is.Size = 200
					}
				})
			}
			synctest.Wait()
			got := board.Snapshot().Slots.Requests
			quiet := 0
			for _, n := range got {
				if n == 0 {
					quiet++
				}
			}
			if behind && quiet > 0 || !behind && (quiet < 10 || quiet > 12) {
				t.Errorf("behind: %t: %d of the slots of a minute are quiet: %v", behind, quiet, slices.Compact(got))
			}
		})
	}
}

// A line costs no allocation with a board, either.
func TestNothingIsAllocatedPerLineThatIsShown(t *testing.T) {
	const lines = 2000
	s, _ := watched(t, "combined", 8, 1<<20)
	in, out := make(chan flow.Chunk), make(chan flow.Batch)
	go func() { _ = s.parser.Run(context.Background(), in, out) }()
	defer close(in)
	chunk := s.chunk(t, strings.Repeat(fresh("/a")+"\n", lines), 1, 0)
	line := int64(1)
	each := func() {
		c := chunk
		c.Block.Hold()
		c.Start.Line, c.End.Line = line, line+lines
		line += lines
		in <- c
		for left := c.Lines(); left > 0; {
			b := <-out
			left -= b.NumLines()
			b.Release()
		}
	}
	each()
	if n := testing.AllocsPerRun(10, each); n > 40 { // and what is published once a second
		t.Errorf("%v allocations in %d lines", n, lines)
	}
}
