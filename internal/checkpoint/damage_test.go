package checkpoint_test

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/stats"
)

const (
	latest    = statedir.Checkpoint
	previous  = statedir.CheckpointPrev
	fresh     = statedir.Checkpoint + ".new"
	bad       = statedir.Checkpoint + statedir.Bad
	badBefore = statedir.CheckpointPrev + statedir.Bad
	lock      = statedir.Lock
)

// sealed is a body under a header that fits it.
func sealed(version, body string) []byte {
	sum := crc32.Checksum([]byte(body), crc32.MakeTable(crc32.Castagnoli))
	return fmt.Appendf(nil, "tailflux checkpoint %s %08x\n%s", version, sum, body)
}

// contents are the files in a directory but for the lock.
func contents(t testing.TB, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, entry := range entries {
		if entry.Name() == lock {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			text = []byte(err.Error())
		}
		files[entry.Name()] = string(text)
	}
	return files
}

// put makes a directory hold these of the package's files and no others.
func put(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for _, name := range []string{latest, previous, fresh, bad, badBefore} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// inMemory is a directory for tests that open and save very often and ask nothing
// of the disk.
func inMemory(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "tailflux-test-") //nolint:usetesting // TempDir knows only of the disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// offset is the saved position of the generation that begun adds, and -1 if there is
// no state.
func (o *opened) offset() int64 {
	o.t.Helper()
	if o.Fresh() {
		return -1
	}
	saved, known := o.Source(web.Name, web.Path)
	if !known || len(saved.Open) != 1 {
		o.t.Fatalf("Source = %+v, %v, want one open generation", saved, known)
	}
	return saved.Open[0].Offset
}

// two returns the files of two saves, with offsets 100 and 200.
func two(t testing.TB) (before, last string) {
	t.Helper()
	o, g := begun(t)
	o.Acknowledge(at(g, 100), []byte("x\n"))
	o.save()
	o.Acknowledge(at(g, 200), []byte("y\n"))
	o.save()
	files := contents(t, o.dir)
	if len(files) != 2 || files[latest] == "" || files[previous] == "" || files[latest] == files[previous] {
		t.Fatalf("two saves left %q", files)
	}
	return files[previous], files[latest]
}

// The disk may keep any beginning of what was written last, and zeros or nothing
// at all of the rest.
func TestTornFileIsReplacedByTheOneBeforeIt(t *testing.T) {
	before, last := two(t)
	dir, st := inMemory(t), stats.New(time.Now())
	for size := range len(last) {
		zeros := strings.Repeat("\x00", len(last)-size)
		for i, torn := range []string{last[:size], last[:size] + zeros} {
			if i > 0 && size%16 > 0 {
				continue // there are many
			}
			for _, predecessor := range []bool{true, false} {
				files, want := map[string]string{latest: torn}, int64(-1)
				left := map[string]string{bad: torn}
				if predecessor {
					files[previous], left[previous], want = before, before, 100
				}
				put(t, dir, files)
				o := openWith(t, dir, st)
				if got := o.offset(); got != want {
					t.Fatalf("of %d of %d bytes, predecessor %v: continues at %d, want %d", size, len(last), predecessor, got, want)
				}
				o.logged(1, 0)
				o.Close()
				if now := contents(t, dir); !maps.Equal(now, left) {
					t.Fatalf("of %d of %d bytes, predecessor %v (-want +got):\n%s", size, len(last), predecessor, cmp.Diff(left, now))
				}
			}
		}
	}
	put(t, dir, map[string]string{latest: last, previous: before})
	if got := open(t, dir).offset(); got != 200 {
		t.Errorf("the whole file: continues at %d, want 200", got)
	}
}

func TestChangedByteAnywhereIsFound(t *testing.T) {
	before, last := two(t)
	dir, st := inMemory(t), stats.New(time.Now())
	header := strings.Index(last, "\n") + 1
	for i := range len(last) {
		for bit := range 8 {
			if i >= header && bit != i%8 {
				continue // which the checksum finds
			}
			changed := []byte(last)
			changed[i] ^= 1 << bit
			put(t, dir, map[string]string{latest: string(changed), previous: before})
			if isNewer(changed) {
				continue // it is refused
			}
			o := openWith(t, dir, st)
			if got := o.offset(); got != 100 {
				t.Fatalf("byte %d is %q, not %q: continues at %d, want 100", i, changed[i], last[i], got)
			}
			o.Close()
		}
	}
}

// Whatever is there instead of a checkpoint is set aside, and said. The next
// saves are read back.
func TestFileThatCannotBeUsedIsKept(t *testing.T) {
	before, last := two(t)
	body := last[strings.Index(last, "\n")+1:]
	for _, tt := range []struct{ name, text, why string }{
		{"empty", "", "it is empty"},
		{"foreign", "hello\nworld\n", `it begins with \"hello\"`},
		{"foreign, long, no newline", strings.Repeat("x", 1<<20), `it begins with \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"`},
		{"no text", "\x00\xff\xfe", `it begins with`},
		{"no header", body, `it begins with \"{\"`},
		{"no number", string(sealed("", body)), "it is not a checkpoint"},
		{"no such number", string(sealed("one", body)), "it is not a checkpoint"},
		{"no checksum", "tailflux checkpoint 1\n" + body, "it is not a checkpoint"},
		{"header alone", "tailflux checkpoint 1 00000000\n", "unexpected end of JSON"}, // the checksum is right
		{"more behind it", last + "\n", "its checksum is wrong"},
		{"no JSON", string(sealed("1", "hello\n")), "invalid character"},
		{"other JSON", string(sealed("1", "[]\n")), "cannot unmarshal"},
		{"no sources", string(sealed("1", "{}\n")), "it has no sources"},
		{"sources are null", string(sealed("1", `{"sources":null}`)), "it has no sources"},
		{"a source is null", string(sealed("1", `{"sources":{"web":null}}`)), `source \"web\" is null`},
		{"too large a number", string(sealed("1", `{"sources":{"web":{"open":[{"id":9223372036854775808}]}}}`)), "cannot unmarshal"},
	} {
		for _, predecessor := range []string{before, "", "bad"} {
			t.Run(fmt.Sprintf("%s, before it %.9s", tt.name, predecessor), func(t *testing.T) {
				dir := inMemory(t)
				files, want := map[string]string{latest: tt.text, bad: "an older one"}, int64(-1)
				kept := map[string]string{bad: tt.text}
				names := filepath.Join(dir, bad)
				switch predecessor {
				case before:
					files[previous], want = predecessor, 100
				case "bad":
					files[previous], kept[badBefore] = predecessor, predecessor
					names += " " + filepath.Join(dir, badBefore)
				}
				put(t, dir, files)
				o := open(t, dir)
				if got := o.offset(); got != want {
					t.Errorf("continues at %d, want %d", got, want)
				}
				o.logged(1, 0)
				for _, text := range []string{tt.why, filepath.Join(dir, latest), "[" + names + "]"} {
					if !strings.Contains(o.log.String(), text) {
						t.Errorf("logged %s\nwithout %s", o.log, text)
					}
				}
				if loud := strings.Contains(o.log.String(), "starting over"); loud != (want < 0) {
					t.Errorf("logged %s\nas a fresh start: %v", o.log, loud)
				}
				o.source(web)
				g := generation(web, 2)
				o.Begin(at(g, 0), logfile.Sum{}, file(2))
				for range 2 {
					o.Acknowledge(at(g, 10), nil)
					o.save()
				}
				known := o.source(web)
				o = o.crash()
				o.want(web, known)
				o.logged(0, 0)
				files = contents(t, dir)
				delete(files, latest)
				delete(files, previous)
				if !maps.Equal(files, kept) {
					t.Errorf("kept %.99q, want %.99q", files, kept)
				}
			})
		}
	}
}

// The process ended between two renames, and what was left has gone bad.
func TestPredecessorThatCannotBeUsedIsKept(t *testing.T) {
	before, _ := two(t)
	dir, torn := t.TempDir(), before[:99]
	put(t, dir, map[string]string{previous: torn})
	o := open(t, dir)
	if got := o.offset(); got != -1 {
		t.Errorf("continues at %d, want a fresh start", got)
	}
	o.logged(1, 0)
	for _, text := range []string{"starting over", "its checksum is wrong", "kept_as=[" + filepath.Join(dir, badBefore) + "]"} {
		if !strings.Contains(o.log.String(), text) {
			t.Errorf("logged %s\nwithout %s", o.log, text)
		}
	}
	o.source(web)
	g := generation(web, 2)
	o.Begin(at(g, 0), logfile.Sum{}, file(2))
	for range 2 {
		o.Acknowledge(at(g, 10), nil)
		o.save()
	}
	if kept := contents(t, dir)[badBefore]; kept != torn {
		t.Errorf("kept %q, want %q", kept, torn)
	}
	o = o.crash()
	if got := o.offset(); got != 10 {
		t.Errorf("continues at %d, want 10", got)
	}
	o.logged(0, 0)
}

// Another first line number for what is being read would double its lines.
// Whichever of the two files is lost or torn, what had to be saved before it was
// used is in the other one.
func TestEitherFileHasWhatIsUsed(t *testing.T) {
	headless := file(2)
	headless.Head = logfile.Sum{}
	second := generation(web, 2)
	outage := func(o *opened, fails func()) {
		inTheWay := filepath.Join(o.dir, fresh)
		if err := os.Mkdir(inTheWay, 0o700); err != nil {
			o.t.Fatal(err)
		}
		fails()
		if err := os.Remove(inTheWay); err != nil {
			o.t.Fatal(err)
		}
		o.save()
	}
	begin := func(o *opened, f logfile.File) { o.Begin(at(second, 0), logfile.Sum{}, f) }
	for _, tt := range []struct {
		name string
		do   func(o *opened)
	}{
		{"a new source", func(o *opened) { o.source(api); o.Secure() }},
		{"a new generation", func(o *opened) { begin(o, file(2)); o.Secure() }},
		{"a new generation, by another's save", func(o *opened) { begin(o, file(2)); o.save(); o.Secure() }},
		{"the first head", func(o *opened) { begin(o, headless); o.Secure(); o.Describe(second, file(2)); o.Secure() }},
		{"a new generation after an outage", func(o *opened) {
			outage(o, func() { begin(o, file(2)); o.Secure() })
		}},
		{"a new generation and more in an outage", func(o *opened) {
			outage(o, func() {
				begin(o, file(2))
				for range 2 {
					o.Secure()
					if err := o.Save(); err == nil {
						t.Error("Save = nil")
					}
				}
			})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, _ := begun(t)
			tt.do(o)
			want := o.source(web)
			_, wantKnown := o.Source(api.Name, api.Path)
			for _, lost := range []string{latest, previous} {
				files := contents(t, o.dir)
				torn := maps.Clone(files)
				torn[lost] = files[lost][:99]
				delete(files, lost)
				for _, files := range []map[string]string{files, torn} {
					dir := t.TempDir()
					put(t, dir, files)
					after := open(t, dir)
					after.want(web, want)
					if _, known := after.Source(api.Name, api.Path); known != wantKnown {
						t.Errorf("without %s the other source is known: %v, want %v", lost, known, wantKnown)
					}
				}
			}
		})
	}
}

// The process may end after each of the steps of which a save consists, and
// nothing should be logged.
func TestProcessEndsInTheMiddleOfASave(t *testing.T) {
	before, last := two(t)
	half := last[:len(last)/2]
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  int64
	}{
		{"before the first save", nil, -1},
		{"the first is half written", map[string]string{fresh: half}, -1},
		{"the first is written", map[string]string{fresh: last}, -1},
		{"the second is half written", map[string]string{latest: before, fresh: half}, 100},
		{"the second is written", map[string]string{latest: before, fresh: last}, 100},
		{"between two renames", map[string]string{previous: before, fresh: last}, 100},
		{"between two renames, and what was new is gone", map[string]string{previous: before}, 100},
		{"all is done", map[string]string{latest: last, previous: before}, 200},
		{"the third is half written", map[string]string{latest: last, previous: before, fresh: half}, 200},
		{"the predecessor is gone", map[string]string{latest: last}, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, tt.files)
			o := open(t, dir)
			if got := o.offset(); got != tt.want {
				t.Errorf("continues at %d, want %d", got, tt.want)
			}
			if diff := cmp.Diff(tt.files, contents(t, dir), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("Open has changed files (-before +after):\n%s", diff)
			}
			if tt.want < 0 {
				o.source(web)
				o.Begin(at(generation(web, 1), 0), logfile.Sum{}, file(1))
			}
			for _, offset := range []int64{300, 400} {
				o.Acknowledge(at(generation(web, 1), offset), nil)
				o.save()
				if got := open(t, copied(t, dir)).offset(); got != offset {
					t.Errorf("saved at %d, continues at %d", offset, got)
				}
			}
			o.logged(0, 0)
		})
	}
}

