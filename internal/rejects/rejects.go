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
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/tailflux/tailflux/internal/stats"
)

// Name is the name of the file.
const Name = "rejects.jsonl"

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

// Open opens dir's reject file for appending, and makes it if need be. What an
// interrupted write left at its end is cut off. A file that another process has
// open is refused.
//
// undelivered tells whether a line may be read again, being behind what the
// checkpoint says is delivered; nil when none is.
func Open(dir string, maxBytes int64, undelivered func(source string, generation, line int64) bool, st *stats.Stats, log *slog.Logger) (*File, error) {
	r := &File{
		path: filepath.Join(dir, Name), maxBytes: maxBytes, stats: st, log: log,
		replays: map[generation]*replay{},
	}
	var note func(entry []byte)
	if undelivered != nil {
		note = func(entry []byte) { r.note(entry, undelivered) }
	}
	older, _, err := survey(r.path+".1", note)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reject file: %w", err)
	}
	r.older = older
	if err := r.open(note); err != nil {
		return nil, err
	}
	return r, nil
}

// open opens the file and cuts off what follows its last whole entry. note is
// told each entry.
func (r *File) open(note func(entry []byte)) error {
	f, err := os.OpenFile(r.path, os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("reject file: %w", err)
	}
	// Two that write at places of their own would write over each other.
	if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		f.Close()
		return fmt.Errorf("reject file %s: another process writes it", r.path)
	}
	if r.entries, r.size, err = survey(r.path, note); err == nil {
		err = f.Truncate(r.size)
	}
	if err == nil {
		err = syncDir(filepath.Dir(r.path)) // that it is there
	}
	if err != nil {
		f.Close()
		return fmt.Errorf("reject file: %w", err)
	}
	r.f = f
	return nil
}

// check makes sure that the open file is the one at the path, and holds what was
// written: somebody may have removed, moved or emptied it.
func (r *File) check() error {
	if r.f == nil {
		return r.open(nil)
	}
	held, err := r.f.Stat()
	if err != nil {
		return fmt.Errorf("reject file: %w", err)
	}
	if at, err := os.Stat(r.path); err != nil || !os.SameFile(at, held) || held.Size() < r.size {
		r.f.Close()
		r.f = nil
		return r.open(nil)
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
	if err := os.Rename(r.path, r.path+".1"); err != nil {
		return fmt.Errorf("reject file: %w", err)
	}
	r.f.Close()
	r.f = nil
	if r.older > 0 {
		r.stats.RejectsExpired(r.older)
		r.log.Warn("reject file reached its cap, its oldest entries are gone", "file", r.path+".1", "lines", r.older)
	}
	r.older, r.entries, r.size = r.entries, 0, 0
	return r.open(nil)
}

// syncDir waits until the names in a directory are on the disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
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
