// Package statedir owns the directory in which tailflux keeps everything that
// must survive a restart: the one lock, the one way to replace a file durably,
// and the names and modes of all files. The contents of a file belong to the
// package that writes it.
//
// A damaged file never keeps the daemon from starting. A file that cannot be used
// is renamed to its name and ".bad", the log says what that costs, and its owner
// continues without it. The exception is a file in a newer format ([ErrNewer]):
// continuing would lose lines or store them twice.
package statedir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
)

// Errors of Open and of the packages that read a file of the directory.
var (
	// ErrInUse means that another process has locked the directory.
	ErrInUse = errors.New("another tailflux uses it; stop that one, or choose another with --state-dir")
	// ErrNewer means that a newer tailflux wrote the file.
	ErrNewer = errors.New("written by a newer tailflux; run that version, or choose another directory with --state-dir")
)

// The group may read everything, so that its members can run tailflux verify and
// look at rejected lines.
const (
	fileMode = 0o640
	dirMode  = 0o750
)

// Dir is the state directory, locked by this process. Only one goroutine at a time
// may replace the file of a given name; everything else is safe for several.
type Dir struct {
	path  string
	lock  *os.File
	log   *slog.Logger
	used  bool
	heirs owner
}

// Open creates the directory if necessary, locks it, lets the group read files
// that older versions kept from it, and clears what would be in the way of the
// next save. What root makes in the directory of another user belongs to that user.
// Close unlocks the directory.
func Open(path string, log *slog.Logger) (*Dir, error) {
	if err := create(path); err != nil {
		return nil, fmt.Errorf("state_dir: %w (choose another with --state-dir)", err)
	}
	d := &Dir{path: path, log: log, heirs: heirs(path)}
	err := d.take()
	if err != nil && d.foreign(Lock) && !errors.Is(err, ErrInUse) && !errors.Is(err, fs.ErrPermission) {
		// A directory, a pipe or a link to nothing: nobody holds a lock on it.
		if err = d.SetAside(Lock, err); err == nil {
			err = d.take()
		}
	}
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return nil, d.denied(err)
	case errors.Is(err, ErrInUse):
		return nil, fmt.Errorf("state_dir %s: %w", path, err)
	case err != nil:
		return nil, fmt.Errorf("state_dir: %w (choose another with --state-dir)", err)
	}
	d.used = d.Has(Checkpoint) || d.Has(CheckpointPrev)
	for _, f := range Files {
		if info, err := os.Lstat(d.Path(f.Name)); err == nil && info.Mode().IsRegular() && info.Mode().Perm() != fileMode {
			_ = os.Chmod(d.Path(f.Name), fileMode) // fails for another user's file; reading it reports that
		}
		if err := d.clear(f.Name + fresh); err != nil {
			d.Close()
			return nil, fmt.Errorf("state_dir: %w", err)
		}
	}
	return d, nil
}

// create creates the directory, for the group to read whatever the umask. The
// mode of an existing one was chosen by its owner.
func create(path string) error {
	_, missing := os.Stat(path)
	if err := os.MkdirAll(path, dirMode); err != nil {
		return err
	}
	if missing != nil {
		_ = os.Chmod(path, dirMode) // matters to readers only
	}
	return nil
}

// take locks the directory for this process.
func (d *Dir) take() error {
	f, err := d.OpenFile(Lock, os.O_CREATE|os.O_RDWR)
	if errors.Is(err, fs.ErrPermission) && os.Chmod(d.Path(Lock), fileMode) == nil {
		f, err = d.OpenFile(Lock, os.O_CREATE|os.O_RDWR)
	}
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrInUse
		}
		return err
	}
	d.lock = f
	return nil
}

// Close unlocks the directory.
func (d *Dir) Close() { d.lock.Close() }

// Path is where the file of a name is.
func (d *Dir) Path(name string) string { return filepath.Join(d.path, name) }

// Used reports whether the directory had a checkpoint, usable or not, when it was
// opened: this is not the first start.
func (d *Dir) Used() bool { return d.used }

// Has reports whether there is a file of that name, usable or not. A link to
// nothing is no file.
func (d *Dir) Has(name string) bool {
	_, err := os.Stat(d.Path(name))
	return !errors.Is(err, fs.ErrNotExist)
}

// OpenFile opens a file that its owner writes in place. A name that OpenFile
// creates is durable only after [Dir.Sync].
func (d *Dir) OpenFile(name string, flag int) (*os.File, error) {
	if err := regular(d.Path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return d.open(name, flag)
}

func (d *Dir) open(name string, flag int) (*os.File, error) {
	if flag&os.O_CREATE == 0 {
		return os.OpenFile(d.Path(name), flag, fileMode)
	}
	f, err := d.makeFile(d.Path(name), flag)
	if err != nil {
		return nil, err
	}
	_ = f.Chmod(fileMode) // whatever the umask; it matters to readers only
	return f, nil
}

// fresh is the suffix of a file that is being written. The next save overwrites
// what a crash leaves there.
const fresh = ".new"

// Replace replaces a file so that after a crash either the old or the new one is
// there, whole. It blocks for the disk.
func (d *Dir) Replace(name string, data []byte) error { return d.replace(name, "", data) }

// ReplaceKeeping is Replace, but keeps the old file under the name previous. After
// a crash that may be the only one.
func (d *Dir) ReplaceKeeping(name, previous string, data []byte) error {
	return d.replace(name, previous, data)
}

func (d *Dir) replace(name, previous string, data []byte) error {
	err := d.write(name+fresh, data)
	if err == nil && previous != "" {
		err = os.Rename(d.Path(name), d.Path(previous))
		if errors.Is(err, fs.ErrNotExist) {
			err = nil // this is the first save
		}
	}
	if err == nil {
		err = os.Rename(d.Path(name+fresh), d.Path(name))
	}
	if err == nil {
		err = d.Sync()
	}
	if err != nil {
		return fmt.Errorf("save %s: %w", d.Path(name), err)
	}
	return nil
}

func (d *Dir) write(name string, data []byte) error {
	f, err := d.open(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC)
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

// Sync waits until the names in the directory are on the disk.
func (d *Dir) Sync() error {
	f, err := os.Open(d.path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// Read reads a file.
func (d *Dir) Read(name string) ([]byte, error) { return Read(d.path, name) }

// OpenRead opens a file for reading.
func (d *Dir) OpenRead(name string) (*os.File, error) { return OpenRead(d.path, name) }

// Read reads a file of a state directory, which another process may have locked.
func Read(dir, name string) ([]byte, error) {
	f, err := OpenRead(dir, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// OpenRead opens a file of a state directory, which another process may have
// locked, for reading.
func OpenRead(dir, name string) (*os.File, error) {
	path := filepath.Join(dir, name)
	if err := regular(path); err != nil {
		return nil, err
	}
	return os.Open(path)
}
