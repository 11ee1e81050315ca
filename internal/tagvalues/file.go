package tagvalues

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/tailflux/tailflux/internal/statedir"
)

// file is the open file.
type file struct {
	dir     *statedir.Dir
	saving  chan struct{}     // holds one token while a save is under way
	journal *statedir.Journal // for whoever holds the token
	unsaved []byte            // records, for the same
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
	w.journal = dir.Journal(statedir.TagValues, f)
	if err := w.load(f, used, log, each); err != nil {
		_ = w.close()
		return err
	}
	return nil
}

// load reads the values. used reports whether there must be some.
func (w *file) load(f *os.File, used bool, log *slog.Logger, each func(name, value []byte)) error {
	has := read(f, each)
	switch {
	case has.newer:
		return fmt.Errorf("%s: %w: %w", w.dir.Path(statedir.TagValues), has.damaged, statedir.ErrNewer)
	case has.damaged != nil:
		if err := w.setAside(has, log); err != nil {
			return err
		}
		if len(has.good) == 0 {
			has.good = []byte(header)
		}
		return w.journal.Replace(has.good)
	case has.end == 0 && used:
		w.dir.Missing(statedir.TagValues)
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if extra := info.Size() - has.end; extra > 0 && has.end > 0 {
		log.Warn("tag values ended in an incomplete record, which was cut off; after a crash this loses nothing, "+
			"but if the file was damaged in another way, the values after it are lost", "file", w.dir.Path(statedir.TagValues), "bytes", extra)
	}
	if err := w.journal.ContinueAt(has.end); err != nil {
		return err
	}
	if has.end == 0 {
		if err := w.journal.Append([]byte(header)); err != nil {
			return err
		}
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
	if err := w.journal.Append(w.unsaved); err != nil {
		return fmt.Errorf("save tag values %s: %w", w.dir.Path(statedir.TagValues), err)
	}
	w.unsaved = w.unsaved[:0]
	return nil
}

func (w *file) close() error { return w.journal.Close() }
