package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// do calls f with the rights of the user to files: the kernel judges, with access control
// lists and all.
func (u *User) do(f func()) {
	if u.isSelf() {
		f()
		return
	}
	done := make(chan struct{})
	go func() { // do waits for it
		defer close(done)
		// Never unlocked: the thread ends with the goroutine, and its rights with it.
		runtime.LockOSThread()
		// Each of these is about this thread alone, as what is behind syscall.Setuid is not.
		if unix.Setgroups(append([]int{u.GID}, u.Groups...)) != nil || unix.Setfsgid(u.GID) != nil || unix.Setfsuid(u.UID) != nil {
			return
		}
		if uid, err := unix.SetfsuidRetUid(u.UID); err != nil || uid != u.UID {
			return // f is not called: nothing is known
		}
		f()
	}()
	<-done
}

// may returns nil if the kernel lets the user do this: unix.R_OK, W_OK, X_OK.
func (u *User) may(path string, mode uint32) error {
	err := errors.New("cannot become " + u.Name)
	u.do(func() { err = access(path, mode) })
	if errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.EPERM) { // before Linux 5.8, and in an old container
		info, is := os.Stat(path)
		if err = is; err == nil && !u.would(info.Mode(), ownerOf(info), mode) {
			err = syscall.EACCES
		}
	}
	return err
}

// access asks for the rights by which files are opened; access(2) takes others.
func access(path string, mode uint32) error {
	name, err := unix.BytePtrFromString(path)
	if err != nil {
		return err
	}
	here := unix.AT_FDCWD
	_, _, errno := unix.Syscall6(unix.SYS_FACCESSAT2, uintptr(here), uintptr(unsafe.Pointer(name)), uintptr(mode), unix.AT_EACCESS, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// would reports whether somebody with these rights may do this with a file of a mode and an
// owner.
func (u *User) would(mode fs.FileMode, is owner, wanted uint32) bool {
	bits := fs.FileMode(wanted)
	switch {
	case u.UID == 0:
		return true
	case u.UID == is.uid:
		bits <<= 6
	case u.GID == is.gid || slices.Contains(u.Groups, is.gid):
		bits <<= 3
	}
	return mode&bits == bits
}

// A denial is why a file cannot be read, and what to do.
type denial struct{ Reason, Remedy string }

// denied is why the user cannot read a file, nil if it can.
func (u *User) denied(path string) *denial {
	var err error
	u.do(func() {
		var f *os.File
		if f, err = os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0); err == nil {
			f.Close()
		}
	})
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrPermission):
		return &denial{Reason: path + ": " + cause(err)}
	}
	if dir := u.stopsAt(path); dir != "" {
		return &denial{
			fmt.Sprintf("%s: %q may not enter %s (%s)", path, u.Name, dir, rights(dir)),
			fmt.Sprintf("chmod o+x %s, or setfacl -m u:%s:x %s", dir, u.Name, dir),
		}
	}
	return &denial{fmt.Sprintf("%s: %q may not read it (%s)", path, u.Name, rights(path)), u.remedy(path)}
}

// stopsAt is the directory on the way to a path that the user may not enter, or "".
func (u *User) stopsAt(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return ""
	}
	var way []string
	for dir := filepath.Dir(abs); ; dir = filepath.Dir(dir) {
		way = append(way, dir)
		if dir == filepath.Dir(dir) {
			break
		}
	}
	for _, dir := range slices.Backward(way) {
		if errors.Is(u.may(dir, unix.X_OK), fs.ErrPermission) {
			return dir
		}
	}
	return ""
}

// remedy is how the user comes to read a file.
func (u *User) remedy(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	owner := ownerOf(info)
	return u.remedyFor(info.Mode(), owner.gid, path)
}

func (u *User) remedyFor(mode fs.FileMode, gid int, path string) string {
	group := nameOf(user.LookupGroupId, gid)
	switch {
	case mode&0o040 != 0 && gid != 0 && u.GID != gid && !slices.Contains(u.Groups, gid):
		return fmt.Sprintf("put it into the group: usermod -aG %s %s, or SupplementaryGroups=%s in the unit; then restart tailflux",
			group, u.Name, group)
	case path != "":
		return fmt.Sprintf("setfacl -m u:%s:r %s, or give the file a group that %s is in, and mode 0640", u.Name, path, u.Name)
	}
	return ""
}

type owner struct{ uid, gid int }

func ownerOf(info fs.FileInfo) owner {
	if is, ok := info.Sys().(*syscall.Stat_t); ok {
		return owner{int(is.Uid), int(is.Gid)}
	}
	return owner{}
}

// rights are mode, owner and group, as ls -l has them.
func rights(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return "nobody can tell its mode"
	}
	o := ownerOf(info)
	return fmt.Sprintf("%s %s %s", info.Mode(), nameOf(user.LookupId, o.uid), nameOf(user.LookupGroupId, o.gid))
}
