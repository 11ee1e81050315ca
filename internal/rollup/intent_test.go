package rollup_test

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/rollup"
	"github.com/tailflux/tailflux/internal/statedir"
)

func splitLines(text []byte) iter.Seq[string] { return strings.Lines(string(text)) }

// stateDir is a state directory that is not locked.
func stateDir(t testing.TB, dir string) *statedir.Dir {
	t.Helper()
	d, err := statedir.Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	return d
}

func openBook(t testing.TB, dir string) (*rollup.Book, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	b, err := rollup.OpenBook(stateDir(t, dir), false, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b, log
}

func cutOf(source string, begin, end int64) *flow.Cut {
	g := &flow.Generation{Source: &flow.Source{Name: source}, ID: 3, FirstLine: 1}
	return &flow.Cut{Rollup: "site#1", Begin: begin, End: at(g, end), Deltas: 1}
}

func intent(source string, begin, end int64) rollup.Intent {
	return rollup.Intent{Rollup: "site#1", Source: source, Generation: 3, First: 1, Begin: begin, End: end}
}

func wantIntents(t *testing.T, b *rollup.Book, source string, want ...rollup.Intent) {
	t.Helper()
	if diff := cmp.Diff(want, b.Of(cutOf(source, 0, 0).End.Generation, "site#1")); diff != "" {
		t.Errorf("Of(%q) (-want +got):\n%s", source, diff)
	}
}

func mustSync(t *testing.T, b *rollup.Book) {
	t.Helper()
	if err := b.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// What was synced is there after a crash, whatever the source is called; what was not was
// never sent.
func TestIntentsOutliveACrash(t *testing.T) {
	dir := t.TempDir()
	odd := "my \"web\"\n\xff ü"
	b, _ := openBook(t, dir)
	b.Register(cutOf("web", 1, 100))
	b.Register(cutOf(odd, 1, 50))
	mustSync(t, b)
	b.Register(cutOf("web", 100, 200))
	mustSync(t, b)
	b.Register(cutOf("web", 200, 300))
	b, log := openBook(t, dir)
	wantIntents(t, b, "web", intent("web", 1, 100), intent("web", 100, 200))
	wantIntents(t, b, odd, intent(odd, 1, 50))
	if log.Len() > 0 {
		t.Errorf("logged: %s", log)
	}
	b.Register(cutOf("web", 200, 300))
	mustSync(t, b)
	b, _ = openBook(t, dir)
	wantIntents(t, b, "web", intent("web", 1, 100), intent("web", 100, 200), intent("web", 200, 300))
}

// A cut that was begun before a crash has its intent, and one without deltas needs none.
func TestRegisterOnce(t *testing.T) {
	dir := t.TempDir()
	b, _ := openBook(t, dir)
	b.Register(cutOf("web", 1, 100))
	b.Register(cutOf("web", 1, 100))
	empty := cutOf("web", 100, 200)
	empty.Deltas = 0
	b.Register(empty)
	mustSync(t, b)
	data, err := os.ReadFile(filepath.Join(dir, statedir.Intents))
	if want := string(rollup.AppendRecord([]byte(rollup.Header), intent("web", 1, 100))); err != nil || string(data) != want {
		t.Errorf("the file is %q, %v, want %q", data, err, want)
	}
}

// An incomplete record at the end is cut off; the next one takes its place.
func TestTornIntent(t *testing.T) {
	whole := string(rollup.AppendRecord([]byte(rollup.Header), intent("web", 1, 100)))
	record := string(rollup.AppendRecord(nil, intent("web", 100, 200)))
	for _, torn := range []string{record[:1], record[:len(record)-1], "\x00\x00\x00", record[:12] + "\x00\x00\n", "\x00\n" + record} {
		dir := t.TempDir()
		path := filepath.Join(dir, statedir.Intents)
		if err := os.WriteFile(path, []byte(whole+torn), 0o600); err != nil {
			t.Fatal(err)
		}
		b, log := openBook(t, dir)
		wantIntents(t, b, "web", intent("web", 1, 100))
		if text := log.String(); strings.Count(text, "level=WARN") != 1 || strings.Contains(text, "ERROR") {
			t.Errorf("%q: logged: %s", torn, text)
		}
		b.Register(cutOf("web", 100, 200))
		mustSync(t, b)
		if data, _ := os.ReadFile(path); string(data) != whole+record {
			t.Errorf("after %q the file is %q, want %q", torn, data, whole+record)
		}
	}
}

// The good records of a damaged file are kept, which is logged.
func TestDamagedIntents(t *testing.T) {
	good, after := string(rollup.AppendRecord(nil, intent("web", 1, 100))), string(rollup.AppendRecord(nil, intent("web", 200, 300)))
	for _, bad := range []string{"5f1c22aa 3 100 200 \"site#1\" \"web\"\n", "\n", "rubbish\n"} {
		dir := t.TempDir()
		path := filepath.Join(dir, statedir.Intents)
		os.WriteFile(path, []byte(rollup.Header+good+bad+after), 0o600)
		b, log := openBook(t, dir)
		wantIntents(t, b, "web", intent("web", 1, 100), intent("web", 200, 300))
		if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
			t.Errorf("%q: logged %d errors: %s", bad, n, log)
		}
		b.Close()
		b, log = openBook(t, dir)
		wantIntents(t, b, "web", intent("web", 1, 100), intent("web", 200, 300))
		if log.Len() > 0 {
			t.Errorf("%q: the next start logs %s", bad, log)
		}
	}
}

func TestNewerIntentsAreRefused(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, statedir.Intents), []byte("tailflux intents 2\nwhatever\n"), 0o600)
	if _, err := rollup.OpenBook(stateDir(t, dir), false, slog.New(slog.DiscardHandler)); !errors.Is(err, statedir.ErrNewer) {
		t.Errorf("OpenBook = %v, want %v", err, statedir.ErrNewer)
	}
}

