package rejects_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/tailflux/tailflux/internal/rejects"
)

// A write that fails half way, as on a full disk, leaves the file as it was, and
// the next one goes on from there. A limit on file sizes stands for the disk; it
// is for a process of its own.
func TestDiskFull(t *testing.T) {
	const child = "TAILFLUX_TEST_DISK_FULL"
	if os.Getenv(child) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDiskFull$", "-test.v")
		cmd.Env = append(os.Environ(), child+"=1")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "PASS: TestDiskFull") {
			t.Errorf("%v:\n%s", err, out)
		}
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	dir := t.TempDir()
	one := int64(len(entryText(t)))
	f := open(t, dir, roomy)
	mustAppend(t, f, 1, 2)
	limit := func(bytes int64) {
		t.Helper()
		var l syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &l); err != nil {
			t.Fatal(err)
		}
		l.Cur = min(uint64(bytes), l.Max)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &l); err != nil {
			t.Fatal(err)
		}
	}
	for free := range 3*one - 1 { // room for the next three entries but one byte
		limit(2*one + free)
		_, err := f.Append(entries(3, 4, 5))
		if !errors.Is(err, syscall.EFBIG) || !strings.Contains(err.Error(), filepath.Join(dir, rejects.Name)) {
			t.Fatalf("with %d bytes free: Append = %v, want %v and the path", free, err, syscall.EFBIG)
		}
		if size := int64(len(read(t, dir, rejects.Name))); size != 2*one {
			t.Fatalf("with %d bytes free: the file has %d bytes, had %d", free, size, 2*one)
		}
	}
	limit(1 << 40)
	mustAppend(t, f, 3, 4, 5)
	mustAppend(t, f, 6)
	check(t, dir, rejects.Name, 1, 2, 3, 4, 5, 6)

	// The same where the file is replaced by a new one just then.
	dir = t.TempDir()
	f = open(t, dir, 2*one)
	mustAppend(t, f, 1, 2)
	limit(one / 2)
	for range 3 {
		if _, err := f.Append(entries(3)); !errors.Is(err, syscall.EFBIG) {
			t.Fatalf("Append = %v, want %v", err, syscall.EFBIG)
		}
	}
	limit(1 << 40)
	mustAppend(t, f, 3)
	mustAppend(t, f, 4)
	check(t, dir, rejects.Name+".1", 1, 2)
	check(t, dir, rejects.Name, 3, 4)
}

// Somebody removes, moves or empties the file, or takes its directory away:
// later entries are in the file at the path.
func TestFileIsTakenAway(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(path string) error
		kept string // where the two entries before it are
		want []int64
	}{
		{"removed", os.Remove, "", []int64{3, 4}},
		{"moved", func(path string) error { return os.Rename(path, path+".old") }, ".old", []int64{3, 4}},
		{"emptied", func(path string) error { return os.Truncate(path, 0) }, "", []int64{3, 4}},
		{"shortened", func(path string) error { return os.Truncate(path, int64(len(entryText(t))+9)) }, "", []int64{1, 3, 4}},
		{"lengthened", func(path string) error { return os.Truncate(path, 10_000) }, "", []int64{1, 2, 3, 4}},
		{"replaced", func(path string) error {
			return errors.Join(os.Remove(path), os.WriteFile(path, []byte(`{"line_number":8}`+"\n"+`{"li`), 0o600))
		}, "", []int64{8, 3, 4}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			f := open(t, dir, roomy)
			mustAppend(t, f, 1, 2)
			if err := tt.do(filepath.Join(dir, rejects.Name)); err != nil {
				t.Fatal(err)
			}
			mustAppend(t, f, 3)
			mustAppend(t, f, 4)
			check(t, dir, rejects.Name, tt.want...)
			if tt.kept != "" {
				check(t, dir, rejects.Name+tt.kept, 1, 2)
			}
		})
	}
	t.Run("with its directory", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "state")
		mkdir := func() {
			t.Helper()
			if err := os.Mkdir(dir, 0o750); err != nil {
				t.Fatal(err)
			}
		}
		mkdir()
		f := open(t, dir, roomy)
		mustAppend(t, f, 1)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := f.Append(entries(2)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("Append = %v, want %v", err, fs.ErrNotExist)
			}
		}
		mkdir()
		mustAppend(t, f, 2)
		check(t, dir, rejects.Name, 2)
	})
}

// The predecessor cannot be replaced: nothing is written, nothing lost.
func TestCannotRotate(t *testing.T) {
	dir := t.TempDir()
	inTheWay := filepath.Join(dir, rejects.Name+".1")
	f := open(t, dir, 1)
	mustAppend(t, f, 1)
	if err := os.MkdirAll(filepath.Join(inTheWay, "x"), 0o750); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := f.Append(entries(2)); err == nil || !strings.Contains(err.Error(), inTheWay) {
			t.Errorf("Append = %v, want an error about %s", err, inTheWay)
		}
	}
	check(t, dir, rejects.Name, 1)
	if err := os.RemoveAll(inTheWay); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, f, 2)
	check(t, dir, rejects.Name+".1", 1)
	check(t, dir, rejects.Name, 2)
}

// Two processes would write over each other's entries.
func TestInUse(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, rejects.Name)
	f := open(t, dir, 1)
	refused := func() {
		t.Helper()
		want := "reject file " + path + ": another process writes it"
		if second, err := openFile(dir, 1); err == nil || err.Error() != want {
			t.Errorf("Open = %v, %v, want %s", second, err, want)
		}
	}
	refused()
	mustAppend(t, f, 1)
	mustAppend(t, f, 2) // in a new file
	refused()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, open(t, dir, roomy), 3)
	check(t, dir, rejects.Name, 2, 3)
}

func TestCannotOpen(t *testing.T) {
	dir := t.TempDir()
	if _, err := openFile(filepath.Join(dir, "none"), 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open = %v, want %v", err, fs.ErrNotExist)
	}
	path := filepath.Join(dir, rejects.Name)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(path, 0), os.Chmod(dir, 0o755), os.Chmod(filepath.Dir(dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	_, err := asNobody(t, func() (*rejects.File, error) { return openFile(dir, 1) })
	if want := "reject file: open " + path + ": permission denied"; err == nil || err.Error() != want {
		t.Errorf("Open = %v, want %s", err, want)
	}
}

// asNobody opens without the superuser's right to open everything.
func asNobody(t *testing.T, open func() (*rejects.File, error)) (*rejects.File, error) {
	t.Helper()
	if os.Geteuid() != 0 {
		return open()
	}
	runtime.LockOSThread() // of which alone this is an attribute
	defer runtime.UnlockOSThread()
	const nobody = 65534
	if err := syscall.Setfsuid(nobody); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setfsuid(0)
	return open()
}
