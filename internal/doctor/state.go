package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/statedir"
)

// state looks at the state directory, and for who uses it.
func (d *doctor) state() {
	dir := d.Config.StateDir
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.noState(dir)
		return
	case err != nil:
		d.say(Error, "state-dir", cause(err)+": "+dir, "look as root: sudo tailflux check")
		return
	case !info.IsDir():
		d.say(Error, "state-dir", dir+" is no directory", "choose another state_dir")
		return
	}
	switch err := d.User.may(dir, unix.R_OK|unix.W_OK|unix.X_OK); {
	case d.Unit.Dynamic && d.Unit.makes(dir): // it is the user's at the start
		d.ok("state-dir", "%s is given to the daemon by StateDirectory= of %s", dir, d.Unit.File)
	case errors.Is(err, syscall.EROFS):
		d.say(Error, "state-dir", dir+" is on a read-only file system", "choose another state_dir, or mount it for writing")
	case err != nil:
		d.say(Error, "state-dir", fmt.Sprintf("%q may not write to %s (%s)", d.User.Name, dir, rights(dir)),
			"chown -R "+d.User.Name+" "+dir+", or choose another state_dir")
	default:
		d.ok("state-dir", "%s: %q may write to it (%s)", dir, d.User.Name, rights(dir))
	}
	if info.Mode().Perm()&0o007 != 0 && d.hasRejects() {
		d.say(Warning, "state-dir",
			fmt.Sprintf("everybody may look into %s (%s), and rejected lines are what clients sent", dir, rights(dir)),
			"chmod 0750 "+dir)
	}
	d.stateFiles(dir)
	d.space(dir)
	d.findHolder(dir)
}

func (d *doctor) hasRejects() bool {
	info, err := os.Stat(filepath.Join(d.Config.StateDir, statedir.Rejects))
	return err == nil && info.Size() > 0 && info.Mode().Perm()&0o004 != 0
}

// noState says who will make the directory.
func (d *doctor) noState(dir string) {
	if d.Unit.makes(dir) {
		d.ok("state-dir", "%s is made at the start, by StateDirectory= of %s", dir, d.Unit.File)
		return
	}
	parent := filepath.Dir(dir)
	for parent != filepath.Dir(parent) && missing(parent) {
		parent = filepath.Dir(parent)
	}
	if err := d.User.may(parent, unix.W_OK|unix.X_OK); err != nil {
		d.say(Error, "state-dir", fmt.Sprintf("%s is not there, and %q may not make it (%s: %s)", dir, d.User.Name, parent, rights(parent)),
			fmt.Sprintf("install -d -o %s -m 0750 %s, or choose another state_dir", d.User.Name, dir))
		return
	}
	d.ok("state-dir", "%s is made at the start: %q may write to %s", dir, d.User.Name, parent)
	d.space(parent)
}

// stateFiles says which files of the directory cannot be used.
func (d *doctor) stateFiles(dir string) {
	before := len(d.found)
	for _, f := range statedir.Files {
		path := filepath.Join(dir, f.Name)
		if _, err := os.Lstat(path); err != nil || d.Unit.Dynamic {
			continue
		}
		if err := d.User.may(path, unix.R_OK|unix.W_OK); errors.Is(err, fs.ErrPermission) {
			d.say(Error, "state-files", fmt.Sprintf("%q may not write to %s (%s)", d.User.Name, path, rights(path)), "chown "+d.User.Name+" "+path)
		}
	}
	var err error
	if d.checkpoint, err = checkpoint.Read(dir); err != nil {
		d.say(Error, "state-files", err.Error(), "see docs/state-directory.md: it says what the loss of each file costs")
	}
	if bad, _ := filepath.Glob(filepath.Join(dir, "*"+statedir.Bad)); len(bad) > 0 { // the pattern is right
		d.say(Note, "state-files", "a damaged file was set aside: "+bad[0], "see docs/state-directory.md, and remove it")
	}
	if len(d.found) == before {
		d.ok("state-files", "%s known to the checkpoint", count(len(d.checkpoint), "source"))
	}
}

// space compares what is free with what the reject file may take.
func (d *doctor) space(dir string) {
	var fs syscall.Statfs_t
	if syscall.Statfs(dir, &fs) != nil {
		return
	}
	free := int64(fs.Bavail) * int64(fs.Bsize) //nolint:gosec,unconvert // bytes of a disk; 32 bits on ARM
	const others = 16 << 20
	need := 2*d.Config.RejectsMaxBytes + others
	for _, name := range []string{statedir.Rejects, statedir.RejectsPrev} {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil {
			need -= info.Size()
		}
	}
	switch {
	case free < others:
		d.say(Error, "space", fmt.Sprintf("%s is left for %s: without space reading stands still", size(free), dir), "df -h "+dir)
	case free < need:
		d.say(Warning, "space",
			fmt.Sprintf("%s is left for %s, and the reject file may take %s", size(free), dir, size(need)),
			"df -h "+dir+", or a lower rejects_max_bytes")
	default:
		d.ok("space", "%s is left for %s", size(free), dir)
	}
}
