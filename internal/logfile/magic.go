package logfile

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// format is a way to compress files. A file is of one because of the bytes that it
// begins with, whatever it is called: logrotate calls what zstd made access.log.1.gz,
// and nginx a gzip stream access.log. No plain log begins like that, as nginx escapes
// such bytes; nor does one with a hole of NUL bytes at its beginning.
type format struct {
	name   string // of the tool
	begins func(head []byte) bool
	ending string                                                  // of the names of such files: the tool takes it off
	unpack func(r io.Reader, window uint64) (io.ReadCloser, error) // nil: it cannot be read
	most   int64                                                   // what one byte can stand for
	holds  bool                                                    // files with their names: an archive
}

var formats = []*format{
	gzipped, zstandard,
	{name: "xz", begins: magic("\xfd7zXZ\x00"), ending: ".xz"},
	{name: "bzip2", begins: beginsAsBzip2, ending: ".bz2"},
	{name: "lz4", begins: magic("\x04\x22\x4d\x18"), ending: ".lz4"},
	{name: "compress", begins: magic("\x1f\x9d"), ending: ".Z"},
	{name: "tar", begins: beginsAsTar, holds: true},
	{name: "zip", begins: magic("PK\x03\x04"), holds: true},
	{name: "7z", begins: magic("7z\xbc\xaf\x27\x1c"), holds: true},
}

var gzipped = &format{
	name: "gzip", begins: magic("\x1f\x8b\x08"), ending: ".gz",
	unpack: func(r io.Reader, _ uint64) (io.ReadCloser, error) { return gzip.NewReader(r) },
	most:   1032, // 258 bytes in two bits
}

var zstandard = &format{
	name: "zstd", begins: magic("\x28\xb5\x2f\xfd"), ending: ".zst",
	unpack: func(r io.Reader, window uint64) (io.ReadCloser, error) {
		// One goroutine, this one, and no more memory than the window.
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(window))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	},
	most: 32 << 10, // 128 KiB in four bytes
}

// magic is for formats that begin with these bytes.
func magic(bytesOf string) func(head []byte) bool {
	return func(head []byte) bool { return bytes.HasPrefix(head, []byte(bytesOf)) }
}

// beginsAsBzip2 asks for the block behind the digit too: all of it is letters, and
// a name that somebody logs in with may begin with three of them.
func beginsAsBzip2(head []byte) bool {
	const block, end = "1AY&SY", "\x17\x72\x45\x38\x50\x90"
	return len(head) >= 10 && magic("BZh")(head) && (magic(block)(head[4:]) || magic(end)(head[4:]))
}

// beginsAsTar asks for the NUL behind the word, which no client can bring into a log.
func beginsAsTar(head []byte) bool {
	const at = 257
	return len(head) > at && (magic("ustar\x00")(head[at:]) || magic("ustar  \x00")(head[at:]))
}

// formatOf is that of the file that begins with head, or nil. It reads on when the
// file begins with frames that are to be skipped, which are zstd's (of pzstd) or
// lz4's: what comes behind them says whose.
func formatOf(head []byte, f io.ReaderAt) *format {
	if !isSkippable(head) {
		return frameOf(head)
	}
	if is := frameOf(firstFrame(head, f)); is != nil {
		return is
	}
	return zstandard
}

func frameOf(head []byte) *format {
	for _, f := range formats {
		if f.begins(head) {
			return f
		}
	}
	return nil
}

func isSkippable(head []byte) bool {
	return len(head) >= 4 && head[0]&0xf0 == 0x50 && magic("\x2a\x4d\x18")(head[1:])
}

// firstFrame is what the first frame begins with that is not to be skipped.
func firstFrame(head []byte, f io.ReaderAt) []byte {
	const most, header = 64, 8 // frames, and bytes of their headers
	at := int64(0)
	for range most {
		if !isSkippable(head) || len(head) < header {
			break
		}
		length := header + int64(binary.LittleEndian.Uint32(head[4:]))
		at += length
		if length+zstd.HeaderMaxSize <= int64(len(head)) {
			head = head[length:]
			continue
		}
		next := make([]byte, zstd.HeaderMaxSize)
		n, _ := f.ReadAt(next, at) // who reads it will see
		head = next[:n]
	}
	return head
}

