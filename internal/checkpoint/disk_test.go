package checkpoint_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/stats"
)

const (
	latest    = checkpoint.Name
	previous  = checkpoint.Name + ".1"
	fresh     = checkpoint.Name + ".new"
	bad       = checkpoint.Name + ".bad"
	badBefore = checkpoint.Name + ".1.bad"
	lock      = "lock"
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

// offset is where the generation that begun begins goes on, -1 when nothing is
// remembered.
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

// A release must read what the one before it wrote. Who changes the format
// raises its number, and keeps this test.
func TestFormatStaysTheSame(t *testing.T) {
	const body = `{
 "sources": {
  "api": {
   "path": "/srv/api/access.log",
   "open": [
    {
     "file": {
      "device": 0,
      "inode": 0
     },
     "head": {
      "length": 0
     },
     "size": 0,
     "modified": 0,
     "id": 1,
     "first_line": 1,
     "offset": 0,
     "line": 1,
     "before": {
      "length": 0
     },
     "left": -1
    }
   ]
  },
  "web": {
   "path": "/var/log/nginx/access.log",
   "directories": [
    "/old"
   ],
   "open": [
    {
     "file": {
      "device": 9223372036854775810,
      "inode": 4611686018427387906,
      "birth": 1790000000123456791
     },
     "head": {
      "length": 3,
      "hash": "ba7816bf8f01cfea"
     },
     "size": 1099511627778,
     "modified": 1790000001123456791,
     "id": 2,
     "first_line": 500001,
     "offset": 200,
     "line": 500021,
     "before": {
      "length": 3,
      "hash": "ba7816bf8f01cfea"
     },
     "left": 300
    }
   ],
   "finished": [
    {
     "file": {
      "device": 9223372036854775811,
      "inode": 4611686018427387907,
      "birth": 1790000000123456792
     },
     "head": {
      "length": 3,
      "hash": "ba7816bf8f01cfea"
     },
     "size": 1099511627779,
     "modified": 1790000001123456792,
     "id": 3,
     "first_line": 1000001,
     "last_line": 1000031,
     "offset": 300,
     "before": {
      "length": 3,
      "hash": "ba7816bf8f01cfea"
     },
     "lost": true
    }
   ]
  }
 }
}
`
	described := func(id int64) checkpoint.File {
		f := file(id)
		f.Head = checkpoint.SumOf([]byte("abc"))
		return f
	}
	o := open(t, t.TempDir())
	o.source(api)
	o.Begin(at(generation(api, 1), 0), checkpoint.Sum{}, checkpoint.File{})
	o.source(web)
	o.RotatedTo("web", "/old")
	o.Begin(at(generation(web, 2), 0), checkpoint.Sum{}, described(2))
	o.Begin(at(generation(web, 3), 0), checkpoint.Sum{}, described(3))
	o.Acknowledge(at(generation(web, 2), 200), []byte("abc"))
	o.Leave(at(generation(web, 2), 300))
	o.Acknowledge(at(generation(web, 3), 300), []byte("abc"))
	o.Lose("web", 3)
	o.save()
	want := string(sealed("1", body))
	if diff := cmp.Diff(want, contents(t, o.dir)[latest]); diff != "" {
		t.Errorf("saved (-want +got):\n%s", diff)
	}
	wantWeb, wantAPI := o.source(web), o.source(api)
	o.Close()
	put(t, o.dir, map[string]string{latest: want})
	o = open(t, o.dir)
	o.want(web, wantWeb)
	o.want(api, wantAPI)
}

// Names of files are bytes. A file that a glob found must not be a new source
// after a restart because its name is not UTF-8, nor be taken for another one.
func TestNamesNeedNotBeUTF8(t *testing.T) {
	names := []string{
		"\xff", "\xfe", "caf\xe9", "café", "caf\ufffd", "caf\\xe9", "\xe2\x82", "\xe2\x82\xac\x82", "\xed\xa0\x80", "\xc0\x80",
		"\x80\xffxff", "\xff\"<ü>\"\n\u2028", "",
	}
	o := open(t, t.TempDir())
	want := map[string]checkpoint.Source{}
	for i, name := range names {
		s := &flow.Source{Name: "web:" + name, Path: "/log/" + name + ".log"}
		o.source(&flow.Source{Name: s.Name, Path: "/before/" + name})
		o.Begin(at(generation(s, int64(i+1)), 0), checkpoint.Sum{}, file(1))
		for _, dir := range names {
			o.RotatedTo(s.Name, "/old/"+dir)
		}
		want[s.Name] = o.source(s)
	}
	for range 2 {
		o.RotatedTo("web:", fmt.Sprint("/old/", o.dir)) // so that something is saved
		want["web:"] = o.source(&flow.Source{Name: "web:", Path: "/log/.log"})
		o.save()
		for _, text := range []string{`"web:café"`, `"/log/caf\\xe9.log"`, `"/log/caf\u0000xe9.log"`} {
			if !strings.Contains(contents(t, o.dir)[latest], text) {
				t.Errorf("saved %s\nwithout %s", contents(t, o.dir)[latest], text)
			}
		}
		o = o.crash()
		for name, s := range want {
			got, known := o.Source(name, s.Path)
			if diff := cmp.Diff(s, got, cmpopts.EquateEmpty()); diff != "" || !known {
				t.Errorf("Source(%q) is known: %v; (-want +got):\n%s", name, known, diff)
			}
		}
	}
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
				continue // it takes its time
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
					t.Fatalf("of %d of %d bytes, predecessor %v: goes on at %d, want %d", size, len(last), predecessor, got, want)
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
		t.Errorf("the whole file: goes on at %d, want 200", got)
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
			o := openWith(t, dir, st)
			if got := o.offset(); got != 100 {
				t.Fatalf("byte %d is %q, not %q: goes on at %d, want 100", i, changed[i], last[i], got)
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
		{"newer", string(sealed("2", body)), "it is of format 2, this tailflux knows format 1"},
		{"newer, without a checksum", "tailflux checkpoint 2 \n", "it is of format 2"},
		{"newer, of another kind", "tailflux checkpoint 17 sha256=00\n\x00\x01", "it is of format 17"},
		{"no number", string(sealed("", body)), "it is no checkpoint"},
		{"no such number", string(sealed("one", body)), "it is no checkpoint"},
		{"no checksum", "tailflux checkpoint 1\n" + body, "it is no checkpoint"},
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
					t.Errorf("goes on at %d, want %d", got, want)
				}
				o.logged(1, 0)
				for _, text := range []string{tt.why, filepath.Join(dir, latest), "[" + names + "]"} {
					if !strings.Contains(o.log.String(), text) {
						t.Errorf("logged %s\nwithout %s", o.log, text)
					}
				}
				if loud := strings.Contains(o.log.String(), "as at the very first start"); loud != (want < 0) {
					t.Errorf("logged %s\nas a fresh start: %v", o.log, loud)
				}
				o.source(web)
				g := generation(web, 2)
				o.Begin(at(g, 0), checkpoint.Sum{}, file(2))
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
		t.Errorf("goes on at %d, want a fresh start", got)
	}
	o.logged(1, 0)
	for _, text := range []string{"as at the very first start", "its checksum is wrong", "kept_as=[" + filepath.Join(dir, badBefore) + "]"} {
		if !strings.Contains(o.log.String(), text) {
			t.Errorf("logged %s\nwithout %s", o.log, text)
		}
	}
	o.source(web)
	g := generation(web, 2)
	o.Begin(at(g, 0), checkpoint.Sum{}, file(2))
	for range 2 {
		o.Acknowledge(at(g, 10), nil)
		o.save()
	}
	if kept := contents(t, dir)[badBefore]; kept != torn {
		t.Errorf("kept %q, want %q", kept, torn)
	}
	o = o.crash()
	if got := o.offset(); got != 10 {
		t.Errorf("goes on at %d, want 10", got)
	}
	o.logged(0, 0)
}

