// Package parse is the second stage: chunks of lines come in, batches of points
// go out. It glues the tools together that know formats ([logformat]), values
// ([accesslog]) and line protocol.
//
// Order is never changed, and every line of a chunk is in exactly one batch: as
// a point, or with the reason why it is none.
package parse

import (
	"bytes"
	"context"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/internal/stats"
)

// Source is how the lines of one source are read.
type Source struct {
	Format *logformat.Format
	Schema accesslog.Schema
}

// Parser is the stage.
type Parser struct {
	sources []source
	maxLine int
	pool    *flow.Pool
	stats   *stats.Stats

	// minRoom is how much of a block must be free for the next point. One that
	// is longer still is appended elsewhere first, with all that stands before
	// it, and encoded again into a fresh block.
	minRoom int
}

type source struct {
	matcher *logformat.Matcher
	encoder *accesslog.Encoder
}

// New returns a parser for sources, in the order of their index. Lines longer
// than maxLine bytes are rejected. Points are written into blocks of pool; one
// longer than a block is rejected.
func New(sources []Source, maxLine int, pool *flow.Pool, st *stats.Stats) (*Parser, error) {
	p := &Parser{maxLine: maxLine, pool: pool, stats: st, minRoom: min(4<<10, pool.BlockSize()/16)}
	for _, s := range sources {
		encoder, err := accesslog.New(s.Format.Names(), s.Schema)
		if err != nil {
			return nil, err
		}
		p.sources = append(p.sources, source{s.Format.NewMatcher(), encoder})
	}
	return p, nil
}

// Run parses until in is closed, or with ctx's error until ctx ends, and closes
// out.
func (p *Parser) Run(ctx context.Context, in <-chan flow.Chunk, out chan<- flow.Batch) error {
	defer close(out)
	for chunk := range in {
		p.stats.Parsing(chunk.Lines(), int64(len(chunk.Data)))
		if err := p.parse(ctx, chunk, out); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// parse sends one batch for the chunk, or several when its points do not fit in
// one block.
func (p *Parser) parse(ctx context.Context, chunk flow.Chunk, out chan<- flow.Batch) error {
	b := flow.Batch{Start: chunk.Start, End: chunk.Start, TooLong: chunk.TooLong}
	rest := chunk.Data // begins at b.End
	done := chunk.Data // begins at b.Start
	src := &p.sources[chunk.Start.Generation.Source.Index]
	for len(rest) > 0 {
		room, err := p.pool.Room(ctx, p.minRoom)
		if err != nil {
			return err
		}
		points, n := p.fill(src, &b, room, rest)
		if n == 0 && len(room) < p.pool.BlockSize() {
			// The next point does not fit in what is left of this block.
			if _, err := p.pool.Room(ctx, p.pool.BlockSize()); err != nil {
				return err
			}
			continue
		}
		if n == 0 {
			n = p.skip(&b, rest, "too long") // for any block
		}
		rest = rest[n:]
		if points > 0 {
			b.Points, b.PointsBlock = p.pool.Cut(points)
		}
		if b.TooLong > 0 {
			b.End = chunk.End // Data is only the line's head
		}
		if len(rest) > 0 {
			chunk.Block.Hold()
		}
		b.Lines, b.LinesBlock = done[:len(done)-len(rest)], chunk.Block
		if err := p.send(ctx, src, b, out); err != nil {
			return err
		}
		done = rest
		b = flow.Batch{Start: b.End, End: b.End}
	}
	return nil
}

// fill encodes the first lines into room, as many as fit, and moves b.End
// behind them. It returns the bytes of points and of lines.
func (p *Parser) fill(src *source, b *flow.Batch, room, lines []byte) (points, taken int) {
	buf := room[:0]
	for taken < len(lines) && (taken == 0 || len(room)-len(buf) >= p.minRoom) {
		end := bytes.IndexByte(lines[taken:], '\n')
		line := lines[taken : taken+end]
		if b.TooLong > 0 || end > p.maxLine {
			taken += p.skip(b, lines[taken:], "too long")
			continue
		}
		captures, ok := src.matcher.Match(line)
		if !ok {
			why := "no match"
			if len(line) == 0 {
				why = "empty"
			}
			taken += p.skip(b, lines[taken:], why)
			continue
		}
		grown, why, ok := src.encoder.Append(buf, captures, b.End.Line)
		if !ok {
			taken += p.skip(b, lines[taken:], why)
			continue
		}
		if cap(grown) != cap(room) { // it was moved elsewhere: no room
			break
		}
		buf = grown
		b.NumPoints++
		b.End.Line++
		b.End.Offset += int64(end + 1)
		taken += end + 1
	}
	return len(buf), taken
}

// skip notes that the first of lines gives no point, and returns its length.
func (p *Parser) skip(b *flow.Batch, lines []byte, why string) int {
	n := bytes.IndexByte(lines, '\n') + 1
	b.Skipped = append(b.Skipped, flow.Skip{Line: int32(b.NumLines()), Reason: why})
	b.End.Line++
	b.End.Offset += int64(n)
	return n
}

func (p *Parser) send(ctx context.Context, src *source, b flow.Batch, out chan<- flow.Batch) error {
	var filtered int64
	for _, s := range b.Skipped {
		if s.Reason == "" {
			filtered++
		}
	}
	p.stats.Parsed(b.Start.Generation.Source.Index, src.encoder.Time(), b.NumLines(), filtered, int64(len(b.Points)))
	select {
	case out <- b:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
