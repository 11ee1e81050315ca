package write

import (
	"bytes"
	"iter"
	"slices"
	"time"
	"unsafe"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/rollup"
)

// part is a batch, or what is left of one that was cut.
type part struct {
	flow.Batch
	received time.Time
	deltas   []rejects.Entry // of Cut that are refused
}

// policy is the retention policy of the part's points.
func (p *part) policy() string {
	if p.Cut == nil {
		return ""
	}
	return p.Cut.RetentionPolicy
}

// weight is the bytes of lines or of points, whichever are more, plus those of the
// skips, which for a run of empty lines are the most.
func (p *part) weight() int {
	const skip = int(unsafe.Sizeof(flow.Skip{}))
	return max(len(p.Lines), len(p.Points)) + len(p.Skipped)*skip
}

// books is the number of lines in parts that await an end: filtered ones do not.
func books(parts []part) (lines int64) {
	for i := range parts {
		lines += parts[i].Written()
		for _, skip := range parts[i].Skipped {
			if !skip.Filtered {
				lines++
			}
		}
	}
	return lines
}

// request is a run of batches that is delivered and settled as one.
type request struct {
	parts    []part
	targets  []*target // of its points
	points   int
	refused  []refusal // points that are not stored
	replayed int       // the first of refused, whose lines are in the reject file already
	done     bool      // known to Run
	err      error     // when done: only that ctx ended
	settled  int64     // lines written or in the reject file
}

// refusal is a point that must be rejected.
type refusal struct {
	point  int // in the request, from 0
	reason flow.Reason
}

// written is how many lines count as written with the request.
func (r *request) written() (lines int64) {
	for i := range r.parts {
		lines += r.parts[i].Written()
	}
	return lines
}

func (r *request) refuse(point int, reason flow.Reason) {
	r.refused = append(r.refused, refusal{point, reason})
}

// kind is 0 for the point of a line, 1 for a delta, and how many of these the request has.
func (r *request) kind(point int) (kind, of int) {
	var all [2]int
	first := 0
	for i := range r.parts {
		p := &r.parts[i]
		is := 0
		if p.Cut != nil {
			is = 1
		}
		all[is] += p.NumPoints
		if first <= point {
			kind = is
		}
		first += p.NumPoints
	}
	return kind, all[kind]
}

// all are the points that go to a retention policy.
func (r *request) all(policy string) points {
	all := make(points, 0, len(r.parts))
	first := 0
	for i := range r.parts {
		if p := &r.parts[i]; p.NumPoints > 0 {
			if p.policy() == policy {
				all = append(all, piece{p.Points, first, p.NumPoints})
			}
			first += p.NumPoints
		}
	}
	return all
}

// skipRefused makes rejected lines of the points that were refused.
func (r *request) skipRefused() {
	slices.SortFunc(r.refused, func(a, b refusal) int { return a.point - b.point })
	rest, first := r.refused, 0
	for i := range r.parts {
		p := &r.parts[i]
		n := 0
		for n < len(rest) && rest[n].point < first+p.NumPoints {
			n++
		}
		first += p.NumPoints
		if n > 0 && p.Cut != nil {
			p.refuseDeltas(rest[:n], first-p.NumPoints)
			rest = rest[n:]
			continue
		}
		if n > 0 {
			p.skip(rest[:n], first-p.NumPoints)
			rest = rest[n:]
		}
	}
	r.points -= len(r.refused)
	r.refused = nil
}

// skip makes skipped lines of some of the part's points, the first of which has
// the number first.
func (p *part) skip(refused []refusal, first int) {
	skipped := make([]flow.Skip, 0, len(p.Skipped)+len(refused))
	before := p.Skipped
	for _, refusal := range refused {
		// The line of a point: skipped lines before it count too.
		line := int32(refusal.point - first + len(p.Skipped) - len(before))
		for len(before) > 0 && before[0].Line <= line {
			skipped = append(skipped, before[0])
			before = before[1:]
			line++
		}
		skipped = append(skipped, flow.Skip{Line: line, Reason: refusal.reason})
	}
	skipped = append(skipped, before...)
	p.Skipped = skipped
	p.NumPoints -= len(refused)
}

// rejected is an entry for each rejected line.
func (r *request) rejected(now time.Time) iter.Seq[rejects.Entry] {
	return func(yield func(rejects.Entry) bool) {
		for i := range r.parts {
			p := &r.parts[i]
			for _, entry := range p.deltas {
				if entry.Time = now; !yield(entry) {
					return
				}
			}
			rest, at := p.Lines, int32(0)
			for _, skip := range p.Skipped {
				if skip.Filtered {
					continue
				}
				_, rest = cutLines(rest, int(skip.Line-at))
				line, after := cutLines(rest, 1)
				rest, at = after, skip.Line+1
				entry := p.entry(skip.Line, line)
				entry.Time, entry.Reason = now, skip.Reason
				if !yield(entry) {
					return
				}
			}
		}
	}
}

