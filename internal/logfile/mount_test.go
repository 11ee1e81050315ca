// The path of a log is a mount of one file.

package logfile_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/tailflux/tailflux/internal/logfile"
)

// Only a regular file counts that is itself a mount point, wherever the path leads.
func TestOneFileIsMounted(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	odd := "a b\tc\nd\\e#f.log"
	for _, name := range []string{"access.log", "access.log.1", "beside.log", "below/a.log", "within/a.log", odd} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(in(name)), 0o755), os.WriteFile(in(name), nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Symlink("access.log", in("link.log")), os.Symlink("within", in("dir")), os.Symlink("nowhere", in("dangling.log"))); err != nil {
		t.Fatal(err)
	}
	octal := strings.NewReplacer(" ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`, "#", `\043`).Replace
	var table strings.Builder
	table.WriteString("22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n")
	for _, point := range []string{"access.log", "below", "within/a.log", "gone.log", odd} {
		// As docker does it: the root is the file in its file system.
		fmt.Fprintf(&table, "731 700 254:1 /var/log/nginx/beside.log %s rw,relatime master:1 propagate_from:2 - ext4 /dev/vda1 rw,errors=remount-ro\n", octal(in(point)))
	}
	paths := []string{
		in("access.log"), in("access.log.1"), in("beside.log"), in("below"), in("below/a.log"), in("within/a.log"), in("dir/a.log"),
		in(odd), in("link.log"), in("dangling.log"), in("gone.log"), "/",
	}
	want := []string{in("access.log"), in("within/a.log"), in("dir/a.log"), in(odd), in("link.log")}
	if got, err := logfile.FileMounts(strings.NewReader(table.String()), paths); err != nil || !slices.Equal(got, want) {
		t.Errorf("FileMounts = %q, %v, want %q; the table is\n%s", got, err, want, &table)
	}
	t.Chdir(dir)
	if got, err := logfile.FileMounts(strings.NewReader(table.String()), []string{"access.log", "beside.log"}); err != nil || !slices.Equal(got, []string{"access.log"}) {
		t.Errorf("FileMounts of relative paths = %q, %v, want access.log", got, err)
	}
	if _, err := logfile.FileMounts(strings.NewReader("what is this\n"), paths); err == nil {
		t.Error("FileMounts reads any table")
	}
}

// The kernel's own table says it of a real mount.
func TestOneFileIsReallyMounted(t *testing.T) {
	dir := t.TempDir()
	host, container := filepath.Join(dir, "host.log"), filepath.Join(dir, "a log.log")
	for _, path := range []string{host, container} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mount(host, container, "", syscall.MS_BIND, ""); errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		t.Skip("not permitted to mount a file:", err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(container, syscall.MNT_DETACH) })
	table, err := os.Open(logfile.MountTable)
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	if got, err := logfile.FileMounts(table, []string{host, container}); err != nil || !slices.Equal(got, []string{container}) {
		t.Errorf("FileMounts = %q, %v, want %q", got, err, container)
	}
}
