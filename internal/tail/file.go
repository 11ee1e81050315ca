package tail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
)

// file is an open generation.
type file struct {
	*logfile.Opened // its head grows
	ledger          *checkpoint.Ledger
	feed            *feed
	packed          *logfile.Compressed // not nil: it is compressed, and is not going to change
	marks           logfile.Marks

	at      flow.Position // what was sent ends here
	hole    hole          // behind at
	begin   beginning     // of a file that begins with a hole
	size    int64         // when it was last looked at; of a packed file as far as it is known
	seen    int64         // offset up to which it was read
	scanned int64         // bytes from next on that are known to hold no end of a line, of one too long for a block
	ended   bool          // the last read found its end
	limit   int64         // it is read up to here if it is over 0
	trouble error         // of the last read

	grown      time.Time     // when it was last seen to be longer than before, or superseded
	replaced   time.Time     // when it was superseded, or else found so
	superseded bool          // another file is at the path
	told       bool          // that it is still written to
	late       time.Duration // how long after it was superseded it was seen to be longer
	noRest     bool          // what follows its last newline is in another file, too
	unsure     bool          // it was empty when it was found beside the log, and may become a copy of it
	unsearched bool          // it may have been copied and truncated since asOf, and nobody has looked for the copy
	leaving    bool          // it is to be closed, if one more read finds nothing
	closed     bool

	examined  time.Time    // the time of the file when it was looked at before the path was seen last
	asOf      time.Time    // the time of the file when it held what was read of it
	verified  time.Time    // when the file was last seen to hold what was read of it
	described logfile.File // as the checkpoint has it
	noted     int          // length of the head when the checkpoint was told last
	summed    int          // length of the head that described has the sum of
}

// longHead is how much is sent of a line that fits in no block.
const longHead = 8 << 10

// errChanged is returned by a read that found other bytes than those that were read
// before. They are dropped, and the next look finds out what has happened.
var errChanged = errors.New("it was changed while it was read")

// newFile is an open file that is read from a position on.
func newFile(o *logfile.Opened, at flow.Position, ledger *checkpoint.Ledger, d *feed, now time.Time) *file {
	f := &file{
		Opened: o, ledger: ledger, feed: d,
		at: at, seen: at.Offset, size: max(o.Size(), at.Offset), grown: now, summed: -1, examined: o.Info.ModTime(), asOf: o.Info.ModTime(),
	}
	f.packed, _ = o.Content.(*logfile.Compressed)
	f.described.Path = o.Log
	f.begin = f.knownBeginning()
	f.mark()
	return f
}

// idle reports whether there was nothing more to read when the file was last looked at.
func (f *file) idle() bool { return f.ended && (f.packed != nil || f.size <= f.seen) }

