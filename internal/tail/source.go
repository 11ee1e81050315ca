package tail

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/stats"
)

// generationGap is how far the line numbers of a new generation begin beyond
// where the earlier one stood: far enough for what is still written to that one,
// and little enough for the digits below a millisecond.
const generationGap = 500_000

// source is a followed path and the files that are open for it.
type source struct {
	*flow.Source
	fromEnd   bool // see Source
	reader    *Reader
	files     []*file // in the order of their generations; all but one are superseded
	lastID    int64   // of the latest generation
	firstLine int64   // of the latest generation
	furthest  int64   // number of the line that was reached in any that is closed
	finished  []checkpoint.Finished
	imported  []checkpoint.Generation
	rotated   []string           // directories in which rotated files were seen
	looked    bool               // at least once, and knows where to continue
	saved     *checkpoint.Source // of the checkpoint, until then
	unsettled time.Time          // files not older than this are still to be looked for, because they were just being renamed
	refused   error              // or because this one cannot be opened
	missed    time.Time          // when files were last looked for because nothing is at the path; zero when something is
	coming    *logfile.Opened    // is at the path and about to be read; not yet one of files
	there     fs.FileInfo        // the file that was there at the very first start, if reading begins at its end
	globbed   bool               // it was found, and may go without a word
	turns     int                // how often a file had something else in it, or something at all
	trouble   string             // why nothing can be read, "" when it can
}

// newest is the file that is or was last at the path, or nil.
func (s *source) newest() *file {
	for _, f := range s.files {
		if !f.superseded {
			return f
		}
	}
	return nil
}

// openAs is the open file with info's identity, or nil. While a file is open,
// no other file has its inode.
func (s *source) openAs(info fs.FileInfo) *file {
	for _, f := range s.files {
		if os.SameFile(info, f.info) {
			return f
		}
	}
	return nil
}

// look finds out what is at the path and how long the files are. The error is
// why something cannot be read, and no reason to stop.
func (s *source) look(now time.Time) error {
	if !s.looked {
		if err := s.restore(now); err != nil {
			s.report(err)
			return err
		}
		s.looked, s.saved = true, nil
	}
	// Before what is at the path: a file may have been truncated and then rotated,
	// and its copy is not one that nobody has read.
	troubles := s.lookAtFiles(now)
	if !s.unsettled.IsZero() {
		s.findUnseen(s.unsettled, now)
	}
	err := s.lookAtPath(now)
	if s.globbed && errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	err = cmp.Or(err, troubles, s.refused)
	s.report(err)
	return err
}

// lookAtFiles finds out what became of the open files.
func (s *source) lookAtFiles(now time.Time) (troubles error) {
	for _, f := range slices.Clone(s.files) { // truncation makes one more
		troubles = cmp.Or(troubles, f.look(now), f.trouble)
	}
	return troubles
}

// lookAtPath makes the file at the path the newest one.
func (s *source) lookAtPath(now time.Time) error {
	info, err := os.Stat(s.Path)
	s.miss(errors.Is(err, fs.ErrNotExist), now)
	if err == nil {
		err = logfile.RegularFile(s.Path, info.Mode())
	}
	if err != nil {
		return err
	}
	f := s.openAs(info)
	if f == nil {
		return s.open(now)
	}
	if f.superseded { // and has come back
		s.supersede(now)
		f.superseded = false
	}
	return nil
}

// missingTick is how often files are looked for while nothing is at the path.
const missingTick = time.Second

// miss notes whether nothing is at the path. While that is so, nginx
// writes to a file of another name until it opens its logs again; it may be one
// that came to the path between two looks.
func (s *source) miss(missing bool, now time.Time) {
	switch {
	case missing && s.lastID > 0 && now.Sub(s.missed) >= missingTick:
		s.missed = now
		s.findUnseen(s.latest(now), now)
	case !missing && !s.missed.IsZero():
		s.missed = time.Time{}
		for _, f := range s.files {
			f.grown = now // nginx may still have to be told to reopen
		}
	}
}

// open begins a new generation with what is at the path now, or goes on with a
// finished one that has come back.
func (s *source) open(now time.Time) error {
	o, err := logfile.OpenPlain(s.Path)
	if err != nil {
		return err
	}
	if s.openAs(o.Info) != nil { // it came back at this moment: the next look will see it
		o.Close()
		return nil
	}
	offset := int64(0)
	if s.there != nil && os.SameFile(o.Info, s.there) {
		if offset, err = logfile.AfterLastNewline(o.File, min(o.Info.Size(), s.there.Size())); err != nil {
			o.Close()
			return err
		}
	}
	s.there = nil
	if read, imported := importedTo(o, s.imported); imported {
		offset = read.Offset
	}
	old := s.finishedIn(o)
	if s.newest() == nil {
		if old != nil {
			offset = old.Offset
		}
		s.reader.log.Info("reading log file", "source", s.Name, "file", s.Path, "offset", offset)
	}
	s.supersede(now)
	if s.lastID > 0 {
		s.coming = o
		s.findUnseen(s.latest(now), now)
		s.coming = nil
	}
	if old != nil {
		s.resume(o, old, now)
		return nil
	}
	s.begin(o, offset, false, now)
	return nil
}

