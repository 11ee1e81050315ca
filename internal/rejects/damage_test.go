package rejects_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/stats"
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
		n, err := f.Append(entries(3, 4, 5))
		if n != 0 {
			t.Fatalf("with %d bytes free: Append = %d, and none can be there", free, n)
		}
		if !errors.Is(err, syscall.EFBIG) || !strings.Contains(err.Error(), filepath.Join(dir, statedir.Rejects)) {
			t.Fatalf("with %d bytes free: Append = %v, want %v and the path", free, err, syscall.EFBIG)
		}
		if size := int64(len(read(t, dir, statedir.Rejects))); size != 2*one {
			t.Fatalf("with %d bytes free: the file has %d bytes, had %d", free, size, 2*one)
		}
	}
	limit(1 << 40)
	mustAppend(t, f, 3, 4, 5)
	mustAppend(t, f, 6)
	check(t, dir, statedir.Rejects, 1, 2, 3, 4, 5, 6)

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
	check(t, dir, statedir.Rejects+".1", 1, 2)
	check(t, dir, statedir.Rejects, 3, 4)
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
			if err := tt.do(filepath.Join(dir, statedir.Rejects)); err != nil {
				t.Fatal(err)
			}
			mustAppend(t, f, 3)
			mustAppend(t, f, 4)
			check(t, dir, statedir.Rejects, tt.want...)
			if tt.kept != "" {
				check(t, dir, statedir.Rejects+tt.kept, 1, 2)
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
		check(t, dir, statedir.Rejects, 2)
	})
}

// The predecessor cannot be replaced: nothing is written, nothing lost.
func TestCannotRotate(t *testing.T) {
	dir := t.TempDir()
	inTheWay := filepath.Join(dir, statedir.Rejects+".1")
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
	check(t, dir, statedir.Rejects, 1)
	if err := os.RemoveAll(inTheWay); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, f, 2)
	check(t, dir, statedir.Rejects+".1", 1)
	check(t, dir, statedir.Rejects, 2)
}

// A damaged file is set aside, or cut after its last whole entry, and entries are
// written again.
func TestDamagedFile(t *testing.T) {
	whole := func(t *testing.T) string {
		dir := t.TempDir()
		mustAppend(t, open(t, dir, roomy), 1, 2, 3)
		return read(t, dir, statedir.Rejects)
	}(t)
	torn := whole[:len(whole)-20]
	for _, name := range []string{statedir.Rejects, statedir.RejectsPrev} {
		for _, tt := range []struct {
			damage string
			make   func(path string) error
			aside  bool
			logged string
			left   []int64 // in rejects.jsonl
		}{
			{"cut to nothing", text(""), false, "", nil},
			{"torn", text(torn), false, "incomplete entry", []int64{1, 2}},
			{"an entry that is torn", text(whole[:50]), false, "incomplete entry", nil},
			{"noise", text("\x00\xff\xfe noise\n\x01"), true, "not a reject file", nil},
			{"other lines", text("hello\nworld\n"), true, "not a reject file", nil},
			{"noise before and after the entries", text("\x00\n" + whole + "\xff\n"), false, "incomplete entry", nil},
			{"a directory", func(path string) error { return os.MkdirAll(filepath.Join(path, "x"), 0o700) }, true, "is a directory", nil},
			{"a link to itself", func(path string) error { return os.Symlink(path, path) }, true, "symbolic links", nil},
			{"a pipe", func(path string) error { return syscall.Mkfifo(path, 0o600) }, true, "not a regular file", nil},
		} {
			t.Run(name+" is "+tt.damage, func(t *testing.T) {
				dir := t.TempDir()
				path := filepath.Join(dir, name)
				if err := tt.make(path); err != nil {
					t.Fatal(err)
				}
				var log bytes.Buffer
				logger := slog.New(slog.NewTextHandler(&log, nil))
				state, err := stateDir(dir, logger)
				if err != nil {
					t.Fatal(err)
				}
				f, err := rejects.Open(state, roomy, nil, stats.New(time.Now()), logger)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				_, err = os.Lstat(path + statedir.Bad)
				if got := err == nil; got != tt.aside {
					t.Errorf("set aside %v, want %v", got, tt.aside)
				}
				if said := strings.Contains(log.String(), path+statedir.Bad); said != tt.aside {
					t.Errorf("logged %s", &log)
				}
				if !strings.Contains(log.String(), tt.logged) || (log.Len() > 0) != (tt.logged != "") {
					t.Errorf("logged %s, want %q", &log, tt.logged)
				}
				if noise := strings.Contains(log.String(), "contains lines that are not entries"); noise != strings.HasPrefix(tt.damage, "noise before") {
					t.Errorf("logged %s", &log)
				}
				mustAppend(t, f, 9)
				if strings.HasPrefix(tt.damage, "noise before") {
					return // which stays in the file
				}
				var want []int64
				if name == statedir.Rejects {
					want = tt.left
				}
				check(t, dir, statedir.Rejects, append(slices.Clone(want), 9)...)
				f.Close()
				log.Reset()
				if f, err = rejects.Open(state, roomy, nil, stats.New(time.Now()), logger); err != nil || log.Len() > 0 {
					t.Errorf("the next Open = %v, logged %s", err, &log)
				}
				f.Close()
			})
		}
	}
}

// A file that cannot be opened for writing is renamed, also if reading it works.
func TestFileThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, statedir.Rejects)
	if err := os.Symlink("/no/such/directory/rejects", path); err != nil { // root may write any other file
		t.Fatal(err)
	}
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	state, err := stateDir(dir, logger)
	if err != nil {
		t.Fatal(err)
	}
	f, err := rejects.Open(state, roomy, nil, stats.New(time.Now()), logger)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if !strings.Contains(log.String(), path+statedir.Bad) {
		t.Errorf("logged %s", &log)
	}
	mustAppend(t, f, 1)
	check(t, dir, statedir.Rejects, 1)
}

// text makes a file with a text in it.
func text(content string) func(path string) error {
	return func(path string) error { return os.WriteFile(path, []byte(content), 0o600) }
}
