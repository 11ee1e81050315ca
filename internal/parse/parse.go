// Package parse is the second stage: chunks of lines come in, batches of points
// go out. It glues the tools together that know formats ([logformat]), values
// ([accesslog]) and line protocol.
//
// Order is never changed, and every line of a chunk is in exactly one batch: as
// a point, or with the reason why not.
package parse

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/live"
	"github.com/tailflux/tailflux/internal/shape"
	"github.com/tailflux/tailflux/internal/stats"
)

// Shaper says how the lines of a source become points; [shape.Shaper] does.
type Shaper interface {
	// Lines is about the lines from a position on, up to the one of a number. It
	// returns nil while the format of the source is not known: its lines are
	// rejected. Then, and when they are left out, it is asked again with the next
	// lines. read are the lines, valid during the call. It does no I/O. An error
	// ends Run.
	Lines(at flow.Position, read []byte) (l *shape.Lines, until int64, err error)
	// Missed is asked about a line that becomes no point. What it returns holds from
	// that line on, up to the one of a number; nil if nothing changes.
	Missed(m shape.Miss) (l *shape.Lines, until int64, err error)
}

// maxSkipped is the most lines without a point in a batch: what is noted of
// them is memory, too.
const maxSkipped = 4096

// Parser is the stage.
type Parser struct {
	shaper  Shaper
	sources []*source // by index, nil before the first chunk
	maxLine int
	pool    *flow.Pool
	stats   *stats.Stats
	log     *slog.Logger

	rollups *Rollups    // nil without
	board   *live.Board // nil: lines are shown on none

	patience *time.Timer // of sources that have misfits and nothing else
	waiting  bool        // it runs

	// minRoom is how much of a block must be free for the next point. One that
	// is longer still is appended elsewhere first, with all that stands before
	// it, and encoded again into a fresh block.
	minRoom int
}

// New returns a parser. Lines longer than maxLine bytes are rejected. Points are
// written into blocks of pool; one longer than a block is rejected.
func New(shaper Shaper, maxLine int, pool *flow.Pool, st *stats.Stats, log *slog.Logger) *Parser {
	return &Parser{shaper: shaper, maxLine: maxLine, pool: pool, stats: st, log: log, minRoom: minRoom(pool)}
}

func minRoom(pool *flow.Pool) int { return min(4<<10, pool.BlockSize()/16) }

// Reshape makes the next Run parse in another way; the arguments are as in New. Call it
// between two Runs.
func (p *Parser) Reshape(shaper Shaper, maxLine int, pool *flow.Pool) {
	p.shaper, p.maxLine, p.pool, p.minRoom = shaper, maxLine, pool, minRoom(pool)
	for i, s := range p.sources {
		if s == nil {
			continue
		}
		p.sources[i] = &source{flow: s.flow, file: s.file, newest: s.newest, omitted: s.omitted, crlf: s.crlf, shown: s.shown}
		p.stats.UpdateSource(i, func(st *stats.Source) { st.Unfit = "" })
	}
	p.waiting = false
}

// Run parses until in is closed, or with ctx's error until ctx ends, and closes
// out.
func (p *Parser) Run(ctx context.Context, in <-chan flow.Chunk, out chan<- flow.Batch) error {
	defer close(out)
	p.patience = time.NewTimer(patience)
	p.patience.Stop()
	defer p.patience.Stop()
	clock := p.clock()
	defer clock.Stop()
	for {
		select {
		case chunk, ok := <-in:
			if !ok {
				err := cmp.Or(p.end(ctx, out), ctx.Err())
				p.publish(time.Now())
				return err
			}
			p.stats.Parsing(chunk.Lines(), int64(len(chunk.Data)))
			if err := p.parse(ctx, chunk, out); err != nil {
				return err
			}
		case <-p.patience.C:
			p.losePatience()
		case now := <-clock.C:
			if err := p.tick(ctx, now, clock, out); err != nil {
				return err
			}
		}
	}
}