// failingDisk fails as often as it is told.
type failingDisk struct {
	records []byte
	fail    int
}

func (d *failingDisk) Append(records []byte) error {
	if d.fail--; d.fail >= 0 {
		return errDisk
	}
	d.records = append(d.records, records...)
	return nil
}

func (d *failingDisk) Replace(records []byte) error {
	if d.fail--; d.fail >= 0 {
		return errDisk
	}
	d.records = slices.Clone(records)
	return nil
}

// As long as the disk does not take an intent, nobody may send its deltas.
func TestSyncFails(t *testing.T) {
	d := &failingDisk{fail: 2}
	b := rollup.NewBook(d, nil)
	b.Register(cutOf("web", 1, 100))
	for range 2 {
		if err := b.Sync(t.Context()); !errors.Is(err, errDisk) {
			t.Errorf("Sync = %v, want %v", err, errDisk)
		}
		b.Register(cutOf("web", 100, 200))
	}
	mustSync(t, b)
	mustSync(t, b)
	want := rollup.AppendRecord(rollup.AppendRecord(nil, intent("web", 1, 100)), intent("web", 100, 200))
	if string(d.records) != string(want) {
		t.Errorf("on the disk: %q, want %q", d.records, want)
	}
}

// What was removed is gone from the disk sooner or later, and nothing else is.
func TestRemove(t *testing.T) {
	d := &failingDisk{}
	b := rollup.NewBook(d, nil)
	for n := range int64(3000) {
		b.Register(cutOf("web", 1+n*100, 101+n*100))
		if n%3 > 0 {
			mustSync(t, b)
		}
		if _, err := b.Remove(func(i rollup.Intent) bool { return i.Begin < n*100-200 }); err != nil {
			t.Fatal(err)
		}
	}
	mustSync(t, b)
	kept, _, err := rollup.ReadIntents(append([]byte(rollup.Header), d.records...))
	if err != nil || len(kept) > 1100 || kept[len(kept)-1] != intent("web", 299901, 300001) {
		t.Errorf("%d records are left, %v", len(kept), err)
	}
	for i := 1; i < len(kept); i++ {
		if kept[i].Begin != kept[i-1].End {
			t.Fatalf("%v is followed by %v", kept[i-1], kept[i])
		}
	}
	removed, err := b.Remove(func(i rollup.Intent) bool { return i.Begin > 299_800 })
	if err != nil || fmt.Sprint(removed) != fmt.Sprint([]rollup.Intent{intent("web", 299801, 299901), intent("web", 299901, 300001)}) {
		t.Errorf("Remove returned %v, %v", removed, err)
	}
}

