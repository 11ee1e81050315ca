package rollup

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"os"
	"strconv"
	"strings"

	"github.com/tailflux/tailflux/internal/statedir"
)

// The file has a line for each intent, which begins with its checksum:
//
//	tailflux intents 1
//	c658c4dd 1 1000001 1012345 "nginx_site#0c3fd21a" "web" 1000001 0 0 500301
//	679d5629 1 1012345 1013333 "nginx_site#0c3fd21a" "web" 1000001 1795168800000000000 17 500301
//
// that is, the generation, the number of the first line and of the one after the last, the
// rollup, the source, what its stamps are made of: [Intent.Base], [Intent.Newest] and their
// milliseconds, if the store keeps no more, else 0; and the number of the first line of the
// generation. The last two may be missing. Zeros in place of the first three: only the
// milliseconds were used.
const (
	headerBegin = "tailflux intents "
	format      = 1
	header      = headerBegin + "1\n"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksumLen is the length of a checksum in hexadecimal.
const checksumLen = 8

func appendRecord(dst []byte, i Intent) []byte {
	text := fmt.Sprintf("%d %d %d %q %q %d %d", i.Generation, i.Begin, i.End, i.Rollup, i.Source, i.Base, i.Newest)
	switch {
	case i.First > 0:
		text += fmt.Sprintf(" %d %d", i.Millis, i.First)
	case i.Millis > 0:
		text += fmt.Sprintf(" %d", i.Millis)
	}
	return fmt.Appendf(dst, "%0*x %s\n", checksumLen, crc32.Checksum([]byte(text), castagnoli), text)
}

// parseRecord is the reverse, of a line without its newline.
func parseRecord(line string) (i Intent, ok bool) {
	sum, text, _ := strings.Cut(line, " ")
	if sum != fmt.Sprintf("%0*x", checksumLen, crc32.Checksum([]byte(text), castagnoli)) {
		return i, false
	}
	n, _ := fmt.Sscanf(text, "%d %d %d %q %q %d %d %d %d", &i.Generation, &i.Begin, &i.End, &i.Rollup, &i.Source, &i.Base, &i.Newest, &i.Millis, &i.First)
	return i, n >= 7 // the last ones may be missing
}

// ReadIntents returns the intents of a file's contents, and where the last whole record
// ends. What an append that did not end may leave there is no error: it was not used.
// Anything else is damage.
func ReadIntents(data []byte) (all []Intent, end int64, err error) {
	first, rest, _ := bytes.Cut(data, []byte{'\n'})
	if string(first)+"\n" != header {
		number, ours := strings.CutPrefix(string(first), headerBegin)
		if n, err := strconv.Atoi(number); ours && err == nil && n > format {
			return nil, 0, fmt.Errorf("line 1: got %.40q, want %q: %w", first, header, statedir.ErrNewer)
		}
		return nil, 0, fmt.Errorf("line 1: got %.40q, want %q", first, header)
	}
	end = int64(len(header))
	for number := 2; len(rest) > 0; number++ {
		line, after, whole := bytes.Cut(rest, []byte{'\n'})
		i, ok := parseRecord(string(line))
		switch {
		case !whole:
			return all, end, err
		case ok:
			all = append(all, i)
			if err == nil {
				end += int64(len(line)) + 1
			}
		case bytes.IndexByte(line, 0) >= 0 && err == nil:
			return all, end, nil // nothing after it was durable either
		case err == nil:
			err = fmt.Errorf("line %d: got a damaged record", number)
		}
		rest = after
	}
	return all, end, err
}

// file is the open file.
type file struct {
	dir *statedir.Dir
	*statedir.Journal
}

// OpenBook reads the intents in a state directory, and creates their file if necessary; used
// reports whether there must be one. An incomplete record at its end is cut off. Of a
// damaged file, which is renamed, the good records are kept; the log says what that costs.
// It returns [statedir.ErrNewer], or an error if the file can neither be used nor renamed.
func OpenBook(dir *statedir.Dir, used bool, log *slog.Logger) (*Book, error) {
	w := &file{dir, dir.Journal(statedir.Intents, nil)}
	kept, err := w.open(used, log)
	if err != nil {
		return nil, fmt.Errorf("intents: %w", err)
	}
	return NewBook(w, kept), nil
}

func (w *file) open(used bool, log *slog.Logger) (kept []Intent, err error) {
	data, err := w.dir.Read(statedir.Intents)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if used {
			w.dir.Missing(statedir.Intents)
		}
		return nil, w.Replace(nil)
	case err != nil:
		if err := w.dir.SetAside(statedir.Intents, err); err != nil {
			return nil, err
		}
		return nil, w.Replace(nil)
	}
	kept, end, err := ReadIntents(data)
	switch {
	case errors.Is(err, statedir.ErrNewer):
		return nil, fmt.Errorf("%s: %w", w.dir.Path(statedir.Intents), err)
	case err != nil:
		return kept, w.setAside(kept, err, log)
	}
	if extra := int64(len(data)) - end; extra > 0 {
		log.Warn("intents of rollups ended in an incomplete record, which was cut off; after a crash this loses nothing, "+
			"but if the file was damaged in another way, what was on the way may be counted twice in rollups",
			"file", w.dir.Path(statedir.Intents), "bytes", extra)
	}
	f, err := w.dir.OpenFile(statedir.Intents, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	w.Journal = w.dir.Journal(statedir.Intents, f)
	return kept, w.ContinueAt(end)
}

// setAside renames a damaged file and goes on with its good records in a new one.
func (w *file) setAside(good []Intent, bad error, log *slog.Logger) error {
	as, err := w.dir.Keep(statedir.Intents)
	if err != nil {
		return errors.Join(bad, err)
	}
	log.Error("intents of rollups are damaged; continuing with the good ones", "file", w.dir.Path(statedir.Intents), "err", bad, "kept_as", as,
		"reason", "after a crash, what was on the way may be counted twice in rollups")
	var all []byte
	for _, i := range good {
		all = appendRecord(all, i)
	}
	return w.Replace(all)
}

// Replace is as in [Disk].
func (w *file) Replace(records []byte) error {
	return w.Journal.Replace(append([]byte(header), records...))
}

// Close closes the file of the book.
func (b *Book) Close() error {
	if w, ok := b.disk.(*file); ok {
		return w.Close()
	}
	return nil
}
