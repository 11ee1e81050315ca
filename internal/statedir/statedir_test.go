package statedir_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tailflux/tailflux/internal/statedir"
)

func open(t *testing.T, path string) (*statedir.Dir, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	d, err := statedir.Open(path, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d, &log
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDirectoryIsMade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b")
	d, _ := open(t, path)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o750 {
		t.Errorf("Stat = %v, %v, want mode 0750", info.Mode(), err)
	}
	if got := d.Path("x"); got != filepath.Join(path, "x") {
		t.Errorf("Path = %s", got)
	}
}

// Two processes would save over each other.
func TestDirectoryIsForOneProcess(t *testing.T) {
	path := t.TempDir()
	d, _ := open(t, path)
	for range 2 {
		_, err := statedir.Open(path, slog.New(slog.DiscardHandler))
		if want := "state_dir " + path + ": " + statedir.ErrInUse.Error(); !errors.Is(err, statedir.ErrInUse) || err.Error() != want {
			t.Errorf("Open = %v, want %s", err, want)
		}
	}
	d.Close()
	open(t, path)
}

func TestDirectoryCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, "")
	for _, path := range []string{file, filepath.Join(file, "below")} {
		want := syscall.ENOTDIR
		_, err := statedir.Open(path, slog.New(slog.DiscardHandler))
		if !errors.Is(err, want) || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "--state-dir") {
			t.Errorf("Open(%s) = %v, want %v and a remedy", path, err, want)
		}
	}
}

// The locked file holds nothing, so that no damage to it matters.
func TestDamagedLock(t *testing.T) {
	for name, tt := range map[string]struct {
		damage func(path string) error
		logged bool
	}{
		"noise":      {func(path string) error { return os.WriteFile(path, []byte("\x00\xff"), 0o600) }, false},
		"unreadable": {func(path string) error { return os.WriteFile(path, nil, 0) }, false},
		"directory":  {func(path string) error { return os.MkdirAll(filepath.Join(path, "x"), 0o700) }, true},
		"pipe":       {func(path string) error { return syscall.Mkfifo(path, 0o600) }, true},
		"loop":       {func(path string) error { return os.Symlink(path, path) }, true},
		"dead link":  {func(path string) error { return os.Symlink("/no/such/directory/lock", path) }, true},
	} {
		path := t.TempDir()
		if err := tt.damage(filepath.Join(path, statedir.Lock)); err != nil {
			t.Fatal(err)
		}
		d, log := open(t, path)
		if got := strings.Contains(log.String(), "kept_as="+d.Path(statedir.Lock)+statedir.Bad); got != tt.logged {
			t.Errorf("%s: logged %s", name, log)
		}
		if _, err := statedir.Open(path, slog.New(slog.DiscardHandler)); !errors.Is(err, statedir.ErrInUse) {
			t.Errorf("%s: a second Open = %v, want %v", name, err, statedir.ErrInUse)
		}
		d.Close()
	}
}

// A link to a lock that is held is no damage.
func TestLinkedLockIsInUse(t *testing.T) {
	path, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "lock")
	if err := os.Symlink(elsewhere, filepath.Join(path, statedir.Lock)); err != nil {
		t.Fatal(err)
	}
	open(t, path)
	if _, err := statedir.Open(path, slog.New(slog.DiscardHandler)); !errors.Is(err, statedir.ErrInUse) {
		t.Errorf("a second Open = %v, want %v", err, statedir.ErrInUse)
	}
}

// A temporary file that cannot be overwritten would make every save fail; one that
// a crash left is overwritten.
func TestTemporaryFileIsInTheWay(t *testing.T) {
	for name, tt := range map[string]struct {
		obstruct func(path string) error
		aside    bool
	}{
		"left by a crash": {func(path string) error { return os.WriteFile(path, []byte("half"), 0o600) }, false},
		"directory":       {func(path string) error { return os.MkdirAll(filepath.Join(path, "x"), 0o700) }, true},
		"pipe":            {func(path string) error { return syscall.Mkfifo(path, 0o600) }, true},
		"dead link":       {func(path string) error { return os.Symlink("/no/such/directory/file", path) }, true},
	} {
		path := t.TempDir()
		fresh := filepath.Join(path, statedir.Host+".new")
		if err := tt.obstruct(fresh); err != nil {
			t.Fatal(err)
		}
		d, log := open(t, path)
		if err := d.Replace(statedir.Host, []byte("web1\n")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := strings.Contains(log.String(), fresh+statedir.Bad); got != tt.aside {
			t.Errorf("%s: logged %s", name, log)
		}
		if _, err := os.Lstat(fresh); err == nil {
			t.Errorf("%s: %s is left", name, fresh)
		}
	}
}

// Reading a pipe would block the start for ever.
func TestReadOfWhatIsNotAFile(t *testing.T) {
	d, _ := open(t, t.TempDir())
	if err := syscall.Mkfifo(d.Path(statedir.Host), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.OpenFile(statedir.Host, os.O_CREATE|os.O_RDWR); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("OpenFile = %v", err)
	}
	if _, err := statedir.Read(filepath.Dir(d.Path("x")), statedir.Host); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("Read = %v", err)
	}
}

