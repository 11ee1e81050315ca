// Package rejects keeps rejected lines, as JSON lines in rejects.jsonl. Only the
// write stage writes them.
//
// An entry that was appended is on the disk and survives a crash; an entry that
// was torn while it was written is cut off. Lines are read again after a crash: an
// entry that is already in the file is not written a second time, and its line
// must not become a point ([File.Replayed]).
//
// The file has a limit: before it would grow beyond it, it becomes
// rejects.jsonl.1 and replaces the one before it, whose entries are then gone,
// counted and logged.
package rejects

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/stats"
)

// maxWrite is the number of bytes after which no more entries are encoded before
// they are written.
const maxWrite = 1 << 20

// File is the open reject file. It must be used by one goroutine only.
type File struct {
	dir      *statedir.Dir
	path     string
	maxBytes int64
	stats    *stats.Stats
	log      *slog.Logger

	f       *os.File
	size    int64  // all of it is on the disk
	entries int64  // in the file
	older   int64  // in the predecessor
	buf     []byte // encoded entries
	head    head
	replays map[generation]*replay
	deltas  map[delta]flow.Reason // that have entries, and may be sent again
}

// Open opens the reject file for appending, and creates it if necessary. An
// incomplete entry at its end is cut off. A file that is not a reject file or
// cannot be opened is renamed, and the log says what that costs.
//
// undelivered reports whether a line may be read again, because the checkpoint has
// not passed it, for a rollup by its key, or for lines if that is empty; nil if no line may.
func Open(dir *statedir.Dir, maxBytes int64, undelivered func(rollup, source string, generation, line int64) bool, st *stats.Stats, log *slog.Logger) (*File, error) {
	r := &File{
		dir: dir, path: dir.Path(statedir.Rejects), maxBytes: maxBytes, stats: st, log: log,
		replays: map[generation]*replay{}, deltas: map[delta]flow.Reason{},
	}
	var note func(entry []byte)
	if undelivered != nil {
		note = func(entry []byte) { r.note(entry, undelivered) }
	}
	older, err := r.usable(statedir.RejectsPrev, note)
	if err != nil {
		return nil, err
	}
	r.older = older.entries
	if older.torn > 0 {
		r.logTorn(dir.Path(statedir.RejectsPrev), older.torn)
		_ = os.Truncate(dir.Path(statedir.RejectsPrev), older.end) // so that it is logged once
	}
	found, err := r.usable(statedir.Rejects, note)
	if err != nil {
		return nil, err
	}
	if err = r.begin(found); err != nil && dir.SetAside(statedir.Rejects, err) == nil { // it can be read, but not written
		err = r.begin(survey{})
	}
	if err != nil {
		return nil, fmt.Errorf("reject file: %w", err)
	}
	return r, nil
}

// Limit changes the limit, from the next entry on.
func (r *File) Limit(maxBytes int64) { r.maxBytes = maxBytes }

// usable surveys a file. A file that is not a reject file is renamed; the survey is
// then that of an empty one.
func (r *File) usable(name string, note func(entry []byte)) (s survey, err error) {
	s, err = r.survey(name, note)
	if err == nil {
		if s.other > 0 {
			r.log.Warn("reject file contains lines that are not entries; they are ignored", "file", r.dir.Path(name), "lines", s.other)
		}
		return s, nil
	}
	if err = r.dir.SetAside(name, err); err != nil {
		err = fmt.Errorf("reject file: %w", err)
	}
	return survey{}, err
}

// survey surveys a file. There need not be one.
func (r *File) survey(name string, note func(entry []byte)) (survey, error) {
	f, err := r.dir.OpenRead(name)
	if errors.Is(err, fs.ErrNotExist) {
		return survey{}, nil
	}
	if err != nil {
		return survey{}, err
	}
	defer f.Close()
	return look(f, note)
}

// open opens the file again, as it is now.
func (r *File) open() error {
	found, err := r.survey(statedir.Rejects, nil)
	if err == nil {
		err = r.begin(found)
	}
	if err != nil {
		return fmt.Errorf("reject file: %w", err)
	}
	return nil
}

