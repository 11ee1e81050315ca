package tail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/logfile"
)

// opened is a sibling that is open.
type opened struct {
	sibling
	f       *os.File
	inode   logfile.Inode
	content io.ReaderAt // of the uncompressed bytes
	head    head
}

func (s sibling) open() (*opened, error) {
	// Should it have become a pipe meanwhile, do not wait for its writer.
	f, err := os.OpenFile(s.path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	o := &opened{sibling: s, f: f, content: f}
	if o.info, err = f.Stat(); err == nil {
		err = logfile.RegularFile(s.path, o.info.Mode())
	}
	if err == nil {
		o.inode, err = inodeOf(f)
	}
	if format := formatOf(s.path); err == nil && format != nil {
		o.content = &packed{f: f, format: format}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	_, _ = o.head.grow(o.content) // who reads it will see
	return o, nil
}

// size is that of the uncompressed bytes; -1 if nobody knows.
func (o *opened) size() int64 {
	if _, plain := o.content.(*os.File); plain {
		return o.info.Size()
	}
	return -1
}

// begins tells whether the file begins as the saved one did.
func (o *opened) begins(saved logfile.Sum) bool {
	if saved.Length == 0 || len(o.head) < saved.Length {
		return false
	}
	return logfile.SumOf(o.head[:saved.Length]) == saved
}

// How sure it is that a file is the one that a generation was read from.
const (
	another     = iota // it is not
	shorterCopy        // a copy that was made before all of it was read: nothing in it is unread
	copyOf             // it begins alike, and is alike before the offset
	theSame            // the same inode too
)

// holds tells it for a generation that was read up to an offset, with last before
// it.
func (o *opened) holds(f logfile.File, offset int64, last logfile.Sum) int {
	same, size := sameInode(o.inode, f.Inode), o.size()
	switch {
	case f.Head.Length == 0 && same && size >= offset: // nothing but the inode is known
		return theSame
	case !o.begins(f.Head):
		return another
	case size >= 0 && size < offset && same:
		return another // it was truncated, and begins alike again
	case size >= 0 && size < offset:
		return shorterCopy
	}
	if last.Length > 0 && offset >= int64(last.Length) {
		text, err := o.read(offset-int64(last.Length), last.Length)
		switch {
		case err != nil:
			return another
		case len(text) < last.Length:
			return shorterCopy // a compressed one
		case logfile.SumOf(text) != last:
			return another
		}
	}
	if same {
		return theSame
	}
	return copyOf
}

// isCopyOf tells whether the file is, or is a copy of, one that was read to its
// end. A file that only begins as that one did, and goes on, is another one. A
// compressed one is read to see it.
func (o *opened) isCopyOf(g *checkpoint.Finished) bool {
	switch {
	case g.Head.Length == 0: // it was empty
		return sameInode(o.inode, g.Inode) && o.size() == g.Offset
	case sameInode(o.inode, g.Inode):
		return o.begins(g.Head)
	case !o.begins(g.Head):
		return false
	case o.size() >= 0 && o.size() != g.Offset:
		return false
	}
	text, err := o.read(g.Offset-int64(g.Before.Length), g.Before.Length+1)
	if err != nil { // it is just being compressed
		return true
	}
	return len(text) == g.Before.Length && logfile.SumOf(text) == g.Before
}

// read returns the bytes from an offset on, fewer at the end of the file. Of a
// compressed file it reads all before them.
func (o *opened) read(offset int64, length int) ([]byte, error) {
	text := make([]byte, length)
	for {
		n, err := o.content.ReadAt(text, offset)
		switch {
		case errors.Is(err, errSkipping):
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		}
		return text[:n], nil
	}
}

// goesOn tells whether there is anything behind an offset.
func (o *opened) goesOn(offset int64) bool {
	text, err := o.read(offset, 1)
	return err == nil && len(text) > 0
}

// isCopyOfOpen tells the same for a file that is being read: a copy of it holds
// nothing that it does not hold too.
func (o *opened) isCopyOfOpen(f *file) bool {
	if len(o.head) == 0 || !bytes.HasPrefix(f.head, o.head) || f.packed == nil && o.size() > f.size {
		return false
	}
	if f.packed != nil { // from its beginning, without disturbing who reads it
		again, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", f.f.Fd()))
		if err != nil {
			return false
		}
		e := &opened{f: again, content: &packed{f: again, format: f.packed.format}, head: f.head}
		defer e.close()
		return o.isBeginningOf(e)
	}
	if o.size() < 0 { // whoever compresses a file compresses all of it
		from := max(0, f.size-headBytes)
		ours, err := o.read(from, int(f.size-from)+1)
		theirs := make([]byte, f.size-from)
		n, _ := f.f.ReadAt(theirs, from)
		return err != nil || bytes.Equal(ours, theirs[:n]) // an error: it is just being compressed
	}
	var ours, theirs [headBytes]byte
	from := max(0, o.size()-headBytes)
	n, _ := o.f.ReadAt(ours[:o.size()-from], from)
	m, _ := f.f.ReadAt(theirs[:o.size()-from], from)
	return n == m && ours == theirs
}

// ending is the length of the uncompressed bytes, and the last ones of them. Of a
// compressed file it reads all.
func (o *opened) ending() (length int64, last []byte, err error) {
	if size := o.size(); size >= 0 {
		from := max(0, size-markBytes)
		last, err = o.read(from, int(size-from))
		return size, last, err
	}
	const step = 64 << 10
	for {
		text, err := o.read(length, step)
		if err != nil {
			return 0, nil, err
		}
		length += int64(len(text))
		last = append(last, text...)
		last = append([]byte(nil), last[max(0, len(last)-markBytes):]...)
		if len(text) < step {
			return length, last, nil
		}
	}
}

// isBeginningOf tells whether all of the file is in the other one. It reads both.
func (o *opened) isBeginningOf(e *opened) bool {
	if len(o.head) == 0 || !bytes.HasPrefix(e.head, o.head) {
		return false
	}
	const step = 64 << 10
	for at := int64(0); ; at += step {
		ours, err := o.read(at, step)
		theirs, errTheirs := e.read(at, step)
		switch {
		case err != nil || errTheirs != nil || !bytes.HasPrefix(theirs, ours):
			return false
		case len(ours) < step:
			return true
		}
	}
}

func (o *opened) close() {
	if z, ok := o.content.(*packed); ok {
		z.close()
	}
	o.f.Close()
}

// refusal is a file that cannot be opened, and why.
type refusal struct {
	sibling
	err error
}

// openAll opens those of the listed files that are wanted and can be had. Then it
// lists them again, and starts over if they are not the same: while logrotate
// renames a long chain of files, the name of one may be that of another when it
// is opened, and a file may be listed under none of its names. settled is false
// when there was no end of that.
func openAll(list func() []sibling, wanted func(sibling) bool) (files []*opened, settled bool, refused []refusal) {
	const attempts = 10
	found := list()
	for n := 1; ; n++ {
		for _, sibling := range found {
			if !wanted(sibling) {
				continue
			}
			o, err := sibling.open()
			switch {
			case errors.Is(err, fs.ErrNotExist):
			case err != nil:
				refused = append(refused, refusal{sibling, err})
			case os.SameFile(o.info, sibling.info):
				files = append(files, o)
			default:
				o.close()
			}
		}
		before := found
		found = list()
		if settled = sameFiles(before, found); settled || n == attempts {
			return files, settled, refused
		}
		closeAll(files)
		files, refused = nil, nil
	}
}

// closeAll closes those that nobody has taken.
func closeAll(files []*opened) {
	for _, o := range files {
		if o != nil {
			o.close()
		}
	}
}
