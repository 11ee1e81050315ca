package tail

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/growing"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/scene"
	"github.com/tailflux/tailflux/internal/stats"
)

// act does what was decided, in order. It reports whether another scene may have more to
// do. If files were moved meanwhile, nothing is concluded from not having found one.
func (s *source) act(r *Reader, sc *scene.Scene, b *found, actions []scene.Action, moved bool) (more bool, err error) {
	var failed error // a file was found, and could not be opened after all
	for _, a := range actions {
		f := s.file(a.ID)
		switch a.Do {
		case scene.LookAgain:
			more = true
		case scene.Wait:
			err = a.Err
		case scene.CannotOpen:
			err, s.searchSince = a.Err, a.Since
			s.ledger.SearchSince(a.Since)
		case scene.Missing:
			if s.missed.IsZero() {
				for _, f := range s.files {
					f.Grown = sc.Now
				}
			}
			s.missed = sc.Now
		case scene.IsBack:
			s.missed = time.Time{}
			for _, f := range s.files {
				f.Grown = sc.Now // nginx may still have to be told to reopen
			}
		case scene.Search:
			s.searchFrom(a.Since)
		case scene.Searched:
			if failed != nil {
				s.searchFrom(a.Since)
				break
			}
			s.searched(moved)
			more = more || len(sc.Regrown) > 0 // which come after that
		case scene.Leave:
			f.Leaving = true
			f.Noted = f.Noted || sc.OpenAs(a.ID).Deleted
		case scene.Late:
			s.late(r, f)
		case scene.Unreadable:
			s.unreadable(r, sc.Beside[a.File].Path, a.Err)
		case scene.Unwatch:
			s.unwatch(r, a.ID)
		case scene.Start:
			s.begun(r, sc)
			more = true
		case scene.Sure:
			f.Unsure = false
			f.Describe()
			more = true
		case scene.Back:
			f.Superseded, f.Leaving = false, false
			more = true
		case scene.Supersede:
			s.supersede(r, f, sc.Now)
			more = true
		case scene.Forget:
			s.forget(r, a.ID, f)
			more = true
		case scene.Lose:
			if more = true; !moved && failed == nil {
				s.loses(r, sc, a)
			}
		case scene.NoteCopy, scene.Anonymised:
			if a.Do == scene.Anonymised {
				r.log.Info("addresses were taken out of a rotated log file; it is not read again", "source", s.Name, "file", sc.Beside[a.File].Path)
			}
			s.noteCopy(r, b, a)
			more = true
		case scene.Begin, scene.Resume, scene.Truncated:
			failed = cmp.Or(failed, s.do(r, sc, b, a, f))
			err = cmp.Or(failed, err)
			more = true
		}
	}
	return more && err == nil, err
}

// do opens a file, or goes on with another part of one.
func (s *source) do(r *Reader, sc *scene.Scene, b *found, a scene.Action, f *growing.File) error {
	if a.Do == scene.Truncated {
		return s.truncated(r, sc, b, a, f)
	}
	o, err := s.take(r, b, a.File)
	if err != nil && a.Do == scene.Begin && a.File < 0 && sc.Ledger.Awaited == nil {
		s.await(sc.Now, false) // it came to the path after the start
	}
	if o == nil || err != nil {
		return err
	}
	if a.Do == scene.Resume {
		s.resume(r, o, a, sc.Now)
		return nil
	}
	return s.begin(r, o, a, sc.Now)
}

// take is a file of the scene, or the one at the path; nil if another one is there now.
func (s *source) take(r *Reader, b *found, file int) (*logfile.Opened, error) {
	if r.open >= r.most {
		return nil, fmt.Errorf("%d log files are open, and the limit of open files leaves no more: raise it (LimitNOFILE= of the service, ulimit -n)",
			r.open)
	}
	if file >= 0 {
		o, err := b.take(file)
		if o != nil && isByDescriptor(o.Path) {
			s.nameHeld(o)
		}
		return o, err
	}
	o, err := logfile.OpenPlain(s.Path)
	if err == nil && s.openAs(o.Info) != nil {
		o.Close()
		return nil, nil
	}
	return o, err
}

// begin opens a new generation, from the beginning of its file, or where start says. Of a file
// that was imported, it reads the rest, under the numbers that the import would have given:
// what the import sent and did not see acknowledged is sent again.
func (s *source) begin(r *Reader, o *logfile.Opened, a scene.Action, now time.Time) error {
	offset := a.Offset
	if offset > 0 {
		s.copiedTo(o, offset)
	}
	awaited := s.awaitedAs(o)
	if awaited != nil && awaited.From > 0 && o.Size() >= 0 {
		var err error
		if offset, err = logfile.AfterLastNewline(o.File, min(o.Size(), awaited.From)); err != nil {
			o.Close()
			return err
		}
	}
	known := s.ledger.Copy()
	at := s.position(&known, offset)
	if read, imported := checkpoint.ImportedTo(o, known.Imports); imported {
		at.Offset, at.Line, at.Generation.FirstLine = read.Offset, read.Line, read.Line
	}
	at.Generation.Earlier, at.Generation.Path = linesBefore(o, at.Offset), s.otherPath(o)
	switch {
	case a.Behind:
		r.log.Info("reading log file that was rotated unnoticed", "source", s.Name, "file", o.Path)
	case a.First:
		r.log.Info("reading log file", "source", s.Name, "file", s.Path, "offset", at.Offset)
	}
	f := s.add(r, o, at, a.Behind, now)
	s.began(f)
	if awaited != nil {
		s.ledger.Await(nil)
	}
	if a.Behind {
		f.Unsure = len(o.Head) == 0
		s.inOrder(f)
	}
	return nil
}

