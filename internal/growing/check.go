package growing

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/logfile"
)

// racy is how long after one change of a file another can carry the same time: file systems
// keep time in steps of some milliseconds.
const racy = 100 * time.Millisecond

// Examine finds out what has become of the file since it was read: whether it still holds
// everything that was read, or else how much of that, up to a newline. It notes what the file
// looks like now, and does nothing about it.
func (f *File) Examine(now time.Time) (holds bool, kept int64, err error) {
	defer func() { f.changed = !holds }()
	info, err := f.File.Stat()
	if err != nil {
		return true, 0, err
	}
	if f.Packed != nil {
		if info.Size() != f.Info.Size() { // it is just being compressed
			f.ended, f.Grown = false, now
		}
		f.Info = info
		return true, 0, nil
	}
	changed := !info.ModTime().Equal(f.Info.ModTime())
	verified := !changed && info.Size() == f.Info.Size() && f.verified.Sub(info.ModTime()) > racy
	f.reaches(info.Size(), now)
	f.Info, f.Size = info, info.Size()
	if f.Size < f.At.Offset {
		kept, err = f.untouched()
		return false, kept, err
	}
	f.Seen = min(f.Seen, f.Size)
	if f.scanned > 0 && f.Size < f.Next()+f.scanned { // cut within a line that was not sent
		f.scanned, f.Seen = 0, f.At.Offset
	}
	switch {
	case verified:
		return true, 0, nil
	case f.Size == 0 && len(f.Head) == 0:
		f.Unsearched = f.Unsearched || changed // something was in it, and is perhaps in a copy
		return true, 0, nil
	}
	fresh := len(f.Head) == 0
	holds, err = f.holds()
	if err != nil || !holds {
		if err == nil {
			kept, err = f.untouched()
		}
		return err != nil, kept, err
	}
	if f.Size < f.Next() { // cut within the hole
		f.hole, f.Seen = hole{}, f.At.Offset
	}
	if fresh && f.Head.IsNoise() { // it was written, rotated and overwritten since
		f.Head = nil
		return false, 0, nil
	}
	if fresh && len(f.Head) > 0 { // it may have been copied and truncated before
		f.Unsearched = true
	}
	f.verified = now
	return true, 0, nil
}

// Confirm notes, at the end of a look, that the file holds what was read of it and, if the
// path was seen or searched for, that everything that came to the path before is known. The
// time noted is from before the path was seen: whatever came and went since is not older.
func (f *File) Confirm(seen bool) {
	changed := f.noted != len(f.Head)
	if seen && !f.Unsearched && !f.AsOf.Equal(f.Examined) {
		f.AsOf, changed = f.Examined, true
	}
	if changed {
		f.Describe()
	}
}

// holds reports whether the file still begins as it did, and is unchanged before the position
// that was read to. If so, it adds what is new to the head.
func (f *File) holds() (bool, error) {
	same, err := f.Head.Grow(f.File)
	if err == nil && !same {
		// It was cut within a line of which nothing was sent, so its head is shorter.
		kept, cut := f.cutWithinLine()
		if !cut {
			return false, nil
		}
		f.Head, f.summed = f.Head[:kept], -1
		same, err = f.Head.Grow(f.File)
	}
	if err != nil || !same {
		return false, err
	}
	if last, ok := f.marks.Last(f.At.Offset); ok {
		return last.Stands(f.File)
	}
	return true, nil
}

// check returns ErrChanged unless the file still begins as it did, and with what was
// just read of it, and is the same before the place that was read to. Its first bytes
// are a change, too: before they are used, what came before them is looked for, and
// whether the file has become a copy.
func (f *File) check(read []byte, offset int64) error {
	if f.Packed != nil {
		if !f.Unsure || len(f.Head) > 0 {
			return nil
		}
		f.Head = append(f.Head, read[:min(len(read), logfile.HeadBytes)]...) // the next look will judge
		return ErrChanged
	}
	known := len(f.Head)
	same, err := f.Head.Grow(f.File)
	if err != nil {
		return err
	}
	if !same || known == 0 || f.Unsure || !f.Head.Agrees(read, offset) {
		f.Head = f.Head[:min(known, len(f.Head))]
		return ErrChanged
	}
	if last, ok := f.marks.Last(f.At.Offset); ok {
		if same, err := last.Stands(f.File); err != nil || !same {
			f.Head = f.Head[:min(known, len(f.Head))]
			return cmp.Or(err, ErrChanged)
		}
	}
	if same, err := f.holeStands(); err != nil || !same {
		f.hole, f.scanned, f.Seen = hole{}, 0, f.At.Offset
		return cmp.Or(err, ErrChanged)
	}
	f.verified = time.Now()
	f.Describe()
	return nil
}

