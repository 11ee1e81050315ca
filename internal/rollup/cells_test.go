package rollup

import (
	"testing"

	"github.com/tailflux/tailflux/internal/accesslog"
)

// A cell that begins within a line of the processor's cache is in one more of them.
func TestCellsFillLinesOfTheCache(t *testing.T) {
	const line = 64
	if cellBytes%line != 0 {
		t.Errorf("a cell has %d bytes, want a multiple of %d", cellBytes, line)
	}
}

// Two that are looked for in the same places of the table are told apart.
func TestSeriesOfTwoShares(t *testing.T) {
	const window = 10e9
	all, one, other, series := newCells(), &share{salt: 7}, &share{salt: 7}, &accesslog.Series{9, 9, 9, 9}
	c := all.of(one, window, []byte(",a=b"))
	all.remember(c, series)
	if got := all.remembered(one, window, series); got != c {
		t.Errorf("again = %p, want the cell that was remembered, %p", got, c)
	}
	if got := all.remembered(other, window, series); got != nil {
		t.Error("a share is given the cell of another")
	}
}
