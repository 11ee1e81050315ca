package tagvalues

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"

	"github.com/tailflux/tailflux/internal/statedir"
)

// file is the open file. Its size counts durable bytes only, so that a save that
// failed is repeated at the same place: after a failed fsync the kernel may have
// dropped what it could not write.
type file struct {
	dir     *statedir.Dir
	f       *os.File
	saving  chan struct{} // holds one token while a save is under way
	unsaved []byte        // records, for whoever holds the token
	size    int64         // durable bytes, for the holder of the token
}

// open reads the file and makes its contents durable: after a process was killed
// they may not be.
func (w *file) open(dir *statedir.Dir, log *slog.Logger, each func(name, value []byte)) error {
	w.dir, w.saving = dir, make(chan struct{}, 1)
	used := dir.Used()
	f, err := dir.OpenFile(statedir.TagValues, os.O_CREATE|os.O_RDWR)
	if err != nil {
		if dir.SetAside(statedir.TagValues, err) != nil { // as on a full disk: there is no file
			return err
		}
		used = false // the log says so already
		if f, err = dir.OpenFile(statedir.TagValues, os.O_CREATE|os.O_RDWR); err != nil {
			return err
		}
	}
	w.f = f
	if err := w.load(used, log, each); err != nil {
		w.f.Close()
		return err
	}
	return nil
}

// load reads the values. used reports whether there must be some.
func (w *file) load(used bool, log *slog.Logger, each func(name, value []byte)) error {
	has := read(w.f, each)
	switch {
	case has.newer:
		return fmt.Errorf("%s: %w: %w", w.dir.Path(statedir.TagValues), has.damaged, statedir.ErrNewer)
	case has.damaged != nil:
		if err := w.setAside(has, log); err != nil {
			return err
		}
		return w.again(has.good)
	case has.end == 0 && used:
		w.dir.Missing(statedir.TagValues)
	}
	if err := w.cutAfter(has.end, log); err != nil {
		return err
	}
	w.size = has.end
	if has.end == 0 {
		w.unsaved = append(w.unsaved, header...)
	}
	if err := w.append(); err != nil {
		return err
	}
	return w.dir.Sync()
}

// setAside renames a damaged file.
func (w *file) setAside(has contents, log *slog.Logger) error {
	if len(has.good) <= len(header) {
		return w.dir.SetAside(statedir.TagValues, has.damaged)
	}
	kept, err := w.dir.Keep(statedir.TagValues)
	if err != nil {
		return errors.Join(has.damaged, err)
	}
	log.Error("tag values are damaged; continuing with the good ones", "file", w.dir.Path(statedir.TagValues), "err", has.damaged,
		"kept_as", kept, "reason", "lost values are admitted anew: if a tag had reached its limit, different values may be admitted now, "+
			"and lines that are read again may become second points")
	return nil
}

// cutAfter removes what an incomplete save left after the last record.
func (w *file) cutAfter(end int64, log *slog.Logger) error {
	info, err := w.f.Stat()
	if err != nil {
		return err
	}
	if extra := info.Size() - end; extra > 0 && end > 0 {
		log.Warn("tag values ended in an incomplete record, which was cut off; after a crash this loses nothing, "+
			"but if the file was damaged in another way, the values after it are lost", "file", w.dir.Path(statedir.TagValues), "bytes", extra)
	}
	return w.f.Truncate(end)
}

// again replaces the file by a new one with these records.
func (w *file) again(good []byte) error {
	if len(good) == 0 {
		good = []byte(header)
	}
	if err := w.dir.Replace(statedir.TagValues, good); err != nil {
		return err
	}
	f, err := w.dir.OpenFile(statedir.TagValues, os.O_RDWR)
	if err != nil {
		return err
	}
	w.f.Close()
	w.f, w.size = f, int64(len(good))
	return nil
}

// append writes the unsaved records and waits until they are on the disk.
func (w *file) append() error {
	if _, err := w.f.WriteAt(w.unsaved, w.size); err != nil {
		return err
	}
	if err := w.f.Sync(); err != nil {
		return err
	}
	w.size += int64(len(w.unsaved))
	w.unsaved = w.unsaved[:0]
	return nil
}

// save makes the unsaved records durable, after collect has added to them. There
// is one save at a time; a later one waits, because an earlier one may have its
// records.
func (w *file) save(ctx context.Context, collect func(unsaved []byte) []byte) error {
	select {
	case w.saving <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-w.saving }()
	w.unsaved = collect(w.unsaved)
	if len(w.unsaved) == 0 {
		return nil
	}
	err := w.restore()
	if err == nil {
		err = w.append()
	}
	if err != nil {
		return fmt.Errorf("save tag values %s: %w", w.dir.Path(statedir.TagValues), err)
	}
	return nil
}

// restore puts the file back if somebody moved or removed it: the file that we hold
// open has every value, and the next start must find them.
func (w *file) restore() error {
	held, err := w.f.Stat()
	if err != nil {
		return err
	}
	at, err := os.Stat(w.dir.Path(statedir.TagValues))
	if err == nil && os.SameFile(at, held) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	all := make([]byte, w.size)
	if _, err := w.f.ReadAt(all, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return w.again(all)
}

func (w *file) close() error { return w.f.Close() }
