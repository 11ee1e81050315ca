package write

import (
	"log/slog"
	"slices"
)

// target is where points of one retention policy go. A request has points for one target or
// several, which get theirs one after another and are settled together.
type target struct {
	policy    string // "" is that of the lines' own points
	sink      Sink
	retention retention
	doubts    doubts
}

func newTarget(policy string, sink Sink, log *slog.Logger) *target {
	return &target{policy: policy, sink: sink, retention: retention{sink: sink, log: log}}
}

// address says where the points of a request go. It is called by one goroutine.
func (w *Writer) address(r *request) {
	for i := range r.parts {
		p := &r.parts[i]
		to := w.targets[p.policy()]
		if to == nil {
			to = newTarget(p.policy(), w.config.Policy(p.policy()), w.log)
			w.targets[p.policy()] = to
		}
		if p.NumPoints > 0 && !slices.Contains(r.targets, to) {
			r.targets = append(r.targets, to)
		}
	}
}
