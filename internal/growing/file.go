package growing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
)

// File is an open generation: what was read of it, what it looks like, and what its
// follower has concluded of it.
type File struct {
	*logfile.Opened // its head grows
	Notes
	ledger *checkpoint.Ledger
	feed   *Feed
	Packed *logfile.Compressed // not nil: it is compressed, and is not going to change
	marks  logfile.Marks

	// Reading.
	At      flow.Position // what was sent ends here
	hole    hole          // behind At
	begin   beginning     // of a file that begins with a hole
	Size    int64         // when it was last looked at; of a packed file as far as it is known
	Seen    int64         // offset up to which it was read
	scanned int64         // bytes from Next on that are known to hold no end of a line, of one too long for a block
	held    bool          // pieces stand behind At, of a line whose end is still to come
	ended   bool          // the last read found its end
	Limit   int64         // it is read up to here if it is over 0
	Grown   time.Time     // when it was last seen to be longer than before; also set by the follower
	Closed  bool

	// What the follower has concluded, and reading goes by.
	Superseded bool          // another file is at the path
	Replaced   time.Time     // since when, or when it was found so
	Late       time.Duration // how long after that it was seen to be longer
	Noted      bool          // its copies were looked for since it was deleted and has grown
	NoRest     bool          // what follows its last newline is in another file, too
	Unsure     bool          // it was empty when it was found beside the log, and may become a copy of it
	Unsearched bool          // it may have been copied and truncated since AsOf, and nobody has looked for the copy
	Leaving    bool          // it is to be closed, if one more read finds nothing

	// What the ledger has of it.
	Examined  time.Time    // the time of the file when it was looked at before the path was seen last
	AsOf      time.Time    // the time of the file when it held what was read of it
	verified  time.Time    // when the file was last seen to hold what was read of it
	changed   bool         // when it was last looked at, it did not
	described logfile.File // as the checkpoint has it
	noted     int          // length of the head when the checkpoint was told last
	summed    int          // length of the head that described has the sum of
}

// Notes are what a follower keeps with a file for itself: nothing here depends on them.
type Notes struct {
	Trouble error // of the last read
	Told    bool  // somebody was told that the file is still written to
	Beyond  int64 // how many of its lines have numbers of a later file
	Noise   bool  // it begins with what overwrote it
}

// longHead is how much is sent of a line that fits in no block.
const longHead = 8 << 10

// ErrChanged is returned by a read that found other bytes than those that were read
// before. They are dropped, and the next look finds out what has happened.
var ErrChanged = errors.New("it was changed while it was read")

// New is an open file that is read from a position on.
func New(o *logfile.Opened, at flow.Position, ledger *checkpoint.Ledger, d *Feed, now time.Time) *File {
	f := &File{
		Opened: o, ledger: ledger, feed: d,
		At: at, Seen: at.Offset, Size: max(o.Size(), at.Offset), Grown: now, summed: -1, Examined: o.Info.ModTime(), AsOf: o.Info.ModTime(),
	}
	f.Packed, _ = o.Content.(*logfile.Compressed)
	f.described.Path = o.Log
	f.begin = f.knownBeginning()
	f.mark()
	return f
}

// Restart goes on with what is in the file now, from a position of another generation on.
func (f *File) Restart(at flow.Position, now time.Time) error {
	f.At = at
	f.Head, f.described.Head, f.summed, f.marks, f.Unsearched = nil, logfile.Sum{}, -1, nil, false
	f.Seen, f.scanned, f.held, f.Grown = at.Offset, 0, false, now
	info, err := f.File.Stat()
	if err != nil {
		return err
	}
	f.Info, f.Size, f.Examined, f.AsOf, f.changed = info, info.Size(), info.ModTime(), info.ModTime(), false
	if _, err := f.Head.Grow(f.File); err != nil {
		return err
	}
	f.mark()
	return nil
}

// Rescan starts over looking for the end of a line that fitted in no block, or is in pieces:
// blocks may have another size now.
func (f *File) Rescan() {
	if f.scanned = 0; f.held {
		f.ended = false
	}
}

// EndHere makes the present end of the file the end of what is read of it.
func (f *File) EndHere() { f.Limit, f.ended = f.Size, f.Size <= f.Seen }

// Idle reports whether there was nothing more to read when the file was last looked at.
func (f *File) Idle() bool { return f.ended && (f.Packed != nil || f.Size <= f.Seen) }

