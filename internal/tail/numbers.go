package tail

import (
	"slices"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/growing"
	"github.com/tailflux/tailflux/internal/logfile"
)

// position is where a new generation begins.
func (s *source) position(known *checkpoint.Source, offset int64) flow.Position {
	last := known.LastID()
	line := max(1, known.FirstLine)
	if last > 0 {
		line = max(line, s.firstLine(known, nil))
	}
	g := &flow.Generation{Source: s.Source, ID: last + 1, FirstLine: line}
	return flow.Position{Generation: g, Offset: offset, Line: line}
}

// firstLine is the number of the first line of a generation. It is beyond those of all
// others: by what may still be written to them, and by what is there and unread, of which
// every byte could be a line.
func (s *source) firstLine(others *checkpoint.Source, except *growing.File) int64 {
	var beyond int64
	for _, g := range slices.Concat(others.Finished, others.Open) {
		reached := max(g.FirstLine, g.Read().Line, g.Furthest().Line)
		if unread := g.Size - g.Offset; g.State == checkpoint.Lost && unread > checkpoint.LineGap { // it may turn up
			reached += unread
		}
		beyond = max(beyond, reached)
	}
	for _, f := range s.files {
		if f == except {
			continue
		}
		reached, size := f.At.Line, f.Size
		if f.Packed != nil {
			size = f.Packed.MaxLength()
		}
		if unread := size - f.At.Offset; unread > checkpoint.LineGap {
			reached += unread
		}
		beyond = max(beyond, reached)
	}
	return beyond + checkpoint.LineGap
}

// renumber fixes the number of the first line of a file once there is one: nginx may have
// gone on writing to the file before, for long.
func (s *source) renumber(f *growing.File) {
	g := f.At.Generation
	if f.Packed != nil || f.At.Offset > 0 || g.ID <= 1 {
		return
	}
	known := s.ledger.Copy()
	without := func(of []checkpoint.Generation) []checkpoint.Generation {
		return slices.DeleteFunc(of, func(other checkpoint.Generation) bool { return other.ID == g.ID })
	}
	known.Open, known.Finished = without(known.Open), without(known.Finished)
	if line := s.firstLine(&known, f); line > g.FirstLine {
		g.FirstLine, f.At.Line = line, line
		s.ledger.Renumber(g)
	}
}

// maxCounted bounds how much of a log is read only to know the number of a line in it.
const maxCounted = 256 << 20

// linesBefore counts the lines before an offset; 0 if they are too many, or cannot be read: a
// number in the reject file is then counted from there.
func linesBefore(o *logfile.Opened, offset int64) int64 {
	if offset > maxCounted || o.Size() < 0 {
		return 0
	}
	lines, err := (&logfile.Log{Opened: o}).Lines(offset)
	if err != nil {
		return 0
	}
	return lines
}
