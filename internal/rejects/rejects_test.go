package rejects_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/stats"
)

const roomy = 100 << 20

// stateDir is a state directory that is not locked: it is opened again while it is
// open, as after a crash.
func stateDir(dir string, log *slog.Logger) (*statedir.Dir, error) {
	state, err := statedir.Open(dir, log)
	if err == nil {
		state.Close()
	}
	return state, err
}

// openFile opens a file to which no line is replayed.
func openFile(dir string, maxBytes int64) (*rejects.File, error) {
	state, err := stateDir(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return rejects.Open(state, maxBytes, nil, stats.New(time.Now()), slog.New(slog.DiscardHandler))
}

func open(t *testing.T, dir string, maxBytes int64) *rejects.File {
	t.Helper()
	f, err := openFile(dir, maxBytes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// entries are the entries with these numbers.
func entries(numbers ...int64) (all []rejects.Entry) {
	for _, n := range numbers {
		line := fmt.Appendf(nil, "GET /%d", n)
		all = append(all, rejects.Entry{
			Time: time.Unix(1_795_168_800, 0).UTC(), Source: "web", Generation: 1, LineNumber: n,
			Reason: "no match", Line: line, LineBytes: int64(len(line)),
		})
	}
	return all
}

func mustAppend(t *testing.T, f *rejects.File, numbers ...int64) {
	t.Helper()
	if n, err := f.Append(entries(numbers...)); err != nil || n != len(numbers) {
		t.Fatalf("Append(%v) = %d, %v", numbers, n, err)
	}
}

// read returns a file; nothing when it is missing.
func read(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(data)
}

// check checks the numbers of the entries in a file, which must be nothing but
// whole entries.
func check(t *testing.T, dir, name string, want ...int64) {
	t.Helper()
	var got []int64
	for text := range strings.Lines(read(t, dir, name)) {
		var entry struct {
			LineNumber int64 `json:"line_number"`
		}
		if err := json.Unmarshal([]byte(text), &entry); err != nil || !strings.HasSuffix(text, "\n") {
			t.Errorf("%s: %q is no whole entry: %v", name, text, err)
		}
		got = append(got, entry.LineNumber)
	}
	if !slices.Equal(want, got) {
		t.Errorf("%s has entries %d, want %d", name, got, want)
	}
}

func TestEntry(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir, roomy)
	_, err := f.Append([]rejects.Entry{{
		Time:   time.Date(2026, 11, 22, 10, 0, 0, 123_456_789, time.FixedZone("", 3600)),
		Source: "web:eu", Generation: 7, LineNumber: 1234567890123, Reason: `refused: "no"`,
		Line: []byte(`1.2.3.4 - - "GET /<a>&b \x22" 200`), LineBytes: 33,
	}})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"time":"2026-11-22T10:00:00.123456789+01:00","source":"web:eu","generation":7,"line_number":1234567890123,` +
		`"reason":"refused: \"no\"","line":"1.2.3.4 - - \"GET /<a>&b \\x22\" 200"}` + "\n"
	if diff := cmp.Diff(want, read(t, dir, statedir.Rejects)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	info, err := os.Stat(filepath.Join(dir, statedir.Rejects))
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode(); mode&0o027 != 0 { // lines are personal data
		t.Errorf("mode is %s", mode)
	}
}

func TestLine(t *testing.T) {
	const limit = 8 << 10
	long := strings.Repeat("a", 3*limit)
	for _, tt := range []struct {
		name      string
		line      string
		lineBytes int64 // the length of the line when 0
		want      string
		wantBytes int64 // 0: not in the entry
	}{
		{name: "empty", line: "", want: ""},
		{name: "plain", line: "a b", want: "a b"},
		{name: "quotes and backslashes", line: `"\x22" \`, want: `"\x22" \`},
		{name: "UTF-8", line: "ä€😀\u2028", want: "ä€😀\u2028"},
		{name: "U+FFFD itself", line: "\uFFFD", want: "\uFFFD"},
		{name: "control bytes", line: "\x00\x01\t\r\x7f", want: "\x00\x01\t\r\x7f"},
		{name: "not UTF-8", line: "\x16\x03\xff\xc3", want: "\x16\x03" + `\xFF\xC3`},
		{name: "between UTF-8", line: "ä\xe2\x82€\xf0\x9f", want: `ä\xE2\x82€\xF0\x9F`},
		{name: "surrogate", line: "\xed\xa0\x80", want: `\xED\xA0\x80`},
		{name: "just fits", line: long[:limit], want: long[:limit]},
		{name: "one over", line: long[:limit+1], want: long[:limit], wantBytes: limit + 1},
		{name: "long", line: long, want: long[:limit], wantBytes: 3 * limit},
		{name: "head of a longer one", line: "GET", lineBytes: 70_000, want: "GET", wantBytes: 70_000},
		{name: "cut in a rune", line: long[:limit-1] + "ä", want: long[:limit-1] + `\xC3`, wantBytes: limit + 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			f := open(t, dir, roomy)
			if tt.lineBytes == 0 {
				tt.lineBytes = int64(len(tt.line))
			}
			if _, err := f.Append([]rejects.Entry{{Line: []byte(tt.line), LineBytes: tt.lineBytes}}); err != nil {
				t.Fatal(err)
			}
			text := read(t, dir, statedir.Rejects)
			var got struct {
				Line      string
				LineBytes *int64 `json:"line_bytes"`
			}
			if err := json.Unmarshal([]byte(text), &got); err != nil || strings.Count(text, "\n") != 1 {
				t.Fatalf("%q: %v", text, err)
			}
			if got.Line != tt.want {
				t.Errorf("line %q of %d bytes, want %q of %d", got.Line, len(got.Line), tt.want, len(tt.want))
			}
			if has := got.LineBytes != nil; has != (tt.wantBytes != 0) || has && *got.LineBytes != tt.wantBytes {
				t.Errorf("%s: want line_bytes %d", text[max(0, len(text)-50):], tt.wantBytes)
			}
		})
	}
}

// So does what a lost machine has left: blocks that were never written, or half.
func TestTornByPowerLoss(t *testing.T) {
	for _, end := range []string{
		"\x00", strings.Repeat("\x00", 4096), strings.Repeat("\x00", 300_000), `{"time":"2026` + strings.Repeat("\x00", 100) + "\n",
		"\n", "0\n", `"line"` + "\n", "}\n{\n", strings.Repeat("x", 300_000) + "\n",
	} {
		dir := t.TempDir()
		f := open(t, dir, roomy)
		mustAppend(t, f, 1, 2)
		f.Close()
		path := filepath.Join(dir, statedir.Rejects)
		if err := os.WriteFile(path, []byte(read(t, dir, statedir.Rejects)+end), 0o600); err != nil {
			t.Fatal(err)
		}
		mustAppend(t, open(t, dir, roomy), 3)
		check(t, dir, statedir.Rejects, 1, 2, 3)
	}
}

// What a crash left of the last entry goes when the file is opened.
func TestTornEntry(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir, roomy)
	mustAppend(t, f, 1, 2, 3)
	f.Close()
	whole := read(t, dir, statedir.Rejects)
	second := strings.Index(whole, "\n") + 1
	for torn := 1; torn < len(whole); torn += 7 {
		if err := os.WriteFile(filepath.Join(dir, statedir.Rejects), []byte(whole[:torn]), 0o600); err != nil {
			t.Fatal(err)
		}
		kept := []int64{1, 2}[:torn/second] // all three are equally long
		f := open(t, dir, roomy)
		check(t, dir, statedir.Rejects, kept...)
		mustAppend(t, f, 9)
		f.Close()
		check(t, dir, statedir.Rejects, append(kept, 9)...)
	}
}

