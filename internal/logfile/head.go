package logfile

import (
	"bytes"
	"errors"
	"io"
)

// A file is known by three things, each of which fails where another does not:
//
//	its inode     exact while it is open, because an inode in use is given to no
//	              other file; but a copy has another one, a truncated file has
//	              the same, and that of a deleted file is used again
//	its head      the first bytes: the same in a copy, another after truncation;
//	              but not there before the first line, and two files may begin alike
//	its marks     some bytes before places that were read to: they distinguish files
//	              apart that begin alike
const (
	HeadBytes = 1024 // of a head at most
	MarkBytes = 64   // of a mark at most
	maxMarks  = 16
)

// Head is the first bytes of a file, as many as were there when it was last read,
// and at most HeadBytes.
type Head []byte

// Grow compares the head with what the file begins with now, and adds what has
// been appended. same is false if the file begins otherwise than it did.
func (h *Head) Grow(f io.ReaderAt) (same bool, err error) {
	var now [HeadBytes]byte
	n, err := f.ReadAt(now[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	if !bytes.HasPrefix(now[:n], *h) {
		return false, nil
	}
	if n > len(*h) {
		*h = append(*h, now[len(*h):n]...)
	}
	return true, nil
}

// Agrees reports whether what was read at an offset is what the file began with
// when the head was taken, right after that, as far as it was within the head.
func (h Head) Agrees(read []byte, offset int64) bool {
	if offset >= HeadBytes {
		return true
	}
	within := read[:min(len(read), HeadBytes-int(offset))]
	return len(h) > int(offset) && bytes.HasPrefix(h[offset:], within)
}

// IsNoise reports whether a file that begins so cannot be a log: nowhere are there sixteen
// bytes of text in a row, nor a hole of NULs, and there are as many controls as among random
// bytes (a hundred and more, give or take ten). It was overwritten (logrotate's shred), or is
// compressed with something that nobody here knows.
func (h Head) IsNoise() bool {
	const inARow, most = 16, 48
	if len(h) < HeadBytes || h.IsCompressed() {
		return false
	}
	text, nuls, controls := 0, 0, 0
	for _, c := range h {
		text, nuls = text+1, nuls+1
		if c != 0 {
			nuls = 0
		}
		if (c < ' ' || c > '~') && c != '\n' && c != '\r' && c != '\t' {
			text = 0
		}
		if text == 0 && (c < ' ' || c == 0x7f) {
			controls++
		}
		if text == inARow || nuls == inARow {
			return false
		}
	}
	return controls > most
}

// Sum is the head as it is saved: of its whole lines, because what follows them
// may still be cut; it says nothing before there is one. NULs end a line, too.
func (h Head) Sum() Sum {
	end := bytes.LastIndexAny(h, "\n\x00") + 1
	if LeadingNULs(h[:end]) == end { // no line
		end = 0
	}
	if end == 0 && len(h) == HeadBytes {
		end = HeadBytes
	}
	return SumOf(h[:end])
}
