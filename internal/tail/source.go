package tail

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/growing"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/scene"
	"github.com/tailflux/tailflux/internal/scene/keep"
)

// source is a followed path and the files that are open for it. What is known of its
// generations is in the ledger.
type source struct {
	*flow.Source
	fromEnd bool   // see Source
	glob    *glob  // that found it: it may go without a word; or nil
	failed  bool   // with Once: it cannot be read, which is noted
	dated   *dated // nil if its names have no date
	ledger  *checkpoint.Ledger
	files   []*growing.File // in the order of their generations; all but one are superseded

	started     bool        // it is known where to continue
	opened      bool        // start was tried
	restarted   bool        // files that were rotated before the start are still to be looked for
	atPath      time.Time   // when the newest file was last seen at the path
	missed      time.Time   // when files were last looked for because nothing is at the path; zero when something is
	watched     []watched   // files that were left, and may grow again
	checked     time.Time   // when these were last looked at
	beginnings  []beginning // of files that were left or truncated
	searchSince time.Time   // files not older than this are still to be looked for
	next        time.Time   // when it is looked at again, if it is quiet
	toldLate    bool        // that a rotated file is still written to
	trouble     string      // why nothing can be read, "" when it can
}

// newest is the file that is or was last at the path, or nil.
func (s *source) newest() *growing.File {
	for _, f := range s.files {
		if !f.Superseded {
			return f
		}
	}
	return nil
}

// file is the open file of a generation, or nil.
func (s *source) file(id int64) *growing.File {
	for _, f := range s.files {
		if f.At.Generation.ID == id {
			return f
		}
	}
	return nil
}

// openAs is the open file with info's identity, or nil.
func (s *source) openAs(info fs.FileInfo) *growing.File {
	for _, f := range s.files {
		if f.Is(info) {
			return f
		}
	}
	return nil
}

// maxScenes bounds how many scenes one look takes: while logrotate renames a long chain of
// files, a scene may be outdated before it is complete, and then says nothing.
const maxScenes = 30

// look finds out what is at the path and what became of the open files, and does what
// follows from that. The error is why something cannot be read, and no reason to stop.
func (s *source) look(r *Reader, now time.Time) error {
	if !s.opened {
		s.follow(r, now)
	}
	var trouble error
	agreed, quiet, seen := 0, false, false
	for n := range maxScenes {
		sc := s.observe(r, now)
		trouble, seen = sc.Path.Trouble, sc.Path.Trouble == nil
		if s.glob != nil && sc.Path.Missing {
			trouble = nil
		}
		if quiet = sc.IsQuiet(); quiet {
			break
		}
		sc.Agreed, sc.Ledger = agreed, s.ledger.Copy()
		for i, f := range s.files {
			sc.Open[i].Generation = f.Generation()
		}
		b := s.list(r, &sc)
		if r.scenes != nil {
			keep.Record(&sc)
		}
		actions := scene.Decide(&sc)
		r.scenes.Keep(s.Name, &sc, actions)
		moved := len(actions) > 0 && b.moved(r, s, &sc)
		if moved && n < maxScenes-1 {
			b.close()
			agreed = 0
			continue
		}
		more, err := s.act(r, &sc, b, actions, moved)
		b.close()
		if err != nil {
			trouble = err
		}
		if !more {
			break
		}
		if agreed = 0; actions[0].Do == scene.LookAgain {
			agreed = sc.Agreed + 1
		}
	}
	for _, f := range s.files {
		f.Confirm(seen || s.missed.Equal(now))
		trouble = cmp.Or(trouble, f.Trouble)
	}
	if len(s.files) > 1 {
		s.beyond(r)
	}
	s.report(r, trouble)
	s.next = time.Time{}
	if quiet && len(r.sources) > maxWatched && s.isAsleep(now) {
		s.next = now.Add(sleepTick)
	}
	return trouble
}

// A log that has not grown for a while is looked at less often, if there are many.
const (
	sleepAfter = 5 * time.Second
	sleepTick  = time.Second
)

