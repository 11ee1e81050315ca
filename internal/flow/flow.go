// Package flow holds what crosses the two channels of the pipeline, and
// nothing else:
//
//	read ──Chunk──► parse ──Batch──► write
//
// Both are pieces of [Block]s: fixed, reference-counted buffers that are reused.
// No line is ever copied or handed over by itself; a chunk is as many whole
// lines as there were to read, a batch is what became of them. A stage that
// cannot get a block waits, so memory stays bounded and the log file itself is
// the buffer.
package flow

// Source is a followed path. There is one value for each; stages compare and
// share the pointer.
type Source struct {
	Index  int    // from 0, in the order in which they came
	Config int    // place in the configuration, from 0; the sources of a glob share it
	Name   string // tag "source", unique
	Path   string
}

// Generation is one file that has lived at a source's path. It does not change
// after it was made.
type Generation struct {
	Source    *Source
	ID        int64 // from 1, in the order in which the files were seen
	FirstLine int64 // number of the first line that is read, at offset 0 unless reading began at the end
}

// Position is a place between two lines of a generation.
type Position struct {
	Generation *Generation
	Offset     int64 // bytes before it
	Line       int64 // number of the line that starts here
}

// Chunk is a run of whole lines read at once.
//
// From Start to End it is as long as Data, except in two cases: of a TooLong
// line Data is only the head; and a last line that has no newline in its file,
// and never will, has one in Data.
type Chunk struct {
	Start, End Position // of one generation
	Data       []byte   // the lines, each with its newline; part of Block
	Block      *Block   // held once by this chunk

	// TooLong is the length in bytes, newline included, of a line over the
	// limit, of which Data is only the head, closed by a newline; else 0. Such
	// a line is alone in its chunk.
	TooLong int64
}

// Lines is the number of lines in the chunk.
func (c *Chunk) Lines() int64 { return c.End.Line - c.Start.Line }

// Batch is what became of a run of lines: for each, in their order, a point, or
// an entry in Skipped.
type Batch struct {
	Start, End Position // of one generation
	Lines      []byte   // the lines as read, for the reject file; part of LinesBlock
	Points     []byte   // line protocol, each point with its newline; part of PointsBlock
	NumPoints  int
	Skipped    []Skip // ascending by line
	TooLong    int64  // as in Chunk

	LinesBlock, PointsBlock *Block // each held once by this batch; PointsBlock is nil without points
}

// NumLines is the number of lines in the batch.
func (b *Batch) NumLines() int64 { return b.End.Line - b.Start.Line }

// Release gives the batch's blocks back. Lines and Points must not be used
// afterwards.
func (b *Batch) Release() {
	b.LinesBlock.Release()
	if b.PointsBlock != nil {
		b.PointsBlock.Release()
	}
}

// Skip is a line without a point: it was filtered, as configured, or rejected.
type Skip struct {
	Line     int32 // in the batch, from 0
	Filtered bool
	Reason   Reason // why it was rejected
}
