package scan

import "github.com/tailflux/tailflux/internal/logformat/scan/marks"

// Captures of runs: which of them are captured.
type runCaptures struct {
	list    []capture
	inOrder bool // they are the first runs
}

// A capture is a run, and its place among the captures.
type capture struct{ run, number int }

func (c *runCaptures) add(run, number int) {
	c.inOrder = (c.inOrder || len(c.list) == 0) && run == number && run == len(c.list)
	c.list = append(c.list, capture{run, number})
}

// make makes the captures that are of these runs, the first ones.
//
//go:noinline // where it is called registers are few
func (c *runCaptures) make(line []byte, runs []marks.Span, captures [][]byte) {
	if c.inOrder {
		runs = runs[:min(len(runs), len(c.list))]
		captures = captures[:len(runs)]
		for i, run := range runs {
			captures[i] = line[run.From:run.End]
		}
		return
	}
	for _, c := range c.list {
		if uint(c.run) < uint(len(runs)) {
			captures[c.number] = line[runs[c.run].From:runs[c.run].End]
		}
	}
}