// began tells the ledger of a generation, once everything before its first offset is on the
// disk: after a power cut nothing else may be there and count as read.
func (s *source) began(f *growing.File) {
	if f.At.Offset > 0 {
		_ = f.File.Sync() // only a power cut would tell
	}
	s.ledger.Begin(f.At, f.Before(), f.Description())
}

// resume opens a generation again.
func (s *source) resume(r *Reader, o *logfile.Opened, a scene.Action, now time.Time) {
	g := a.Prior
	at := flow.Position{
		Generation: &flow.Generation{Source: s.Source, ID: g.ID, FirstLine: g.FirstLine, Earlier: g.Earlier, Path: s.otherPath(o)},
		Offset:     g.Offset, Line: g.Line,
	}
	f := s.add(r, o, at, a.Behind, now)
	f.WasKnownAs(g.File)
	f.Unsure = scene.NeverRead(&g) && (o.Rotated || a.Behind)
	if s.started { // it has come back to the path, or has grown after it was left
		s.unwatch(r, g.ID)
		if a.Behind {
			s.inOrder(f)
		}
		switch {
		case a.Behind && g.State == checkpoint.Lost:
			r.log.Info("reading log file that was lost", "source", s.Name, "file", o.Path, "offset", at.Offset)
		case a.Behind:
			s.late(r, f)
		case a.First:
			r.log.Info("reading log file", "source", s.Name, "file", s.Path, "offset", at.Offset)
		}
		s.ledger.Begin(f.At, f.Before(), f.Description())
		return
	}
	f.AsOf = time.Unix(0, g.Modified) // since then something may have come and gone
	if f.Packed != nil {
		f.Size = max(f.Size, g.Size)
	}
	s.ledger.Stay(at.Generation)
	if dropped, rollups := s.ledger.DropAhead(g.ID, g.Ahead); dropped {
		r.log.Warn("log file is shorter than what was delivered of it, or was changed; what is left is delivered again: its points are the same ones, but so many rollups may have lines twice",
			"source", s.Name, "file", o.Path, "offset", at.Offset, "line", at.Line, "rollups", rollups)
	}
	f.Describe()
	slices.SortFunc(s.files, func(a, b *growing.File) int { return cmp.Compare(a.At.Generation.ID, b.At.Generation.ID) })
	r.log.Info("continuing with log file", "source", s.Name, "file", o.Path, "offset", at.Offset, "line", at.Line)
}

// otherPath is the path of a file; "" if that is the source's.
func (s *source) otherPath(o *logfile.Opened) string {
	if o.Path == s.Path {
		return ""
	}
	return o.Path
}

// add makes an open file one of the source's files.
func (s *source) add(r *Reader, o *logfile.Opened, at flow.Position, superseded bool, now time.Time) *growing.File {
	if o.Path == s.Path {
		o.Date = s.dated.on()
	}
	f := growing.New(o, at, s.ledger, r.feed, now)
	f.Superseded, f.Replaced = superseded, now
	r.open++
	s.files = append(s.files, f)
	return f
}

// inOrder puts a file where it belongs by its date, or else by its time.
func (s *source) inOrder(f *growing.File) {
	s.leave(f)
	at := slices.IndexFunc(s.files, func(other *growing.File) bool { return other.IsAfter(f) })
	if at < 0 {
		at = len(s.files)
	}
	s.files = slices.Insert(s.files, at, f)
}

// supersede notes that the newest file is no longer at the path and another one is.
func (s *source) supersede(r *Reader, f *growing.File, now time.Time) {
	f.Superseded, f.Grown, f.Replaced = true, now, now
	s.rotatedTo(f.Directory()) // saved with the new file, before that is read
	r.log.Info("log file was rotated", "source", s.Name, "file", s.Path, "offset", f.At.Offset)
	r.stats.UpdateSource(s.Index, func(st *stats.Source) { st.Rotations++ })
}

// forget closes a file as if it had never been opened.
func (s *source) forget(r *Reader, id int64, f *growing.File) {
	s.ledger.Forget(&flow.Generation{Source: s.Source, ID: id})
	if f != nil {
		s.leave(f)
		r.watcher.Forget(f.File)
		f.Close()
		r.open--
	}
}

// searchFrom notes that files not older than a time are still to be looked for.
func (s *source) searchFrom(since time.Time) {
	if s.searchSince.IsZero() || since.Before(s.searchSince) {
		s.searchSince = since
		s.ledger.SearchSince(since)
	}
}

// searched notes that this was done, unless files were moved meanwhile.
func (s *source) searched(moved bool) {
	if moved {
		return
	}
	s.searchSince, s.restarted = time.Time{}, false
	s.ledger.SearchSince(time.Time{})
	if s.dated != nil {
		s.dated.onlyDays, s.dated.allDays = false, false
	}
	for _, f := range s.files {
		if f.Unsearched && len(f.Head) > 0 {
			s.renumber(f)
		}
		f.Unsearched = false
	}
}

// begun notes that the source knows where to continue.
func (s *source) begun(r *Reader, sc *scene.Scene) {
	s.started, s.restarted = true, true
	s.watchFinished(r, &sc.Ledger, sc.Now)
}