// parse sends one batch for the chunk, or several when its points do not fit in
// one block.
func (p *Parser) parse(ctx context.Context, chunk flow.Chunk, out chan<- flow.Batch) error {
	b := flow.Batch{Start: chunk.Start, End: chunk.Start, TooLong: chunk.TooLong}
	rest := chunk.Data // begins at b.End
	done := chunk.Data // begins at b.Start
	src := p.source(chunk.Start.Generation.Source)
	src.file = chunk.Start.Generation.File()
	if src.gen = p.rollups.of(chunk.Start, p.log); chunk.Left {
		return p.leave(ctx, src.gen, out)
	}
	if src.gen != nil {
		src.gen.Arrive(time.Now())
	}
	src.showFrom = p.showFrom(src, chunk.Start.Generation)
	if err := p.ask(src, b.End, rest); err != nil {
		return err
	}
	for len(rest) > 0 {
		if b.End.Line >= src.until {
			if err := p.ask(src, b.End, rest); err != nil {
				return err
			}
		}
		room, err := p.pool.Room(ctx, p.minRoom)
		if err != nil {
			return err
		}
		points, n, err := p.fill(src, &b, room, rest)
		if err != nil {
			return err
		}
		if n == 0 && due(src.gen) <= b.End.Line {
			src.gen.Reach(b.End, nil, time.Now())
			if err := p.cutAt(ctx, src.gen, b.End.Line, out); err != nil {
				return err
			}
			continue
		}
		if n == 0 && len(room) < p.pool.BlockSize() {
			// The next point does not fit in what is left of this block.
			if _, err := p.pool.Room(ctx, p.pool.BlockSize()); err != nil {
				return err
			}
			continue
		}
		if n == 0 {
			n = src.skip(&b, rest, flow.Skip{Reason: flow.TooLong}) // for any block
		}
		rest = rest[n:]
		if points > 0 {
			b.Points, b.PointsBlock = p.pool.Cut(points)
		}
		if len(rest) > 0 {
			chunk.Block.Hold()
		} else {
			b.End = chunk.End // Data may be a line's head, or have a newline more than the file
		}
		b.Lines, b.LinesBlock = done[:len(done)-len(rest)], chunk.Block
		if err := p.send(ctx, src, b, out); err != nil {
			return err
		}
		if err := p.cutDue(ctx, src.gen, &b, out); err != nil {
			return err
		}
		src.shownTo(b.End.Line)
		done = rest
		b = flow.Batch{Start: b.End, End: b.End}
	}
	return nil
}

// fill encodes the first lines into room, as many as fit, and moves b.End
// behind them. It returns the bytes of points and of lines.
func (p *Parser) fill(src *source, b *flow.Batch, room, lines []byte) (points, taken int, err error) {
	buf, until := room[:0], min(until(src.gen, b.End.Line), due(src.gen))
	raw := p.rollups == nil || p.rollups.Raw && b.End.Line >= src.gen.Raw
	for taken < len(lines) && b.End.Line < src.until && b.End.Line < until && len(b.Skipped) < maxSkipped {
		if taken > 0 && len(room)-len(buf) < p.minRoom {
			break
		}
		end := bytes.IndexByte(lines[taken:], '\n')
		line := flow.TrimCR(lines[taken : taken+end])
		if b.TooLong > 0 || end > p.maxLine {
			taken += src.skip(b, lines[taken:], flow.Skip{Reason: flow.TooLong})
			continue
		}
		if len(line) < end && !src.crlf {
			p.warnOfCR(src)
		}
		if len(line) == 0 || src.matcher == nil {
			taken += src.skip(b, lines[taken:], src.unmatched(line))
			continue
		}
		grown, outcome, encoder, pieces := buf, accesslog.Rejected, src.encoder, 0
		captures, ok := src.matcher.Match(line)
		if !ok && src.matcher.Aside() {
			taken += src.skip(b, lines[taken:], flow.Skip{Filtered: true})
			continue
		}
		if ok {
			grown, outcome = encode(encoder, buf, captures, b.End.Line, raw)
		} else if joined, n := src.matcher.MatchPieces(lines[taken:], p.maxLine); n > 0 {
			captures, pieces, ok = joined, n, true
			grown, outcome = encode(encoder, buf, captures, b.End.Line+int64(n-1), raw)
			if cap(grown) != cap(room) { // there is no room for it
				break
			}
			for range n - 1 { // the last piece stands for all
				taken += src.skip(b, lines[taken:], flow.Skip{Filtered: true})
			}
			end = bytes.IndexByte(lines[taken:], '\n')
		}
		if outcome == accesslog.Rejected {
			is, err := p.missed(src, b.End, line, lines[taken:], buf, raw)
			if err != nil {
				return 0, 0, err
			}
			if grown, outcome, encoder, captures = is.points, is.outcome, is.by, is.captures; !ok && !is.matched {
				taken += src.skip(b, lines[taken:], flow.Skip{Reason: flow.NoMatch})
				continue
			}
		}
		if outcome == accesslog.Rejected {
			taken += src.skip(b, lines[taken:], flow.Skip{Reason: flow.BadTime})
			continue
		}
		if src.first == 0 {
			src.first = encoder.At()
		}
		if outcome == accesslog.Filtered {
			taken += src.skip(b, lines[taken:], flow.Skip{Filtered: true})
			continue
		}
		if cap(grown) != cap(room) { // it was moved elsewhere: no room
			break
		}
		if src.gen != nil && pieces == 0 && src.gen.Turns(b.End.Line, encoder.At()) {
			break
		}
		buf = grown
		p.count(src, b, encoder, captures, raw)
		if src.gen != nil {
			until = min(until, src.gen.Due())
		}
		b.End.Line++
		b.End.Offset += int64(end + 1)
		taken += end + 1
	}
	return len(buf), taken, nil
}

