// Package statedir owns the directory in which tailflux keeps what must survive
// a restart: it has the one lock, the one way to replace a file durably, and the
// names and modes of all files. What is in a file is up to the package that
// writes it.
//
// No damaged file ends the daemon. A file that cannot be used is set aside under
// its name and ".bad", the log says what that costs, and its owner goes on
// without it. The exception is a file in a newer format ([ErrNewer]): going on
// would lose or double lines.
package statedir

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
)

// Errors of Open and of the packages that read a file of the directory.
var (
	// ErrInUse means that another process has the directory.
	ErrInUse = errors.New("another tailflux uses it; stop that one, or choose another with --state-dir")
	// ErrNewer means that a newer tailflux has written the file.
	ErrNewer = errors.New("written by a newer tailflux; run that version, or choose another directory with --state-dir")
)

// mode of every file: the group may read, so that its members can run tailflux
// verify and look at rejected lines.
const (
	fileMode = 0o640
	dirMode  = 0o750
)

// Dir is the directory while this process has it. Replace is for one goroutine a
// name; everything else for any.
type Dir struct {
	path string
	lock *os.File
	log  *slog.Logger
}

// Open makes the directory if need be, takes its lock, and lets the group read
// what older versions kept from it. Close gives the directory up.
func Open(path string, log *slog.Logger) (*Dir, error) {
	if err := os.MkdirAll(path, dirMode); err != nil {
		return nil, fmt.Errorf("state_dir: %w (choose another with --state-dir)", err)
	}
	d := &Dir{path: path, log: log}
	err := d.take()
	if errors.Is(err, syscall.EISDIR) { // nobody can have locked that
		err = d.SetAside(Lock, err)
		if err == nil {
			err = d.take()
		}
	}
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return nil, fmt.Errorf("state_dir: %w (it must be writable; choose another with --state-dir)", err)
	case errors.Is(err, ErrInUse):
		return nil, fmt.Errorf("state_dir %s: %w", path, err)
	case err != nil:
		return nil, fmt.Errorf("state_dir: %w", err)
	}
	for _, f := range Files {
		at := d.Path(f.Name)
		if info, err := os.Lstat(at); err == nil && info.Mode().IsRegular() && info.Mode().Perm() != fileMode {
			_ = os.Chmod(at, fileMode) // somebody else's: reading it says what is wrong
		}
	}
	return d, nil
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

// Close gives the directory up.
func (d *Dir) Close() { d.lock.Close() }

// Path is where the file of a name is.
func (d *Dir) Path(name string) string { return filepath.Join(d.path, name) }

// Has reports whether there is a file of that name.
func (d *Dir) Has(name string) bool {
	_, err := os.Lstat(d.Path(name))
	return err == nil
}

// OpenFile opens a file that its owner writes in place. When it is made, its
// name is not durable before [Dir.Sync].
func (d *Dir) OpenFile(name string, flag int) (*os.File, error) {
	f, err := os.OpenFile(d.Path(name), flag, fileMode)
	if err != nil {
		return nil, err
	}
	if flag&os.O_CREATE != 0 {
		_ = f.Chmod(fileMode) // whatever the umask; it matters to readers only
	}
	return f, nil
}

// fresh is what the name of a file has behind it while it is being written. What
// a crash leaves there is overwritten by the next save.
const fresh = ".new"

// Replace replaces a file so that, whatever happens, it is there whole, old or
// new. It blocks for the disk.
func (d *Dir) Replace(name string, data []byte) error { return d.replace(name, "", data) }

// ReplaceKeeping replaces a file likewise, and keeps the one before it under
// another name. Between two renames there may be that one only.
func (d *Dir) ReplaceKeeping(name, previous string, data []byte) error {
	return d.replace(name, previous, data)
}

func (d *Dir) replace(name, previous string, data []byte) error {
	err := d.write(name+fresh, data)
	if err == nil && previous != "" {
		err = os.Rename(d.Path(name), d.Path(previous))
		if errors.Is(err, fs.ErrNotExist) {
			err = nil // this is the first one
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
	f, err := d.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC)
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

// Read reads a file of a directory that another process may have.
func Read(dir, name string) ([]byte, error) { return os.ReadFile(filepath.Join(dir, name)) }

// SetAside renames a file that cannot be used, for the reason in bad, so that
// nothing is written over it, and logs what that costs. The error is that it
// cannot be renamed.
func (d *Dir) SetAside(name string, bad error) error {
	kept, err := d.Keep(name)
	if err != nil {
		return fmt.Errorf("%s cannot be used (%w), nor set aside: %w", d.Path(name), bad, err)
	}
	d.log.Error("state file cannot be used and was set aside; going on without it",
		"file", d.Path(name), "err", bad, "kept_as", kept, "reason", costOf(name))
	return nil
}

// Missing logs that a file is not there, or is empty, which had contents once.
func (d *Dir) Missing(name string) {
	d.log.Error("state file is missing or empty; going on without it", "file", d.Path(name), "reason", costOf(name))
}

// Keep renames a file that cannot be used like [Dir.SetAside], and leaves it to the
// caller to log that. An earlier one under that name is gone then.
func (d *Dir) Keep(name string) (kept string, err error) {
	kept = d.Path(name) + Bad
	if info, err := os.Lstat(kept); err == nil && info.IsDir() {
		_ = os.Remove(kept) // an empty one makes room
	}
	err = os.Rename(d.Path(name), kept)
	for n := 1; err != nil && !errors.Is(err, fs.ErrNotExist) && n <= 9; n++ { // a full directory is in the way
		kept = fmt.Sprintf("%s%s.%d", d.Path(name), Bad, n)
		err = os.Rename(d.Path(name), kept)
	}
	return kept, err
}