// Another first line number for what is being read would double its lines.
// Whichever of the two files is lost or torn, what had to be saved before it was
// used is in the other one.
func TestEitherFileHasWhatIsUsed(t *testing.T) {
	headless := file(2)
	headless.Head = checkpoint.Sum{}
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
	begin := func(o *opened, f checkpoint.File) { o.Begin(at(second, 0), checkpoint.Sum{}, f) }
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
// nobody should hear of it.
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
		{"the predecessor is torn", map[string]string{latest: last, previous: half}, 200},
		{"the predecessor is gone", map[string]string{latest: last}, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, tt.files)
			o := open(t, dir)
			if got := o.offset(); got != tt.want {
				t.Errorf("goes on at %d, want %d", got, tt.want)
			}
			if diff := cmp.Diff(tt.files, contents(t, dir), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("Open has changed files (-before +after):\n%s", diff)
			}
			if tt.want < 0 {
				o.source(web)
				o.Begin(at(generation(web, 1), 0), checkpoint.Sum{}, file(1))
			}
			for _, offset := range []int64{300, 400} {
				o.Acknowledge(at(generation(web, 1), offset), nil)
				o.save()
				if got := open(t, copied(t, dir)).offset(); got != offset {
					t.Errorf("saved at %d, goes on at %d", offset, got)
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
			o.Begin(at(generation(web, 1), 0), checkpoint.Sum{}, file(1))
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
			t.Errorf("said that %d was saved, goes on at %d", reached, got)
		}
		o.logged(0, 0)
		o.Close()
	}
	if reached == 0 {
		t.Error("nothing was ever saved")
	}
}

