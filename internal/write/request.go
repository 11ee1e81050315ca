package write

import (
	"bytes"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/rejects"
)

// request is a run of batches that is delivered and settled as one.
type request struct {
	batches []flow.Batch
	points  int
	done    bool  // known to Run
	err     error // when done: only that ctx ended
}

func (r *request) lines() (n int64) {
	for i := range r.batches {
		n += r.batches[i].NumLines()
	}
	return n
}

// pieces is the body.
func (r *request) pieces() [][]byte {
	pieces := make([][]byte, 0, len(r.batches))
	for i := range r.batches {
		if points := r.batches[i].Points; len(points) > 0 {
			pieces = append(pieces, points)
		}
	}
	return pieces
}

// rejected appends an entry for each rejected line.
func (r *request) rejected(entries []rejects.Entry, now time.Time) []rejects.Entry {
	for i := range r.batches {
		b := &r.batches[i]
		rest, at := b.Lines, int32(0)
		for _, skip := range b.Skipped {
			if skip.Reason == "" {
				continue
			}
			_, rest = cutLines(rest, int(skip.Line-at))
			line, after := cutLines(rest, 1)
			rest, at = after, skip.Line+1
			line = line[:len(line)-1]
			entry := rejects.Entry{
				Time:        now,
				Source:      b.Start.Generation.Source.Name,
				SourceIndex: b.Start.Generation.Source.Index,
				Generation:  b.Start.Generation.ID,
				LineNumber:  b.Start.Line + int64(skip.Line),
				Reason:      skip.Reason,
				Line:        line,
				LineBytes:   int64(len(line)),
			}
			if b.TooLong > 0 {
				entry.LineBytes = b.TooLong - 1
			}
			entries = append(entries, entry)
		}
	}
	return entries
}

// cutLines cuts the first n lines off.
func cutLines(text []byte, n int) (lines, rest []byte) {
	rest = text
	for range n {
		rest = rest[bytes.IndexByte(rest, '\n')+1:]
	}
	return text[:len(text)-len(rest)], rest
}

// backlog is what was received and is not in a request.
type backlog struct {
	batches []flow.Batch
	points  int
	bytes   int // of lines or of points, whichever is more
}

func (l *backlog) empty() bool { return len(l.batches) == 0 }

func (l *backlog) lines() (n int64) {
	for i := range l.batches {
		n += l.batches[i].NumLines()
	}
	return n
}

func (l *backlog) add(b flow.Batch) {
	l.batches = append(l.batches, b)
	l.points += b.NumPoints
	l.bytes += weight(&b)
}

func weight(b *flow.Batch) int { return max(len(b.Lines), len(b.Points)) }

// take makes a request of the oldest batches, with at most maxPoints points. It
// is nil when there are none.
func (l *backlog) take(maxPoints int) *request {
	if l.empty() {
		return nil
	}
	r := &request{}
	bytes, taken := 0, 0
	for ; taken < len(l.batches) && r.points < maxPoints && bytes < MaxRequestBytes; taken++ {
		b := l.batches[taken]
		if room := maxPoints - r.points; b.NumPoints > room {
			b, l.batches[taken] = split(b, room)
			taken--
		}
		r.batches = append(r.batches, b)
		r.points += b.NumPoints
		bytes += weight(&b)
	}
	l.points -= r.points
	l.batches = append(l.batches[:0], l.batches[taken:]...)
	l.bytes = 0
	for i := range l.batches {
		l.bytes += weight(&l.batches[i])
	}
	return r
}

// split cuts a batch behind its nth point, which is not its last one.
func split(b flow.Batch, n int) (head, tail flow.Batch) {
	head, tail = b, b
	head.NumPoints, tail.NumPoints = n, b.NumPoints-n

	// The line behind the nth point: skipped lines before it count too.
	line, skips := int32(n), 0
	for skips < len(b.Skipped) && b.Skipped[skips].Line < line {
		line++
		skips++
	}
	head.Lines, tail.Lines = cutLines(b.Lines, int(line))
	head.Points, tail.Points = cutLines(b.Points, n)
	head.Skipped = b.Skipped[:skips]
	tail.Skipped = nil
	for _, s := range b.Skipped[skips:] {
		tail.Skipped = append(tail.Skipped, flow.Skip{Line: s.Line - line, Reason: s.Reason})
	}
	head.End.Line = b.Start.Line + int64(line)
	head.End.Offset = b.Start.Offset + int64(len(head.Lines))
	tail.Start = head.End
	b.LinesBlock.Hold()
	b.PointsBlock.Hold()
	return head, tail
}
