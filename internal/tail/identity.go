package tail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailflux/tailflux/internal/logfile"
)

// A file is known by three things, each of which fails where another does not:
//
//	its inode     exact while it is open, because an inode in use is given to no
//	              other file; but a copy has another one, a truncated file has
//	              the same, and that of a deleted file is used again
//	its head      the first bytes: the same in a copy, another after truncation;
//	              but not there before the first line, and two files may begin alike
//	its marks     some bytes before places that were read to: they tell files
//	              apart that begin alike
const (
	headBytes = 1024
	markBytes = 64
	maxMarks  = 16
)

// head is the first bytes of a file, as many as were there when it was last read.
type head []byte

// grow compares the head with what the file begins with now, and takes what has
// been added to it. same is false if the file begins otherwise than it did.
func (h *head) grow(f io.ReaderAt) (same bool, err error) {
	var now [headBytes]byte
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

// agrees tells whether what was read at an offset is what the file began with
// when the head was taken, right after that, as far as it was within the head.
func (h head) agrees(read []byte, offset int64) bool {
	if offset >= headBytes {
		return true
	}
	within := read[:min(len(read), headBytes-int(offset))]
	return len(h) > int(offset) && bytes.HasPrefix(h[offset:], within)
}

// sum is the head as it is saved: of its whole lines, because what follows them
// may still be cut; it says nothing before there is one.
func (h head) sum() logfile.Sum {
	end := bytes.LastIndexByte(h, '\n') + 1
	if end == 0 && len(h) == headBytes {
		end = headBytes
	}
	return logfile.SumOf(h[:end])
}

// marks are what stood before some of the places that the file was read to, in
// their order; the last one is before the place where reading goes on.
type marks []mark

type mark struct {
	offset int64
	length int
	bytes  [markBytes]byte // of which the last length ones count
}

// add adds a mark for the end of what was read.
func (m *marks) add(offset int64, read []byte) {
	if len(*m) == maxMarks {
		// Every other one will do, the first half of the file as well as the second.
		kept := (*m)[:0]
		for i := 1; i < maxMarks; i += 2 {
			kept = append(kept, (*m)[i])
		}
		*m = kept
	}
	next := mark{offset: offset}
	next.length = copy(next.bytes[max(0, markBytes-len(read)):], read[max(0, len(read)-markBytes):])
	*m = append(*m, next)
}

// last is the last mark at or before an offset.
func (m marks) last(offset int64) (found mark, ok bool) {
	for _, mark := range m {
		if mark.offset <= offset {
			found, ok = mark, true
		}
	}
	return found, ok
}

// stands tells whether the bytes of the mark are before its offset in f.
func (m *mark) stands(f io.ReaderAt) (bool, error) {
	var now [markBytes]byte
	want := m.bytes[markBytes-m.length:]
	n, err := f.ReadAt(now[:m.length], m.offset-int64(m.length))
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return bytes.Equal(now[:n], want), nil
}

// inodeOf asks for what names the file. Birth is 0 where the kernel or the file
// system does not tell.
func inodeOf(f *os.File) (logfile.Inode, error) {
	var st unix.Statx_t
	if err := unix.Statx(int(f.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_INO|unix.STATX_BTIME, &st); err != nil {
		return logfile.Inode{}, fmt.Errorf("statx: %w", err)
	}
	id := logfile.Inode{Device: unix.Mkdev(st.Dev_major, st.Dev_minor), Number: st.Ino}
	if st.Mask&unix.STATX_BTIME != 0 {
		id.Birth = time.Unix(st.Btime.Sec, int64(st.Btime.Nsec)).UnixNano()
	}
	return id, nil
}

// sameInode tells whether two names are of one file, as far as they tell.
func sameInode(a, b logfile.Inode) bool {
	if a.Device != b.Device || a.Number != b.Number {
		return false
	}
	return a.Birth == 0 || b.Birth == 0 || a.Birth == b.Birth
}