// A checkpoint that may be good is there, and cannot be had now: nothing that
// would be written may take its place.
func TestUnreadableCheckpointIsNotOverwritten(t *testing.T) {
	before, last := two(t)
	for _, tt := range []struct {
		name, unreadable string
		others           map[string]string
	}{
		{"the latest", latest, map[string]string{previous: before}},
		{"the latest and there is no other", latest, nil},
		{"the latest, and the other is torn", latest, map[string]string{previous: before[:99]}},
		{"the one before a torn one", previous, map[string]string{latest: last[:99]}},
		{"the one before a missing one", previous, nil},
	} {
		for kind, make := range map[string]func(path string) error{
			"a directory":  func(path string) error { return os.Mkdir(path, 0o700) },
			"a link's end": func(path string) error { return os.Symlink(path, path) },
		} {
			t.Run(tt.name+" is "+kind, func(t *testing.T) {
				dir := t.TempDir()
				put(t, dir, tt.others)
				path := filepath.Join(dir, tt.unreadable)
				if err := make(path); err != nil {
					t.Fatal(err)
				}
				files := contents(t, dir)
				var log bytes.Buffer
				for range 2 { // which finds the directory free
					_, err := checkpoint.Open(dir, stats.New(time.Now()), slog.New(slog.NewTextHandler(&log, nil)))
					if err == nil || !strings.HasPrefix(err.Error(), "state_dir: ") || !strings.Contains(err.Error(), path) ||
						errors.Is(err, checkpoint.ErrInUse) {
						t.Errorf("Open = %v, want an error about %s", err, path)
					}
				}
				if diff := cmp.Diff(files, contents(t, dir)); diff != "" {
					t.Errorf("Open has changed files (-before +after):\n%s", diff)
				}
				if log.Len() > 0 {
					t.Errorf("logged, and returned as an error: %s", &log)
				}
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
				put(t, dir, map[string]string{latest: last})
				if got := open(t, dir).offset(); got != 200 {
					t.Errorf("when it can be read again it goes on at %d, want 200", got)
				}
			})
		}
	}
}

// Where the latest is good, the one before it is not of interest.
func TestUnreadablePredecessorOfAGoodOneDoesNotMatter(t *testing.T) {
	_, last := two(t)
	dir := t.TempDir()
	put(t, dir, map[string]string{latest: last})
	if err := os.Mkdir(filepath.Join(dir, previous), 0o700); err != nil {
		t.Fatal(err)
	}
	o := open(t, dir)
	if got := o.offset(); got != 200 {
		t.Errorf("goes on at %d, want 200", got)
	}
	o.logged(0, 0)
}

func TestOpenFails(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		dir  string
		want error
	}{{filepath.Join(dir, "none"), fs.ErrNotExist}, {file, syscall.ENOTDIR}} {
		c, err := checkpoint.Open(tt.dir, stats.New(time.Now()), slog.New(slog.DiscardHandler))
		if c != nil || !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.dir) {
			t.Errorf("Open(%q) = %v, %v, want %v", tt.dir, c, err, tt.want)
		}
	}
	if files := contents(t, dir); len(files) != 1 {
		t.Errorf("Open has made files: %q", files)
	}
}

