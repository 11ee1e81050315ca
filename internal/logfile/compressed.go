package logfile

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// Compressed is a compressed file, which is read by the offsets of its uncompressed
// bytes, from the beginning to the end. What was read last may be read again;
// going back further begins anew. It may grow: what is compressed may still be
// written.
type Compressed struct {
	f      *os.File
	format *format
	memory uint64        // for the window of zstd
	r      io.ReadCloser // nil before the first read and after an error
	at     int64         // uncompressed offset of r
	window []byte        // the bytes before at, as many as the last read gave
	length int64         // uncompressed; 0 before its end was read
	damage error
	broken int64 // the uncompressed offset of that: what stands before it can be read

	end  int64 // of the file, if it was read to there; 0 before
	size int64 // of the file after that, when it was last asked for
}

// What unpacking may take for the window of zstd. The daemon reads several files,
// and has a memory_limit: it gives what zstd -20 asks for. Commands read one, and
// give what zstd itself gives to any file.
const (
	daemonMemory  = 32 << 20
	commandMemory = 128 << 20
)

// MaxLength is how long the file can be at most when it is uncompressed.
func (z *Compressed) MaxLength() int64 {
	if info, err := z.f.Stat(); err == nil && z.length == 0 {
		return info.Size() * z.format.most
	}
	return z.length
}

// ErrSkipping is returned while a compressed file is being read up to the offset
// that is asked for: that may take long, and others want to be read too.
var ErrSkipping = errors.New("skipping")

// skipAtOnce is how much is skipped in one call.
const skipAtOnce = 8 << 20

// ReadAt reads up to len(p) bytes, io.EOF if the file ends before that. A file
// that is damaged gives what comes before the damage, and from there on always the
// error; one that ends too early, until it goes on.
func (z *Compressed) ReadAt(p []byte, offset int64) (n int, err error) {
	if z.hasGrown() {
		z.goOn()
	}
	if z.damage != nil && offset >= z.broken {
		return 0, z.damage
	}
	if z.r == nil || offset < z.at-int64(len(z.window)) {
		if err := z.restart(); err != nil {
			return 0, err
		}
	}
	if offset > z.at {
		if err := z.skip(offset - z.at); err != nil {
			return 0, err
		}
	}
	n = copy(p, z.window[len(z.window)-int(z.at-offset):])
	if n == len(p) {
		return n, nil
	}
	known := n
	for n < len(p) && err == nil {
		var more int
		more, err = z.r.Read(p[n:])
		z.at += int64(more)
		n += more
	}
	z.window = append(z.window[:0], p[:n]...)
	if errors.Is(err, io.EOF) {
		z.length = z.at
		z.ended()
	}
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return n, err
	case n > known:
		return n, nil // the error comes again
	}
	return 0, z.damaged(err)
}

func (z *Compressed) damaged(err error) error {
	z.broken = z.at
	z.Close()
	z.damage = fmt.Errorf("unpack: %w", err)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		z.ended()
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		z.damage = tooWide(z.f.Name(), z.f, z.memory)
	}
	return z.damage
}

// ended notes that there is nothing more in the file now.
func (z *Compressed) ended() {
	z.end, _ = z.f.Seek(0, io.SeekCurrent)
	z.size = z.end
}

// hasGrown reports whether there is more in the file than when it ended. If it
// ended too early, whoever writes it must have paused too: all of it is unpacked
// anew.
func (z *Compressed) hasGrown() bool {
	if z.end == 0 {
		return false
	}
	info, err := z.f.Stat()
	if err != nil {
		return false
	}
	before := z.size
	z.size = info.Size()
	return z.size > z.end && (z.damage == nil || z.size == before)
}

// goOn makes way for what has come: for members behind those that were whole, or for
// all of it anew.
func (z *Compressed) goOn() {
	z.end, z.length = 0, 0
	if z.damage != nil {
		z.damage = nil
		return
	}
	next, err := z.format.unpack(z.f, z.memory)
	if err != nil {
		_ = z.damaged(err) // which is what is read then
		return
	}
	z.r.Close()
	z.r = next
}

// skip reads on, or returns ErrSkipping when it is not there yet.
func (z *Compressed) skip(n int64) error {
	skipped, err := io.CopyN(io.Discard, z.r, min(n, skipAtOnce))
	z.at += skipped
	z.window = z.window[:0]
	switch {
	case errors.Is(err, io.EOF):
		z.ended()
		return io.EOF // it ends before the offset
	case err != nil:
		return z.damaged(err)
	case skipped < n:
		return ErrSkipping
	}
	return nil
}

func (z *Compressed) restart() error {
	z.Close()
	if _, err := z.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	r, err := z.format.unpack(z.f, z.memory)
	if err != nil {
		return z.damaged(err)
	}
	z.r = r
	return nil
}

// Close frees what unpacking needs. The file stays open, and may be read again.
func (z *Compressed) Close() {
	if z.r != nil {
		z.r.Close()
	}
	z.r, z.at, z.window = nil, 0, z.window[:0]
}
