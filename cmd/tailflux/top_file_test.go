package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/live"
)

// lookedAt is a log that top looks at.
type lookedAt struct {
	t    *testing.T
	path string
}

func newLookedAt(t *testing.T) *lookedAt {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", filepath.Join(dir, "none")) // nothing is to be written anywhere
	if err := os.Mkdir(filepath.Join(dir, "logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	return &lookedAt{t, filepath.Join(dir, "logs", "access.log")}
}

func (l *lookedAt) add(text string) {
	l.t.Helper()
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	f.Close()
}

// linesNow are requests of now.
func linesNow(n int, path string, status int, agent string) string {
	return strings.Repeat(fmt.Sprintf(`192.0.2.7 - - [%s] "GET %s HTTP/1.1" %d 100 "-" "`, time.Now().Format("02/Jan/2006:15:04:05 -0700"), path, status)+agent+"\"\n", n)
}

func (l *lookedAt) once(flags ...string) (total live.Total, top live.Top, code int, errs string) {
	l.t.Helper()
	code, out, errs := printed(append([]string{"top", "--once", "--json", "--path", l.path, "--state-dir", filepath.Join(filepath.Dir(l.path), "state")}, flags...)...)
	var answer struct {
		Live     live.Snapshot
		Pipeline struct {
			Lines struct{ Read, Rejected int64 }
		}
	}
	if code == 0 {
		if err := json.Unmarshal([]byte(out), &answer); err != nil {
			l.t.Fatalf("%v: %s", err, out)
		}
	}
	return answer.Live.Total, answer.Live.Top, code, errs
}

// untouched wants nothing beside the log.
func (l *lookedAt) untouched(want ...string) {
	l.t.Helper()
	var got []string
	filepath.WalkDir(filepath.Dir(filepath.Dir(l.path)), func(path string, d os.DirEntry, _ error) error {
		if !d.IsDir() {
			got = append(got, filepath.Base(path))
		}
		return nil
	})
	if strings.Join(got, " ") != strings.Join(want, " ") {
		l.t.Errorf("there are %q, want %q", got, want)
	}
}

func TestTopOfAFileOnce(t *testing.T) {
	l := newLookedAt(t)
	l.add(linesNow(30, "/a", 200, "x") + linesNow(5, "/b", 503, "x") + "no request\n" + linesNow(1, "/unfinished", 200, "x")[:40])
	total, top, code, errs := l.once("--format", "combined")
	if code != 0 || total.Requests != 35 || total.ServerErrors != 5 || total.Bytes != 3500 || errs != "" {
		t.Errorf("%d %+v %s", code, total, errs)
	}
	if len(top.Paths) != 2 || top.Paths[0].Name != "/a" || top.Failing[0].Name != "/b" || top.Clients[0].Name == "192.0.2.7" {
		t.Errorf("%+v", top)
	}
	l.untouched("access.log")
	// The format is detected, too; and whoever may see addresses does.
	if total, top, code, errs := l.once("--http-full-addresses"); code != 0 || total.Requests != 35 || top.Clients[0].Name != "192.0.2.7" {
		t.Errorf("%d %+v %+v %s", code, total, top, errs)
	}
}

// However fast a log is read, its lists are of each line: a daemon would look at a part of these.
func TestTopOfAFileIsOfEachLine(t *testing.T) {
	l := newLookedAt(t)
	for i := range 10 {
		l.add(linesNow(10_000, "/many", 200, "x") + linesNow(1, "/few/"+string(rune('a'+i)), 500, "x"))
	}
	total, top, code, errs := l.once("--format", "combined")
	if code != 0 || total.Requests != 100_010 || top.Sampled != 1 || len(top.Paths) != 11 || len(top.Failing) != 10 {
		t.Fatalf("%d %+v, sampled %d, %d paths, %d failing %s", code, total, top.Sampled, len(top.Paths), len(top.Failing), errs)
	}
	for i, r := range top.Paths {
		want := int64(1)
		if i == 0 {
			want = 100_000
		}
		if r.Requests != want {
			t.Errorf("%s: %d requests, want %d", r.Name, r.Requests, want)
		}
	}
}

func TestTopOfAFileThatHasNothing(t *testing.T) {
	l := newLookedAt(t)
	l.add("")
	if total, _, code, errs := l.once(); code != 0 || total.Requests != 0 {
		t.Errorf("empty: %d %+v %s", code, total, errs)
	}
	l.add("192.0.2.7 - -") // half a line
	if total, _, code, errs := l.once(); code != 0 || total.Requests != 0 {
		t.Errorf("half a line: %d %+v %s", code, total, errs)
	}
	l.add(" [22/Nov/2026:12:00:00 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"\n")
	if total, _, code, errs := l.once(); code != 0 || total.Requests+total.Older != 1 {
		t.Errorf("old: %d %+v %s", code, total, errs)
	}
	l.untouched("access.log")
}

func TestTopOfAFileThatIsNone(t *testing.T) {
	l := newLookedAt(t)
	if _, _, code, errs := l.once(); code != 1 || !strings.Contains(errs, "no such file") {
		t.Errorf("missing: %d %s", code, errs)
	}
	l.add("this\nis no\nlog\n")
	if _, _, code, errs := l.once(); code != 2 || !strings.Contains(errs, l.path) {
		t.Errorf("no log: %d %s", code, errs)
	}
	if _, _, code, errs := l.once("--format", "$nonsense"); code != 2 {
		t.Errorf("no format: %d %s", code, errs)
	}
	l.path = filepath.Dir(l.path)
	if _, _, code, errs := l.once(); code == 0 || !strings.Contains(errs, "logs") {
		t.Errorf("directory: %d %s", code, errs)
	}
}

func TestTopOfAFileFollowsIt(t *testing.T) {
	l := newLookedAt(t)
	l.add(linesNow(123, "/first", 200, "x"))
	at := runAt(t, 100, 30, nil, "top", "--path", l.path, "--format", "combined")
	at.until("123")
	l.add(linesNow(77, "/first", 200, "x"))
	at.until("200 ")
	if err := os.Rename(l.path, l.path+".1"); err != nil {
		t.Fatal(err)
	}
	l.add(linesNow(34, "/second", 404, "x"))
	at.until("/second")
	at.until("last 15 min: 234")
	if err := os.Truncate(l.path, 0); err != nil {
		t.Fatal(err)
	}
	l.add(linesNow(10, "/third", 200, "x")) // fewer than before, so the file is seen to be shorter
	at.until("last 15 min: 244")
	at.press("q")
	at.ends(0)
	l.untouched("access.log", "access.log.1")
}

// A file that is not there yet is waited for.
func TestTopOfAFileThatComes(t *testing.T) {
	l := newLookedAt(t)
	at := runAt(t, 100, 30, nil, "top", "--path", l.path)
	at.until("Log access.log: ")
	l.add(linesNow(3, "/here", 200, "x"))
	at.until("/here")
	at.until("All is well")
	at.press("\x03")
	at.ends(0)
}

func TestTopOfAFileFromItsEnd(t *testing.T) {
	l := newLookedAt(t)
	l.add(linesNow(3, "/before", 200, "x"))
	at := runAt(t, 100, 30, nil, "top", "--path", l.path, "--start", "end")
	at.until("no requests")
	l.add(linesNow(4, "/after", 200, "x"))
	at.until("/after")
	if s := screen(at.said()); strings.Contains(s, "/before") {
		t.Errorf("what was there before is shown:\n%s", s)
	}
	at.press("q")
	at.ends(0)
}

// What a client writes into a log stays text, in a terminal and in a pipe.
func TestTopOfHostileLines(t *testing.T) {
	for name, text := range map[string]string{
		"ANSI": "\x1b[31mred", "title": "\x1b]0;owned\x07", "C1": "\u009b2J", "bidi": "\u202egpj.exe", "combining": "e\u0301\u0302",
		"markup": "<script>alert(1)</script>[red]", "bell": "\a\b", "not UTF-8": "\xff\x9b31m", "25 kB": strings.Repeat("\x1b[31m", 5000),
	} {
		t.Run(name, func(t *testing.T) {
			l := newLookedAt(t)
			l.add(linesNow(3, "/seen/"+text, 200, text+"agent") + text + " is no line\n")
			code, out, errs := printed("top", "--once", "--path", l.path, "--format", "combined")
			if code != 0 || !strings.Contains(out, "/seen/") {
				t.Fatalf("%d %s\n%s", code, errs, out)
			}
			at := runAt(t, 100, 30, nil, "top", "--path", l.path, "--format", "combined")
			at.until("/seen/")
			at.press("\t\t\t\t")
			at.until("agent")
			at.press("q")
			at.ends(0)
			for _, said := range []string{out, bareScreen(at.said())} {
				for _, is := range []string{"\x1b[31mred", "\x1b]0", "\a", "\b", "\u009b", "\u202e", "\u0301", "\x9b31m"} {
					if strings.Contains(said, is) {
						t.Errorf("it has written %q", is)
					}
				}
			}
		})
	}
}

// bareScreen is a text without what the library itself ends links with.
func bareScreen(text string) string { return strings.ReplaceAll(text, "\x1b]8;;\x1b\\", "") }