// IsCompressed reports whether what a file begins with is that of a compressed one.
func (h Head) IsCompressed() bool { return isSkippable(h) || frameOf(h) != nil }

// A PackedError is why a file is not read: it is compressed, with something that
// tailflux cannot unpack, or where only plain text can be read.
type PackedError struct {
	Path   string
	Why    string // what it is, as a predicate
	Remedy string // what to do, such as a command
	NoText bool   // it is no log that was compressed
}

func (e PackedError) Error() string { return fmt.Sprintf("%s %s: %s", e.Path, e.Why, e.Remedy) }

// unreadable is why a file of the format cannot be read at all.
func (f *format) unreadable(path string) PackedError {
	if f.holds {
		return PackedError{
			Path: path, Why: fmt.Sprintf("is an archive (%s) and no log", f.name),
			Remedy: "if there is a log in it that was not read, unpack that, and tailflux import delivers it", NoText: true,
		}
	}
	return PackedError{
		Path: path, Why: fmt.Sprintf("is compressed with %s, which tailflux cannot read", f.name),
		Remedy: "unpack it first: " + f.command(path, ""),
	}
}

// twice is why a file is not read in which there is another compressed one.
func (f *format) twice(path string, within *format) PackedError {
	if within.holds {
		return within.unreadable(path)
	}
	return PackedError{
		Path: path, Why: fmt.Sprintf("is compressed twice, with %s and then with %s", within.name, f.name),
		Remedy: "unpack it once: " + f.command(path, ""),
	}
}

// notPlain is why a file of the format cannot be followed.
func (f *format) notPlain(path string) PackedError {
	e := PackedError{
		Path: path, Why: fmt.Sprintf("is compressed with %s, and only plain text can be followed", f.name),
		Remedy: "tailflux import reads what is in it",
	}
	if f == gzipped {
		e.Remedy = "if nginx writes it, remove the parameter gzip of its access_log; " + e.Remedy
	}
	return e
}

// NoText is why a file is not read that is neither a log nor compressed, as far as can be told.
func NoText(path string) PackedError {
	return PackedError{
		Path: path, Why: "has no text in it: it was overwritten (shred), or compressed with something that tailflux does not know",
		Remedy: "if it was a log, unpack it", NoText: true,
	}
}

// tooWide is why a file of zstd cannot be read that asks for more than the window.
func tooWide(path string, f io.ReaderAt, window uint64) PackedError {
	const mebibyte = 1 << 20
	needs, long := fmt.Sprintf("more than %d MiB", window/mebibyte), ""
	head := make([]byte, HeadBytes)
	n, _ := f.ReadAt(head, 0)
	var h zstd.Header
	if err := h.Decode(firstFrame(head[:n], f)); err == nil {
		first := h.WindowSize
		if h.SingleSegment {
			first = h.FrameContentSize
		}
		if first > window {
			needs = fmt.Sprintf("%d MiB", (first+mebibyte-1)/mebibyte)
		}
		if first > 128*mebibyte { // then zstd must be told
			long = fmt.Sprintf("--long=%d ", bits.Len64(first-1))
		}
	}
	return PackedError{
		Path:   path,
		Why:    fmt.Sprintf("needs %s of memory to be unpacked, and tailflux gives it %d MiB (it was made with zstd --ultra or --long)", needs, window/mebibyte),
		Remedy: "unpack it first: " + zstandard.command(path, long),
	}
}

// command unpacks a file beside it. A tool refuses, or leaves to another name, what
// is not called as it calls its files.
func (f *format) command(path, options string) string {
	tool := f.name
	if tool == "compress" {
		tool = "gzip" // which is everywhere
	}
	plain, called := strings.CutSuffix(path, f.ending)
	switch {
	case !called:
		return fmt.Sprintf("%s -dc %s<%s >%s.unpacked", tool, options, path, path)
	case tool == "lz4": // in a script it writes to standard output unless it is told where to
		return fmt.Sprintf("lz4 -d %s %s", path, plain)
	}
	return fmt.Sprintf("%s -dk %s%s", tool, options, path)
}
