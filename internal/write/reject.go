package write

import (
	"bytes"
	"context"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/rollup"
	"github.com/tailflux/tailflux/internal/stats"
)

// maxEntries bounds what is written to the reject file at once: each time takes
// as long as the disk needs.
const maxEntries = 4096

// replayed removes the points from r whose lines were rejected before a crash: a
// line is a point or an entry, not both.
func (w *Writer) replayed(r *request) {
	point := 0
	for i := range r.parts {
		p := &r.parts[i]
		from := p.Start.Generation
		if p.NumPoints == 0 || !w.rejects.Replays(from.Source.Name, from.ID, p.Start.Line) {
			point += p.NumPoints
			continue
		}
		if p.Cut != nil {
			for text := range bytes.Lines(p.Points) {
				if reason, ok := w.rejects.Replayed(p.delta(text)); ok {
					r.refuse(point, reason)
				}
				point++
			}
			continue
		}
		skipped := p.Skipped
		for rest, number := p.Lines, int32(0); len(rest) > 0; number++ {
			var line []byte
			line, rest = cutLines(rest, 1)
			if len(skipped) > 0 && skipped[0].Line == number {
				skipped = skipped[1:]
				continue
			}
			if reason, ok := w.rejects.Replayed(p.entry(number, line)); ok {
				r.refuse(point, reason)
			}
			point++
		}
	}
	r.replayed = len(r.refused)
}

// reject writes the rejected lines of r to the reject file.
func (w *Writer) reject(ctx context.Context, r *request) error {
	w.entries = w.entries[:0]
	for entry := range r.rejected(time.Now()) {
		if len(w.entries) == maxEntries {
			if err := w.appendEntries(ctx, r); err != nil {
				return err
			}
		}
		w.entries = append(w.entries, entry)
	}
	return w.appendEntries(ctx, r)
}

// appendEntries writes w.entries, which are of r, to the reject file and empties them; it
// waits while the disk is full.
func (w *Writer) appendEntries(ctx context.Context, r *request) error {
	pauses := newPauses()
	failed := false
	for rest := w.entries; len(rest) > 0; {
		n, err := w.rejects.Append(rest)
		w.countRejected(r, rest[:n])
		rest = rest[n:]
		if err == nil {
			continue
		}
		if !failed {
			failed = true
			w.stats.RejectsTrouble(err.Error())
			w.log.Error("cannot write the reject file; retrying, reading is paused", "err", err)
		}
		if w.pause(ctx, pauses.next(0)) != nil {
			return w.undelivered(ctx)
		}
	}
	if failed {
		w.stats.RejectsTrouble("")
		w.log.Info("reject file is writable again")
	}
	w.entries = w.entries[:0]
	return nil
}

// pause waits, and keeps the watchdog informed.
func (w *Writer) pause(ctx context.Context, d time.Duration) error {
	over := time.After(d)
	for {
		select {
		case <-over:
			return nil
		case <-w.beats:
			w.config.Watchdog.Alive()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// countRejected counts entries of r that are in the reject file.
func (w *Writer) countRejected(r *request, entries []rejects.Entry) {
	for rest := entries; len(rest) > 0; {
		n, first := 1, &rest[0]
		if first.Kind == rejects.Rollup {
			w.countDelta(*first)
			rest = rest[1:]
			continue
		}
		for ; n < len(rest); n++ {
			if e := &rest[n]; e.SourceIndex != first.SourceIndex || e.Reason != first.Reason || e.Kind != first.Kind {
				break
			}
		}
		r.settled += int64(n)
		w.stats.Rejected(first.SourceIndex, int64(n), brief(first.Reason), rest[n-1].Line)
		w.show(rest[max(0, n-stats.KeptRejects):n])
		w.config.Own.rejected(first.Source, brief(first.Reason), int64(n))
		if first.Reason.IsOfPoint() {
			w.report(first.Reason, int64(n))
		}
		rest = rest[n:]
	}
}

// show keeps rejected lines for those who look at the daemon.
func (w *Writer) show(entries []rejects.Entry) {
	for i := range entries {
		e := &entries[i]
		w.stats.KeepReject(stats.Reject{
			Time: e.Time, Source: e.SourceIndex, LineNumber: e.LineNumber, Reason: string(e.Reason), LineBytes: e.LineBytes,
		}, e.Line)
	}
}

// countDelta counts a delta that is refused: its lines are lost to its rollup, and nothing
// else.
func (w *Writer) countDelta(e rejects.Entry) {
	w.stats.RefusedDelta(e.Rollup, rollup.Requests(e.Line), e.Reason == flow.Expired)
	if now := time.Now(); now.Sub(w.told) >= reportInterval {
		w.told = now
		w.log.Warn("influxdb does not store points of a rollup",
			"reason", string(e.Reason), "source", e.Source, "measurement", rollup.Measurement(e.Rollup))
	}
}

// brief is a reason without what differs from line to line, of which there are few.
func brief(reason flow.Reason) string {
	if answer, ok := reason.Answer(); ok {
		reason = flow.Refused(influx.Brief(answer))
	}
	return string(reason)
}

// reportInterval is how often the same reason is logged at most.
const reportInterval = time.Minute

// refusals are the lines of one reason.
type refusals struct {
	logged time.Time
	lines  int64 // since then
}

// report logs that lines which match their format were rejected: at once when that
// begins, and then as a sum.
func (w *Writer) report(reason flow.Reason, lines int64) {
	kind := brief(reason)
	r := w.refusals[kind]
	r.lines += lines
	if now := time.Now(); r.logged.IsZero() || now.Sub(r.logged) >= reportInterval {
		w.log.Warn("lines are rejected because influxdb does not store their points", "reason", string(reason), "lines", r.lines)
		r = refusals{logged: now}
	}
	w.refusals[kind] = r
}