// A link to nothing is as good as no file.
func TestHas(t *testing.T) {
	d, _ := open(t, t.TempDir())
	for name, target := range map[string]string{statedir.Host: "/no/such/file", statedir.Shaping: statedir.Shaping} {
		if err := os.Symlink(target, d.Path(name)); err != nil {
			t.Fatal(err)
		}
		if got, want := d.Has(name), name == statedir.Shaping; got != want {
			t.Errorf("Has of a link to %s = %v, want %v", target, got, want)
		}
	}
}

// Members of the group run tailflux verify.
func TestGroupMayRead(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	made := filepath.Join(t.TempDir(), "made")
	open(t, made)
	if info, err := os.Stat(made); err != nil || info.Mode().Perm() != 0o750 {
		t.Errorf("Stat of a new directory = %v, %v, want mode 0750", info.Mode(), err)
	}
	path := t.TempDir()
	if err := os.Chmod(path, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(path, statedir.Host), "web1") // as older versions made it
	d, _ := open(t, path)
	if err := d.Replace(statedir.Shaping, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	f, err := d.OpenFile(statedir.TagValues, os.O_CREATE|os.O_RDWR)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("Stat of an existing directory = %v, %v, want mode 0700, as its owner chose", info.Mode(), err)
	}
	for _, name := range []string{statedir.Lock, statedir.Host, statedir.Shaping, statedir.TagValues} {
		if info, err := os.Stat(d.Path(name)); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("%s: mode %v, %v, want 0640", name, info.Mode(), err)
		}
	}
}

func TestReplace(t *testing.T) {
	d, _ := open(t, t.TempDir())
	want := func(name, text string) {
		t.Helper()
		got, err := statedir.Read(filepath.Dir(d.Path(name)), name)
		if err != nil || string(got) != text {
			t.Errorf("%s = %q, %v, want %q", name, got, err, text)
		}
	}
	write(t, d.Path(statedir.Host+".new"), "left by a crash, and longer")
	for _, text := range []string{"one", "two", ""} {
		if err := d.Replace(statedir.Host, []byte(text)); err != nil {
			t.Fatal(err)
		}
		want(statedir.Host, text)
	}
	for i, text := range []string{"one", "two", "three"} {
		if err := d.ReplaceKeeping(statedir.Checkpoint, statedir.CheckpointPrev, []byte(text)); err != nil {
			t.Fatal(err)
		}
		want(statedir.Checkpoint, text)
		if i > 0 {
			want(statedir.CheckpointPrev, []string{"one", "two"}[i-1])
		}
	}
	entries, err := os.ReadDir(filepath.Dir(d.Path("x")))
	if err != nil || len(entries) != 4 { // with the lock
		t.Errorf("%d files are left, %v: %v", len(entries), err, entries)
	}
	if err := os.Mkdir(d.Path(statedir.Formats), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := d.Replace(statedir.Formats, nil); err == nil || !strings.HasPrefix(err.Error(), "save "+d.Path(statedir.Formats)) {
		t.Errorf("Replace of a directory = %v", err)
	}
}

func TestSetAside(t *testing.T) {
	d, log := open(t, t.TempDir())
	if d.Has(statedir.Shaping) {
		t.Error("Has in an empty directory")
	}
	for _, text := range []string{"one", "two"} { // the second over the first
		write(t, d.Path(statedir.Shaping), text)
		if !d.Has(statedir.Shaping) {
			t.Error("Has = false")
		}
		if err := d.SetAside(statedir.Shaping, errors.New("it is torn")); err != nil {
			t.Fatal(err)
		}
		kept, err := os.ReadFile(d.Path(statedir.Shaping) + statedir.Bad)
		if err != nil || string(kept) != text || d.Has(statedir.Shaping) {
			t.Errorf("kept %q, %v, want %q", kept, err, text)
		}
		for _, part := range []string{"level=ERROR", "it is torn", d.Path(statedir.Shaping), "second points"} {
			if !strings.Contains(log.String(), part) {
				t.Errorf("logged %s, without %q", log, part)
			}
		}
	}
	if err := d.SetAside(statedir.Host, errors.New("gone")); err == nil {
		t.Error("SetAside of nothing has no error")
	}
}

// Every file has its row in docs/state-directory.md.
func TestFilesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/state-directory.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range statedir.Files {
		row := "| `" + f.Name + "` | " + f.Holds + " | " + f.Cost + " |"
		if !strings.Contains(string(page), row) {
			t.Errorf("docs/state-directory.md has no row\n%s", row)
		}
	}
}
