package flow_test

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
)

func TestBatchReleasesItsBlocks(t *testing.T) {
	for _, points := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			lines, encoded := flow.NewPool(1, 10), flow.NewPool(1, 10)
			var b flow.Batch
			mustRoom(t, lines, 10)
			b.Lines, b.LinesBlock = lines.Cut(10)
			if points {
				mustRoom(t, encoded, 10)
				b.Points, b.PointsBlock = encoded.Cut(10)
			}
			b.Release()
			wait, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			for name, pool := range map[string]*flow.Pool{"lines": lines, "points": encoded} {
				if _, err := pool.Room(wait, 10); err != nil {
					t.Errorf("with points %t: the block of the %s did not come back: %v", points, name, err)
				}
			}
		})
	}
}

func TestLinesAreCountedByPosition(t *testing.T) {
	g := &flow.Generation{ID: 1, FirstLine: 500_001}
	from, to := flow.Position{Generation: g, Line: 500_007}, flow.Position{Generation: g, Line: 500_010}
	c, b := flow.Chunk{Start: from, End: to}, flow.Batch{Start: from, End: to}
	if c.Lines() != 3 || b.NumLines() != 3 {
		t.Errorf("Lines = %d, NumLines = %d, want 3", c.Lines(), b.NumLines())
	}
}

func TestAfterNewline(t *testing.T) {
	for _, size := range []int{0, 1, 255, 256, 257, 1000} {
		text := bytes.Repeat([]byte{'x'}, size)
		if got := flow.AfterNewline(text); got != 0 {
			t.Errorf("%d bytes without a newline: %d", size, got)
		}
		for i := range text {
			text[i], text[i/2] = '\n', '\n'
			if got := flow.AfterNewline(text); got != i+1 {
				t.Errorf("%d bytes with a last newline at %d: %d", size, i, got)
			}
			text[i], text[i/2] = 'x', 'x'
		}
	}
}