// Read sends the whole lines of the next block, up to NULs if there are some. Pieces of a
// line are whole when its end is there, as a line is with its newline. more reports that
// the block was filled or not used up, so that there is probably more.
func (f *File) Read(ctx context.Context) (more bool, err error) {
	room, err := f.feed.room(ctx, f.held)
	if err != nil || f.Closed {
		return false, err
	}
	if f.scanned > 0 {
		return f.readLong(ctx, room)
	}
	n, err := f.readAt(room, f.Next())
	if err != nil {
		return errors.Is(err, logfile.ErrSkipping), ignore(err, logfile.ErrSkipping)
	}
	text := beforeNUL(room[:n])
	end := flow.AfterNewline(text)
	nuls := logfile.LeadingNULs(room[len(text):n])
	more = n == len(room) || len(text)+nuls < n
	whole := end
	if nuls == 0 || !more {
		whole = f.feed.pieces.Whole(text[:end], len(text)-end)
	}
	f.held = whole < end
	more = more || nuls > 0 && whole > 0 // what is behind NULs is for the next read
	f.ended = f.ended && !more
	switch {
	case whole > 0:
		return more, f.send(ctx, whole, int64(whole), 0)
	case f.held:
	case nuls > 0 && len(text) == 0:
		f.skip(nuls, nuls == len(room))
	case nuls > 0 && more:
		// Somebody has written behind the NULs, or they reach far: they are no page that
		// is still to be filled, and nobody completes what stands before them.
		return true, f.sendEnd(ctx, room, len(text))
	case more:
		f.scanned = int64(n)
	}
	return more, nil
}

func ignore(err, known error) error {
	if errors.Is(err, known) {
		return nil
	}
	return err
}

// readLong looks for the end of a line that fits in no block, one block at a
// time, and sends its head when it has found it.
func (f *File) readLong(ctx context.Context, room []byte) (more bool, err error) {
	n, err := f.readAt(room, f.Next()+f.scanned)
	if err != nil {
		return errors.Is(err, logfile.ErrSkipping), ignore(err, logfile.ErrSkipping)
	}
	text := beforeNUL(room[:n])
	if end := bytes.IndexByte(text, '\n'); end >= 0 {
		length := f.scanned + int64(end) + 1
		return true, f.sendHead(ctx, room, length, length)
	}
	if f.scanned += int64(len(text)); len(text) < n {
		return true, f.sendHead(ctx, room, f.scanned, f.scanned+1)
	}
	return n == len(room), nil
}

// sendHead sends the beginning of a line of length bytes in the file
// and is tooLong with its newline.
func (f *File) sendHead(ctx context.Context, room []byte, length, tooLong int64) error {
	n, err := f.readAt(room[:longHead], f.Next())
	if err != nil {
		return ignore(err, logfile.ErrSkipping)
	}
	f.scanned, f.Seen = 0, f.At.Offset // what was read behind it was not sent
	if n < longHead || bytes.ContainsAny(room[:n], "\n\x00") {
		return nil // it was truncated meanwhile: what is in it now is read instead
	}
	room[n] = '\n'
	err = f.send(ctx, n+1, length, tooLong)
	f.Seen = f.At.Offset
	return err
}

// Leave sends what stands behind the last newline, which nobody will ever
// complete, as a line of its own. It reports whether nothing more will come: not if
// the file has grown after all, or is at the path again.
func (f *File) Leave(ctx context.Context) (left bool, err error) {
	info, err := f.File.Stat()
	if err != nil || f.Packed == nil && info.Size() != f.Seen {
		f.Leaving = false
		return false, err
	}
	if err = f.SendRest(ctx); err != nil || !f.Leaving || f.Closed {
		return false, err
	}
	return true, f.SendLeft(ctx)
}

// SendLeft says that nothing more of the file will come.
func (f *File) SendLeft(ctx context.Context) error { return f.feed.SendLeft(ctx, f.At) }

// SendRest sends what stands behind the last newline as a line of its own, and pieces of a
// line whose end will not come.
func (f *File) SendRest(ctx context.Context) error {
	room, err := f.feed.room(ctx, f.held)
	if err != nil || f.Closed || f.NoRest && !f.held {
		return err
	}
	if rest := f.Seen - f.At.Offset; f.scanned == 0 && rest >= int64(len(room)) {
		f.scanned = rest // it fitted in a longer room
	}
	if f.scanned > 0 {
		return f.sendHead(ctx, room, f.scanned, f.scanned+1)
	}
	return f.sendTail(ctx, room)
}

