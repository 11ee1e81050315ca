package redeliver

import (
	"bytes"
	"context"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/shape"
)

// pieces are rejected lines that follow each other in their file, and may be pieces of one
// line: its end was rejected, too, if it came when nobody expected it any more, or the
// format was another one.
type pieces struct {
	shapes map[*flow.Source]*shape.Lines
	lines  []rejects.Pending
	text   []byte
}

// shapeAll finds out how lines are joined.
func (r *Redelivery) shapeAll() (err error) {
	r.pieces.shapes = map[*flow.Source]*shape.Lines{}
	for _, source := range r.Sources {
		if r.pieces.shapes[source], err = r.Shape(source); err != nil {
			return err
		}
	}
	return nil
}

// join adds a line with the pieces before it, if it is their end, or keeps it until that is
// known. Lines that are not joined are added one by one.
func (r *Redelivery) join(ctx context.Context, p rejects.Pending, out chan<- flow.Chunk) error {
	c := &r.pieces
	if n := len(c.lines); n > 0 {
		if last := &c.lines[n-1]; last.Source != p.Source || last.Generation != p.Generation || last.Number != p.Number-1 {
			if err := r.addPieces(ctx, out); err != nil {
				return err
			}
		}
	}
	p.Line = bytes.Clone(p.Line)
	c.lines = append(c.lines, p)
	for len(c.lines) > 0 {
		n := c.joined(r.Sources[p.Source], r.MaxLine)
		if n == 0 {
			return nil
		}
		if err := r.take(ctx, n, out); err != nil {
			return err
		}
	}
	return nil
}

// joined is how many lines the first one is in; 0 while its end may be the next one.
func (c *pieces) joined(source *flow.Source, most int) int {
	c.text = c.text[:0]
	for i := range c.lines {
		c.text = append(append(c.text, c.lines[i].Line...), '\n')
	}
	m := c.shapes[source].Matcher
	_, lines := m.MatchPieces(c.text, most)
	if lines == 0 && !m.Unfinished() {
		return 1
	}
	if _, alone := m.Match(c.lines[0].Line); alone {
		return 1
	}
	return lines
}

// addPieces adds lines one by one of which nothing more comes.
func (r *Redelivery) addPieces(ctx context.Context, out chan<- flow.Chunk) error {
	for len(r.pieces.lines) > 0 {
		if err := r.take(ctx, 1, out); err != nil {
			return err
		}
	}
	return nil
}

// take adds the first lines, as one.
func (r *Redelivery) take(ctx context.Context, n int, out chan<- flow.Chunk) error {
	c := &r.pieces
	all := c.lines[:n]
	c.lines = c.lines[n:]
	return r.addLines(ctx, all, out)
}
