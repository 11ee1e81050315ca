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
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/internal/stats"
)

// Source is how the lines of one configured source are read; a glob is one.
type Source struct {
	// Format is nil when it is found out with the first lines, by Detect, which
	// returns nil while they do not tell: these are rejected. Its error ends Run.
	Format *logformat.Format
	Detect func(source *flow.Source, lines []byte) (*logformat.Format, error)

	// Schema says what the points look like, and is the same for all sources but
	// for Source, which is the source's name, and Escape, which is the format's.
	Schema accesslog.Schema

	// Doubt, unless nil, is told once when more than half of a thousand lines
	// were rejected, with one of them, and again when that begins anew.
	Doubt func(source *flow.Source, line []byte)
}

// maxSkipped is the most lines without a point in a batch: what is noted of
// them is memory, too.
const maxSkipped = 4096

// Parser is the stage.
type Parser struct {
	configured []Source
	sources    []*source                     // by index, nil before the first chunk
	encoders   map[string]*accesslog.Encoder // by names and escaping
	maxLine    int
	pool       *flow.Pool
	stats      *stats.Stats

	// minRoom is how much of a block must be free for the next point. One that
	// is longer still is appended elsewhere first, with all that stands before
	// it, and encoded again into a fresh block.
	minRoom int
}

type source struct {
	Source
	flow    *flow.Source
	matcher *logformat.Matcher // nil until the format is known
	encoder *accesslog.Encoder

	window, rejected int64 // lines looked at for Doubt, and how many of them were rejected
	doubted          bool
}

// New returns a parser for the configured sources. Lines longer than maxLine
// bytes are rejected. Points are written into blocks of pool; one longer than a
// block is rejected. The error says what is wrong with a format.
func New(configured []Source, maxLine int, pool *flow.Pool, st *stats.Stats) (*Parser, error) {
	for _, s := range configured {
		if s.Format == nil {
			continue
		}
		if _, err := accesslog.New(s.Format.Names(), s.Schema); err != nil {
			return nil, err
		}
	}
	return &Parser{configured: configured, encoders: map[string]*accesslog.Encoder{}, maxLine: maxLine, pool: pool, stats: st, minRoom: min(4<<10, pool.BlockSize()/16)}, nil
}

// source is where a chunk came from, with its format if that is known.
func (p *Parser) source(chunk *flow.Chunk) (*source, error) {
	from := chunk.Start.Generation.Source
	for len(p.sources) <= from.Index {
		p.sources = append(p.sources, nil)
	}
	s := p.sources[from.Index]
	if s == nil {
		s = &source{Source: p.configured[from.Config], flow: from}
		s.Schema.Source = from.Name
		p.sources[from.Index] = s
	}
	if s.matcher != nil {
		return s, nil
	}
	format := s.Format
	if format == nil {
		var err error
		if format, err = s.Detect(from, chunk.Data); err != nil || format == nil {
			return s, err
		}
	}
	// All sources have one schema, so those of one format share an encoder's
	// memory.
	s.Schema.Escape = format.Escape()
	key := strings.Join(append(format.Names(), s.Schema.Escape), " ")
	if p.encoders[key] == nil {
		encoder, err := accesslog.New(format.Names(), s.Schema)
		if err != nil {
			return nil, err
		}
		p.encoders[key] = encoder
	}
	s.encoder, s.matcher = p.encoders[key].For(from.Name), format.NewMatcher()
	p.stats.UpdateSource(from.Index, func(st *stats.Source) { st.Kind = format.Kind() })
	return s, nil
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
	src, err := p.source(&chunk)
	if err != nil {
		return err
	}
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
		if len(rest) > 0 {
			chunk.Block.Hold()
		} else {
			b.End = chunk.End // Data may be a line's head, or have a newline more than the file
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
	for taken < len(lines) && len(b.Skipped) < maxSkipped && (taken == 0 || len(room)-len(buf) >= p.minRoom) {
		end := bytes.IndexByte(lines[taken:], '\n')
		line := lines[taken : taken+end]
		if b.TooLong > 0 || end > p.maxLine {
			taken += p.skip(b, lines[taken:], "too long")
			continue
		}
		if end == 0 { // no format matches it: each has a time
			taken += p.skip(b, lines[taken:], "empty")
			continue
		}
		if src.matcher == nil {
			taken += p.skip(b, lines[taken:], "no match")
			continue
		}
		captures, ok := src.matcher.Match(line)
		if !ok {
			taken += p.skip(b, lines[taken:], "no match")
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
	src.judge(&b, int64(len(b.Skipped))-filtered)
	p.stats.Parsed(b.Start.Generation.Source.Index, src.last(), b.NumLines(), filtered, int64(len(b.Points)))
	select {
	case out <- b:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// last is the time in the last line.
func (s *source) last() time.Time {
	if s.encoder == nil {
		return time.Time{}
	}
	return s.encoder.Time()
}

// judge tells of doubt about the format.
func (s *source) judge(b *flow.Batch, rejected int64) {
	const window = 1000
	s.window += b.NumLines()
	s.rejected += rejected
	if s.window < window {
		return
	}
	bad := 2*s.rejected > s.window
	if bad && !s.doubted && s.Doubt != nil {
		s.Doubt(s.flow, firstRejected(b))
	}
	s.doubted = bad
	s.window, s.rejected = 0, 0
}

// firstRejected is the first line of a batch that does not match, if there is
// one.
func firstRejected(b *flow.Batch) []byte {
	rest, at := b.Lines, int32(0)
	for _, skip := range b.Skipped {
		for ; at < skip.Line; at++ {
			rest = rest[bytes.IndexByte(rest, '\n')+1:]
		}
		if skip.Reason == "no match" {
			return rest[:bytes.IndexByte(rest, '\n')]
		}
	}
	return nil
}
