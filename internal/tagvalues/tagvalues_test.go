package tagvalues_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/tagvalues"
)

var tags = []string{"status", "path"}

const (
	status = iota
	path
)

func open(t testing.TB, dir string, limit int) *tagvalues.Values {
	t.Helper()
	v, err := tagvalues.Open(dir, tags, limit, stats.New(time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

// answers admits values and writes down which were taken: "ab-" of a, b and c.
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
	v, err := tagvalues.Open(t.TempDir(), tags, 3, st)
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

// Values of a tag that is none any more are kept.
func TestTagsChange(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir, 1)
	check(t, v, path, "a", "a")
	mustSync(t, v)
	v.Close()
	v, err := tagvalues.Open(dir, []string{"scheme"}, 1, stats.New(time.Now()))
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
	data, err := os.ReadFile(filepath.Join(dir, tagvalues.Name))
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
			name := filepath.Join(dir, tagvalues.Name)
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
			check(t, open(t, dir, 1), path, "ef", want)
		}
	}
}

// What no torn save explains is refused, with what to do.
func TestDamage(t *testing.T) {
	whole := string(file(t, "a", "b", "d"))
	for _, tt := range []struct{ name, data, want string }{
		{"another file", "hello\n" + whole, `line 1: got "hello\n", want "tailflux tag values 1\n"; put back a good copy`},
		{"another version", strings.Replace(whole, " 1\n", " 2\n", 1), `line 1: got "tailflux tag values 2\n"`},
		{"no text", strings.Repeat("x", 100_000), `line 1: got "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", want`},
		{"a changed value", strings.Replace(whole, "path b", "path c", 1), "line 3: got a damaged record"},
		{"a changed last value", strings.Replace(whole, "path d", "path c", 1), "line 4: got a damaged record"},
		{"an empty line", strings.Replace(whole, "path b\n", "path b\n\n", 1), "line 4: got a damaged record"},
		{"a long line", whole + strings.Repeat("x", 100_000) + "\n", "line 5: got a damaged record"},
	} {
		dir := t.TempDir()
		name := filepath.Join(dir, tagvalues.Name)
		if err := os.WriteFile(name, []byte(tt.data), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := tagvalues.Open(dir, tags, 3, stats.New(time.Now()))
		if want := "tag values " + name + ": " + tt.want; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: Open = %v, want %s", tt.name, err, want)
		}
		if data, _ := os.ReadFile(name); string(data) != tt.data {
			t.Errorf("%s: the file was changed", tt.name)
		}
	}
}

func TestTwoProcesses(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, 3)
	_, err := tagvalues.Open(dir, tags, 3, stats.New(time.Now()))
	if err == nil || !strings.Contains(err.Error(), "another process uses it") {
		t.Errorf("second Open = %v", err)
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
				data, err := os.ReadFile(filepath.Join(dir, tagvalues.Name))
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
	v, err := tagvalues.Open(dir, names, 10_000, stats.New(time.Now()))
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
		v, err := tagvalues.Open(dir, names, 10_000, stats.New(time.Now()))
		if err != nil {
			b.Fatal(err)
		}
		v.Close()
	}
}
