// Package logfile knows what a log file on disk is: its identity, its first
// bytes, its rotated siblings, and how to read it at an offset, plain or
// compressed.
//
// Which file it is:
//
//	identity.go    inodes, and sums of bytes
//	head.go        the first bytes
//	marks.go       bytes before places that were read to
//	compare.go     whether two files are one, or one a copy of the other
//	anonymised.go  or the same without addresses
//	nuls.go        what a hole changes of all that
//	lastline.go    where whole lines end
//
// How it is read:
//
//	opened.go      by offset
//	compressed.go  compressed files; magic.go tells which they are
//	log.go         from its beginning to its end; lines.go in lines
//	stream.go      what can be read once only
//	regular.go     what can be followed; mount.go what cannot be rotated
//	sync.go        what is on the disk
//
// What it is called:
//
//	names.go        the grammar of rotated names
//	siblings.go     the files beside a log
//	directories.go  listings
//	glob.go         paths with wildcards; matched.go what these stand for
//	dates.go        dates in names; days.go the files of a log that differ in them
package logfile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Sum identifies some bytes of a file.
type Sum struct {
	Length int    `json:"length"` // in bytes; 0: nothing is known
	Hash   string `json:"hash,omitempty"`
}

// SumOf is the sum of all bytes of b.
func SumOf(b []byte) Sum {
	if len(b) == 0 {
		return Sum{}
	}
	hash := sha256.Sum256(b)
	return Sum{Length: len(b), Hash: hex.EncodeToString(hash[:8])}
}

// An Inode is what a file system calls a file. It may be given to another file
// when this one is deleted, which then has another Birth.
type Inode struct {
	Device uint64 `json:"device"`
	Number uint64 `json:"inode"`
	Birth  int64  `json:"birth,omitempty"` // nanoseconds since 1970; 0: the file system does not say
}

// File describes a file as it was last seen.
type File struct {
	Inode    Inode `json:"file"`
	Head     Sum   `json:"head"` // of its first bytes, once there is a whole line in them; see SumBehind
	Size     int64 `json:"size"`
	Modified int64 `json:"modified"` // nanoseconds since 1970

	// Path is that of the log it was, if the source was at another path then.
	Path string `json:"path,omitempty"`
}

// inodeOf asks the kernel what names the file. Birth is 0 where the kernel or the file
// system does not say.
func inodeOf(f *os.File) (Inode, error) { return inode(int(f.Fd()), "", unix.AT_EMPTY_PATH) }

// InodeAt is that of the file at a path, which need not be readable.
func InodeAt(path string) (Inode, error) { return inode(unix.AT_FDCWD, path, 0) }

func inode(dir int, path string, flags int) (Inode, error) {
	var st unix.Statx_t
	if err := unix.Statx(dir, path, flags, unix.STATX_INO|unix.STATX_BTIME, &st); err != nil {
		return Inode{}, fmt.Errorf("statx: %w", err)
	}
	id := Inode{Device: unix.Mkdev(st.Dev_major, st.Dev_minor), Number: st.Ino}
	if st.Mask&unix.STATX_BTIME != 0 {
		id.Birth = time.Unix(st.Btime.Sec, int64(st.Btime.Nsec)).UnixNano()
	}
	return id, nil
}

// Is reports whether two inodes are one file's, as far as they are known.
func (a Inode) Is(b Inode) bool {
	if a.Device != b.Device || a.Number != b.Number {
		return false
	}
	return a.Birth == 0 || b.Birth == 0 || a.Birth == b.Birth
}

// InodeIn is what info says of it, which is not when the file was born.
func InodeIn(info fs.FileInfo) Inode {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return Inode{}
	}
	return Inode{Device: st.Dev, Number: st.Ino}
}

// Names is how many names a file has; 0 once it was deleted.
func Names(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Nlink) //nolint:unconvert // 32 bits on ARM
	}
	return 1
}