// cutWithinLine reports whether the file was cut behind what was sent of it, and
// how much of its head is left then.
func (f *File) cutWithinLine() (kept int, cut bool) {
	now := make([]byte, len(f.Head))
	n, err := f.File.ReadAt(now, 0)
	if err != nil && !errors.Is(err, io.EOF) || int64(n) < f.At.Offset || f.At.Offset == 0 {
		return 0, false // of a file of which nothing was sent, all was written anew
	}
	kept = int(min(f.At.Offset, int64(len(f.Head))))
	return kept, bytes.Equal(now[:kept], f.Head[:kept])
}

// untouched is how much of what was read is still in the file, up to a newline:
// 0 when it holds something else now.
func (f *File) untouched() (int64, error) {
	size := f.Size
	if size >= f.At.Offset || size == 0 {
		return 0, nil // not cut, but written anew
	}
	short := f.Head[:min(int64(len(f.Head)), size)]
	now := logfile.Head(append([]byte(nil), short...))
	if same, err := now.Grow(f.File); err != nil || !same {
		return 0, err
	}
	last, ok := f.marks.Last(size)
	if (!ok || last.Offset == 0) && logfile.LeadingNULs(short) == len(short) {
		return 0, nil // nothing but a hole was there, and other files begin with one
	}
	if same, err := last.Stands(f.File); err != nil || !same {
		return 0, err
	}
	return logfile.AfterLastNewline(f.File, size)
}

// IsOverwritten reports whether the file now holds something that is found in no log.
func (f *File) IsOverwritten() bool {
	var now logfile.Head
	same, err := now.Grow(f.File)
	return err == nil && same && now.IsNoise()
}

// Known is the largest size that the file is known to have had, not counting the hole behind
// what was sent, which nobody would miss.
func (f *File) Known() int64 { return max(f.Seen, f.Next()+f.scanned, f.described.Size) - f.nuls() }

// mark notes what stands before the place that was read to.
func (f *File) mark() {
	if f.Packed != nil {
		return
	}
	var text [logfile.MarkBytes]byte
	length := min(logfile.MarkBytes, f.At.Offset)
	n, err := f.File.ReadAt(text[:length], f.At.Offset-length)
	if err == nil || errors.Is(err, io.EOF) {
		f.marks.Add(f.At.Offset, text[:n])
	}
}

// Description is what the checkpoint keeps of the file.
func (f *File) Description() logfile.File {
	d := &f.described
	isKept := d.Head.Length > 0 && f.Packed == nil && logfile.Names(f.Info) == 0 // what it was compressed to has no more
	if !isKept && (f.summed != len(f.Head) || f.Superseded) {
		d.Inode, d.Head, f.summed = f.Inode, f.Head.Sum(), len(f.Head)
		if d.Head.Length == 0 && f.Superseded {
			d.Head = logfile.SumOf(f.Head) // of a half line, which is perhaps all there will be
		}
	}
	if f.begin.of == f.At.Generation {
		d.Head = f.begin.sum
	}
	if d.Modified = f.AsOf.UnixNano(); !f.changed {
		d.Size = f.Size // and not that of what is there in its place
	}
	return *d
}

// WasAt notes the path of the log that the file belongs to, unless that is known.
func (f *File) WasAt(path string) { f.described.Path = cmp.Or(f.described.Path, path) }

// WasKnownAs restores what was kept of a file that is opened again.
func (f *File) WasKnownAs(d logfile.File) { f.described.Inode, f.described.Head = d.Inode, d.Head }

// Generation is the file as the ledger would have it if all that was read of it had
// been acknowledged.
func (f *File) Generation() checkpoint.Generation {
	g := f.At.Generation
	return checkpoint.Generation{
		File: f.Description(), ID: g.ID, FirstLine: g.FirstLine, Offset: f.At.Offset, Line: f.At.Line, Before: f.Before(),
	}
}

// Before is the sum of what stands before the place that was read to, if it is
// known.
func (f *File) Before() logfile.Sum {
	if mark, ok := f.marks.Last(f.At.Offset); ok && mark.Offset == f.At.Offset {
		return mark.Sum()
	}
	return logfile.Sum{}
}

// Describe updates the ledger with what the file looks like now; of a file that
// may be a copy of another one, after a crash only that it was empty.
func (f *File) Describe() {
	if f.Unsure {
		return
	}
	if f.noted != len(f.Head) {
		f.unsynced() // a head counts when it is on the disk, too
	}
	f.noted = len(f.Head)
	f.ledger.Describe(f.At.Generation, f.Description())
}
