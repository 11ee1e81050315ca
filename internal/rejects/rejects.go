// Package rejects keeps the lines that became no point, as JSON lines in
// rejects.jsonl. Only the write stage writes them.
//
// An entry that was appended is on the disk, and stays there through a crash; one
// that an interruption has torn is cut off. Lines are read again after a crash: an
// entry that is in the file already is not written a second time, and a line that
// has one is to become no point ([File.Replayed]).
//
// The file is capped: before it would grow over its limit it becomes
// rejects.jsonl.1, in the place of the one before it, whose entries are gone
// then, counted and told.
package rejects

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/stats"
)

const (
	maxLine  = 8 << 10 // bytes of a line that an entry holds
	maxWrite = 1 << 20 // bytes after which no more is encoded before they are written
)

// Entry is a rejected line.
type Entry struct {
	Time       time.Time
	Source     string
	Generation int64
	LineNumber int64
	Reason     string
	Line       []byte // without its newline; or its head
	LineBytes  int64  // its full length, newline not counted

	SourceIndex int // for the books; not in the file
}

// File is the open reject file. It is for one goroutine.
type File struct {
	dir      *statedir.Dir
	path     string
	maxBytes int64
	stats    *stats.Stats
	log      *slog.Logger

	f       *os.File
	size    int64 // all of it is on the disk
	entries int64 // in the file
	older   int64 // in the predecessor
	buf     bytes.Buffer
	replays map[generation]*replay
}

// Open opens the reject file in dir for appending, and makes it if need be. What
// an interrupted write left at its end is cut off. A file that is no reject file
// or cannot be read is set aside, and the log says what that costs.
//
// undelivered tells whether a line may be read again, being behind what the
// checkpoint says is delivered; nil when none is.
func Open(dir *statedir.Dir, maxBytes int64, undelivered func(source string, generation, line int64) bool, st *stats.Stats, log *slog.Logger) (*File, error) {
	r := &File{dir: dir, path: dir.Path(statedir.Rejects), maxBytes: maxBytes, stats: st, log: log, replays: map[generation]*replay{}}
	var note func(entry []byte)
	if undelivered != nil {
		note = func(entry []byte) { r.note(entry, undelivered) }
	}
	var err error
	if r.older, _, err = r.usable(statedir.RejectsPrev, note); err != nil {
		return nil, err
	}
	entries, end, err := r.usable(statedir.Rejects, note)
	if err != nil {
		return nil, err
	}
	if err := r.begin(entries, end); err != nil {
		return nil, err
	}
	return r, nil
}

// usable counts the entries of a file, tells note of each, and finds the end of the
// last one. A file with something else in it is set aside; there is none then.
func (r *File) usable(name string, note func(entry []byte)) (entries, end int64, err error) {
	path := r.dir.Path(name)
	entries, end, err = survey(path, note)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, 0, nil
	case err == nil && entries == 0:
		err = tornEntry(path)
	}
	if err != nil {
		entries, end = 0, 0
		if err = r.dir.SetAside(name, err); err != nil {
			err = fmt.Errorf("reject file: %w", err)
		}
	}
	return entries, end, err
}

// tornEntry is an error unless a file is empty or begins as an entry does.
func tornEntry(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var first [1]byte
	if n, err := f.ReadAt(first[:], 0); n == 0 && errors.Is(err, io.EOF) || first[0] == '{' {
		return nil
	}
	return errors.New("there are no rejected lines in it")
}

// open opens the file again, as it is now.
func (r *File) open() error {
	entries, end, err := survey(r.path, nil)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reject file: %w", err)
	}
	return r.begin(entries, end)
}

// begin opens the file, whose last whole entry ends at end, and cuts off what
// follows that.
func (r *File) begin(entries, end int64) error {
	f, err := r.dir.OpenFile(statedir.Rejects, os.O_CREATE|os.O_WRONLY)
	if err != nil {
		return fmt.Errorf("reject file: %w", err)
	}
	r.entries, r.size = entries, end
	if err = r.cut(f); err == nil {
		err = r.dir.Sync() // that it is there
	}
	if err != nil {
		f.Close()
		return fmt.Errorf("reject file: %w", err)
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
		r.log.Warn("reject file ended in an incomplete entry, which was cut off; after a crash its line is read and rejected again",
			"file", r.path, "bytes", extra)
	}
	return f.Truncate(r.size)
}