// copied is a copy of the directory: what is there if the process ends now.
func copied(t testing.TB, dir string) string {
	t.Helper()
	to := t.TempDir()
	put(t, to, contents(t, dir))
	return to
}

// The process is killed at no particular moment: all that it said was saved is
// there, and there is nothing to complain of.
func TestKilledProcess(t *testing.T) {
	const child = "TAILFLUX_TEST_CHECKPOINT_DIR"
	if dir := os.Getenv(child); dir != "" {
		o := open(t, dir)
		if o.Fresh() {
			o.source(web)
			o.Begin(at(generation(web, 1), 0), logfile.Sum{}, file(1))
		}
		for offset := o.offset(); ; offset += 10 {
			o.Acknowledge(at(generation(web, 1), offset), nil)
			o.save()
			fmt.Println("saved", offset)
		}
	}
	dir := t.TempDir()
	var reached int64
	for round := range 6 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledProcess$")
		cmd.Env = append(os.Environ(), child+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; n < 3+round && lines.Scan(); n++ {
			if n == 2 {
				time.AfterFunc(time.Duration(round)*1300*time.Microsecond, func() { _ = cmd.Process.Kill() })
			}
			if _, err := fmt.Sscanf(lines.Text(), "saved %d", &reached); err != nil {
				t.Errorf("the child says %q", lines.Text())
			}
		}
		for lines.Scan() {
			_, _ = fmt.Sscanf(lines.Text(), "saved %d", &reached)
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the child came to an end")
		}
		o := open(t, dir)
		if got := o.offset(); got != reached && got != reached+10 {
			t.Errorf("reported %d as saved, continues at %d", reached, got)
		}
		o.logged(0, 0)
		o.Close()
	}
	if reached == 0 {
		t.Error("nothing was ever saved")
	}
}

