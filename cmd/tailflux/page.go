package main

import (
	"sync"

	"github.com/tailflux/tailflux/internal/explain"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/page"
	"github.com/tailflux/tailflux/internal/stats"
)

// shownRejects are the last rejected lines as the page shows them. Each is explained once,
// when it is first asked for.
type shownRejects struct {
	stats   *stats.Stats
	misfits func() *explain.Misfits

	mu    sync.Mutex // guards what follows
	shown map[int64]page.Reject
}

// maxExplained is how many lines are explained for one answer, each in milliseconds: the
// others follow with the next ones.
const maxExplained = 5

func (s *shownRejects) last() []page.Reject {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]page.Reject, 0, stats.KeptRejects)
	shown := map[int64]page.Reject{}
	explained := 0
	for _, r := range s.stats.LastRejects() {
		one, ok := s.shown[r.Number]
		if !ok && explained < maxExplained {
			one, ok = page.Reject{Time: r.Time, Source: r.Name, LineNumber: r.LineNumber, Reason: r.Reason}, true
			one.Line, one.Caret, one.Why = s.misfits().Explain(r.Name, r.Path, r.Line, flow.Reason(r.Reason))
			explained++
		}
		if ok {
			shown[r.Number] = one
			all = append(all, one)
		}
	}
	s.shown = shown
	return all
}
