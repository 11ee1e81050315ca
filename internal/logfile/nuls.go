package logfile

import (
	"bytes"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// A log can have NULs that nobody wrote: where a file was truncated whose writer does
// not append but goes on at its old offset, and where a machine lost its power before
// the bytes were on the disk. nginx escapes a NUL, unless escape=none, so none belongs to a
// line, and everything that reads lines reads them so:
//
//   - NULs before a line are no part of it, and no line;
//   - NULs end the line before them, as a newline does.
//
// With escape=none nginx writes the NUL that a client has sent. It cannot be told from the
// others, so it ends the line there as well, and what follows is a line of its own, as it
// is behind the newline of a client.
//
// Mostly they are a hole of a sparse file, which takes no space and, through EndOfHole,
// no time to skip.

var nuls [4096]byte

// LeadingNULs is how many NULs text begins with.
func LeadingNULs(text []byte) (n int) {
	for len(text)-n >= len(nuls) && bytes.Equal(text[n:n+len(nuls)], nuls[:]) {
		n += len(nuls)
	}
	for n < len(text) && text[n] == 0 {
		n++
	}
	return n
}

// EndOfHole returns the offset behind which there may be anything but NULs: the end of
// the hole that an offset is in, or the offset itself when it is in none, or the file
// is compressed, or the file system keeps no holes.
func (o *Opened) EndOfHole(offset int64) int64 {
	f, plain := o.Content.(*os.File)
	if !plain {
		return offset
	}
	info, err := f.Stat() // before: what is appended later need not be a hole
	if err != nil {
		return offset
	}
	// This moves the offset of the descriptor, which nobody uses: plain files are read
	// with pread.
	end, err := unix.Seek(int(f.Fd()), offset, unix.SEEK_DATA)
	switch {
	case errors.Is(err, unix.ENXIO): // no data up to the end
		end = info.Size()
	case err != nil:
		end = offset
	}
	return max(offset, end)
}

// more reports whether there is anything but NULs behind an offset.
func (o *Opened) more(offset int64) (bool, error) {
	const step = 64 << 10
	for {
		text, err := o.Bytes(offset, step)
		switch {
		case err != nil:
			return false, err
		case LeadingNULs(text) < len(text):
			return true, nil
		case len(text) < step:
			return false, nil
		}
		offset = o.EndOfHole(offset + step)
	}
}

// SumBehind is the sum by which a file is known that begins with so many NULs, at least
// a head of them, and then with text. Its length is that of both; the hash is of the text
// alone.
func SumBehind(nuls int64, text []byte) Sum {
	sum := SumOf(text[:min(len(text), HeadBytes)])
	sum.Length += int(nuls)
	return sum
}

// beginsBehind reports whether the file begins with NULs, and then with the saved text.
func (o *Opened) beginsBehind(saved Sum) bool {
	if LeadingNULs(o.Head) < HeadBytes {
		return false
	}
	text, err := o.Bytes(int64(saved.Length)-HeadBytes, HeadBytes)
	if err != nil || len(text) < HeadBytes {
		return false
	}
	text = text[bytes.LastIndexByte(text, 0)+1:]
	return SumBehind(int64(saved.Length-len(text)), text) == saved
}

// Start is the sum of what the file begins with: its head or, when that is nothing but
// NULs, the first text behind them. It looks for that as far as need be.
func (o *Opened) Start() Sum {
	if LeadingNULs(o.Head) < HeadBytes {
		return o.Head.Sum()
	}
	for at := int64(HeadBytes); ; {
		text, err := o.Bytes(at, 64<<10)
		if err != nil || len(text) == 0 {
			return o.Head.Sum()
		}
		nuls := LeadingNULs(text)
		if at += int64(nuls); nuls == len(text) {
			at = o.EndOfHole(at)
			continue
		}
		if text, err = o.Bytes(at, HeadBytes); err != nil {
			return o.Head.Sum()
		}
		return SumBehind(at, text)
	}
}
