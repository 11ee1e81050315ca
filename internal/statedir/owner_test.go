package statedir_test

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tailflux/tailflux/internal/statedir"
)

const nobody = 65534

func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("root only")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func ownerOf(t *testing.T, path string) int {
	t.Helper()
	info, err := os.Lstat(path)
	must(t, err)
	return int(info.Sys().(*syscall.Stat_t).Uid)
}

// What root saves in the directory of another user was root's: this user's tailflux did not
// start, or continued without its checkpoint.
func TestRootLeavesFilesToTheOwner(t *testing.T) {
	asRoot(t)
	for _, tt := range []struct {
		name  string
		mode  os.FileMode
		group int
		want  int
	}{
		{"as it is made", 0o750, nobody, nobody},
		{"a group may write", 0o775, nobody, nobody},
		{"everybody may write", 0o777, nobody, 0},
		{"root's group may write", 0o770, 0, 0},
	} {
		path := t.TempDir()
		must(t, os.Chown(path, nobody, tt.group))
		must(t, os.Chmod(path, tt.mode))
		d, _ := open(t, path)
		must(t, d.Replace(statedir.Host, []byte("web1\n")))
		for range 2 {
			must(t, d.ReplaceKeeping(statedir.Checkpoint, statedir.CheckpointPrev, []byte("x")))
		}
		must(t, d.Journal(statedir.Intents, nil).Replace([]byte("x")))
		rejects, err := d.OpenFile(statedir.Rejects, os.O_CREATE|os.O_RDWR)
		must(t, err)
		rejects.Close()
		for _, name := range []string{statedir.Lock, statedir.Host, statedir.Checkpoint, statedir.CheckpointPrev, statedir.Intents, statedir.Rejects} {
			if got := ownerOf(t, d.Path(name)); got != tt.want {
				t.Errorf("%s: %s belongs to %d, want %d", tt.name, name, got, tt.want)
			}
		}
	}
}

// The owner of the directory may have put a link there, to get what it leads to.
func TestRootGivesAwayOnlyWhatItMade(t *testing.T) {
	asRoot(t)
	path, secret := t.TempDir(), filepath.Join(t.TempDir(), "secret")
	write(t, secret, "")
	write(t, filepath.Join(path, statedir.Rejects), "")
	must(t, os.Symlink(secret, filepath.Join(path, statedir.Lock)))
	must(t, os.Link(secret, filepath.Join(path, statedir.Host+".new")))
	must(t, os.Chown(path, nobody, nobody))
	d, _ := open(t, path)
	must(t, d.Replace(statedir.Host, []byte("web1\n")))
	for _, at := range []string{secret, d.Path(statedir.Rejects), d.Path(statedir.Host)} {
		if got := ownerOf(t, at); got != 0 {
			t.Errorf("%s belongs to %d, want 0", at, got)
		}
	}
}

// Whoever may not write there is told why, and what to do.
func TestDirectoryOfAnotherUser(t *testing.T) {
	const there = "TAILFLUX_TEST_STATE_DIR"
	if path := os.Getenv(there); path != "" {
		_, err := statedir.Open(path, slog.New(slog.DiscardHandler))
		t.Fatal(err)
	}
	asRoot(t)
	for _, tt := range []struct {
		name, want string
		owner      int
		lock       int // whose; -1: there is none
		mode       os.FileMode
	}{
		{"another user's", "run it as the user who owns the directory, daemon, or choose", 1, -1, 0o755},
		{"another user's, with a lock", "run it as the user who owns the directory, daemon, or choose", 1, 1, 0o755},
		{"a lock of root's", "/lock: permission denied (tailflux must be able to write there: the directory belongs to nobody, and this file to root: sudo chown -R nobody DIR, or choose", nobody, 0, 0o755},
		{"not for writing", "chmod u+rwx DIR, or choose", nobody, -1, 0o555},
	} {
		dir := t.TempDir()
		must(t, os.Chmod(filepath.Dir(dir), 0o755))
		program, path := filepath.Join(dir, "test"), filepath.Join(dir, "state")
		text, err := os.ReadFile(os.Args[0])
		must(t, err)
		must(t, os.WriteFile(program, text, 0o755))
		must(t, os.Mkdir(path, tt.mode))
		must(t, os.Chown(path, tt.owner, nobody))
		must(t, os.Chmod(dir, 0o755))
		if lock := filepath.Join(path, statedir.Lock); tt.lock >= 0 {
			write(t, lock, "")
			must(t, os.Chown(lock, tt.lock, tt.lock))
		}
		child := exec.Command(program, "-test.run=^TestDirectoryOfAnotherUser$")
		child.Env, child.Dir = []string{there + "=" + path}, dir
		child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		out, err := child.CombinedOutput()
		if want := strings.ReplaceAll(tt.want, "DIR", path); err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v, %s, want %s", tt.name, err, out, want)
		}
	}
}
