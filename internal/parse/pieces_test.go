package parse_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
)

const entry = "2026-11-20T10:00:00.123456789Z stdout "

// pieces is a line in three entries, as a container runtime writes it.
func pieces(line string) string {
	return entry + "P " + line[:9] + "\n" + entry + "P " + line[9:30] + "\n" + entry + "F " + line[30:] + "\n"
}

// A line in several entries is one point, with the number of the last of them; the others
// are filtered.
func TestPiecesOfALineAreJoined(t *testing.T) {
	s := newStage(t, "cri combined", 4, 64<<10)
	alone := s.run(t, s.chunk(t, entry+"F "+good+"\n", 4, 0))
	s = newStage(t, "cri combined", 4, 64<<10)
	batches := s.run(t, s.chunk(t, entry+"F "+good+"\n"+pieces(good)+"bad\n"+entry+"F "+good+"\n", 1, 0))
	want := []flow.Skip{{Line: 1, Filtered: true}, {Line: 2, Filtered: true}, {Line: 4, Reason: flow.NoMatch}}
	if len(batches) != 1 || batches[0].NumPoints != 3 || !slices.Equal(batches[0].Skipped, want) || batches[0].End.Line != 7 {
		t.Fatalf("batches %+v, want 3 points and %v skipped", batches, want)
	}
	if got := bytes.SplitAfter(batches[0].Points, []byte("\n"))[1]; !bytes.Equal(got, alone[0].Points) {
		t.Errorf("the point of the pieces is %q, want that of the line at their end, %q", got, alone[0].Points)
	}
	if books := s.stats.Snapshot(time.Now()).Books; books.Filtered != 2 || books.InFlight != 4 {
		t.Errorf("books %+v, want 2 filtered and 4 in flight", books)
	}
}

// A position is never between the pieces of a line, so that they are read again together.
func TestNoBatchEndsBetweenPieces(t *testing.T) {
	const n = 300
	s := newStage(t, "cri combined", 100, 4<<10)
	long := strings.Replace(good, "/a", "/"+strings.Repeat("z", 600), 1) // does not fit in what is asked for
	batches := s.run(t, s.chunk(t, strings.Repeat(pieces(long), n), 1, 0))
	if len(batches) < 10 {
		t.Fatalf("%d batches: the blocks are not small", len(batches))
	}
	points := 0
	for i, b := range batches {
		if (b.End.Line-1)%3 != 0 {
			t.Errorf("batch %d ends before line %d", i, b.End.Line)
		}
		if int64(b.NumPoints+len(b.Skipped)) != b.NumLines() || int64(len(b.Lines)) != b.End.Offset-b.Start.Offset {
			t.Errorf("batch %d: %d points and %d skipped in %d lines", i, b.NumPoints, len(b.Skipped), b.NumLines())
		}
		points += b.NumPoints
		b.Release()
	}
	if points != n {
		t.Errorf("%d points, want %d", points, n)
	}
}

// Pieces whose end was not read with them are rejected as they are: none is lost.
func TestPiecesWithoutTheirEndAreRejected(t *testing.T) {
	s := newStage(t, "cri combined", 4, 64<<10)
	first, last, _ := strings.Cut(pieces(good), "F ")
	first = first[:strings.LastIndexByte(first, '\n')+1]
	last = entry + "F " + last
	size := int64(len(first))
	batches := s.run(t, s.chunk(t, first, 1, 0), s.chunk(t, last+entry+"F "+good+"\n", 3, size))
	want := [][]flow.Skip{{{Line: 0, Reason: flow.NoMatch}, {Line: 1, Reason: flow.NoMatch}}, {{Line: 0, Reason: flow.NoMatch}}}
	if len(batches) != 2 || !slices.Equal(batches[0].Skipped, want[0]) || !slices.Equal(batches[1].Skipped, want[1]) || batches[1].NumPoints != 1 {
		t.Errorf("batches %+v, want %v skipped", batches, want)
	}
}
