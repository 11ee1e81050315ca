package statedir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// An owner is the user and the group that a file belongs to.
type owner struct{ uid, gid int }

// ownerOf is the owner of what is at path; root's when that is not known.
func ownerOf(path string) owner {
	info, err := os.Stat(path)
	if err != nil {
		return owner{}
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return owner{int(st.Uid), int(st.Gid)}
	}
	return owner{}
}

// Owner is the name of the user that what is at path belongs to, or the number of one
// without a name; "" if it is root, or nothing is there.
func Owner(path string) string {
	if is := ownerOf(path); is.uid != 0 {
		return is.String()
	}
	return ""
}

func (o owner) String() string {
	number := strconv.Itoa(o.uid)
	if u, err := user.LookupId(number); err == nil {
		return u.Username
	}
	return number
}

// heirs are to whom the files are given that this process makes, or root's: root who uses the
// directory of another user leaves nothing there that this user could not read. It would lose
// its checkpoint. Root who may write there because everybody may, or a group that is root's,
// gives nothing away: without the capability to override modes it could not read it again.
func heirs(path string) owner {
	info, err := os.Stat(path)
	if err != nil || os.Geteuid() != 0 {
		return owner{}
	}
	is := ownerOf(path)
	if mode := info.Mode().Perm(); mode&0o002 != 0 || mode&0o020 != 0 && is.gid == os.Getegid() {
		return owner{}
	}
	return is
}

// makeFile opens a file that may have to be made. Only one that is made here is given away:
// another one may be a link to a file of somebody else.
func (d *Dir) makeFile(path string, flag int) (*os.File, error) {
	if d.heirs.uid != 0 {
		f, err := os.OpenFile(path, flag|os.O_EXCL, fileMode)
		if err == nil {
			_ = f.Chown(d.heirs.uid, d.heirs.gid) // root without that capability keeps it
		}
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
	return os.OpenFile(path, flag, fileMode)
}

// denied says what is to be done when the lock may not be opened.
func (d *Dir) denied(err error) error {
	dir, me := ownerOf(d.path), owner{uid: os.Geteuid()}
	remedy := fmt.Sprintf("run it as the user who owns the directory, %s", dir)
	switch lock := ownerOf(d.Path(Lock)); {
	case errors.Is(err, syscall.EROFS), me.uid == 0:
		remedy = "make it writable"
	case dir.uid != me.uid:
	case d.Has(Lock) && lock.uid != dir.uid:
		remedy = fmt.Sprintf("the directory belongs to %s, and this file to %s: sudo chown -R %s %s", dir, lock, dir, d.path)
	default:
		remedy = "chmod u+rwx " + d.path
	}
	return fmt.Errorf("state_dir: %w (tailflux must be able to write there: %s, or choose another with --state-dir)", err, remedy)
}
