package logfile

import (
	"bytes"
	"fmt"
	"os"
)

// Identity is how sure it is that a file is the one that was read earlier. A
// larger one is surer.
type Identity int

// Identities.
const (
	Different Identity = iota // it is another file
	Prefix                    // a copy that was made before all of it was read: nothing in it is unread
	Copy                      // it begins alike, and is alike before the offset
	Same                      // the same inode too
)

// Compare compares the file with one that was read up to an offset, with last
// before it.
func (o *Opened) Compare(f File, offset int64, last Sum) Identity {
	same, size := o.Inode.Is(f.Inode), o.Size()
	switch {
	case f.Head.Length == 0 && same && size >= offset: // nothing but the inode is known
		return Same
	case !o.Begins(f.Head):
		return Different
	case size >= 0 && size < offset && same:
		return Different // it was truncated, and begins alike again
	case size >= 0 && size < offset:
		return Prefix
	}
	// What stands before the offset, or a byte of it when that is not known: a
	// compressed file does not say how long it is.
	if n := known(last, offset); n > 0 && (last.Length > 0 || size < 0) {
		text, err := o.Bytes(offset-int64(n), n)
		switch {
		case err != nil:
			return Different
		case len(text) < n:
			return Prefix // a compressed one
		case same && text[n-1] == 0 && LeadingNULs(o.Head) < f.Head.Length:
			return Same // what was read was not on the disk yet when the machine lost its power
		case last.Length > 0 && SumOf(text) != last:
			return Different
		}
	}
	if same {
		return Same
	}
	return Copy
}

// IsDamagedCopy reports whether the file begins as one that was read up to an offset, and cannot
// be unpacked as far as that: all that can be was read.
func (o *Opened) IsDamagedCopy(f File, offset int64, last Sum) bool {
	n := known(last, offset)
	if _, packed := o.Content.(*Compressed); !packed || n == 0 || !o.Begins(f.Head) {
		return false
	}
	_, err := o.Bytes(offset-int64(n), n)
	return err != nil
}

// IsPartOf reports whether the file is a copy of one that began with h, and was made
// before all of that was there. Compare, which knows no more than a sum, cannot tell.
func (o *Opened) IsPartOf(h Head) bool {
	return len(o.Head) > 0 && len(o.Head) < len(h) && bytes.HasPrefix(h, o.Head)
}

// HoldsAllOf reports whether the file is, or is a copy of, one that was read to its
// end, which is at offset, with before before it. A file that only begins as that
// one did, and goes on, is another one; with NULs it does not go on. A compressed file
// is read to see it.
func (o *Opened) HoldsAllOf(f File, offset int64, before Sum) bool {
	switch {
	case f.Head.Length == 0: // it was empty; its inode may have been given to another one
		return o.Inode.Is(f.Inode) && o.Size() == offset && f.Size <= offset && o.Info.ModTime().UnixNano() == f.Modified
	case !o.Begins(f.Head):
		return false
	case o.Inode.Is(f.Inode) && LeadingNULs(o.Head) >= f.Head.Length:
		// Each time that it was truncated it began with NULs again.
		return o.Compare(f, offset, before) == Same
	case o.Inode.Is(f.Inode):
		return true
	case o.Size() >= 0 && o.Size() < offset:
		return false
	case int64(before.Length) > offset: // a checkpoint that somebody edited
		return false
	}
	n := known(before, offset)
	text, err := o.Bytes(offset-int64(n), n)
	if err != nil { // it is just being compressed
		return true
	}
	if len(text) < n || before.Length > 0 && SumOf(text) != before {
		return false
	}
	more, err := o.more(offset)
	return err != nil || !more
}

// known is how many of the bytes before an offset can be compared: those of the sum,
// or one if nothing but the length is known.
func known(before Sum, offset int64) int {
	if int64(before.Length) > offset {
		return 0
	}
	return int(min(int64(max(before.Length, 1)), offset))
}

// IsCopyOf reports whether the file is a copy of one that is being read, whose size
// and head are those of e: then there is nothing in it that is not there too. If e
// is compressed it is read from its beginning, by another descriptor.
func (o *Opened) IsCopyOf(e *Opened, size int64) bool {
	from, compressed := e.Content.(*Compressed)
	if len(o.Head) == 0 || !bytes.HasPrefix(e.Head, o.Head) || !compressed && o.Size() > size {
		return false
	}
	if compressed { // without disturbing who reads it
		reopened, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", e.File.Fd()))
		if err != nil {
			return false
		}
		e := &Opened{File: reopened, Content: &Compressed{f: reopened, format: from.format, memory: from.memory}, Head: e.Head}
		defer e.Close()
		return o.IsPrefixOf(e)
	}
	if o.Size() < 0 { // mostly all of it was compressed: then its end tells
		from := max(0, size-HeadBytes)
		ours, err := o.Bytes(from, int(size-from)+1)
		theirs := make([]byte, size-from)
		n, _ := e.File.ReadAt(theirs, from)
		return err != nil || // it is just being compressed
			bytes.Equal(ours, theirs[:n]) ||
			len(ours) < n && o.IsPrefixOf(e) // or it was copied, and e has grown since
	}
	var ours, theirs [HeadBytes]byte
	begin := max(0, o.Size()-HeadBytes)
	n, _ := o.File.ReadAt(ours[:o.Size()-begin], begin)
	m, _ := e.File.ReadAt(theirs[:o.Size()-begin], begin)
	return n == m && ours == theirs
}

// IsPrefixOf reports whether all of the file is in the other one. It reads both.
func (o *Opened) IsPrefixOf(e *Opened) bool {
	if len(o.Head) == 0 || !bytes.HasPrefix(e.Head, o.Head) {
		return false
	}
	const step = 64 << 10
	for at := int64(0); ; {
		ours, err := o.Bytes(at, step)
		theirs, errTheirs := e.Bytes(at, step)
		switch {
		case err != nil || errTheirs != nil || !bytes.HasPrefix(theirs, ours):
			return false
		case len(ours) < step:
			return true
		}
		if at += step; LeadingNULs(ours) == step { // both are, and may be for long
			at = min(o.EndOfHole(at), e.EndOfHole(at))
		}
	}
}

// Continues reports whether a plain file has all that was read of another one, up to
// offset, and both are alike as far as they go; and from where on it has lines that the
// other one has not. It reads both.
func (o *Opened) Continues(e *Opened, offset int64) (from int64, ok bool) {
	size, other := o.Size(), e.Size()
	length := min(len(o.Head), len(e.Head))
	if size < offset || offset == 0 || other <= 0 || length == 0 || !bytes.Equal(o.Head[:length], e.Head[:length]) {
		return 0, false
	}
	const step = 64 << 10
	for at, end := int64(0), min(size, other); at < end; at += step {
		n := int(min(step, end-at))
		ours, err := o.Bytes(at, n)
		theirs, errTheirs := e.Bytes(at, n)
		if err != nil || errTheirs != nil || len(ours) < n || !bytes.Equal(ours, theirs) {
			return 0, false
		}
	}
	if size <= other {
		return size, true
	}
	from, err := AfterLastNewline(o.File, other)
	return from, err == nil
}
