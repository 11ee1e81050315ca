package tail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/stats"
)

// file is an open generation.
type file struct {
	source     *source
	f          *os.File
	info       fs.FileInfo   // of when it was opened, for its identity
	at         flow.Position // what was sent ends here
	size       int64         // when it was last looked at
	grown      time.Time     // when it was last seen to be longer than before, or superseded
	superseded bool          // another file is at the path
	left       bool          // nothing more will come, and it is closed
	seen       int64         // offset up to which it was read
	scanned    int64         // bytes behind at that are known to hold no newline, of a line too long for a block
	trouble    error         // of the last read
}

// longHead is how much is sent of a line that fits in no block.
const longHead = 8 << 10

// look takes note of the size. A file smaller than what was sent of it was
// truncated: what is in it now is a new generation.
func (f *file) look() error {
	info, err := f.f.Stat()
	if err != nil {
		return err
	}
	f.size = info.Size()
	if f.size >= f.at.Offset {
		f.seen = min(f.seen, f.size)
		if f.size < f.at.Offset+f.scanned { // cut within a line that was not sent
			f.scanned = 0
		}
		return nil
	}
	s := f.source
	s.reader.log.Info("log file was truncated", "source", s.Name, "file", s.Path, "offset", f.at.Offset)
	s.reader.stats.UpdateSource(s.Index, func(st *stats.Source) { st.Truncations++ })
	f.begin(0)
	return nil
}

// begin begins a new generation at offset.
func (f *file) begin(offset int64) {
	g := f.source.generation()
	f.at = flow.Position{Generation: g, Offset: offset, Line: g.FirstLine}
	f.seen, f.scanned = offset, 0
}

// read sends the whole lines of the next block. more tells that the block was
// filled, so that there is probably more.
func (f *file) read(ctx context.Context, out chan<- flow.Chunk) (more bool, err error) {
	room, err := f.source.reader.room(ctx)
	if err != nil {
		return false, err
	}
	if f.scanned > 0 {
		return f.readLong(ctx, room, out)
	}
	n, err := f.readAt(room, f.at.Offset)
	if err != nil {
		return false, err
	}
	end := bytes.LastIndexByte(room[:n], '\n') + 1
	if end == 0 {
		if n == len(room) {
			f.scanned = int64(n)
			return true, nil
		}
		return false, nil
	}
	return n == len(room), f.send(ctx, out, end, int64(end), 0)
}

// readLong looks for the end of a line that fits in no block, one block at a
// time, and sends its head when it has found it.
func (f *file) readLong(ctx context.Context, room []byte, out chan<- flow.Chunk) (more bool, err error) {
	n, err := f.readAt(room, f.at.Offset+f.scanned)
	if err != nil {
		return false, err
	}
	end := bytes.IndexByte(room[:n], '\n')
	if end < 0 {
		f.scanned += int64(n)
		return n == len(room), nil
	}
	length := f.scanned + int64(end) + 1
	return true, f.sendHead(ctx, room, out, length, length)
}

// sendHead sends the beginning of a line that takes length bytes of the file
// and is tooLong with its newline.
func (f *file) sendHead(ctx context.Context, room []byte, out chan<- flow.Chunk, length, tooLong int64) error {
	n, err := f.readAt(room[:longHead], f.at.Offset)
	if err != nil {
		return err
	}
	f.scanned = 0
	if n < longHead || bytes.IndexByte(room[:n], '\n') >= 0 {
		return nil // it was truncated meanwhile: what is in it now is read instead
	}
	room[n] = '\n'
	return f.send(ctx, out, n+1, length, tooLong)
}

// leave sends what stands behind the last newline, which nobody will ever
// complete, as a line of its own, and closes the file. It does nothing when the
// file has grown after all, or is at the path again.
func (f *file) leave(ctx context.Context, out chan<- flow.Chunk) error {
	room, err := f.source.reader.room(ctx)
	if err != nil {
		return err
	}
	if err := f.look(); err != nil {
		return err
	}
	if f.size > f.seen {
		return nil
	}
	if f.scanned > 0 {
		err = f.sendHead(ctx, room, out, f.scanned, f.scanned+1)
	} else {
		err = f.sendTail(ctx, room, out)
	}
	if err != nil || !f.superseded {
		return err
	}
	f.left = true
	f.source.reader.watcher.forget(f)
	return f.f.Close()
}

// sendTail sends what was last read behind the last newline, and nothing that
// came since: there might be another newline in it.
func (f *file) sendTail(ctx context.Context, room []byte, out chan<- flow.Chunk) error {
	n, err := f.readAt(room[:f.seen-f.at.Offset], f.at.Offset)
	if err != nil || n == 0 {
		return err
	}
	room[n] = '\n'
	return f.send(ctx, out, n+1, int64(n), 0)
}

// send cuts the first n bytes of the room off as a chunk; they stand for length
// bytes of the file.
func (f *file) send(ctx context.Context, out chan<- flow.Chunk, n int, length, tooLong int64) error {
	r, start := f.source.reader, f.at
	chunk := flow.Chunk{Start: start, End: start, TooLong: tooLong}
	chunk.Data, chunk.Block = r.pool.Cut(n)
	chunk.End.Offset += length
	chunk.End.Line += int64(bytes.Count(chunk.Data, []byte{'\n'}))
	r.stats.Read(time.Now(), chunk.Lines(), int64(n))
	if err := r.send(ctx, chunk, out); err != nil {
		r.stats.Read(time.Now(), -chunk.Lines(), -int64(n)) // nobody got it
		chunk.Block.Release()
		return err
	}
	if f.at == start { // it was not truncated meanwhile
		f.at = chunk.End
	}
	if !f.superseded {
		r.stats.Offset(f.source.Index, f.at.Offset)
	}
	return nil
}

// readAt fills p from offset, or with less when the file ends there; with Once
// it ends where it ended at the start.
func (f *file) readAt(p []byte, offset int64) (n int, err error) {
	if f.source.reader.config.Once {
		p = p[:min(int64(len(p)), f.size-offset)]
	}
	n, err = f.f.ReadAt(p, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, fmt.Errorf("at offset %d: %w", offset, err)
	}
	if end := offset + int64(n); end > f.seen {
		f.seen, f.grown = end, time.Now()
	}
	return n, nil
}

// afterLastNewline is the offset behind the last newline before size, or 0.
func afterLastNewline(f *os.File, size int64) (int64, error) {
	var buf [64 << 10]byte
	for end := size; end > 0; {
		start := max(0, end-int64(len(buf)))
		n, err := f.ReadAt(buf[:end-start], start)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, fmt.Errorf("find the last line: %w", err)
		}
		if at := bytes.LastIndexByte(buf[:n], '\n'); at >= 0 {
			return start + int64(at) + 1, nil
		}
		end = start
	}
	return 0, nil
}
