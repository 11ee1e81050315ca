package report

import (
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/live"
)

const (
	slots    = 750    // of the charts, at most: those of a month have an hour
	capacity = 20_000 // values of a list that are kept
	rows     = 25     // that are shown
)

func newBoard(o Options) *live.Board {
	const step = time.Second
	return live.New(live.Config{
		Window: slots * step, Step: step, FullAddresses: o.FullAddresses,
		Capacity: capacity, Rows: rows, EveryLine: true, Whole: true,
	})
}

// report is what was counted.
func (c *counter) report() *Report {
	c.board.Publish(time.Now())
	all := *c.board.Snapshot()
	trim(&all.Slots)
	c.Snapshot = &all
	if c.Lines.Requests > 0 {
		c.From, c.To = time.Unix(0, c.first).UTC(), time.Unix(0, c.last).UTC()
	}
	return &c.Report
}

// trim leaves out the slots before the first that has requests, and behind the last one.
func trim(s *live.Slots) {
	some := func(n live.Number) bool { return n > 0 }
	from := slices.IndexFunc(s.Requests, some)
	until := len(s.Requests)
	for until > max(from, 0) && !some(s.Requests[until-1]) {
		until--
	}
	from = max(from, 0)
	s.Time = s.Time[from:until]
	for _, column := range []*[]live.Number{&s.Requests, &s.Bytes, &s.P50, &s.P95, &s.P99} {
		*column = (*column)[from:until]
	}
	classes := map[string][]int64{}
	for name, column := range s.Classes {
		classes[name] = column[from:until]
	}
	s.Classes = classes
}
