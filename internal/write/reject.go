package write

import (
	"context"
	"strings"
	"time"
)

// maxEntries bounds what is written to the reject file at once.
const maxEntries = 256

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
	for failed := false; ; failed = true {
		err := w.rejects.Append(w.entries)
		if err == nil {
			if failed {
				w.stats.RejectsTrouble("")
				w.log.Info("reject file can be written again")
			}
			break
		}
		if !failed {
			w.stats.RejectsTrouble(err.Error())
			w.log.Error("reject file cannot be written, waiting", "err", err)
		}
		select {
		case <-time.After(pauses.next(0)):
		case <-ctx.Done():
			return w.undelivered(ctx)
		}
	}
	for rest := w.entries; len(rest) > 0; {
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
	r.settled += int64(len(w.entries))
	w.entries = w.entries[:0]
	return nil
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
