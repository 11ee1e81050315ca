package growing

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tailflux/tailflux/internal/logfile"
)

// Directory is where a plain file is now, "" if that is nowhere.
func (f *File) Directory() string {
	if path := f.Name(); path != "" {
		return filepath.Dir(path)
	}
	return ""
}

// Is reports whether the file has info's identity. While a file is open, no other
// file has its inode.
func (f *File) Is(info fs.FileInfo) bool { return os.SameFile(info, f.Info) }

// Name is the path at which a plain file is now, "" if it has none.
func (f *File) Name() string {
	if f.Packed != nil || logfile.Names(f.Info) == 0 {
		return ""
	}
	path, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", f.File.Fd()))
	if err != nil {
		return ""
	}
	info, err := os.Stat(path)
	if err != nil || !f.Is(info) { // "/var/log/nginx/access.log (deleted)"
		return ""
	}
	return path
}

// IsAfter reports whether a file was written after another one, by their dates if they
// have any.
func (f *File) IsAfter(other *File) bool {
	if f.Date != "" && other.Date != "" && f.Date != other.Date {
		return f.Date > other.Date
	}
	return f.Info.ModTime().After(other.Info.ModTime())
}
