// Package flow holds what crosses the two channels of the pipeline, and
// nothing else:
//
//	read ──Chunk──► parse ──Batch──► write
//
// Both are pieces of [Block]s: reference-counted buffers of a fixed size that are
// reused. Lines are never copied or passed on one by one: a chunk holds as many
// whole lines as one read returned, a batch the points and rejects made from
// them. A stage that cannot get a block waits, so memory stays bounded and the
// log file itself is the buffer.
package flow

import "time"

// Source is a configured log, or one file of a glob. Compare sources by their index: the days
// of a log whose path has a date are values of their own, and so is one that a reload renames.
type Source struct {
	Index  int    // from 0, in the order in which sources were added
	Config int    // place in the configuration, from 0; the sources of a glob share it
	Name   string // tag "source", unique
	Path   string
}

// Generation is one file that was at a source's path. Once a line of it was sent it does not
// change.
type Generation struct {
	Source    *Source
	ID        int64 // from 1, in the order in which the files were seen
	FirstLine int64 // number of the first line read: the one at offset 0, unless reading began at the end
	Earlier   int64 // lines of the file before that one, as far as they were counted

	// Path is that of the file, when it was opened, if that is not the path of the source:
	// it was rotated before, or is imported. It is for messages.
	Path string
}

// File is the file that the lines are of, as messages name it.
func (g *Generation) File() string {
	if g.Path != "" {
		return g.Path
	}
	return g.Source.Path
}

// InFile returns which line of its file the one with a number is, from 1.
func (g *Generation) InFile(number int64) int64 { return number - g.FirstLine + 1 + g.Earlier }

// Position is a place between two lines of a generation.
type Position struct {
	Generation *Generation
	Offset     int64 // bytes before it
	Line       int64 // number of the line that starts here
}

// Raised is the same place, in a generation whose lines have numbers that are greater by more.
func (p Position) Raised(more int64) Position {
	if more == 0 {
		return p
	}
	g := *p.Generation
	g.FirstLine += more
	p.Generation, p.Line = &g, p.Line+more
	return p
}

// Chunk is a run of whole lines read at once. There is no NUL in it.
//
// Start is the End of the chunk before, unless there are NULs between them, which
// belong to no line. End.Offset - Start.Offset is the length of Data, except in two
// cases: Data has only the head of a TooLong line; and if a line has no newline,
// because its file or NULs end it, Data has one added.
type Chunk struct {
	Start, End Position // of one generation
	Data       []byte   // the lines, each with its newline; part of Block
	Block      *Block   // held once by this chunk

	// Left is set in a chunk without lines and without a block: nothing more of the
	// generation is expected.
	Left bool

	// TooLong is the length of a line over the limit in bytes, including its
	// newline, and otherwise 0. Such a line has a chunk to itself; Data is its
	// head and a newline.
	TooLong int64
}

// Lines returns the number of lines in the chunk.
func (c *Chunk) Lines() int64 { return c.End.Line - c.Start.Line }

// Batch is the outcome of a run of lines: each line, in order, has either a point
// or an entry in Skipped. If there are no points at all, the other lines are only added up.
//
// A batch with a Cut has no lines: its points are deltas of it.
type Batch struct {
	Start, End Position // of one generation
	Lines      []byte   // the lines as read, for the reject file; part of LinesBlock
	Points     []byte   // line protocol, each point with its newline; part of PointsBlock
	NumPoints  int
	Skipped    []Skip // ascending by line
	TooLong    int64  // as in Chunk

	ReadAgain int64 // filtered lines that were settled before, and count as written: they are read again for rollups
	Waiting   int64 // lines without a point that count as written with a cut to come
	Cut       *Cut
	More      bool // of Cut in the next batch

	// Once this batch and all before it are settled, so are all lines of the source that are
	// older than Seen, in nanoseconds since 1970, wherever they go; 0: that is not known.
	// Whole is that no line waits in a rollup. From is the time in the first line of the
	// source that was read and has one; 0: there is none yet.
	Seen, From int64
	Whole      bool

	LinesBlock, PointsBlock *Block // each held once by this batch; nil without lines, or points
}

// NumLines returns the number of lines in the batch.
func (b *Batch) NumLines() int64 { return b.End.Line - b.Start.Line }

// Ending is how the lines end in their file; nil if Lines does not show it.
func (b *Batch) Ending() []byte {
	if b.TooLong > 0 || int64(len(b.Lines)) != b.End.Offset-b.Start.Offset {
		return nil
	}
	return b.Lines
}

// Written is how many lines count as written when the batch is settled.
func (b *Batch) Written() int64 {
	switch {
	case b.Cut != nil && b.More:
		return 0
	case b.Cut != nil:
		return b.Cut.Lines
	case b.NumPoints > 0:
		return int64(b.NumPoints) + b.ReadAgain
	}
	return b.NumLines() - int64(len(b.Skipped)) - b.Waiting + b.ReadAgain
}

// Release releases the batch's blocks. Lines and Points must not be used
// afterwards.
func (b *Batch) Release() {
	b.LinesBlock.Release()
	b.PointsBlock.Release()
}

// Cut is the end of what lines of one generation add to a rollup. Its deltas travel as the
// points of one batch or several.
type Cut struct {
	Rollup          string // its key
	RetentionPolicy string // "" is the default one of the database
	Interval        time.Duration
	Begin           int64 // number of its first line, where the cut before it ended
	End             Position
	Base, Newest    int64  // see rollup.Intent
	Ending          []byte // how the bytes before End end
	Lines           int64  // that count as written with it
	Deltas          int    // without those that count nothing; 0: nothing is sent
}

// Skip is a line without a point: it was filtered, as configured, or rejected.
type Skip struct {
	Line     int32 // in the batch, from 0
	Filtered bool
	Reason   Reason // why it was rejected
}