// finishedIn is the finished generation whose file it is, or nil. A copy of it
// at the path counts as another one.
func (s *source) finishedIn(o *logfile.Opened) *checkpoint.Finished {
	for i := range s.finished {
		g := &s.finished[i]
		if o.Inode.Is(g.Inode) && o.Begins(g.Head) && o.Size() >= g.Offset {
			return g
		}
	}
	return nil
}

// begin opens a new generation, which is read from an offset on. Of a file that was
// imported it is the rest, under the numbers that the import would have given it:
// what that sent and did not see acknowledged is sent again.
func (s *source) begin(o *logfile.Opened, offset int64, superseded bool, now time.Time) *file {
	at := s.position(offset)
	if read, imported := importedTo(o, s.imported); imported {
		at.Offset, at.Line, at.Generation.FirstLine = read.Offset, read.Line, read.Line
		s.firstLine = max(s.firstLine, read.Line)
	}
	f := s.add(o, at, superseded, now)
	s.reader.checkpoint.Begin(f.at, f.before(), f.describe())
	return f
}

// resume opens a finished generation again.
func (s *source) resume(o *logfile.Opened, g *checkpoint.Finished, now time.Time) {
	at := flow.Position{
		Generation: &flow.Generation{Source: s.Source, ID: g.ID, FirstLine: g.FirstLine},
		Offset:     g.Offset, Line: g.LastLine,
	}
	s.finished = slices.DeleteFunc(s.finished, func(f checkpoint.Finished) bool { return f.ID == at.Generation.ID })
	f := s.add(o, at, false, now)
	s.reader.checkpoint.Begin(f.at, f.before(), f.describe())
}

// add makes an open file one of the source's.
func (s *source) add(o *logfile.Opened, at flow.Position, superseded bool, now time.Time) *file {
	f := &file{
		source: s, f: o.File, info: o.Info, inode: o.Inode, head: o.Head,
		at: at, seen: at.Offset, size: max(o.Size(), at.Offset), superseded: superseded, grown: now, summed: -1, asOf: o.Info.ModTime(),
	}
	f.packed, _ = o.Content.(*logfile.Compressed)
	f.described.Path = o.Log
	f.mark()
	s.files = append(s.files, f)
	return f
}

// supersede notes that the newest file, if any, is no longer at the path
// and another one is.
func (s *source) supersede(now time.Time) {
	old := s.newest()
	if old == nil {
		return
	}
	old.superseded, old.grown = true, now
	s.rotatedTo(old.directory()) // saved with the new file, before that is read
	s.reader.log.Info("log file was rotated", "source", s.Name, "file", s.Path, "offset", old.at.Offset)
	s.reader.stats.UpdateSource(s.Index, func(st *stats.Source) { st.Rotations++ })
}

// position is where a new generation begins. Its lines are numbered beyond those
// of all earlier ones: by what may still be written to them, and by what is
// there and unread, of which every byte could be a line.
func (s *source) position(offset int64) flow.Position {
	s.lastID++
	if s.lastID == 1 {
		s.firstLine = 1
	} else {
		beyond := max(s.firstLine, s.furthest)
		for _, f := range s.files {
			reached, size := f.at.Line, f.size
			if f.packed != nil {
				size = f.packed.MaxLength()
			}
			if unread := size - f.at.Offset; unread > generationGap {
				reached += unread
			}
			beyond = max(beyond, reached)
		}
		s.firstLine = beyond + generationGap
	}
	g := &flow.Generation{Source: s.Source, ID: s.lastID, FirstLine: s.firstLine}
	return flow.Position{Generation: g, Offset: offset, Line: s.firstLine}
}

// leave removes a closed file from the source.
func (s *source) leave(f *file) {
	s.files = slices.DeleteFunc(s.files, func(other *file) bool { return other == f })
	if f.dropped {
		return
	}
	s.furthest = max(s.furthest, f.at.Line)
	s.finish(f.ended())
}

// rotatedTo notes a directory, unless it is "".
func (s *source) rotatedTo(dir string) {
	if dir != "" && !slices.Contains(s.rotated, dir) {
		s.rotated = append(s.rotated, dir)
		s.reader.checkpoint.RotatedTo(s.Name, dir)
	}
}

func (s *source) finish(g checkpoint.Finished) {
	const most = 64
	s.finished = append(s.finished, g)
	if len(s.finished) > most {
		s.finished = slices.Delete(s.finished, 0, len(s.finished)-most)
	}
}
