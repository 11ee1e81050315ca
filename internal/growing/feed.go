package growing

import (
	"context"
	"log/slog"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/internal/stats"
)

// Feed is how the lines of all files leave the stage. While it waits for room, or for a chunk
// to be taken, it calls meanwhile whenever that is due.
type Feed struct {
	// Ends makes the end of each file known by a chunk without lines.
	Ends bool

	out        chan<- flow.Chunk
	pool       *flow.Pool
	least      int // bytes of a room
	most       int // of one for a line in pieces
	pieces     *logformat.Pieces
	stats      *stats.Stats
	log        *slog.Logger
	checkpoint *checkpoint.Checkpoint
	meanwhile  func() (next time.Time)
	patience   *time.Timer // of send
	unsynced   unsynced
}

// FeedConfig is what a [Feed] works with.
type FeedConfig struct {
	MaxLine    int // bytes of a line; of longer ones only the beginning is sent
	Pool       *flow.Pool
	Out        chan<- flow.Chunk
	Checkpoint *checkpoint.Checkpoint // is saved before lines are used that need it
	Meanwhile  func() (next time.Time)
	Stats      *stats.Stats
	Log        *slog.Logger
}

// NewFeed returns a feed. Nothing is sent yet.
func NewFeed(c FeedConfig) *Feed {
	patience := time.NewTimer(0)
	patience.Stop()
	d := &Feed{stats: c.Stats, log: c.Log, checkpoint: c.Checkpoint, meanwhile: c.Meanwhile, patience: patience}
	d.unsynced.kept = c.Checkpoint.SyncLogs(d.unsynced.sync)
	d.Through(c.MaxLine, c.Pool, c.Out)
	return d
}

// Through changes where chunks go, and the longest line, once no chunk is on its way any more.
func (d *Feed) Through(maxLine int, pool *flow.Pool, out chan<- flow.Chunk) {
	d.least, d.pool, d.out = max(maxLine, longHead)+1, pool, out
	d.most = min(logformat.PiecesBytes(maxLine), pool.BlockSize())
	d.pieces = logformat.NewPieces(maxLine, d.most)
}

// Close closes a file, some moments later if what was read of it is not on the disk yet.
// Without a feed, nothing was.
func (d *Feed) Close(o *logfile.Opened) {
	if d == nil || !d.unsynced.leave(o) {
		o.Close()
	}
}

// room waits for room for a chunk; a line in pieces needs more of it.
func (d *Feed) room(ctx context.Context, pieces bool) ([]byte, error) {
	least := d.least
	if pieces {
		least = max(least, d.most)
	}
	for {
		short, cancel := context.WithDeadline(ctx, d.meanwhile())
		room, err := d.pool.Room(short, least)
		cancel()
		if err == nil || ctx.Err() != nil {
			return room, err
		}
	}
}

// send sends the first n bytes of the room as the chunk from start to end. Before that
// it saves what must be saved before its lines are used.
func (d *Feed) send(ctx context.Context, chunk flow.Chunk) error {
	d.checkpoint.Secure()
	next := d.meanwhile()
	if !chunk.Left {
		d.stats.Read(time.Now(), chunk.Lines(), int64(len(chunk.Data)))
		d.countUnsettled(chunk, chunk.Lines())
	}
	for {
		d.patience.Reset(time.Until(next))
		select {
		case d.out <- chunk:
			return nil
		case <-d.patience.C:
			next = d.meanwhile()
		case <-ctx.Done():
			d.countUnsettled(chunk, -chunk.Lines())
			if chunk.Left {
				return ctx.Err()
			}
			d.stats.Read(time.Now(), -chunk.Lines(), -int64(len(chunk.Data))) // nobody got it
			chunk.Block.Release()
			return ctx.Err()
		}
	}
}

func (d *Feed) countUnsettled(chunk flow.Chunk, lines int64) {
	d.stats.UpdateSource(chunk.Start.Generation.Source.Index, func(s *stats.Source) { s.Unsettled += lines })
}

// SendLeft says that nothing more of a generation will come behind a position, as far as is
// known.
func (d *Feed) SendLeft(ctx context.Context, at flow.Position) error {
	if !d.Ends {
		return nil
	}
	return d.send(ctx, flow.Chunk{Start: at, End: at, Left: true})
}

// skipped counts NULs behind a position that are no part of any line.
func (d *Feed) skipped(at flow.Position, nuls int64) {
	if nuls == 0 {
		return
	}
	source, first := at.Generation.Source, false
	d.stats.UpdateSource(source.Index, func(s *stats.Source) {
		first = s.NULs == 0
		s.NULs += nuls
	})
	if first {
		d.log.Warn("NUL bytes in the log are skipped", "source", source.Name, "file", at.Generation.File(), "offset", at.Offset, "bytes", nuls,
			"reason", "it was truncated (copytruncate) while its writer does not append, or the machine lost its power; or nginx wrote them, as it does with escape=none")
	}
}