func TestReopened(t *testing.T) {
	dir := t.TempDir()
	for n := range int64(3) {
		f := open(t, dir, roomy)
		mustAppend(t, f, 2*n, 2*n+1)
		f.Close()
	}
	check(t, dir, statedir.Rejects, 0, 1, 2, 3, 4, 5)
}

// The file and its predecessor hold the newest entries; what was before them is
// counted and logged, over restarts too.
func TestLimit(t *testing.T) {
	dir := t.TempDir()
	one := int64(len(entryText(t)))
	st := stats.New(time.Now())
	var log bytes.Buffer
	open := func() *rejects.File {
		t.Helper()
		logger := slog.New(slog.NewTextHandler(&log, nil))
		state, err := stateDir(dir, logger)
		if err != nil {
			t.Fatal(err)
		}
		f, err := rejects.Open(state, 3*one, nil, st, logger)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	expired := func(want int64) {
		t.Helper()
		if got := st.Snapshot(time.Now()).RejectsExpired; got != want {
			t.Errorf("%d entries expired, want %d", got, want)
		}
		if got := strings.Count(log.String(), "oldest entries were deleted"); int64(got) != want/3 {
			t.Errorf("logged %d times for %d entries", got, want)
		}
	}
	for n := int64(1); n <= 9; n++ {
		f := open()
		mustAppend(t, f, n)
		f.Close()
	}
	check(t, dir, statedir.Rejects+".1", 4, 5, 6)
	check(t, dir, statedir.Rejects, 7, 8, 9)
	expired(3)
	f := open()
	mustAppend(t, f, 1, 2)
	mustAppend(t, f, 3, 4, 5, 6, 7, 8, 9, 10) // more than may be there
	check(t, dir, statedir.Rejects+".1", 7, 8, 9)
	check(t, dir, statedir.Rejects, 10)
	expired(15)
}

func entryText(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	mustAppend(t, open(t, dir, roomy), 1)
	return read(t, dir, statedir.Rejects)
}

func TestNothingToAppend(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir, roomy)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Append(nil); err != nil {
		t.Errorf("Append(nil) = %v: no line was rejected, so nothing was to be done", err)
	}
}

// Every entry is there, in the order in which they came.
func TestManyEntries(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir, roomy)
	var want []int64
	for n := int64(0); n < 5000; n += 100 {
		var some []int64
		for i := range int64(100) {
			some = append(some, n+i)
		}
		mustAppend(t, f, some...)
		want = append(want, some...)
	}
	check(t, dir, statedir.Rejects, want...)
}
