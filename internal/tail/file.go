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

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
)

// file is an open generation.
type file struct {
	source *source
	f      *os.File
	packed *logfile.Compressed // not nil: f is compressed, and is not going to change
	info   fs.FileInfo
	inode  logfile.Inode
	head   logfile.Head
	marks  logfile.Marks

	at         flow.Position // what was sent ends here
	size       int64         // when it was last looked at; of a packed file as far as it is known
	grown      time.Time     // when it was last seen to be longer than before, or superseded
	until      int64         // it is read up to here if it is over 0
	dropped    bool          // left, and nothing must be remembered of it
	unsure     bool          // it was empty when it was found beside the log, and may become a copy of it
	superseded bool          // another file is at the path
	left       bool          // nothing more will come, and it is closed
	seen       int64         // offset up to which it was read
	scanned    int64         // bytes behind at that are known to hold no newline, of a line too long for a block
	trouble    error         // of the last read

	asOf      time.Time    // the time of the file when it held what was read of it
	verified  time.Time    // when the file was last seen to hold what was read of it
	described logfile.File // as the checkpoint has it
	summed    int          // length of the head that described has the sum of
}

// longHead is how much is sent of a line that fits in no block.
const longHead = 8 << 10

// read sends the whole lines of the next block. more reports that the block was
// filled, so that there is probably more.
func (f *file) read(ctx context.Context, out chan<- flow.Chunk) (more bool, err error) {
	room, err := f.source.reader.room(ctx)
	if err != nil {
		return false, err
	}
	if f.scanned > 0 {
		return f.readLong(ctx, room, out)
	}
	n, stands, err := f.readAt(room, f.at.Offset)
	if err != nil || !stands {
		return errors.Is(err, logfile.ErrSkipping), ignore(err, logfile.ErrSkipping)
	}
	if f.unsure && n > 0 {
		if f.superseded && f.source.becameCopy(f) {
			f.drop()
			return false, nil
		}
		f.unsure = false
		f.describeChange()
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

func ignore(err, known error) error {
	if errors.Is(err, known) {
		return nil
	}
	return err
}

// readLong looks for the end of a line that fits in no block, one block at a
// time, and sends its head when it has found it.
func (f *file) readLong(ctx context.Context, room []byte, out chan<- flow.Chunk) (more bool, err error) {
	n, stands, err := f.readAt(room, f.at.Offset+f.scanned)
	if err != nil || !stands {
		return errors.Is(err, logfile.ErrSkipping), ignore(err, logfile.ErrSkipping)
	}
	end := bytes.IndexByte(room[:n], '\n')
	if end < 0 {
		f.scanned += int64(n)
		return n == len(room), nil
	}
	length := f.scanned + int64(end) + 1
	return true, f.sendHead(ctx, room, out, length, length)
}

// sendHead sends the beginning of a line of length bytes in the file
// and is tooLong with its newline.
func (f *file) sendHead(ctx context.Context, room []byte, out chan<- flow.Chunk, length, tooLong int64) error {
	n, stands, err := f.readAt(room[:longHead], f.at.Offset)
	if err != nil || !stands {
		return ignore(err, logfile.ErrSkipping)
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
	if err := f.look(time.Now()); err != nil {
		return err
	}
	if f.packed == nil && f.size > f.seen {
		return nil
	}
	if err := f.sendRest(ctx, out); err != nil || !f.superseded {
		return err
	}
	f.end()
	return nil
}

// sendRest sends what stands behind the last newline as a line of its own.
func (f *file) sendRest(ctx context.Context, out chan<- flow.Chunk) error {
	room, err := f.source.reader.room(ctx)
	if err != nil {
		return err
	}
	if f.scanned > 0 {
		return f.sendHead(ctx, room, out, f.scanned, f.scanned+1)
	}
	return f.sendTail(ctx, room, out)
}

// end closes the file: nothing more of it will be read.
func (f *file) end() {
	f.left = true
	f.describeChange()
	r := f.source.reader
	f.source.rotatedTo(f.directory())
	r.checkpoint.Leave(f.at)
	r.watcher.forget(f)
	f.close()
}

// drop closes the file as if it had never been opened.
func (f *file) drop() {
	if f.left {
		return
	}
	f.left, f.dropped = true, true
	f.source.leave(f)
	f.source.reader.checkpoint.Forget(f.at.Generation)
	f.source.reader.watcher.forget(f)
	f.close()
}

// close closes the file.
func (f *file) close() {
	if f.packed != nil {
		f.packed.Close()
	}
	f.f.Close()
}

// sendTail sends what was last read behind the last newline, and nothing that
// came since: there might be another newline in it.
func (f *file) sendTail(ctx context.Context, room []byte, out chan<- flow.Chunk) error {
	if f.seen <= f.at.Offset {
		return nil
	}
	n, stands, err := f.readAt(room[:f.seen-f.at.Offset], f.at.Offset)
	if err != nil || !stands || n == 0 {
		return ignore(err, logfile.ErrSkipping)
	}
	room[n] = '\n'
	return f.send(ctx, out, n+1, int64(n), 0)
}

// send cuts the first n bytes of the room off as a chunk; they stand for length
// bytes of the file.
func (f *file) send(ctx context.Context, out chan<- flow.Chunk, n int, length, tooLong int64) error {
	r, start := f.source.reader, f.at
	r.checkpoint.Secure()
	chunk := flow.Chunk{Start: start, End: start, TooLong: tooLong}
	chunk.Data, chunk.Block = r.pool.Cut(n)
	chunk.End.Offset += length
	chunk.End.Line += int64(bytes.Count(chunk.Data, []byte{'\n'}))
	if tooLong == 0 {
		f.marks.Add(chunk.End.Offset, chunk.Data[:length])
	}
	r.stats.Read(time.Now(), chunk.Lines(), int64(n))
	f.at = chunk.End // already: if the file is truncated while this waits, what follows is in the copy
	if err := r.send(ctx, chunk, out); err != nil {
		r.stats.Read(time.Now(), -chunk.Lines(), -int64(n)) // nobody got it
		chunk.Block.Release()
		return err
	}
	if !f.superseded {
		r.stats.Offset(f.source.Index, f.at.Offset)
	}
	return nil
}

// readAt fills p from offset, or with less when the file ends there; with Once
// it ends where it ended at the start. stands is false when the file turned out
// to have been truncated, so that what was read is of something else; that has
// been dealt with then.
func (f *file) readAt(p []byte, offset int64) (n int, stands bool, err error) {
	if f.until > 0 {
		p = p[:max(0, min(int64(len(p)), f.until-offset))]
	}
	if f.packed != nil {
		n, err = f.packed.ReadAt(p, offset)
	} else {
		if f.source.reader.config.Once {
			p = p[:max(0, min(int64(len(p)), f.size-offset))]
		}
		n, err = f.f.ReadAt(p, offset)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		if !errors.Is(err, logfile.ErrSkipping) {
			err = fmt.Errorf("at offset %d: %w", offset, err)
		}
		return n, true, err
	}
	if n == 0 {
		return 0, true, nil
	}
	now := time.Now()
	end := offset + int64(n)
	// After the read: what was read is what belongs to the head and the mark that
	// are there now.
	if stands, err = f.check(now, p[:n], offset); err != nil || !stands {
		return 0, stands, err
	}
	f.size = max(f.size, end)
	if end > f.seen {
		f.seen, f.grown = end, now
	}
	return n, true, nil
}

// directory is where a plain file is now, "" if that is nowhere.
func (f *file) directory() string {
	if f.packed != nil {
		return ""
	}
	path, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", f.f.Fd()))
	if err != nil {
		return ""
	}
	info, err := os.Stat(path)
	if err != nil || !os.SameFile(info, f.info) { // "/var/log/nginx/access.log (deleted)"
		return ""
	}
	return filepath.Dir(path)
}
