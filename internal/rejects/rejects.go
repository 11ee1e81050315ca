// Package rejects keeps the lines that became no point, as JSON lines in
// rejects.jsonl. Only the write stage writes them.
//
// The file is capped: before it would grow over its limit it becomes
// rejects.jsonl.1, in the place of the one before it, whose entries are gone
// then and counted.
package rejects

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"
)

// Name is the name of the file.
const Name = "rejects.jsonl"

// maxLine is the most bytes of a line that an entry holds.
const maxLine = 8 << 10

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
	path           string
	maxBytes       int64
	f              *os.File
	size           int64
	entries        int64 // in the file
	older, expired int64 // entries in the predecessor; entries that are gone
	buf            bytes.Buffer
}

// Open opens dir's reject file for appending, and makes it if need be. What an
// interrupted write left at its end is cut off. A file that another process has
// open is refused.
func Open(dir string, maxBytes int64) (*File, error) {
	r := &File{path: filepath.Join(dir, Name), maxBytes: maxBytes}
	older, _, err := count(r.path + ".1")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reject file: %w", err)
	}
	r.older = older
	if err := r.open(); err != nil {
		return nil, err
	}
	return r, nil
}

// open opens the file and cuts off what follows its last whole entry.
func (r *File) open() error {
	f, err := os.OpenFile(r.path, os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("reject file: %w", err)
	}
	// Two that write at places of their own would write over each other.
	if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		f.Close()
		return fmt.Errorf("reject file %s: another process writes it", r.path)
	}
	if r.entries, r.size, err = count(r.path); err == nil {
		err = f.Truncate(r.size)
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

// count returns the number of whole entries in a file and their bytes.
func count(path string) (entries, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 64<<10)
	length := int64(0)
	for {
		piece, err := in.ReadSlice('\n')
		length += int64(len(piece))
		switch {
		case err == nil:
			entries++
			size += length
			length = 0
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return entries, size, nil
		default:
			return 0, 0, err
		}
	}
}

// Append writes all entries, or none: after an error the file is as it was and
// the same call may be tried again. It blocks for the disk.
func (r *File) Append(entries []Entry) error {
	if len(entries) == 0 {
		return nil
	}
	if err := r.check(); err != nil {
		return err
	}
	r.buf.Reset()
	for i := range entries {
		if err := encode(&r.buf, &entries[i]); err != nil {
			return err
		}
	}
	if r.size > 0 && r.size+int64(r.buf.Len()) > r.maxBytes {
		if err := r.rotate(); err != nil {
			return err
		}
	}
	if _, err := r.f.WriteAt(r.buf.Bytes(), r.size); err != nil {
		// A part may be there: cut it off now, or before the next try.
		_ = r.f.Truncate(r.size)
		return fmt.Errorf("reject file: %w", err)
	}
	r.size += int64(r.buf.Len())
	r.entries += int64(len(entries))
	return nil
}

// rotate makes the file its own predecessor and begins a new one.
func (r *File) rotate() error {
	if err := os.Rename(r.path, r.path+".1"); err != nil {
		return fmt.Errorf("reject file: %w", err)
	}
	r.f.Close()
	r.f = nil
	r.expired += r.older
	r.older, r.entries, r.size = r.entries, 0, 0
	return r.open()
}

// Expired is the number of entries that the cap has removed since Open.
func (r *File) Expired() int64 { return r.expired }

// Sync waits until the entries are on the disk.
func (r *File) Sync() error {
	if r.f == nil {
		return nil
	}
	return r.f.Sync()
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
	line := e.Line
	if len(line) > maxLine {
		line = line[:maxLine]
	}
	out := struct {
		Time       time.Time `json:"time"`
		Source     string    `json:"source"`
		Generation int64     `json:"generation"`
		LineNumber int64     `json:"line_number"`
		Reason     string    `json:"reason"`
		Line       string    `json:"line"`
		LineBytes  int64     `json:"line_bytes,omitempty"`
	}{e.Time, e.Source, e.Generation, e.LineNumber, e.Reason, text(line), 0}
	if e.LineBytes > int64(len(line)) {
		out.LineBytes = e.LineBytes
	}
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return fmt.Errorf("reject file: encode: %w", err)
	}
	return nil
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