// Two processes would save over each other.
func TestDirectoryIsForOneProcess(t *testing.T) {
	o, g := begun(t)
	refused := func() {
		t.Helper()
		files := contents(t, o.dir)
		c, err := checkpoint.Open(o.dir, stats.New(time.Now()), slog.New(slog.DiscardHandler))
		if want := "state_dir " + o.dir + ": " + checkpoint.ErrInUse.Error(); c != nil || !errors.Is(err, checkpoint.ErrInUse) || err.Error() != want {
			t.Errorf("Open = %v, %v, want %s", c, err, want)
		}
		if diff := cmp.Diff(files, contents(t, o.dir)); diff != "" {
			t.Errorf("a refused Open has changed files (-before +after):\n%s", diff)
		}
	}
	refused()
	o.Acknowledge(at(g, 100), nil)
	o.save()
	refused()
	o.Acknowledge(at(g, 200), nil)
	o.save()
	refused()
	open(t, t.TempDir()) // another directory
	o = o.crash()
	if got := o.offset(); got != 200 {
		t.Errorf("goes on at %d, want 200", got)
	}
	refused()
	o.crash()
}

// Whatever is in the way of a save, it is told once, and nothing is lost once it
// is gone.
func TestSaveFails(t *testing.T) {
	for _, tt := range []struct {
		name     string
		obstruct func(dir string) error
		clear    func(dir string) error
		want     string
	}{
		{
			"the directory was moved away",
			func(dir string) error { return os.Rename(dir, dir+".gone") },
			func(dir string) error { return os.Rename(dir+".gone", dir) },
			"no such file or directory",
		},
		{
			"the directory was removed",
			os.RemoveAll,
			func(dir string) error { return os.Mkdir(dir, 0o700) },
			"no such file or directory",
		},
		{
			"the new file cannot be made",
			func(dir string) error { return os.Mkdir(filepath.Join(dir, fresh), 0o700) },
			func(dir string) error { return os.Remove(filepath.Join(dir, fresh)) },
			"is a directory",
		},
		{
			"the new file cannot be written",
			func(dir string) error { return os.Symlink("/dev/full", filepath.Join(dir, fresh)) },
			func(dir string) error { return os.Remove(filepath.Join(dir, fresh)) },
			"no space left on device",
		},
		{
			"the predecessor cannot be replaced",
			func(dir string) error {
				path := filepath.Join(dir, previous)
				return errors.Join(os.RemoveAll(path), os.Mkdir(path, 0o700))
			},
			func(dir string) error { return os.Remove(filepath.Join(dir, previous)) },
			"file exists",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			o, g := open(t, dir), generation(web, 1)
			o.source(web)
			o.Begin(at(g, 0), checkpoint.Sum{}, file(1))
			o.save()
			for outage := 1; outage <= 2; outage++ {
				done := 1000 * int64(outage)
				if err := tt.obstruct(dir); err != nil {
					t.Fatal(err)
				}
				o.save() // nothing has changed
				o.logged(outage-1, outage-1)
				for i := range int64(3) {
					o.Acknowledge(at(g, done+10*i), []byte("x\n"))
					o.Secure()
					err := o.Save()
					if err == nil || !strings.HasPrefix(err.Error(), "save checkpoint: ") || !strings.Contains(err.Error(), tt.want) {
						t.Fatalf("Save = %v, want %q", err, tt.want)
					}
					o.logged(outage, outage-1)
					if got := o.stats.Snapshot(time.Now()).Checkpoint; got.Trouble != err.Error() || !got.Saves {
						t.Errorf("stats tell %+v, want it saved once, and %v", got, err)
					}
				}
				if err := tt.clear(dir); err != nil {
					t.Fatal(err)
				}
				o.save()
				o.logged(outage, outage)
				if got := o.stats.Snapshot(time.Now()).Checkpoint.Trouble; got != "" {
					t.Errorf("stats tell %q when it is over", got)
				}
				want := checkpoint.Source{Path: web.Path, Open: []checkpoint.Generation{reading(1, done+20, "x\n")}}
				o.want(web, want)
				open(t, copied(t, dir)).want(web, want)
			}
		})
	}
}

// What is there when a save fails is the save before it.
func TestFailedSaveLeavesTheOneBeforeIt(t *testing.T) {
	for _, name := range []string{fresh, previous} {
		o, g := begun(t)
		o.Acknowledge(at(g, 100), nil)
		o.save()
		path := filepath.Join(o.dir, name)
		if err := errors.Join(os.RemoveAll(path), os.Mkdir(path, 0o700)); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			o.Acknowledge(at(g, 200), nil)
			if err := o.Save(); err == nil {
				t.Errorf("Save with a directory named %s = nil", name)
			}
		}
		o = o.crash()
		if got := o.offset(); got != 100 {
			t.Errorf("goes on at %d, want 100", got)
		}
		o.logged(0, 0)
	}
}