// begin opens the file for appending after its last whole entry, and cuts off what
// follows that.
func (r *File) begin(found survey) error {
	f, err := r.dir.OpenFile(statedir.Rejects, os.O_CREATE|os.O_WRONLY)
	if err != nil {
		return err
	}
	r.entries, r.size = found.entries, found.end
	if err = r.cut(f); err == nil {
		err = r.dir.Sync() // its name
	}
	if err != nil {
		f.Close()
		return err
	}
	r.f = f
	return nil
}

// cut cuts off what follows the last whole entry.
func (r *File) cut(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if extra := info.Size() - r.size; extra > 0 {
		r.logTorn(r.path, extra)
	}
	return f.Truncate(r.size)
}

func (r *File) logTorn(path string, extra int64) {
	r.log.Warn("reject file ended in an incomplete entry, which was cut off; after a crash its line is read and rejected again",
		"file", path, "bytes", extra)
}

// check makes sure that the open file is the one at the path, and still holds all
// that was written: somebody may have removed, moved or emptied it.
func (r *File) check() error {
	if r.f == nil {
		return r.open()
	}
	held, err := r.f.Stat()
	if err != nil {
		return fmt.Errorf("reject file: %w", err)
	}
	if at, err := os.Stat(r.path); err != nil || !os.SameFile(at, held) || held.Size() < r.size {
		r.f.Close()
		r.f = nil
		return r.open()
	}
	if held.Size() > r.size {
		if err := r.f.Truncate(r.size); err != nil {
			return fmt.Errorf("reject file: %w", err)
		}
	}
	return nil
}

// Append writes entries in order and waits until they are on the disk. The first n
// are on the disk, some perhaps since an earlier run; after an error the others may
// be passed again. It blocks for the disk.
func (r *File) Append(entries []Entry) (n int, err error) {
	for n < len(entries) {
		if err := r.check(); err != nil {
			return n, err
		}
		taken, written, err := r.encode(entries[n:])
		if err != nil {
			return n, err
		}
		if taken == 0 { // not even one fits into the file
			if err := r.rotate(); err != nil {
				return n, err
			}
			continue
		}
		if err := r.write(); err != nil {
			return n, err
		}
		r.entries += written
		n += taken
	}
	return n, nil
}

// encode encodes entries, as many as fit into the file, except those that are
// already there.
func (r *File) encode(entries []Entry) (taken int, written int64, err error) {
	r.buf = r.buf[:0]
	for taken < len(entries) && len(r.buf) < maxWrite {
		if r.replayed(&entries[taken]) {
			taken++
			continue
		}
		before := len(r.buf)
		if r.buf, err = r.head.encode(r.buf, &entries[taken]); err != nil {
			return 0, 0, err
		}
		if end := r.size + int64(len(r.buf)); end > r.maxBytes && r.size+int64(before) > 0 {
			r.buf = r.buf[:before]
			break
		}
		taken++
		written++
	}
	return taken, written, nil
}

// write writes the encoded entries, all or none.
func (r *File) write() error {
	if len(r.buf) == 0 {
		return nil
	}
	_, err := r.f.WriteAt(r.buf, r.size)
	if err == nil {
		err = r.f.Sync()
	}
	if err != nil {
		// Some of it may be in the file: cut that off now, or before the next try.
		_ = r.f.Truncate(r.size)
		return fmt.Errorf("reject file: %w", err)
	}
	r.size += int64(len(r.buf))
	return nil
}

// rotate renames the file to that of its predecessor and begins a new one.
func (r *File) rotate() error {
	if err := os.Rename(r.path, r.dir.Path(statedir.RejectsPrev)); err != nil {
		return fmt.Errorf("reject file: %w", err)
	}
	r.f.Close()
	r.f = nil
	if r.older > 0 {
		r.stats.RejectsExpired(r.older)
		r.log.Warn("reject file reached rejects_max_bytes; its oldest entries were deleted",
			"file", r.dir.Path(statedir.RejectsPrev), "lines", r.older)
	}
	r.older, r.entries, r.size = r.entries, 0, 0
	return r.open()
}

// Close closes the file.
func (r *File) Close() error {
	if r.f == nil {
		return nil
	}
	return r.f.Close()
}
