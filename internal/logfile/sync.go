package logfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// SyncFileSystem has all that is on the file system of a file written to the disk, and waits
// for it.
func SyncFileSystem(f *os.File) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	if errControl := c.Control(func(fd uintptr) { err = unix.Syncfs(int(fd)) }); errControl != nil {
		return errControl
	}
	return err
}