// sendTail sends what was last read behind the last newline, and nothing that
// came since: there might be another newline in it.
func (f *File) sendTail(ctx context.Context, room []byte) error {
	rest := f.Seen - f.Next()
	if rest <= 0 {
		return nil
	}
	n, err := f.readAt(room[:rest], f.Next())
	if err != nil {
		return ignore(err, logfile.ErrSkipping)
	}
	text := beforeNUL(room[:n])
	end := flow.AfterNewline(text)
	f.held = false
	switch {
	case end < len(text) && !f.NoRest:
		return f.sendEnd(ctx, room, len(text))
	case end > 0:
		return f.send(ctx, end, int64(end), 0)
	}
	return nil
}

// sendEnd sends the first n bytes of the room as a line that has no newline.
func (f *File) sendEnd(ctx context.Context, room []byte, n int) error {
	room[n] = '\n'
	return f.send(ctx, n+1, int64(n), 0)
}

// send cuts the first n bytes of the room off as a chunk; they stand for length
// bytes of the file, behind the hole if there is one.
func (f *File) send(ctx context.Context, n int, length, tooLong int64) error {
	before, nuls := f.At, f.nuls()
	start := before
	start.Offset += nuls
	chunk := flow.Chunk{Start: start, End: start, TooLong: tooLong}
	chunk.Data, chunk.Block = f.feed.pool.Cut(n)
	chunk.End.Offset += length
	chunk.End.Line += int64(bytes.Count(chunk.Data, []byte{'\n'}))
	if tooLong == 0 {
		f.marks.Add(chunk.End.Offset, chunk.Data[:length])
	}
	if before.Offset == 0 && nuls >= logfile.HeadBytes {
		f.begin = beginning{before.Generation, logfile.SumBehind(nuls, chunk.Data[:min(length, int64(n))])}
		f.Describe()
	}
	f.unsynced()
	f.At = chunk.End // already: if the file is truncated while this waits, what follows is in the copy
	if err := f.feed.send(ctx, chunk); err != nil {
		return err
	}
	f.feed.skipped(before, nuls)
	if !f.Superseded {
		f.feed.stats.Offset(f.At.Generation.Source.Index, f.At.Offset)
	}
	return nil
}

// readAt fills p from offset on, with less when the file ends before. It returns ErrChanged
// when the bytes do not belong to what was read before.
func (f *File) readAt(p []byte, offset int64) (n int, err error) {
	if f.Limit > 0 {
		p = p[:max(0, min(int64(len(p)), f.Limit-offset))]
	}
	n, err = f.Content.ReadAt(p, offset)
	f.ended = errors.Is(err, io.EOF)
	if err != nil && !errors.Is(err, io.EOF) {
		if !errors.Is(err, logfile.ErrSkipping) {
			err = fmt.Errorf("at offset %d: %w", offset, err)
		}
		return n, err
	}
	if n == 0 {
		return 0, nil
	}
	// This is checked after the read: then the bytes belong to the head and the mark that are
	// there now.
	if err := f.check(p[:n], offset); err != nil {
		return 0, err
	}
	end := offset + int64(n)
	now := time.Now()
	f.reaches(end, now)
	f.Size = max(f.Size, end)
	if end > f.Seen {
		f.Seen, f.Grown, f.Leaving, f.Noted = end, now, false, false
	}
	return n, nil
}

// reaches notes how late the file was seen to be longer than before: not that it is read, which
// may be late for other reasons.
func (f *File) reaches(size int64, now time.Time) {
	if size > f.Size && f.Superseded && f.Packed == nil {
		f.Late = now.Sub(f.Replaced)
	}
}

// End notes that nothing more of the file will be read, and closes it.
func (f *File) End() {
	f.feed.skipped(f.At, max(0, f.Seen-f.At.Offset)) // any text was sent
	f.Describe()
	f.ledger.Leave(f.At, f.Before())
	f.Close()
}

// Close closes the file, as [Feed.Close] does.
func (f *File) Close() {
	f.Closed = true
	f.feed.Close(f.Opened)
}
