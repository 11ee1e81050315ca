package tail

import (
	"cmp"
	"errors"
	"io/fs"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/growing"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/scene"
	"github.com/tailflux/tailflux/internal/stats"
)

// lose notes that the rest of a generation is gone. It is an error if some of it is
// known to have been unread. path is that of the log then, if it was another one.
func (s *source) lose(r *Reader, path string, bytes int64, why string) {
	log := r.log.With("source", s.Name, "file", cmp.Or(path, s.Path), "bytes", bytes, "reason", why)
	if bytes > 0 {
		log.Error("part of a log is lost: the file was deleted or truncated before it was read")
	} else {
		log.Warn("log file was deleted; everything seen so far had been read, later lines (if any) are lost")
	}
	r.stats.UpdateSource(s.Index, func(st *stats.Source) { st.Lost++; st.LostBytes += bytes })
}

// loses notes that a generation is lost, or that the file is that nobody could open yet, which is
// not missed if it was found.
func (s *source) loses(r *Reader, sc *scene.Scene, a scene.Action) {
	path, awaited := s.ledger.PathOf(a.ID), a.ID == 0
	if awaited {
		path = sc.Ledger.Awaited.Path
		s.ledger.Await(nil)
	} else {
		s.ledger.Lose(a.ID)
	}
	if a.Why != "" {
		s.lose(r, path, a.Bytes, a.Why)
	}
}

// report logs trouble when it begins, changes and ends.
func (s *source) report(r *Reader, err error) {
	trouble := ""
	if err != nil {
		trouble = err.Error()
	}
	if trouble != s.trouble {
		switch {
		case r.config.Once: // nobody waits, and Refused says it in the end
		case errors.Is(err, fs.ErrNotExist):
			r.log.Warn("log file is missing; waiting for it", "source", s.Name, "file", s.Path)
		case err != nil:
			r.log.Warn("cannot read log file; waiting", "source", s.Name, "file", s.Path, "err", err)
		default:
			r.log.Info("log file is there again", "source", s.Name, "file", s.Path)
		}
		s.trouble = trouble
	}
	r.stats.UpdateSource(s.Index, func(st *stats.Source) {
		st.Open, st.Trouble, st.Files = err == nil, trouble, len(s.files)
		if f := s.newest(); f != nil {
			st.Offset, st.Size = f.Next(), max(f.Size, f.Next())
		}
	})
}

// late says that a rotated file is still written to, which loses nothing but should not
// happen.
func (s *source) late(r *Reader, f *growing.File) {
	f.Told = true
	r.stats.UpdateSource(s.Index, func(st *stats.Source) { st.WrittenLate++ })
	if !s.toldLate {
		s.toldLate = true
		r.log.Warn("a rotated log file is still written to: nginx has not reopened its logs. Its lines are read, but fix the rotation: "+
			"postrotate must run nginx -s reopen (kill -USR1), and open_log_file_cache delays it",
			"source", s.Name, "file", nameOf(f))
	}
}

// nameOf is the path of a file, also of one that has none any more.
func nameOf(f *growing.File) string {
	if logfile.Names(f.Info) == 0 {
		return f.Path + " (deleted)"
	}
	return cmp.Or(f.Name(), f.Path)
}

// beyond counts the lines of superseded files whose numbers are also used by a later file. The
// points of two such lines become one if they have the same second and the same tags.
func (s *source) beyond(r *Reader) {
	for _, f := range s.files {
		for _, later := range s.files {
			lines := usedTwice(f, later)
			if !f.Superseded || lines <= f.Beyond {
				continue
			}
			if f.Beyond == 0 {
				r.log.Warn("a rotated log file has been written to for very long: numbers of its lines are used again in the next file, and a few of its points may be replaced: "+
					"make nginx reopen its logs (nginx -s reopen)", "source", s.Name, "file", nameOf(f), "lines", checkpoint.LineGap)
			}
			r.stats.UpdateSource(s.Index, func(st *stats.Source) { st.Beyond += lines - f.Beyond })
			f.Beyond = lines
		}
	}
}

// usedTwice counts the lines of a file whose numbers have reached those of another one: the
// one with higher numbers, which need not be the younger generation.
func usedTwice(f, other *growing.File) int64 {
	if other.At.Generation.FirstLine <= f.At.Generation.FirstLine {
		return 0
	}
	return max(0, f.At.Line-other.At.Generation.FirstLine)
}

// unreadable says that a file is not read that may be one of this log's.
func (s *source) unreadable(r *Reader, path string, err error) {
	r.stats.UpdateSource(s.Index, func(st *stats.Source) { st.Unreadable++ })
	r.log.Error("a rotated log file cannot be read; unpack it, and deliver it with tailflux import", "source", s.Name, "file", path, "err", err)
}
