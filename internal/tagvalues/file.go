package tagvalues

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// file is the open file. Its end is moved only by what is durable, so a save
// that failed is made again at the same place: after a failed fsync the kernel
// may have forgotten what it could not write.
type file struct {
	path    string
	f       *os.File
	saving  chan struct{} // holds one token while a save is under way
	unsaved []byte        // records, for whoever holds the token
	size    int64         // durable bytes, likewise
}

// open reads the file and makes its contents durable: those of a process that
// was killed may not be.
func (w *file) open(path string, each func(name, value []byte)) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return err
	}
	w.path, w.f, w.saving = path, f, make(chan struct{}, 1)
	if err := w.load(each); err != nil {
		f.Close()
		return err
	}
	return nil
}

func (w *file) load(each func(name, value []byte)) error {
	// Two that admit values would each write over the other's.
	if err := lock(w.f); err != nil {
		return err
	}
	end, err := read(w.f, each)
	if err != nil {
		return err
	}
	if err := w.f.Truncate(end); err != nil {
		return err
	}
	w.size = end
	if end == 0 {
		w.unsaved = append(w.unsaved, header...)
	}
	if err := w.append(); err != nil {
		return err
	}
	return syncDir(w.path)
}

func lock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errors.New("another process uses it; stop that one, or choose another state_dir")
	}
	return err
}

// append writes what is unsaved and waits until the disk has it.
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

// save makes durable what collect adds to the records that are unsaved. One
// save is under way at a time; a later one waits, because an earlier one may
// have its records.
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
		return fmt.Errorf("save tag values %s: %w", w.path, err)
	}
	return nil
}

// restore puts the file back when somebody moved it away or removed it: what we
// hold open has every value, and the next start must find them.
func (w *file) restore() error {
	held, err := w.f.Stat()
	if err != nil {
		return err
	}
	if at, err := os.Stat(w.path); err == nil && os.SameFile(at, held) {
		return nil
	}
	// It is at its path whole, or not at all.
	temporary := w.path + ".new"
	f, err := os.OpenFile(temporary, os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	if err = lock(f); err == nil {
		_, err = io.Copy(f, io.NewSectionReader(w.f, 0, w.size))
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(temporary, w.path)
	}
	if err != nil {
		f.Close()
		return err
	}
	w.f.Close()
	w.f = f
	return syncDir(w.path)
}

func (w *file) close() error { return w.f.Close() }

// syncDir makes the name of a new file durable.
func syncDir(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