// Who reads must not wait for a broken disk with every chunk: what could not be
// saved before it was used is left to the next Save.
func TestSecureTriesOnce(t *testing.T) {
	o, _ := begun(t)
	inTheWay := filepath.Join(o.dir, fresh)
	if err := os.Mkdir(inTheWay, 0o700); err != nil {
		t.Fatal(err)
	}
	o.Begin(at(generation(web, 2), 0), checkpoint.Sum{}, file(2))
	o.Secure()
	o.logged(1, 0)
	if !strings.Contains(o.log.String(), "new_file=true") {
		t.Errorf("logged %s\nwant new_file=true", o.log)
	}
	if err := os.Remove(inTheWay); err != nil {
		t.Fatal(err)
	}
	if o.changed(o.Secure) {
		t.Error("Secure tries once more")
	}
	o.logged(1, 0)
	if !o.changed(o.save) {
		t.Error("Save does nothing")
	}
	o.logged(1, 1)
	if got := o.crash().source(web).Open; len(got) != 2 {
		t.Errorf("there are %d open generations after a restart, want 2", len(got))
	}
}

// An outage during which a file is new is worse than one that began without, and
// is told once more, and no more than that.
func TestNewFileDuringAnOutageIsTold(t *testing.T) {
	o, g := begun(t)
	inTheWay := filepath.Join(o.dir, fresh)
	for outage := range 2 {
		if err := os.Mkdir(inTheWay, 0o700); err != nil {
			t.Fatal(err)
		}
		told := func(errors, newFile int) {
			t.Helper()
			o.logged(2*outage+errors, outage)
			if got := strings.Count(o.log.String(), "new_file=true"); got != outage+newFile {
				t.Errorf("new_file=true %d times, want %d:\n%s", got, outage+newFile, o.log)
			}
		}
		fail := func(offset int64) {
			t.Helper()
			o.Acknowledge(at(g, offset), nil)
			if err := o.Save(); err == nil {
				t.Error("Save = nil")
			}
		}
		fail(100)
		told(1, 0)
		fail(200)
		told(1, 0)
		for i := range int64(2) {
			id := 2 + 2*int64(outage) + i
			o.Begin(at(generation(web, id), 0), checkpoint.Sum{}, file(id))
			o.Secure()
			told(2, 1)
			fail(300 + 100*i)
			told(2, 1)
		}
		if err := os.Remove(inTheWay); err != nil {
			t.Fatal(err)
		}
		o.save()
		o.logged(2*outage+2, outage+1)
	}
}

// A real disk, and too small. Wherever it is full, the last good save is there.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		t.Skip("not permitted to mount a small file system:", err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	o, g := open(t, dir), generation(web, 1)
	o.source(web)
	o.Begin(at(g, 0), checkpoint.Sum{}, file(1))
	for id := int64(2); id <= 30; id++ { // so that it takes several blocks
		o.NoteCopy("web", delivered(id, 0, ""))
	}
	o.save()
	o.Acknowledge(at(g, 10), nil)
	o.save()
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		t.Fatal(err)
	}
	size, block, all := len(contents(t, dir)[latest]), int(disk.Bsize), int(disk.Bfree)
	need := (size + block - 1) / block
	if need < 2 || all <= need {
		t.Fatalf("a checkpoint takes %d blocks and %d are free, want at least 2 and one more than that", need, all)
	}
	saved, outages := int64(10), 0
	filler := filepath.Join(dir, "filler")
	for free := range need + 1 { // blocks
		if err := os.WriteFile(filler, make([]byte, (all-free)*block), 0o600); err != nil {
			t.Fatal(err)
		}
		for i := range int64(2) {
			o.Acknowledge(at(g, saved+10*(i+1)), nil)
			err := o.Save()
			if enough := free == need; enough != (err == nil) || err != nil && !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("with %d of %d blocks free, Save = %v", free, need, err)
			}
			if got := o.stats.Snapshot(time.Now()).Checkpoint.Trouble; (got == "") != (err == nil) {
				t.Errorf("with %d of %d blocks free, stats tell %q, Save = %v", free, need, got, err)
			}
			want := saved
			if err == nil {
				want += 10 * (i + 1)
			}
			after := open(t, copied(t, dir))
			if got := after.offset(); got != want {
				t.Errorf("with %d of %d blocks free: goes on at %d, want %d", free, need, got, want)
			}
			after.logged(0, 0)
		}
		saved += 20
		if free < need {
			outages++
			o.logged(outages, outages-1)
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		if err := o.Save(); err != nil {
			t.Fatalf("when there is room again, Save = %v", err)
		}
		o.logged(outages, outages)
	}
	// It is full when it starts, too.
	if err := os.WriteFile(filler, make([]byte, all*block), 0o600); err != nil {
		t.Fatal(err)
	}
	o = o.crash()
	if got := o.offset(); got != saved {
		t.Errorf("goes on at %d, want %d", got, saved)
	}
	o.logged(0, 0)
}

