package tail

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// unpackers make a reader of the bytes of a compressed file, by the end of its
// name.
var unpackers = map[string]func(io.Reader) (io.ReadCloser, error){
	".gz": func(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) },
	".zst": func(r io.Reader) (io.ReadCloser, error) {
		// One goroutine, this one, and no more memory than zstd -19 asks for.
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(32<<20))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	},
}

// unpacker is the one for a file name, or nil.
func unpacker(path string) func(io.Reader) (io.ReadCloser, error) {
	for end, unpack := range unpackers {
		if strings.HasSuffix(path, end) {
			return unpack
		}
	}
	return nil
}

// packed is a compressed file, which is read by the offsets of its uncompressed
// bytes, from the beginning to the end. What was read last may be read again;
// going back further begins anew.
type packed struct {
	f      *os.File
	unpack func(io.Reader) (io.ReadCloser, error)
	r      io.ReadCloser // nil before the first read and after an error
	at     int64         // uncompressed offset of r
	window []byte        // the bytes before at, as many as the last read gave
	damage error
}

// errSkipping is returned while a compressed file is being read up to the offset
// that is asked for: that may take long, and others want to be read too.
var errSkipping = errors.New("skipping")

// skipAtOnce is how much is skipped in one call.
const skipAtOnce = 8 << 20

// ReadAt reads up to len(p) bytes, io.EOF if the file ends before that. A file
// that is damaged gives what comes before the damage, and then always the error.
func (z *packed) ReadAt(p []byte, offset int64) (n int, err error) {
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
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return n, err
	case n > known:
		return n, nil // the error comes again
	}
	return 0, z.damaged(err)
}

func (z *packed) damaged(err error) error {
	z.close()
	z.damage = fmt.Errorf("unpack: %w", err)
	return z.damage
}

// skip reads on, or returns errSkipping when it is not there yet.
func (z *packed) skip(n int64) error {
	skipped, err := io.CopyN(io.Discard, z.r, min(n, skipAtOnce))
	z.at += skipped
	z.window = z.window[:0]
	switch {
	case errors.Is(err, io.EOF):
		return io.EOF // it ends before the offset
	case err != nil:
		return z.damaged(err)
	case skipped < n:
		return errSkipping
	}
	return nil
}

func (z *packed) restart() error {
	z.close()
	if _, err := z.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	r, err := z.unpack(z.f)
	if err != nil {
		return z.damaged(err)
	}
	z.r = r
	return nil
}

func (z *packed) close() {
	if z.r != nil {
		z.r.Close()
	}
	z.r, z.at, z.window = nil, 0, z.window[:0]
}