// What was given up is gone from the disk with the next Sync, however little it is, and
// nothing is sent while that fails.
func TestCompact(t *testing.T) {
	for _, known := range []string{"none", "some"} {
		d := &failingDisk{}
		b := rollup.NewBook(d, nil)
		var want []byte
		for n := range int64(10) {
			b.Register(cutOf("web", 1+n*100, 101+n*100))
		}
		mustSync(t, b)
		if known == "some" {
			b.Register(cutOf("other", 1, 100))
			want = rollup.AppendRecord(want, intent("other", 1, 100))
		}
		if _, err := b.Remove(func(i rollup.Intent) bool { return i.Source == "web" }); err != nil {
			t.Fatal(err)
		}
		b.Compact()
		d.fail = 2
		for range 2 {
			if err := b.Sync(t.Context()); !errors.Is(err, errDisk) {
				t.Errorf("Sync = %v, want %v", err, errDisk)
			}
		}
		mustSync(t, b)
		if string(d.records) != string(want) {
			t.Errorf("with %s left: on the disk: %q, want %q", known, d.records, want)
		}
		b.Register(cutOf("web", 2000, 3000))
		mustSync(t, b)
		if want = rollup.AppendRecord(want, intent("web", 2000, 3000)); string(d.records) != string(want) {
			t.Errorf("with %s left: on the disk: %q, want %q", known, d.records, want)
		}
	}
}

// A generation that a start does not know has the number of one that was begun before, and its
// lines others: what that was cut into is not its own, and is forgotten for good.
func TestIntentsOfAnotherNumbering(t *testing.T) {
	dir := t.TempDir()
	before := intent("old", 1, 50) // of a version that did not note it
	before.First = 0
	if err := os.WriteFile(filepath.Join(dir, statedir.Intents), rollup.AppendRecord([]byte(rollup.Header), before), 0o600); err != nil {
		t.Fatal(err)
	}
	b, _ := openBook(t, dir)
	b.Register(cutOf("web", 1, 100))
	b.Register(cutOf("web", 100, 200))
	b.Register(cutOf("other", 1, 100))
	mustSync(t, b)
	b, _ = openBook(t, dir)
	for _, source := range []string{"web", "old", "third"} {
		is := &flow.Generation{Source: &flow.Source{Name: source}, ID: 3, FirstLine: 11}
		if all := b.Of(is, "site#1"); source == "web" && len(all) > 0 {
			t.Errorf("of lines from 11 on there are %v", all)
		}
		var want []rollup.Intent
		if source == "web" {
			want = []rollup.Intent{intent("web", 1, 100), intent("web", 100, 200)}
		}
		if diff := cmp.Diff(want, b.Renumbered(is)); diff != "" {
			t.Errorf("Renumbered(%q) (-want +got):\n%s", source, diff)
		}
	}
	again := cutOf("web", 100, 200)
	again.End.Generation.FirstLine = 11
	b.Register(again)
	mustSync(t, b)
	b, _ = openBook(t, dir)
	wantIntents(t, b, "web")
	wantIntents(t, b, "other", intent("other", 1, 100))
	wantIntents(t, b, "old", before)
	own := intent("web", 100, 200)
	own.First = 11
	if diff := cmp.Diff([]rollup.Intent{own}, b.Of(again.End.Generation, "site#1")); diff != "" {
		t.Errorf("of lines from 11 on (-want +got):\n%s", diff)
	}
}