// check makes sure that the open file is the one at the path, and holds what was
// written: somebody may have removed, moved or emptied it.
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

// Append writes entries, in their order, and waits until they are on the disk.
// The first n of them are then, or were before; after an error the others may be
// tried again. It blocks for the disk.
func (r *File) Append(entries []Entry) (n int, err error) {
	for n < len(entries) {
		if err := r.check(); err != nil {
			return n, err
		}
		taken, written, err := r.encode(entries[n:])
		if err != nil {
			return n, err
		}
		if taken == 0 { // not even one fits
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

// encode encodes the first of entries, as many as may be in the file and are not
// in it.
func (r *File) encode(entries []Entry) (taken int, written int64, err error) {
	r.buf.Reset()
	for taken < len(entries) && r.buf.Len() < maxWrite {
		if r.replayed(&entries[taken]) {
			taken++
			continue
		}
		before := r.buf.Len()
		if err := encode(&r.buf, &entries[taken]); err != nil {
			return 0, 0, err
		}
		if end := r.size + int64(r.buf.Len()); end > r.maxBytes && r.size+int64(before) > 0 {
			r.buf.Truncate(before)
			break
		}
		taken++
		written++
	}
	return taken, written, nil
}

// write writes what is encoded, or nothing.
func (r *File) write() error {
	if r.buf.Len() == 0 {
		return nil
	}
	_, err := r.f.WriteAt(r.buf.Bytes(), r.size)
	if err == nil {
		err = r.f.Sync()
	}
	if err != nil {
		// A part may be there: cut it off now, or before the next try.
		_ = r.f.Truncate(r.size)
		return fmt.Errorf("reject file: %w", err)
	}
	r.size += int64(r.buf.Len())
	return nil
}

// rotate makes the file its own predecessor and begins a new one.
func (r *File) rotate() error {
	if err := os.Rename(r.path, r.dir.Path(statedir.RejectsPrev)); err != nil {
		return fmt.Errorf("reject file: %w", err)
	}
	r.f.Close()
	r.f = nil
	if r.older > 0 {
		r.stats.RejectsExpired(r.older)
		r.log.Warn("reject file reached its cap, its oldest entries are gone", "file", r.dir.Path(statedir.RejectsPrev), "lines", r.older)
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

// encode appends one entry and a newline.
func encode(buf *bytes.Buffer, e *Entry) error {
	out := struct {
		Time       time.Time `json:"time"`
		Source     string    `json:"source"`
		Generation int64     `json:"generation"`
		LineNumber int64     `json:"line_number"`
		Reason     string    `json:"reason"`
		Line       string    `json:"line"`
		LineBytes  int64     `json:"line_bytes,omitempty"`
	}{Time: e.Time, Source: e.Source, Generation: e.Generation, LineNumber: e.LineNumber, Reason: e.Reason}
	out.Line, out.LineBytes = shown(e)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return fmt.Errorf("reject file: encode: %w", err)
	}
	return nil
}

// shown is what an entry holds of the line, and its length if that is more.
func shown(e *Entry) (line string, lineBytes int64) {
	head := e.Line[:min(len(e.Line), maxLine)]
	if e.LineBytes > int64(len(head)) {
		lineBytes = e.LineBytes
	}
	return text(head), lineBytes
}

// text writes bytes that are not UTF-8 as \xHH.
func text(line []byte) string {
	if utf8.Valid(line) {
		return string(line)
	}
	var b strings.Builder
	for len(line) > 0 {
		r, size := utf8.DecodeRune(line)
		if r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, `\x%02X`, line[0])
		} else {
			b.Write(line[:size])
		}
		line = line[size:]
	}
	return b.String()
}