// refuseDeltas makes entries of deltas, the first of which has the number first.
func (p *part) refuseDeltas(refused []refusal, first int) {
	for _, refusal := range refused {
		_, rest := cutLines(p.Points, refusal.point-first)
		text, _ := cutLines(rest, 1)
		if entry := p.delta(text); !rollup.IsZeros(text) {
			entry.Reason = refusal.reason
			p.deltas = append(p.deltas, entry)
		}
	}
}

// delta describes one of the part's points.
func (p *part) delta(text []byte) rejects.Entry {
	text = text[:len(text)-1]
	g := p.End.Generation
	return rejects.Entry{
		Kind: rejects.Rollup, Rollup: p.Cut.Rollup, Source: g.Source.Name, SourceIndex: g.Source.Index, Generation: g.ID,
		LineNumber: g.InFile(p.Cut.Begin), Number: p.Cut.Begin, Line: text, LineBytes: int64(len(text)),
	}
}

// entry describes a line of the part; number counts from 0, as in Skipped.
func (p *part) entry(number int32, line []byte) rejects.Entry {
	line = line[:len(line)-1]
	if p.TooLong == 0 { // else it is only the head of a line
		line = flow.TrimCR(line)
	}
	entry := rejects.Entry{
		Source:      p.Start.Generation.Source.Name,
		SourceIndex: p.Start.Generation.Source.Index,
		Generation:  p.Start.Generation.ID,
		LineNumber:  p.Start.Generation.InFile(p.Start.Line + int64(number)),
		Number:      p.Start.Line + int64(number),
		Line:        line,
		LineBytes:   int64(len(line)),
	}
	if p.TooLong > 0 {
		entry.LineBytes = p.TooLong - 1
	}
	return entry
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
	parts  []part
	points int
	bytes  int // sum of weights
}

func (l *backlog) empty() bool { return len(l.parts) == 0 }

// since is when the oldest part was received.
func (l *backlog) since() time.Time { return l.parts[0].received }

func (l *backlog) add(b flow.Batch, now time.Time) {
	l.parts = append(l.parts, part{Batch: b, received: now})
	l.points += b.NumPoints
	l.bytes += l.parts[len(l.parts)-1].weight()
}

// take makes a request of the oldest parts, with at most maxPoints points.
func (l *backlog) take(maxPoints int) *request {
	n, points, bytes := 0, 0, 0
	for ; n < len(l.parts) && points < maxPoints && bytes < MaxRequestBytes; n++ {
		points += l.parts[n].NumPoints
		bytes += l.parts[n].weight()
	}
	r := &request{parts: slices.Clone(l.parts[:n]), points: min(points, maxPoints)}
	if excess := points - maxPoints; excess > 0 {
		last := &r.parts[n-1]
		n--
		l.parts[n] = last.cutAfter(last.NumPoints - excess)
		bytes -= l.parts[n].weight()
	}
	l.points -= r.points
	l.bytes -= bytes
	l.parts = append(l.parts[:0], l.parts[n:]...)
	return r
}

// cutAfter keeps the lines up to the nth point, which is not the last one, and
// returns those behind it.
func (p *part) cutAfter(n int) (tail part) {
	tail = *p
	if p.Cut != nil {
		p.NumPoints, tail.NumPoints = n, p.NumPoints-n
		p.Points, tail.Points = cutLines(p.Points, n)
		p.More = true
		p.PointsBlock.Hold()
		return tail
	}
	tail.ReadAgain = 0
	p.Seen = 0 // which holds once all of it is settled
	// The line behind the nth point: skipped lines before it count too.
	line, skips := int32(n), 0
	for skips < len(p.Skipped) && p.Skipped[skips].Line < line {
		line++
		skips++
	}
	p.NumPoints, tail.NumPoints = n, p.NumPoints-n
	p.Lines, tail.Lines = cutLines(p.Lines, int(line))
	p.Points, tail.Points = cutLines(p.Points, n)
	p.Skipped, tail.Skipped = p.Skipped[:skips], p.Skipped[skips:]
	for i := range tail.Skipped {
		tail.Skipped[i].Line -= line // counts from the part's own beginning
	}
	p.End.Line = p.Start.Line + int64(line)
	p.End.Offset = p.Start.Offset + int64(len(p.Lines))
	tail.Start = p.End
	p.LinesBlock.Hold()
	p.PointsBlock.Hold()
	return tail
}
