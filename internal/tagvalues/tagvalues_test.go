package tagvalues_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/tagvalues"
)

var tags = []string{"status", "path"}

const (
	status = iota
	path
)

// stateDir is a state directory that is not locked: it is opened again while it is
// open, as after a crash.
func stateDir(t testing.TB, dir string) *statedir.Dir {
	t.Helper()
	d, err := statedir.Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	return d
}

func open(t testing.TB, dir string, limit int) *tagvalues.Values {
	t.Helper()
	v, err := tagvalues.Open(stateDir(t, dir), tags, limit, stats.New(time.Now()), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

// answers admits values and shows which were admitted: "ab-" of a, b and c.
func answers(v *tagvalues.Values, tag int, values string) string {
	got := []byte(values)
	for i := range got {
		if !v.Admit(tag, got[i:i+1]) {
			got[i] = '-'
		}
	}
	return string(got)
}

func check(t *testing.T, v *tagvalues.Values, tag int, values, want string) {
	t.Helper()
	if got := answers(v, tag, values); got != want {
		t.Errorf("Admit of %q = %q, want %q", values, got, want)
	}
}

func mustSync(t testing.TB, v *tagvalues.Values) {
	t.Helper()
	if err := v.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestLimit(t *testing.T) {
	st := stats.New(time.Now())
	v, err := tagvalues.Open(stateDir(t, t.TempDir()), tags, 3, st, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	check(t, v, path, "abacdabce", "abac-abc-")
	check(t, v, status, "d", "d")
	want := []stats.TagValues{{Name: "status", Limit: 3, Values: 1}, {Name: "path", Limit: 3, Values: 3, Other: 2}}
	for i, got := range st.Snapshot(time.Now()).Tags {
		if got != want[i] {
			t.Errorf("counted %+v, want %+v", got, want[i])
		}
	}
}

// What was synced is admitted after a restart, in whatever order values come
// then. What was not was never used; a clean end changes nothing.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir, 3)
	check(t, v, path, "ab", "ab")
	mustSync(t, v)
	check(t, v, path, "c", "c") // and the process is killed
	v.Close()

	v = open(t, dir, 3)
	check(t, v, path, "xyba", "x-ba")
	mustSync(t, v)
	mustSync(t, v)
	v.Close()

	v = open(t, dir, 3)
	check(t, v, path, "cyxab", "--xab")
	v.Close()

	// A lower limit evicts nothing, a higher one admits more.
	check(t, open(t, dir, 1), path, "cabx", "-abx")
}

// Values of a tag that is no longer configured are kept.
func TestTagsChange(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir, 1)
	check(t, v, path, "a", "a")
	mustSync(t, v)
	v.Close()
	v, err := tagvalues.Open(stateDir(t, dir), []string{"scheme"}, 1, stats.New(time.Now()), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	check(t, v, 0, "s", "s")
	mustSync(t, v)
	v.Close()
	check(t, open(t, dir, 1), path, "ba", "-a")
}

// file is what Sync leaves.
func file(t testing.TB, values ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	v := open(t, dir, 1000)
	for _, value := range values {
		v.Admit(path, []byte(value))
	}
	mustSync(t, v)
	v.Close()
	data, err := os.ReadFile(filepath.Join(dir, statedir.TagValues))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Wherever the last save was torn, what was saved before is there, and what is
// saved next is found again.
func TestTornEnd(t *testing.T) {
	whole := file(t, "a", `b\ c`, "d")
	durable := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	hole := "\x00" + string(whole[len(whole)-20:]) // and more behind it that reached the disk
	for _, size := range []int{0, 1, 20, durable, durable + 1, durable + 9, len(whole) - 1, len(whole)} {
		for _, rest := range []string{"", "\x00\x00", hole, strings.Repeat("\x00", 100_000)} {
			if size < durable && len(rest) > 2 {
				continue // the header was durable when the rest was written
			}
			dir := t.TempDir()
			name := filepath.Join(dir, statedir.TagValues)
			if err := os.WriteFile(name, append(bytes.Clone(whole[:size]), rest...), 0o600); err != nil {
				t.Fatal(err)
			}
			want := "e-"
			switch {
			case size == len(whole):
				want = "--"
			case size < durable:
				want = "ef"
			}
			v := open(t, dir, 3)
			check(t, v, path, "ef", want)
			if size >= durable && !v.Admit(path, []byte(`b\ c`)) {
				t.Errorf("with %d of %d bytes a saved value is gone", size, len(whole))
			}
			mustSync(t, v)
			v.Close()
			// Nothing of what was torn is left behind the new values.
			var log bytes.Buffer
			v, err := tagvalues.Open(stateDir(t, dir), tags, 1, stats.New(time.Now()), slog.New(slog.NewTextHandler(&log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			check(t, v, path, "ef", want)
			v.Close()
			if log.Len() > 0 {
				t.Errorf("with %d of %d bytes and %.30q behind them: the next start logs %s", size, len(whole), rest, &log)
			}
		}
	}
}

// What no torn save explains is damage: the file is set aside, the good values
// are kept, and new ones are saved.
func TestDamage(t *testing.T) {
	whole := string(file(t, "a", "b", "d"))
	write := func(data string) func(path string) error {
		return func(path string) error { return os.WriteFile(path, []byte(data), 0o600) }
	}
	for _, tt := range []struct {
		name string
		make func(path string) error
		why  string
		good string // of abd
	}{
		{"another file", write("hello\n" + whole), `line 1: got`, "---"},
		{"noise", write("\xff\x00\xfe\n\n\x01"), `line 1: got`, "---"},
		{"no text", write(strings.Repeat("x", 100_000)), `line 1: got`, "---"},
		{"a changed value", write(strings.Replace(whole, "path b", "path c", 1)), "line 3: got a damaged record", "a-d"},
		{"a changed last value", write(strings.Replace(whole, "path d", "path c", 1)), "line 4: got a damaged record", "ab-"},
		{"an empty line", write(strings.Replace(whole, "path b\n", "path b\n\n", 1)), "line 4: got a damaged record", "abd"},
		{"a long line", write(whole + strings.Repeat("x", 100_000) + "\n"), "line 5: got a damaged record", "abd"},
		{"a directory", func(path string) error { return os.MkdirAll(filepath.Join(path, "x"), 0o700) }, "is a directory", "---"},
		{"a link to itself", func(path string) error { return os.Symlink(path, path) }, "too many levels", "---"},
		{"a link to nothing", func(path string) error { return os.Symlink("/no/such/directory/x", path) }, "no such file", "---"},
		{"a pipe", func(path string) error { return syscall.Mkfifo(path, 0o600) }, "not a regular file", "---"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, statedir.TagValues)
			if err := tt.make(path); err != nil {
				t.Fatal(err)
			}
			was, unreadable := []byte(nil), os.ErrInvalid
			if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
				was, unreadable = os.ReadFile(path)
			}
			var log bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&log, nil))
			state, err := statedir.Open(dir, logger)
			if err != nil {
				t.Fatal(err)
			}
			defer state.Close()
			v, err := tagvalues.Open(state, tags, 0, stats.New(time.Now()), logger)
			if err != nil {
				t.Fatal(err)
			}
			if got := answers(v, 1, "abd"); got != tt.good {
				t.Errorf("of abd it has %s, want %s", got, tt.good)
			}
			v.Close()
			if some := strings.Contains(log.String(), "continuing with the good ones"); some != (tt.good != "---") {
				t.Errorf("logged %s", &log)
			}
			for _, part := range []string{"level=ERROR", tt.why, "kept_as=" + path + statedir.Bad, "values are admitted anew"} {
				if !strings.Contains(log.String(), part) {
					t.Errorf("logged %s, without %q", &log, part)
				}
			}
			if unreadable == nil {
				if kept, err := os.ReadFile(path + statedir.Bad); err != nil || string(kept) != string(was) {
					t.Errorf("kept %.50q, %v, want %.50q", kept, err, was)
				}
			}
			log.Reset()
			v, err = tagvalues.Open(state, tags, 10, stats.New(time.Now()), logger)
			if err != nil {
				t.Fatal(err)
			}
			check(t, v, 1, "z", "z")
			mustSync(t, v)
			v.Close()
			v, err = tagvalues.Open(state, tags, 0, stats.New(time.Now()), logger)
			if err != nil {
				t.Fatal(err)
			}
			defer v.Close()
			if got := answers(v, 1, "abdz"); got != tt.good+"z" {
				t.Errorf("later it has %s of abdz, want %sz", got, tt.good)
			}
			if log.Len() > 0 {
				t.Errorf("the repaired file is logged: %s", &log)
			}
		})
	}
}

// Going on without what a newer version wrote would make second points.
func TestNewerFormatIsRefused(t *testing.T) {
	dir := t.TempDir()
	text := strings.Replace(string(file(t, "a")), " 1\n", " 2\n", 1)
	path := filepath.Join(dir, statedir.TagValues)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := tagvalues.Open(stateDir(t, dir), tags, 3, stats.New(time.Now()), slog.New(slog.DiscardHandler))
	if !errors.Is(err, statedir.ErrNewer) || !strings.Contains(err.Error(), path) {
		t.Errorf("Open = %v, want %v", err, statedir.ErrNewer)
	}
	if data, _ := os.ReadFile(path); string(data) != text {
		t.Error("the file was changed")
	}
}

// A file that is gone or empty is no surprise at the first start only.
func TestLostFileIsLogged(t *testing.T) {
	for _, tt := range []struct {
		name              string
		checkpoint, empty bool
		want              bool
	}{
		{"first start", false, false, false},
		{"first start was killed", false, true, false},
		{"gone", true, false, true},
		{"cut to nothing", true, true, true},
	} {
		dir := t.TempDir()
		if tt.checkpoint {
			if err := os.WriteFile(filepath.Join(dir, statedir.Checkpoint), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if tt.empty {
			if err := os.WriteFile(filepath.Join(dir, statedir.TagValues), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, nil))
		state, err := statedir.Open(dir, logger)
		if err != nil {
			t.Fatal(err)
		}
		v, err := tagvalues.Open(state, tags, 3, stats.New(time.Now()), logger)
		if err != nil {
			t.Fatal(err)
		}
		v.Close()
		state.Close()
		if got := strings.Contains(log.String(), "missing or empty"); got != tt.want {
			t.Errorf("%s: logged %q", tt.name, &log)
		}
	}
}

// A save that fails is made again, with all that was in it.
func TestSyncFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	v := open(t, dir, 10)
	check(t, v, path, "a", "a")
	mustSync(t, v)
	if err := os.Rename(dir, dir+".gone"); err != nil {
		t.Fatal(err)
	}
	mustSync(t, v) // nothing is new
	check(t, v, path, "b", "b")
	for range 2 {
		if err := v.Sync(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "save tag values "+dir) {
			t.Errorf("Sync without a directory = %v", err)
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil { // and no file in it
		t.Fatal(err)
	}
	mustSync(t, v)
	check(t, v, path, "c", "c")
	mustSync(t, v)
	v.Close()
	check(t, open(t, dir, 1), path, "abcd", "abc-")
}

func TestSyncEndsWithItsContext(t *testing.T) {
	v := open(t, t.TempDir(), 1)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 { // either answer, and it never hangs
		if err := v.Sync(over); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	mustSync(t, v)
}

// One goroutine admits, many sync: what was admitted before a Sync is in the
// file after it.
func TestConcurrentSync(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir, 1_000_000)
	var wg sync.WaitGroup
	values := make(chan string)
	for range 4 {
		wg.Go(func() {
			for value := range values {
				if err := v.Sync(t.Context()); err != nil {
					t.Error(err)
				}
				data, err := os.ReadFile(filepath.Join(dir, statedir.TagValues))
				if err != nil || !bytes.Contains(data, []byte(" path "+value+"\n")) {
					t.Errorf("%s is not saved, %v", value, err)
				}
			}
		})
	}
	for i := range 200 {
		value := fmt.Sprint("/", i)
		v.Admit(path, []byte(value))
		values <- value
	}
	close(values)
	wg.Wait()
}

func TestNothingIsAllocatedForAKnownValue(t *testing.T) {
	v := open(t, t.TempDir(), 1)
	known, other := []byte("/users/:id/orders/:id/and/then/some/more/of/it"), []byte("/other")
	v.Admit(path, known)
	if n := testing.AllocsPerRun(1000, func() {
		v.Admit(path, known)
		v.Admit(path, other)
	}); n != 0 {
		t.Errorf("%v allocations per line", n)
	}
}

// The yardstick: ten tags of ten thousand values.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	names := strings.Fields("a b c d e f g h i j")
	v, err := tagvalues.Open(stateDir(b, dir), names, 10_000, stats.New(time.Now()), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	for tag := range names {
		for i := range 10_000 {
			v.Admit(tag, fmt.Appendf(nil, "/products/%d/reviews", i))
		}
	}
	mustSync(b, v)
	v.Close()
	for b.Loop() {
		v, err := tagvalues.Open(stateDir(b, dir), names, 10_000, stats.New(time.Now()), slog.New(slog.DiscardHandler))
		if err != nil {
			b.Fatal(err)
		}
		v.Close()
	}
}
