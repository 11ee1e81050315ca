package tail

import (
	"cmp"
	"slices"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/growing"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/scene"
	"github.com/tailflux/tailflux/internal/stats"
)

// truncated begins a new generation with what is in the file now. The one before goes on
// in the copy, if there is one. Of a rotated file that was overwritten (logrotate's shred)
// nothing is read but what comes behind that, or when it has been emptied.
func (s *source) truncated(r *Reader, sc *scene.Scene, b *found, a scene.Action, f *growing.File) error {
	offset, over := sc.OpenAs(a.ID).Kept, a.ID != sc.Path.Held && f.IsOverwritten()
	if f.Noise && f.At.Line == f.At.Generation.FirstLine { // another pass of it, or its end
		s.ledger.Forget(f.At.Generation)
	} else if err := s.cut(r, sc, b, a, f, over); err != nil {
		return err
	}
	if f.Noise = over; over {
		offset = f.Size
	}
	known := s.ledger.Copy()
	if err := f.Restart(s.position(&known, offset), sc.Now); err != nil {
		return err
	}
	s.began(f)
	return nil
}

// cut ends the generation of a file that holds something else now.
func (s *source) cut(r *Reader, sc *scene.Scene, b *found, a scene.Action, f *growing.File, over bool) error {
	if over {
		if !f.Superseded {
			s.supersede(r, f, sc.Now)
		}
		r.log.Info("rotated log file was overwritten", "source", s.Name, "file", cmp.Or(f.Name(), s.Path), "bytes", f.At.Offset)
	} else {
		r.log.Info("log file was truncated", "source", s.Name, "file", s.Path, "bytes", f.At.Offset, "offset", sc.OpenAs(a.ID).Kept)
		r.stats.UpdateSource(s.Index, func(st *stats.Source) { st.Truncations++ })
	}
	if a.Bytes > 0 {
		s.lose(r, s.ledger.PathOf(a.ID), a.Bytes, "the file was truncated, and there is no copy of it")
	}
	s.searchFrom(a.Since)
	if a.File >= 0 {
		return s.recover(r, sc, b, a.File, f)
	}
	s.ledger.Leave(f.At, f.Before())
	r.left = append(r.left, f.At)
	return nil
}

// recover goes on with the generation of a file in the copy of it.
func (s *source) recover(r *Reader, sc *scene.Scene, b *found, file int, of *growing.File) error {
	o, err := b.take(file)
	if err != nil {
		return err
	}
	if held := s.openAs(o.Info); held != nil { // it was empty when it was found
		s.forget(r, held.At.Generation.ID, held)
	}
	rest := s.add(r, o, of.At, true, sc.Now)
	s.leave(rest)
	s.files = slices.Insert(s.files, slices.Index(s.files, of), rest) // it is the older one
	rest.Describe()
	r.stats.UpdateSource(s.Index, func(st *stats.Source) { st.Recovered++ })
	r.log.Info("reading the rest of a truncated log file from its copy", "source", s.Name, "file", o.Path, "offset", of.At.Offset)
	return nil
}

// noteCopy remembers a copy that holds nothing unread of a generation, so that
// it is not taken for a log that nobody has read. At a start that is all that is left of it.
func (s *source) noteCopy(r *Reader, b *found, a scene.Action) {
	g := a.Prior
	if a.ID > 0 {
		at := flow.Position{
			Generation: &flow.Generation{Source: s.Source, ID: g.ID, FirstLine: g.FirstLine, Earlier: g.Earlier},
			Offset:     g.Offset, Line: g.Line,
		}
		s.ledger.Leave(at, g.Before)
	}
	o, err := b.file(a.File)
	if err != nil {
		return
	}
	if held := s.openAs(o.Info); held != nil { // it was empty when it was found
		s.forget(r, held.At.Generation.ID, held)
	}
	length, last, err := o.Ending()
	if err != nil {
		return // the next look finds it as it is then
	}
	head := o.Head.Sum()
	if head.Length == 0 {
		head = logfile.SumOf(o.Head) // of a half line
	}
	g.File = logfile.File{Inode: o.Inode, Head: head, Size: length, Modified: o.Info.ModTime().UnixNano()}
	g.State, g.Offset, g.Before = checkpoint.Finished, length, logfile.SumOf(last)
	s.ledger.NoteCopy(g)
}

// copiedTo notes that the file at the path is a copy of open ones without a name, of which
// nothing is read but the lines before an offset.
func (s *source) copiedTo(o *logfile.Opened, offset int64) {
	for _, f := range s.files {
		if logfile.Names(f.Info) == 0 && offset < f.Size && o.Size() > f.Size {
			f.NoRest = true // the half line at its end is whole in the copy
		}
	}
}
