package statedir

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// SetAside renames a file that cannot be used, for the reason in bad, so that
// nothing overwrites it, and logs what that costs. It returns an error if the file
// cannot be renamed.
func (d *Dir) SetAside(name string, bad error) error {
	kept, err := d.Keep(name)
	if err != nil {
		return fmt.Errorf("%s cannot be used (%w) and cannot be renamed: %w", d.Path(name), bad, err)
	}
	d.log.Error("state file cannot be used and was renamed; continuing without it",
		"file", d.Path(name), "err", bad, "kept_as", kept, "reason", costOf(name))
	return nil
}

// Missing logs that a file that must have had contents is missing or empty.
func (d *Dir) Missing(name string) {
	d.log.Error("state file is missing or empty; continuing without it", "file", d.Path(name), "reason", costOf(name))
}

// Keep is SetAside for a caller that logs the consequences itself. It replaces an
// older ".bad" file of the same name.
func (d *Dir) Keep(name string) (kept string, err error) {
	kept = d.Path(name) + Bad
	if info, err := os.Lstat(kept); err == nil && info.IsDir() {
		_ = os.Remove(kept) // succeeds if it is empty
	}
	err = os.Rename(d.Path(name), kept)
	for n := 1; err != nil && !errors.Is(err, fs.ErrNotExist) && n <= 9; n++ { // a directory that is not empty is in the way
		kept = fmt.Sprintf("%s%s.%d", d.Path(name), Bad, n)
		err = os.Rename(d.Path(name), kept)
	}
	return kept, err
}

// clear renames whatever is in the place of a temporary file and would make every
// save fail: a directory, a link, another user's file.
func (d *Dir) clear(name string) error {
	f, err := os.OpenFile(d.Path(name), os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err == nil {
		f.Close()
	}
	if !d.foreign(name) && (err == nil || errors.Is(err, fs.ErrNotExist)) {
		return nil
	}
	return d.SetAside(name, cmp.Or(err, errForeign))
}

// foreign reports whether something other than a regular file has that name.
func (d *Dir) foreign(name string) bool {
	info, err := os.Lstat(d.Path(name))
	return err == nil && !info.Mode().IsRegular()
}

var errForeign = errors.New("it is not a regular file")

// regular returns an error unless there is a regular file at path, or a link to
// one. Opening a pipe would block.
func regular(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return &fs.PathError{Op: "open", Path: path, Err: syscall.EISDIR}
	case !info.Mode().IsRegular():
		return &fs.PathError{Op: "open", Path: path, Err: errForeign}
	}
	return nil
}