// What cannot be read may be good: it is kept under another name, and the log
// says what continuing without it costs.
func TestUnreadableCheckpointIsKept(t *testing.T) {
	before, last := two(t)
	for _, tt := range []struct {
		name, unreadable string
		others           map[string]string
		want             int64
	}{
		{"the latest", latest, map[string]string{previous: before}, 100},
		{"the latest and there is no other", latest, nil, -1},
		{"the latest, and the other is torn", latest, map[string]string{previous: before[:99]}, -1},
		{"the one before a torn one", previous, map[string]string{latest: last[:99]}, -1},
		{"the one before a missing one", previous, nil, -1},
	} {
		for kind, make := range map[string]func(path string) error{
			"a directory":      func(path string) error { return os.Mkdir(path, 0o700) },
			"a full directory": func(path string) error { return os.MkdirAll(filepath.Join(path, "x"), 0o700) },
			"a link's end":     func(path string) error { return os.Symlink(path, path) },
			"a pipe":           func(path string) error { return syscall.Mkfifo(path, 0o600) },
		} {
			for _, inTheWay := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s is %s, %v", tt.name, kind, inTheWay), func(t *testing.T) {
					dir := t.TempDir()
					put(t, dir, tt.others)
					path := filepath.Join(dir, tt.unreadable)
					if err := make(path); err != nil {
						t.Fatal(err)
					}
					kept := path + statedir.Bad
					if inTheWay {
						if err := os.MkdirAll(filepath.Join(kept, "x"), 0o700); err != nil {
							t.Fatal(err)
						}
						kept += ".1"
					}
					o := open(t, dir)
					if got := o.offset(); got != tt.want {
						t.Errorf("continues at %d, want %d", got, tt.want)
					}
					o.logged(1, 0)
					if !strings.Contains(o.log.String(), kept) {
						t.Errorf("logged %s\nwithout %s", o.log, kept)
					}
					if _, err := os.Lstat(kept); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}

// isNewer reports whether a file says that it is in a later format.
func isNewer(text []byte) bool {
	var format int
	n, err := fmt.Sscanf(string(text), "tailflux checkpoint %d ", &format)
	return n == 1 && err == nil && format > 1
}

// Going on without what a newer version wrote would lose or double lines.
func TestNewerFormatIsRefused(t *testing.T) {
	before, last := two(t)
	body := last[strings.Index(last, "\n")+1:]
	for _, text := range []string{
		string(sealed("2", body)),
		"tailflux checkpoint 2 \n",                   // without a checksum
		"tailflux checkpoint 17 sha256=00\n\x00\x01", // of another kind
	} {
		for _, files := range []map[string]string{
			{latest: text},
			{latest: text, previous: before},
			{latest: text, previous: text},
			{latest: last[:99], previous: text},
			{previous: text},
		} {
			dir := t.TempDir()
			put(t, dir, files)
			state, err := statedir.Open(dir, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			_, err = checkpoint.Open(state, stats.New(time.Now()), slog.New(slog.DiscardHandler))
			state.Close()
			if !errors.Is(err, statedir.ErrNewer) {
				t.Errorf("Open = %v, want %v", err, statedir.ErrNewer)
			}
			if diff := cmp.Diff(files, contents(t, dir)); diff != "" {
				t.Errorf("Open has changed files (-before +after):\n%s", diff)
			}
		}
	}
}

// A bad checkpoint.1 beside a good checkpoint costs nothing. It is renamed, so that
// it is not in the way of the next save.
func TestBadPredecessorOfAGoodOneIsKept(t *testing.T) {
	before, last := two(t)
	write := func(text string) func(path string) error {
		return func(path string) error { return os.WriteFile(path, []byte(text), 0o600) }
	}
	for name, damage := range map[string]func(path string) error{
		"empty":          write(""),
		"torn":           write(before[:len(before)/2]),
		"noise":          write("\x00\xff\n"),
		"newer":          write("tailflux checkpoint 2 00000000\n{}\n"),
		"directory":      func(path string) error { return os.Mkdir(path, 0o700) },
		"full directory": func(path string) error { return os.MkdirAll(filepath.Join(path, "x"), 0o700) },
		"link to itself": func(path string) error { return os.Symlink(path, path) },
		"pipe":           func(path string) error { return syscall.Mkfifo(path, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, map[string]string{latest: last})
			if err := damage(filepath.Join(dir, previous)); err != nil {
				t.Fatal(err)
			}
			o := open(t, dir)
			if got := o.offset(); got != 200 {
				t.Errorf("continues at %d, want 200", got)
			}
			o.logged(1, 0)
			for _, part := range []string{filepath.Join(dir, badBefore), "none while checkpoint is good"} {
				if !strings.Contains(o.log.String(), part) {
					t.Errorf("logged %s, without %q", o.log, part)
				}
			}
			if _, err := os.Lstat(filepath.Join(dir, badBefore)); err != nil {
				t.Error(err)
			}
			for _, offset := range []int64{300, 400} {
				o.Acknowledge(at(generation(web, 1), offset), nil)
				o.save()
			}
			o = o.crash()
			if got := o.offset(); got != 400 {
				t.Errorf("saved at 400, continues at %d", got)
			}
			o.logged(0, 0)
		})
	}
}
