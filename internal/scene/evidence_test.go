// What package logfile says about two files, about files in memory.

package scene_test

import (
	"bytes"
	"errors"
	"io/fs"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/logfile"
)

// A line has eight bytes here, and is longer than a mark. What is read of a file's
// beginning, and before a place in it, is an eighth of what package logfile reads.
const (
	lineBytes = 8
	headBytes = logfile.HeadBytes / 8
	markBytes = logfile.MarkBytes / 8
)

// opened is a file of a listing as it was when it was opened.
type opened struct {
	entry
	size int64
	head []byte
	err  error
}

func headOf(text []byte) []byte { return text[:min(len(text), headBytes)] }

// sumOfHead is the sum of the whole lines of a head.
func sumOfHead(head []byte) logfile.Sum {
	end := bytes.LastIndexByte(head, '\n') + 1
	if end == 0 && len(head) == headBytes {
		end = headBytes
	}
	return logfile.SumOf(head[:end])
}

// before is the mark before a place.
func before(text []byte, offset int64) []byte {
	offset = min(offset, int64(len(text)))
	return text[max(0, offset-markBytes):offset]
}

func (o *opened) text() []byte { return o.inode.text }

func (o *opened) begins(sum logfile.Sum) bool {
	return sum.Length > 0 && len(o.head) >= sum.Length && logfile.SumOf(o.head[:sum.Length]) == sum
}

// bytes are up to length bytes from an offset.
func (o *opened) bytes(offset, length int64) []byte {
	text := o.text()
	offset = min(offset, int64(len(text)))
	return text[offset:min(offset+length, int64(len(text)))]
}

// compare is logfile's Compare.
func (o *opened) compare(f logfile.File, offset int64, last logfile.Sum) logfile.Identity {
	same := o.inode.Is(f.Inode)
	switch {
	case f.Head.Length == 0 && same && o.size >= offset:
		return logfile.Same
	case !o.begins(f.Head):
		return logfile.Different
	case o.size >= 0 && o.size < offset && same:
		return logfile.Different
	case o.size >= 0 && o.size < offset:
		return logfile.Prefix
	}
	if n := bytesBefore(last, offset); n > 0 && (last.Length > 0 || o.size < 0) {
		text := o.bytes(offset-n, n)
		switch {
		case int64(len(text)) < n:
			return logfile.Prefix
		case last.Length > 0 && logfile.SumOf(text) != last:
			return logfile.Different
		}
	}
	if same {
		return logfile.Same
	}
	return logfile.Copy
}

func bytesBefore(last logfile.Sum, offset int64) int64 {
	if int64(last.Length) > offset {
		return 0
	}
	return min(int64(max(last.Length, 1)), offset)
}

// holdsAllOf is logfile's HoldsAllOf.
func (o *opened) holdsAllOf(f logfile.File, offset int64, last logfile.Sum) bool {
	switch {
	case f.Head.Length == 0:
		return o.inode.Is(f.Inode) && o.size == offset && f.Size <= offset && o.modified.UnixNano() == f.Modified
	case !o.begins(f.Head):
		return false
	case o.inode.Is(f.Inode):
		return true
	case o.size >= 0 && o.size < offset, int64(last.Length) > offset:
		return false
	}
	n := bytesBefore(last, offset)
	text := o.bytes(offset-n, n+1)
	return int64(len(text)) == n && (last.Length == 0 || logfile.SumOf(text) == last)
}

// evidence is that of one scene. A file is opened when something is asked of it.
type evidence struct {
	d      *daemon
	listed []entry
	opened []*opened
	gone   bool
}

func (e *evidence) file(i int) *opened {
	if o := e.opened[i]; o != nil {
		return o
	}
	e.d.m.meanwhile()
	at := e.listed[i]
	o := &opened{entry: at, size: int64(len(at.inode.text)), head: headOf(at.inode.text)}
	switch {
	case at.path != byDescriptor && e.d.m.disk.open(at.path) != at.inode:
		o.err, e.gone = fs.ErrNotExist, true
	case at.inode.refused:
		o.err = fs.ErrPermission
	}
	if at.inode.packed {
		o.size = -1
	}
	e.opened[i] = o
	return o
}

// byDescriptor is the path of a file that is open, and listed under no other name.
const byDescriptor = "/proc/self/fd"

// open is the file of a name, which may be a link.
func (d *disk) open(name string) *inode {
	if name == logPath {
		return d.at()
	}
	return d.names[name]
}

func (e *evidence) Trouble(i int) error { return e.file(i).err }

func (e *evidence) Size(i int) int64 {
	if o := e.file(i); o.err == nil {
		return o.size
	}
	return -1
}

func (e *evidence) Is(i int, g *checkpoint.Generation) logfile.Identity {
	if o := e.file(i); o.err == nil {
		return o.compare(g.File, g.Offset, g.Before)
	}
	return logfile.Different
}

func (e *evidence) HoldsAll(i int, g *checkpoint.Generation) bool {
	o := e.file(i)
	return o.err == nil && o.holdsAllOf(g.File, g.Offset, g.Before)
}

func (e *evidence) Copies(i int, id int64) bool {
	o, f := e.file(i), e.d.file(id)
	if o.err != nil || f == nil || len(o.head) == 0 || !bytes.HasPrefix(f.head, o.head) {
		return false
	}
	text := f.inode.text
	size := int64(len(text))
	switch {
	case f.packed:
		return bytes.HasPrefix(text, o.text())
	case o.size < 0: // its end tells, or all of it
		from := max(0, size-headBytes)
		ours := o.bytes(from, size-from+1)
		return bytes.Equal(ours, text[from:]) || int64(len(ours)) < size-from && bytes.HasPrefix(text, o.text())
	case o.size > size:
		return false
	}
	from := max(0, o.size-headBytes)
	return bytes.Equal(o.bytes(from, o.size-from), text[from:o.size])
}

func (e *evidence) IsPart(i int, id int64) bool {
	o, f := e.file(i), e.d.file(id)
	return o.err == nil && f != nil && len(o.head) > 0 && len(o.head) < len(f.head) && bytes.HasPrefix(f.head, o.head)
}

func (e *evidence) Within(i, j int) bool {
	o, other := e.file(i), e.file(j)
	return o.err == nil && other.err == nil && len(o.head) > 0 && bytes.HasPrefix(other.head, o.head) && bytes.HasPrefix(other.text(), o.text())
}

func (e *evidence) Born(i int) logfile.Inode { return e.file(i).inode.Inode }

func (e *evidence) CopyOf(i, j int) bool {
	o, other := e.file(i), e.file(j)
	return o.err == nil && other.err == nil && len(o.head) > 0 && bytes.HasPrefix(other.text(), o.text())
}

func (e *evidence) Agrees(i int, id int64) (from int64, ok bool) {
	o, f := e.file(i), e.d.file(id)
	if o.err != nil || f == nil || f.at.Offset == 0 || int64(len(o.text())) < f.at.Offset {
		return 0, false
	}
	ours, theirs := o.text(), f.inode.text
	length := min(len(ours), len(theirs))
	if !bytes.Equal(ours[:length], theirs[:length]) {
		return 0, false
	}
	if len(ours) <= len(theirs) {
		return int64(len(ours)), true
	}
	return int64(bytes.LastIndexByte(theirs, '\n') + 1), true
}

func (e *evidence) Anonymised(int) int64 { return 0 }

func (e *evidence) Imported(int) bool { return false }

var errChanged = errors.New("it was changed while it was read")
