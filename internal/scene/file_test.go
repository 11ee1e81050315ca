// The daemon of the model: one of its open files.

package scene_test

import (
	"bytes"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
)

// file is an open generation. Its fields mean what those of package tail do.
type file struct {
	inode  *inode
	d      *daemon
	ledger *checkpoint.Ledger
	packed bool
	head   []byte
	marks  []mark

	at         flow.Position
	size, seen int64
	ended      bool
	modified   time.Time // of the file when it was last looked at

	late                                            time.Duration
	told, noRest, notedCopies                       bool
	grown, replaced, examined, asOf                 time.Time
	superseded, unsure, unsearched, leaving, closed bool

	described     logfile.File
	changed       bool
	summed, noted int
}

// mark is what stood before a place.
type mark struct {
	offset int64
	text   []byte
}

func (m mark) stands(text []byte) bool { return bytes.Equal(before(text, m.offset), m.text) }

// last is the last mark at or before an offset.
func (f *file) last(offset int64) (found mark, ok bool) {
	for _, m := range f.marks {
		if m.offset <= offset {
			found, ok = m, true
		}
	}
	return found, ok
}

func (f *file) mark() {
	if !f.packed {
		f.marks = append(f.marks, mark{f.at.Offset, slices.Clone(before(f.inode.text, f.at.Offset))})
	}
}

func (f *file) idle() bool { return f.ended && (f.packed || f.size <= f.seen) }

// grow adds what is new of the head, unless the file begins otherwise now.
func (f *file) grow() (same bool) {
	now := headOf(f.inode.text)
	if !bytes.HasPrefix(now, f.head) {
		return false
	}
	f.head = append(f.head, now[len(f.head):]...)
	return true
}

// examine finds out whether the file holds what was read of it, or how much of it.
func (f *file) examine() (holds bool, kept int64) {
	defer func() { f.changed = !holds }()
	if f.packed {
		return true, 0
	}
	changed := !f.inode.modified.Equal(f.modified)
	f.modified, f.size = f.inode.modified, int64(len(f.inode.text))
	if f.size < f.at.Offset {
		return false, f.untouched()
	}
	f.seen = min(f.seen, f.size)
	if f.size == 0 && len(f.head) == 0 {
		f.unsearched = f.unsearched || changed
		return true, 0
	}
	fresh := len(f.head) == 0
	if !f.holds() {
		return false, f.untouched()
	}
	f.unsearched = f.unsearched || fresh && len(f.head) > 0
	return true, 0
}

func (f *file) holds() bool {
	if !f.grow() {
		if f.at.Offset == 0 || int64(len(f.inode.text)) < f.at.Offset {
			return false
		}
		kept := min(f.at.Offset, int64(len(f.head)))
		if !bytes.HasPrefix(f.inode.text, f.head[:kept]) {
			return false
		}
		f.head, f.summed = f.head[:kept], -1 // cut within a line of which nothing was sent
		f.grow()
	}
	last, ok := f.last(f.at.Offset)
	return !ok || last.stands(f.inode.text)
}

// untouched is how much of what was read is still there.
func (f *file) untouched() int64 {
	if f.size >= f.at.Offset || f.size == 0 || !bytes.HasPrefix(f.inode.text, f.head[:min(int64(len(f.head)), f.size)]) {
		return 0
	}
	if last, ok := f.last(f.size); ok && !last.stands(f.inode.text) {
		return 0
	}
	return int64(bytes.LastIndexByte(f.inode.text, '\n') + 1)
}

func (f *file) settle(seen bool) {
	changed := f.noted != len(f.head)
	if seen && !f.unsearched && !f.asOf.Equal(f.examined) {
		f.asOf, changed = f.examined, true
	}
	if changed {
		f.describeChange()
	}
}

func (f *file) known() int64 { return max(f.seen, f.at.Offset, f.described.Size) }

// read sends the whole lines of a block.
func (f *file) read() (more bool, err error) {
	data, err := f.readAt(f.at.Offset, modelBlock)
	if err != nil {
		return false, err
	}
	end := bytes.LastIndexByte(data, '\n') + 1
	if end > 0 {
		f.d.send(f, data[:end], int64(end))
	}
	return len(data) == modelBlock, nil
}

// readAt reads up to length bytes, and checks that they belong to what was read before.
func (f *file) readAt(offset, length int64) ([]byte, error) {
	text := f.inode.text
	offset = min(offset, int64(len(text)))
	data := slices.Clone(text[offset:min(offset+length, int64(len(text)))])
	f.ended = int64(len(data)) < length
	if len(data) == 0 {
		return nil, nil
	}
	if !f.packed {
		known := len(f.head)
		last, ok := f.last(f.at.Offset)
		if !f.grow() || known == 0 || f.unsure || ok && !last.stands(text) {
			f.head = f.head[:min(known, len(f.head))]
			return nil, errChanged
		}
		f.describeChange()
	}
	end := offset + int64(len(data))
	f.size = max(f.size, end)
	if end > f.seen {
		f.seen, f.grown, f.leaving, f.notedCopies = end, f.d.m.disk.now, false, false
		if f.superseded && !f.packed {
			f.late = f.grown.Sub(f.replaced)
		}
	}
	return data, nil
}

// sendTail sends what was last read behind the last newline.
func (f *file) sendTail() error {
	if f.seen <= f.at.Offset || f.noRest {
		return nil
	}
	data, err := f.readAt(f.at.Offset, f.seen-f.at.Offset)
	if len(data) > 0 {
		f.d.send(f, append(data, '\n'), int64(len(data)))
	}
	return err
}

func (f *file) describe() logfile.File {
	g := &f.described
	isKnown := g.Head.Length > 0 && !f.packed && !f.d.m.disk.hasName(f.inode) // and no more of it is anywhere else
	if !isKnown && (f.summed != len(f.head) || f.superseded) {
		g.Inode, g.Head, f.summed = f.inode.Inode, sumOfHead(f.head), len(f.head)
		if g.Head.Length == 0 && f.superseded {
			g.Head = logfile.SumOf(f.head)
		}
	}
	if g.Modified = f.asOf.UnixNano(); !f.changed {
		g.Size = f.size
	}
	return *g
}

// generation is the file as if all that was read of it had been acknowledged.
func (f *file) generation() checkpoint.Generation {
	g := f.at.Generation
	return checkpoint.Generation{
		File: f.describe(), ID: g.ID, FirstLine: g.FirstLine, Offset: f.at.Offset, Line: f.at.Line, Before: f.before(),
	}
}

func (f *file) before() logfile.Sum {
	if m, ok := f.last(f.at.Offset); ok && m.offset == f.at.Offset {
		return logfile.SumOf(m.text)
	}
	return logfile.Sum{}
}

func (f *file) describeChange() {
	if !f.unsure {
		f.noted = len(f.head)
		f.ledger.Describe(f.at.Generation, f.describe())
	}
}