// A pipe that nobody reads stands for a disk that does not answer. Delivery goes
// on; who saves waits.
func TestNobodyButASaveWaitsForTheDisk(t *testing.T) {
	o, g := begun(t)
	path := filepath.Join(o.dir, fresh)
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 200 { // more than a pipe holds
		o.RotatedTo("web", fmt.Sprintf("/%d%s", i, strings.Repeat("x", 1000)))
	}
	results := make(chan error, 2)
	go func() { results <- o.Save() }()
	disk, err := os.Open(path) // waits for that
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	if _, err := io.ReadFull(disk, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	working := make(chan struct{})
	go func() {
		defer close(working)
		o.Acknowledge(at(g, 100), []byte("x\n"))
		o.Describe(g, file(1))
		o.Leave(at(g, 200))
		o.Stay(g)
		o.Forget(generation(web, 4))
		o.RotatedTo("web", "/old")
		o.NoteCopy("web", delivered(2, 0, ""))
		o.Lose("web", 3)
		o.Secure() // has nothing to do
		if o.Fresh() || len(o.Waiting()) != 1 || o.offset() != 100 {
			t.Error("nothing is known while a save is under way")
		}
		o.Begin(at(generation(web, 3), 0), checkpoint.Sum{}, file(3))
	}()
	select {
	case <-working:
	case <-time.After(10 * time.Second):
		t.Fatal("a save that takes long holds up everything")
	}
	go func() { results <- o.Save() }()
	select {
	case err := <-results:
		t.Errorf("Save = %v while the disk does not answer", err)
	case <-time.After(50 * time.Millisecond):
	}
	if err := os.Remove(path); err != nil { // for the second one
		t.Fatal(err)
	}
	disk.Close()
	first, second := <-results, <-results
	if !errors.Is(first, syscall.EPIPE) || second != nil {
		t.Errorf("Save = %v, %v, want %v and a good one", first, second, syscall.EPIPE)
	}
	known := o.source(web)
	if len(known.Open) != 2 || len(known.Directories) != 201 {
		t.Errorf("there are %d open generations and %d directories, want 2 and 201", len(known.Open), len(known.Directories))
	}
	o.crash().want(web, known)
}

// Whatever the file holds, either all of it is known or nothing, which is said;
// and what is known can be gone on with, saved, and read again.
func FuzzRead(f *testing.F) {
	before, last := two(f)
	f.Add([]byte(last))
	f.Add([]byte(last)[:len(last)-1])
	f.Add([]byte(last[strings.Index(last, "\n")+1:]))
	f.Add([]byte(`{"sources":{"\u0000xff":{"path":"\u0000xC3\u0000x80\u0000xe9\u0000","directories":["/\u0000xc3\u0000xa9"]}}}`))
	f.Add([]byte{})
	f.Add([]byte("tailflux checkpoint 2 00000000\n{}\n"))
	f.Add([]byte(`{"sources":{}}`))
	f.Add([]byte(`{"sources":{"web":null}}`))
	f.Add([]byte(`{"sources":{"web":{},"":{"path":"\ud800","open":[{"id":1,"left":-1},{"id":1},{"id":7}],"finished":[{"id":1},{"lost":true}]}}}`))
	f.Add([]byte(`{"sources":{"a":{"open":[{"left":5,"id":-1,"head":{"length":-1},"size":-1}],"directories":["",""]},"a":{}}} `))
	f.Add([]byte(`{"sources":{"a":{"open":[{"id":9,"path":"/\u0000xe9"}],"imports":[{"id":-1,"offset":3},{"id":-2}]},"b":{"imports":[{"id":-1}]}}}`))
	f.Add([]byte(`{"sources":{"a":{"imports":[{"id":1}]}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, text := range [][]byte{data, sealed("1", string(data))} {
			want := slowRead(text)
			dir := inMemory(t)
			put(t, dir, map[string]string{latest: string(text)})
			o := open(t, dir)
			check := func() {
				t.Helper()
				for name, s := range want {
					got, known := o.Source(name, s.Path)
					onlyImported := s.Path == "" && len(s.Imports) > 0
					if diff := cmp.Diff(*s, got, cmpopts.EquateEmpty()); diff != "" || known == onlyImported {
						t.Errorf("Source(%q) is known: %v; (-want +got):\n%s", name, known, diff)
					}
				}
			}
			if o.Fresh() != (len(want) == 0) {
				t.Errorf("Fresh = %v with %d sources in the file", o.Fresh(), len(want))
			}
			check()
			if want == nil {
				o.logged(1, 0)
				if kept := contents(t, dir)[bad]; kept != string(text) {
					t.Errorf("kept %q, want %q", kept, text)
				}
			} else {
				o.logged(0, 0)
			}
			another := &flow.Source{Name: "another", Path: "/another"}
			for want[another.Name] != nil {
				another.Name += "+"
			}
			o.source(another)
			o.save()
			o = o.crash()
			o.logged(0, 0)
			check()
			o.want(another, checkpoint.Source{Path: another.Path})
			for name, s := range want {
				goOn(o, name, s)
			}
			o.save()
			o = o.crash()
			o.logged(0, 0)
			o.Close()

			put(t, dir, map[string]string{latest: string(text), previous: before})
			o = open(t, dir)
			if want == nil && o.offset() != 100 {
				t.Errorf("goes on at %d, want what the one before it says", o.offset())
			}
			check()
			o.Close()
		}
	})
}

// goOn does with the generations of a source what can be done.
func goOn(o *opened, name string, s *checkpoint.Source) {
	source := &flow.Source{Name: name, Path: s.Path}
	for i, open := range s.Open {
		g := &flow.Generation{Source: source, ID: open.ID, FirstLine: open.FirstLine}
		o.Stay(g)
		o.Describe(g, file(1))
		o.Acknowledge(at(g, 100), []byte("x\n"))
		if i%2 == 0 {
			o.Lose(name, open.ID)
		}
		o.Leave(at(g, 100))
	}
	known := o.source(source)
	if len(known.Open) > 0 || len(known.Finished) > max(64, len(s.Finished)) {
		o.t.Errorf("of %d generations of %q %d are open when all were left, and %d finished", len(s.Open), name, len(known.Open), len(known.Finished))
	}
}

// slowRead is what a file says, nil when it is not a checkpoint.
func slowRead(text []byte) map[string]*checkpoint.Source {
	first, body, ok := strings.Cut(string(text), "\n")
	words := strings.Split(first, " ")
	if !ok || len(words) != 4 || !slices.Contains([]string{"1", "+1", "01", "+01"}, words[2]) || string(sealed(words[2], body)) != string(text) {
		return nil
	}
	var content struct {
		Sources map[string]*checkpoint.Source `json:"sources"`
	}
	if json.Unmarshal([]byte(body), &content) != nil || content.Sources == nil {
		return nil
	}
	var pairs []string
	for b := 0x80; b <= 0xff; b++ {
		pairs = append(pairs, fmt.Sprintf("\x00x%02x", b), string([]byte{byte(b)}))
	}
	unescape := strings.NewReplacer(pairs...).Replace
	sources := map[string]*checkpoint.Source{}
	for name, s := range content.Sources {
		if s == nil {
			return nil
		}
		s.Path = unescape(s.Path)
		for i, dir := range s.Directories {
			s.Directories[i] = unescape(dir)
		}
		for i := range s.Open {
			s.Open[i].Path = unescape(s.Open[i].Path)
			if s.Open[i].ID < 1 {
				return nil
			}
		}
		for _, g := range s.Imports {
			if g.ID >= 0 {
				return nil
			}
		}
		sources[unescape(name)] = s
	}
	return sources
}
