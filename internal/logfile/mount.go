package logfile

import (
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/moby/sys/mountinfo"
)

// MountTable is what [FileMounts] reads.
const MountTable = "/proc/self/mountinfo"

// FileMounts returns those of the paths that are mounts of one file, as of
// docker -v access.log:/logs/access.log, according to the table of mounts. Such a path
// stays with its file when that is renamed: nothing at the path, or beside it, tells of
// a rotation. Symbolic links are followed; a path at which there is no regular file is
// left out.
func FileMounts(table io.Reader, paths []string) (mounted []string, err error) {
	mounts, err := mountinfo.GetMountsFromReader(table, nil)
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		at, err := filepath.Abs(path)
		if err == nil {
			at, err = filepath.EvalSymlinks(at)
		}
		if err != nil {
			continue // there is nothing yet
		}
		isMount := slices.ContainsFunc(mounts, func(m *mountinfo.Info) bool { return m.Mountpoint == at })
		if info, err := os.Stat(at); isMount && err == nil && info.Mode().IsRegular() {
			mounted = append(mounted, path)
		}
	}
	return mounted, nil
}
