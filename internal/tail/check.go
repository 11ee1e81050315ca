package tail

import (
	"bytes"
	"errors"
	"io"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/logfile"
)

// racy is how long after a change of a file another change can have the same
// time: file systems keep time in steps of some milliseconds.
const racy = 100 * time.Millisecond

// look notes the size, and whether the file no longer holds what
// was read of it.
func (f *file) look(now time.Time) error {
	if f.packed != nil || f.left {
		return nil
	}
	info, err := f.f.Stat()
	if err != nil {
		return err
	}
	same := info.Size() == f.info.Size() && info.ModTime().Equal(f.info.ModTime()) && f.verified.Sub(info.ModTime()) > racy
	emptied := len(f.head) == 0 && info.Size() == 0 && !info.ModTime().Equal(f.info.ModTime())
	f.info, f.size = info, info.Size()
	if f.size < f.at.Offset {
		return f.truncated(now)
	}
	if emptied { // something was in it, and is perhaps in a copy
		since := f.asOf
		f.asOf = info.ModTime()
		f.source.findUnseen(since, now)
	}
	f.seen = min(f.seen, f.size)
	if f.size < f.at.Offset+f.scanned { // cut within a line that was not sent
		f.scanned = 0
	}
	if same || f.size == 0 && len(f.head) == 0 || f.unsure {
		return nil
	}
	_, err = f.check(now, nil, 0)
	return err
}

// check deals with a file that does not hold any more what was read of it, read
// being the latest, or nothing; stands is false then.
func (f *file) check(now time.Time, read []byte, offset int64) (stands bool, err error) {
	was := f.at.Generation
	stands, err = f.stands(now, read, offset)
	switch {
	case err != nil || stands && f.at.Generation == was && !f.left:
		return true, err
	case stands: // not any more: that was seen and dealt with while others were looked for
		return false, nil
	case f.source.reader.config.Import != nil:
		return false, errors.New("it was changed while it was read")
	}
	return false, f.truncated(now)
}

// stands reports whether the file still begins as it did, and with what was just
// read of it, and is the same before the place that was read to. If so it adds
// what is new of its head.
func (f *file) stands(now time.Time, read []byte, offset int64) (bool, error) {
	if f.packed != nil {
		return true, nil
	}
	known := len(f.head)
	same, err := f.head.Grow(f.f)
	if err != nil {
		return false, err
	}
	if !same {
		// Cut within a line of which nothing was sent, it has less of a head.
		kept, cut := f.cutWithinLine()
		if !cut {
			return false, nil
		}
		f.head, f.summed = f.head[:kept], -1
		if same, err = f.head.Grow(f.f); err != nil || !same {
			return false, err
		}
	}
	if f.isPacked(now) {
		return true, nil
	}
	if !f.head.Agrees(read, offset) { // it was truncated after it was read
		f.head = f.head[:min(known, len(f.head))]
		return false, nil
	}
	if last, ok := f.marks.Last(f.at.Offset); ok {
		if same, err = last.Stands(f.f); err != nil || !same {
			return false, err
		}
	}
	since := f.asOf
	f.verified, f.asOf = now, f.info.ModTime()
	f.describeChange()
	if known == 0 { // it may have been copied and truncated before
		f.source.turns++
		f.source.findUnseen(since, now)
	}
	return true, nil
}

// cutWithinLine reports whether the file was cut behind what was sent of it, and
// how much of its head is left then.
func (f *file) cutWithinLine() (kept int, cut bool) {
	now := make([]byte, len(f.head))
	n, err := f.f.ReadAt(now, 0)
	if err != nil && !errors.Is(err, io.EOF) || int64(n) < f.at.Offset || f.at.Offset == 0 {
		return 0, false // of a file of which nothing was sent, all was written anew
	}
	kept = int(min(f.at.Offset, int64(len(f.head))))
	return kept, bytes.Equal(now[:kept], f.head[:kept])
}

// mark notes what stands before the place that was read to.
func (f *file) mark() {
	if f.packed != nil {
		return
	}
	var text [logfile.MarkBytes]byte
	length := min(logfile.MarkBytes, f.at.Offset)
	n, err := f.f.ReadAt(text[:length], f.at.Offset-length)
	if err == nil || errors.Is(err, io.EOF) {
		f.marks.Add(f.at.Offset, text[:n])
	}
}

// describe is what the checkpoint keeps of the file.
func (f *file) describe() logfile.File {
	d := &f.described
	if f.summed != len(f.head) || f.superseded {
		d.Inode, d.Head, f.summed = f.inode, f.head.Sum(), len(f.head)
		if d.Head.Length == 0 && f.superseded {
			d.Head = logfile.SumOf(f.head) // of a half line, which is perhaps all there will be
		}
	}
	d.Size, d.Modified = f.size, f.asOf.UnixNano()
	return *d
}

// ended is what is kept of the generation when nothing more will be read of it.
func (f *file) ended() checkpoint.Finished {
	g := f.at.Generation
	return checkpoint.Finished{
		File: f.describe(), ID: g.ID, FirstLine: g.FirstLine, LastLine: f.at.Line, Offset: f.at.Offset, Before: f.before(),
	}
}

// before is the sum of what stands before the place that was read to, if it is
// known.
func (f *file) before() logfile.Sum {
	if mark, ok := f.marks.Last(f.at.Offset); ok && mark.Offset == f.at.Offset {
		return mark.Sum()
	}
	return logfile.Sum{}
}

// describeChange updates the checkpoint with what the file looks like now; of a file that
// may be a copy of another one, after a crash only that it was empty.
func (f *file) describeChange() {
	if f.unsure {
		return
	}
	f.source.reader.checkpoint.Describe(f.at.Generation, f.describe())
}
