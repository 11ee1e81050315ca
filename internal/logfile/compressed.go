package logfile

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// format is a way to compress files.
type format struct {
	unpack func(io.Reader) (io.ReadCloser, error)
	most   int64 // what one byte can stand for: 258 bytes in two bits, 128 KiB in four bytes
}

// formats are those that are known, by the end of the names of such files.
var formats = map[string]*format{
	".gz": {most: 1032, unpack: func(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) }},
	".zst": {most: 32 << 10, unpack: func(r io.Reader) (io.ReadCloser, error) {
		// One goroutine, this one, and no more memory than zstd -19 asks for.
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(32<<20))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}},
}

// formatOf is that of a file by its name, or nil.
func formatOf(path string) *format {
	for end, format := range formats {
		if strings.HasSuffix(path, end) {
			return format
		}
	}
	return nil
}

// Compressed is a compressed file, which is read by the offsets of its uncompressed
// bytes, from the beginning to the end. What was read last may be read again;
// going back further begins anew.
type Compressed struct {
	f      *os.File
	format *format
	r      io.ReadCloser // nil before the first read and after an error
	at     int64         // uncompressed offset of r
	window []byte        // the bytes before at, as many as the last read gave
	length int64         // uncompressed; 0 before its end was read
	damage error
}

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
// that is damaged gives what comes before the damage, and then always the error.
func (z *Compressed) ReadAt(p []byte, offset int64) (n int, err error) {
	if z.damage != nil {
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
	z.Close()
	z.damage = fmt.Errorf("unpack: %w", err)
	return z.damage
}

// skip reads on, or returns ErrSkipping when it is not there yet.
func (z *Compressed) skip(n int64) error {
	skipped, err := io.CopyN(io.Discard, z.r, min(n, skipAtOnce))
	z.at += skipped
	z.window = z.window[:0]
	switch {
	case errors.Is(err, io.EOF):
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
	r, err := z.format.unpack(z.f)
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

// IsCompressed reports whether a file is one that can be unpacked, by its name.
func IsCompressed(path string) bool { return formatOf(path) != nil }