// read sends the whole lines of the next block, up to NULs if there are some. more
// reports that the block was filled or not used up, so that there is probably more.
func (f *file) read(ctx context.Context) (more bool, err error) {
	room, err := f.feed.room(ctx)
	if err != nil || f.closed {
		return false, err
	}
	if f.scanned > 0 {
		return f.readLong(ctx, room)
	}
	n, err := f.readAt(room, f.next())
	if err != nil {
		return errors.Is(err, logfile.ErrSkipping), ignore(err, logfile.ErrSkipping)
	}
	text := beforeNUL(room[:n])
	end := bytes.LastIndexByte(text, '\n') + 1
	nuls := logfile.LeadingNULs(room[len(text):n])
	// What is behind NULs is for the next read.
	more = n == len(room) || len(text)+nuls < n || nuls > 0 && end > 0
	f.ended = f.ended && !more
	switch {
	case end > 0:
		return more, f.send(ctx, end, int64(end), 0)
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

// beforeNUL is the text before its first NUL.
func beforeNUL(text []byte) []byte {
	before, _, _ := bytes.Cut(text, []byte{0})
	return before
}

func ignore(err, known error) error {
	if errors.Is(err, known) {
		return nil
	}
	return err
}

// readLong looks for the end of a line that fits in no block, one block at a
// time, and sends its head when it has found it.
func (f *file) readLong(ctx context.Context, room []byte) (more bool, err error) {
	n, err := f.readAt(room, f.next()+f.scanned)
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
func (f *file) sendHead(ctx context.Context, room []byte, length, tooLong int64) error {
	n, err := f.readAt(room[:longHead], f.next())
	if err != nil {
		return ignore(err, logfile.ErrSkipping)
	}
	f.scanned, f.seen = 0, f.at.Offset // what was read behind it was not sent
	if n < longHead || bytes.ContainsAny(room[:n], "\n\x00") {
		return nil // it was truncated meanwhile: what is in it now is read instead
	}
	room[n] = '\n'
	err = f.send(ctx, n+1, length, tooLong)
	f.seen = f.at.Offset
	return err
}

// leave sends what stands behind the last newline, which nobody will ever
// complete, as a line of its own. It reports whether nothing more will come: not if
// the file has grown after all, or is at the path again.
func (f *file) leave(ctx context.Context) (left bool, err error) {
	info, err := f.File.Stat()
	if err != nil || f.packed == nil && info.Size() != f.seen {
		f.leaving = false
		return false, err
	}
	err = f.sendRest(ctx)
	return err == nil && f.leaving && !f.closed, err
}

// sendRest sends what stands behind the last newline as a line of its own.
func (f *file) sendRest(ctx context.Context) error {
	room, err := f.feed.room(ctx)
	if err != nil || f.closed || f.noRest {
		return err
	}
	if rest := f.seen - f.at.Offset; f.scanned == 0 && rest >= int64(len(room)) {
		f.scanned = rest // it fitted in a longer room
	}
	if f.scanned > 0 {
		return f.sendHead(ctx, room, f.scanned, f.scanned+1)
	}
	return f.sendTail(ctx, room)
}

// sendTail sends what was last read behind the last newline, and nothing that
// came since: there might be another newline in it.
func (f *file) sendTail(ctx context.Context, room []byte) error {
	rest := f.seen - f.next()
	if rest <= 0 {
		return nil
	}
	n, err := f.readAt(room[:min(rest, int64(len(room)-1))], f.next())
	if err != nil {
		return ignore(err, logfile.ErrSkipping)
	}
	text := beforeNUL(room[:n])
	switch {
	case len(text) == 0:
		return nil
	case len(text) == len(room)-1 && rest > int64(n): // there was more room when it was read
		return f.sendHead(ctx, room, rest, rest+1)
	}
	return f.sendEnd(ctx, room, len(text))
}

// sendEnd sends the first n bytes of the room as a line that has no newline.
func (f *file) sendEnd(ctx context.Context, room []byte, n int) error {
	room[n] = '\n'
	return f.send(ctx, n+1, int64(n), 0)
}

// send cuts the first n bytes of the room off as a chunk; they stand for length
// bytes of the file, behind the hole if there is one.
func (f *file) send(ctx context.Context, n int, length, tooLong int64) error {
	before, nuls := f.at, f.nuls()
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
		f.describeChange()
	}
	f.at = chunk.End // already: if the file is truncated while this waits, what follows is in the copy
	if err := f.feed.send(ctx, chunk); err != nil {
		return err
	}
	f.feed.skipped(before, nuls)
	if !f.superseded {
		f.feed.stats.Offset(f.at.Generation.Source.Index, f.at.Offset)
	}
	return nil
}

// readAt fills p from offset, or with less when the file ends there. It returns
// errChanged when what was read is of something else than what was read before.
func (f *file) readAt(p []byte, offset int64) (n int, err error) {
	if f.limit > 0 {
		p = p[:max(0, min(int64(len(p)), f.limit-offset))]
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
	// After the read: what was read is what belongs to the head and the mark that
	// are there now.
	if err := f.check(p[:n], offset); err != nil {
		return 0, err
	}
	end := offset + int64(n)
	f.size = max(f.size, end)
	if end > f.seen {
		f.seen, f.grown = end, time.Now()
		if f.superseded && f.packed == nil {
			f.late = f.grown.Sub(f.replaced)
		}
	}
	return n, nil
}

// end notes that nothing more of the file will be read, and closes it.
func (f *file) end() {
	f.feed.skipped(f.at, max(0, f.seen-f.at.Offset)) // any text was sent
	f.describeChange()
	f.ledger.Leave(f.at, f.before())
	f.close()
}

// close closes the file.
func (f *file) close() {
	f.closed = true
	f.Close()
}

// directory is where a plain file is now, "" if that is nowhere.
func (f *file) directory() string {
	if path := f.name(); path != "" {
		return filepath.Dir(path)
	}
	return ""
}

// is reports whether the file has info's identity. While a file is open, no other
// file has its inode.
func (f *file) is(info fs.FileInfo) bool { return os.SameFile(info, f.Info) }
