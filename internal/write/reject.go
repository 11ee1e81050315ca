package write

import (
	"context"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/rejects"
)

// maxEntries bounds what is written to the reject file at once: each time takes
// as long as the disk needs.
const maxEntries = 4096

// replayed takes the points out of r whose lines were rejected before a crash: a
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
		skipped := p.Skipped
		for rest, number := p.Lines, p.cut; len(rest) > 0; number++ {
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

// appendEntries writes w.entries, of r, to the reject file and empties them; a
// disk that is full is waited for.
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
			w.log.Error("reject file cannot be written, waiting", "err", err)
		}
		select {
		case <-time.After(pauses.next(0)):
		case <-ctx.Done():
			return w.undelivered(ctx)
		}
	}
	if failed {
		w.stats.RejectsTrouble("")
		w.log.Info("reject file can be written again")
	}
	w.entries = w.entries[:0]
	return nil
}

// countRejected counts entries of r that are in the reject file.
func (w *Writer) countRejected(r *request, entries []rejects.Entry) {
	r.settled += int64(len(entries))
	for rest := entries; len(rest) > 0; {
		n, first := 1, rest[0]
		for n < len(rest) && rest[n].SourceIndex == first.SourceIndex && rest[n].Reason == first.Reason {
			n++
		}
		w.stats.Rejected(first.SourceIndex, int64(n), brief(first.Reason), rest[n-1].Line)
		if first.Reason == expired || strings.HasPrefix(first.Reason, refusedFor) {
			w.tell(first.Reason, int64(n))
		}
		rest = rest[n:]
	}
}

// tellInterval is how often the same reason is told at most.
const tellInterval = time.Minute

// told is what was told of one reason.
type told struct {
	at    time.Time
	lines int64 // since then
}

// tell logs that lines were rejected which match their format: at once when that
// begins, and then as a sum.
func (w *Writer) tell(reason string, lines int64) {
	kind := brief(reason)
	t := w.told[kind]
	t.lines += lines
	if now := time.Now(); t.at.IsZero() || now.Sub(t.at) >= tellInterval {
		w.log.Warn("lines are rejected that influxdb does not take", "reason", reason, "lines", t.lines)
		t = told{at: now}
	}
	w.told[kind] = t
}