// isAsleep reports whether no file has grown for a while.
func (s *source) isAsleep(now time.Time) bool {
	return !slices.ContainsFunc(s.files, func(f *growing.File) bool { return now.Sub(f.Grown) < sleepAfter })
}

// follow prepares the first look.
func (s *source) follow(r *Reader, now time.Time) {
	s.opened = true
	if was := r.was[s.Name]; was != "" {
		r.log.Warn("source has a new name; continuing where it was", "source", s.Name, "was", was, "file", s.Path)
		delete(r.was, s.Name)
	}
	switch n, err := r.directories.UnsearchedDirectories(s.Path); {
	case n > 0:
		r.log.Warn("too many directories beside the log; some are not searched for its rotated files: use a directory of its own for the log, or for olddir",
			"source", s.Name, "file", s.Path, "limit", logfile.MaxDirectories)
	case errors.Is(err, fs.ErrPermission):
		r.log.Warn("cannot list the directory of the log: lines are lost when it is rotated while tailflux is stopped, or faster than it is checked",
			"source", s.Name, "err", err)
	}
	known := s.ledger.Follow(s.Path)
	if s.dated != nil {
		s.firstDay(known)
	}
	if !known && s.searchSince.IsZero() {
		s.await(now, s.fromEnd)
	}
}

// observe collects the facts of a scene, except for what is beside the log. It opens nothing
// and lists nothing.
func (s *source) observe(r *Reader, now time.Time) scene.Scene {
	sc := scene.Scene{
		Now: now, RotateWait: r.config.RotateWait, Once: r.config.Once,
		Dated: s.dated != nil, Started: s.started, Restarted: s.restarted, AtPath: s.atPath, Missed: s.missed,
		SearchSince: s.searchSince, Path: scene.There{File: -1},
	}
	info, err := os.Stat(s.Path)
	if sc.Path.Missing, sc.Path.Trouble = errors.Is(err, fs.ErrNotExist), err; err == nil {
		sc.Path.Trouble = logfile.RegularFile(s.Path, info.Mode())
	}
	if !s.started {
		_, sc.Unlisted = r.directories.UnsearchedDirectories(s.Path)
		dir := filepath.Dir(s.Path)
		root := dir
		if s.glob != nil {
			root = s.glob.pattern.Root()
		}
		sc.Bare = r.directories.IsBare(dir, root)
	}
	for _, f := range s.files {
		f.Examined = f.Info.ModTime()
		holds, kept, err := f.Examine(now)
		if err != nil {
			f.Trouble = err
		}
		id := f.At.Generation.ID
		if sc.Path.Trouble == nil && f.Is(info) {
			if sc.Path.Held = id; !f.Superseded {
				s.atPath = now
			}
		}
		sc.Open = append(sc.Open, scene.Held{
			Generation: checkpoint.Generation{ID: id}, Holds: holds, Kept: kept, Known: f.Known(), Empty: len(f.Head) == 0,
			Compressed: f.Packed == nil && f.Head.IsCompressed(), Deleted: f.Packed == nil && logfile.Names(f.Info) == 0,
			Noted: f.Noted, Told: f.Told, Late: f.Late,
			Superseded: f.Superseded, Unsure: f.Unsure, Unsearched: f.Unsearched, Packed: f.Packed != nil, Idle: f.Idle(),
			Grown: f.Grown, AsOf: f.AsOf,
		})
	}
	if sc.Path.Trouble == nil && sc.Path.Held == 0 {
		sc.Path.Awaited = s.isAwaited(info)
	}
	if s.started && now.Sub(s.checked) >= watchTick {
		if sc.Regrown, sc.Emptied = s.regrown(r, now); len(sc.Regrown) == 0 { // else once more, until something is done about them
			s.checked = now
		}
	}
	return sc
}

// leave removes a closed file.
func (s *source) leave(f *growing.File) {
	s.files = slices.DeleteFunc(s.files, func(other *growing.File) bool { return other == f })
}

// rotatedTo notes a directory, unless it is "".
func (s *source) rotatedTo(dir string) {
	if dir != "" {
		s.ledger.RotatedTo(dir)
	}
}
