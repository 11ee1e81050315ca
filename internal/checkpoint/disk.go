package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
)

// Names of the files.
const (
	Name     = "checkpoint"
	previous = Name + ".1"
	aside    = ".bad" // behind the name of one that cannot be used
	lockName = "lock"
)

// ErrInUse is returned by Open while another process has the directory.
var ErrInUse = errors.New("another tailflux uses it; stop that one, or choose another with --state-dir")

// disk is the directory.
type disk struct {
	dir    string
	held   *os.File      // the lock
	saving chan struct{} // holds one token while a save is under way
}

func (d *disk) lock(dir string) error {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return fmt.Errorf("state_dir: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrInUse
		}
		return fmt.Errorf("state_dir %s: %w", dir, err)
	}
	d.dir, d.held, d.saving = dir, f, make(chan struct{}, 1)
	return nil
}

func (d *disk) unlock() { d.held.Close() }

// load reads the latest save that is good; nil when there is none.
func (d *disk) load(log *slog.Logger) (map[string]*Source, error) {
	latest, err := d.read(Name)
	if err == nil {
		return latest, nil
	}
	before, errBefore := d.read(previous)
	if errors.Is(err, errUnreadable) || errors.Is(errBefore, errUnreadable) {
		// Going on would write over a checkpoint that may be good.
		return nil, fmt.Errorf("state_dir: %w", errors.Join(err, errBefore))
	}
	kept, errKept := d.setAside(err, errBefore)
	switch {
	case errKept != nil:
		return nil, fmt.Errorf("state_dir: %w", errKept)
	case kept == nil: // there is none, or it ended between two renames
	case errBefore == nil:
		log.Error("checkpoint cannot be used, going on with the one before it: lines may be read again, which does no harm",
			"err", err, "kept_as", kept)
	default:
		log.Error("checkpoint cannot be used, nor the one before it: each log begins where start says, as at the very first start; "+
			"tailflux verify counts what is missing; tailflux import would deliver what was followed once more", "err", err, "before", errBefore, "kept_as", kept)
	}
	return before, nil
}

// Read returns what the checkpoint in dir remembers of each source, by its name,
// also while another process uses it. Nothing is known in a directory without a
// good one.
func Read(dir string) (map[string]*Source, error) {
	d := disk{dir: dir}
	latest, err := d.read(Name)
	if err == nil {
		return latest, nil
	}
	before, errBefore := d.read(previous)
	switch {
	case errBefore == nil:
		return before, nil
	case errors.Is(err, fs.ErrNotExist) && errors.Is(errBefore, fs.ErrNotExist):
		return nil, nil
	}
	return nil, fmt.Errorf("state_dir: %w", errors.Join(err, errBefore))
}

// setAside keeps the files that are there and bad for a look, or for the newer
// version that wrote them, and returns under which names.
func (d *disk) setAside(latest, before error) (kept []string, err error) {
	for _, file := range []struct {
		name string
		bad  error
	}{{Name, latest}, {previous, before}} {
		if file.bad == nil || errors.Is(file.bad, fs.ErrNotExist) {
			continue
		}
		path := filepath.Join(d.dir, file.name)
		if err := os.Rename(path, path+aside); err != nil {
			return nil, err
		}
		kept = append(kept, path+aside)
	}
	return kept, nil
}

// errUnreadable marks trouble of the disk, not of what is on it.
var errUnreadable = errors.New("cannot be read")

func (d *disk) read(name string) (map[string]*Source, error) {
	path := filepath.Join(d.dir, name)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%s %w: %w", path, errUnreadable, err)
	}
	sources, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return sources, nil
}

// save replaces the file. Whatever happens, a good one is there: the new one, or
// the latest one under its name or the other.
func (d *disk) save(data []byte) error {
	path := filepath.Join(d.dir, Name)
	fresh := path + ".new"
	err := writeSynced(fresh, data)
	if err == nil {
		err = os.Rename(path, filepath.Join(d.dir, previous))
		if errors.Is(err, fs.ErrNotExist) {
			err = nil // the first one
		}
	}
	if err == nil {
		err = os.Rename(fresh, path)
	}
	if err == nil {
		err = syncDir(d.dir)
	}
	if err != nil {
		return fmt.Errorf("save checkpoint: %w", err)
	}
	return nil
}

func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