// unmatched says why a line is skipped that need not be matched.
func (s *source) unmatched(line []byte) flow.Skip {
	switch {
	case s.isLeft():
		return flow.Skip{Filtered: true}
	case len(line) == 0: // no format matches it: each has a time
		return flow.Skip{Reason: flow.Empty}
	}
	return flow.Skip{Reason: flow.NoMatch}
}

// count counts a line that has a point, or would have one, in its batch, its rollups and on
// the board.
func (p *Parser) count(src *source, b *flow.Batch, by *accesslog.Encoder, captures [][]byte, raw bool) {
	src.omitted += int64(by.Omitted())
	if raw {
		b.NumPoints++
	}
	if src.gen != nil && p.add(src.gen, by, captures, b.End.Line) && !raw {
		b.Waiting++
	}
	if b.End.Line >= src.showFrom {
		p.board.Add(by, captures, src.flow.Name)
	}
}

// encode appends the point of a line, if it is wanted.
func encode(by *accesslog.Encoder, buf []byte, captures [][]byte, number int64, wanted bool) ([]byte, accesslog.Outcome) {
	if !wanted {
		return buf, by.Judge(captures, number)
	}
	return by.Append(buf, captures, number)
}

// skip notes that the first of lines gives no point, and returns its length. A line that
// was settled before counts as filtered: it gets no second entry.
func (s *source) skip(b *flow.Batch, lines []byte, why flow.Skip) int {
	if s.gen != nil && b.End.Line < s.gen.Lines {
		why = flow.Skip{Filtered: true}
		b.ReadAgain++
	}
	n := bytes.IndexByte(lines, '\n') + 1
	why.Line = int32(b.NumLines())
	if b.Skipped == nil { // as many as in the last batch, and a few more
		b.Skipped = make([]flow.Skip, 0, s.skips+s.skips/4+1)
	}
	b.Skipped = append(b.Skipped, why)
	b.End.Line++
	b.End.Offset += int64(n)
	return n
}

func (p *Parser) send(ctx context.Context, src *source, b flow.Batch, out chan<- flow.Batch) error {
	count := countOf(&b)
	filtered := count.filtered
	settled := filtered - b.ReadAgain
	p.stats.UpdateSource(src.flow.Index, count.addTo)
	p.judge(src, &b, count)
	src.newest, src.skips = max(src.newest, b.End.Line-1), len(b.Skipped)
	p.warnOfRejects(src, &b, int64(len(b.Skipped))-filtered)
	p.seen(src, &b)
	p.stats.Parsed(b.Start.Generation.Source.Index, src.last(), b.NumLines(), settled, int64(len(b.Points)), src.omitted)
	select {
	case out <- b:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
