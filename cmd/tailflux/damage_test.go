package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/tailflux/tailflux/internal/statedir"
)

// store is an InfluxDB that keeps points by series and time.
type store struct {
	url    string
	mu     sync.Mutex
	points map[string]string
	before func(lines []string) // if not nil: called with those of a request before they are kept
}

func newStore(t *testing.T) *store {
	t.Helper()
	s := &store{points: map[string]string{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Influxdb-Version", "1.8.10")
		switch r.URL.Path {
		case "/query":
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintln(w, `{"results":[{"statement_id":0}]}`)
		case "/write":
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			lines := slices.Collect(strings.Lines(string(body)))
			if s.before != nil {
				s.before(lines)
			}
			for _, line := range lines {
				words := strings.Fields(line) // none has a space
				s.points[words[0]+" "+words[2]] = words[1]
			}
			w.WriteHeader(http.StatusNoContent)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// site is a log and a state directory with every file that there can be.
type site struct {
	*installation
	db *store
}

func newSite(t *testing.T) *site {
	t.Helper()
	in := &site{&installation{t: t, state: t.TempDir(), log: filepath.Join(t.TempDir(), "access.log")}, newStore(t)}
	in.write(lines(0, 120) + "junk\nmore junk than that\njunk\n") // a format is detected by the first 100 lines
	in.once(120)
	in.shell("cp " + in.path(statedir.Rejects) + " " + in.path(statedir.RejectsPrev))
	for _, f := range statedir.Files {
		if _, err := os.Stat(in.path(f.Name)); err != nil {
			t.Fatal(err)
		}
	}
	return in
}

func (in *site) path(name string) string { return filepath.Join(in.state, name) }

// once delivers whatever is new, wants so many points to be there, and returns
// what was logged.
func (in *site) once(want int) (log string) {
	in.t.Helper()
	code, log := in.start()
	if code != 0 {
		in.t.Fatalf("exit code %d:\n%s", code, log)
	}
	maps.DeleteFunc(in.db.points, func(point, _ string) bool { return !strings.HasPrefix(point, "nginx_access,") })
	if got := len(in.db.points); got != want {
		in.t.Errorf("%d points, want %d; logged\n%s", got, want, log)
	}
	return log
}

func (in *site) start() (code int, log string) {
	var stdout, stderr bytes.Buffer
	code = execute([]string{
		"run", "--once", "--path", in.log, "--name", "web", "--format", "auto",
		"--influxdb-url", in.db.url, "--state-dir", in.state, "--listen", "", "--rollups=default",
	}, &stdout, &stderr)
	return code, stderr.String()
}

// damages are what can happen to a state file.
var damages = map[string]func(path string, whole []byte) error{
	"cut to nothing": func(path string, _ []byte) error { return os.WriteFile(path, nil, 0o640) },
	"cut to half":    func(path string, whole []byte) error { return os.WriteFile(path, whole[:len(whole)/2], 0o640) },
	"noise":          func(path string, _ []byte) error { return os.WriteFile(path, []byte("\x00\xff\x01\n\x80"), 0o640) },
	"a directory":    func(path string, _ []byte) error { return os.MkdirAll(filepath.Join(path, "x"), 0o750) },
	"unreadable":     func(path string, _ []byte) error { return os.Symlink(path, path) }, // for root too
	"a pipe":         func(path string, _ []byte) error { return syscall.Mkfifo(path, 0o640) },
}

// Whatever happened to a file of the state directory, tailflux starts, says so and
// what it costs, and delivers each line once. The next start has nothing to report.
func TestDamagedStateFile(t *testing.T) {
	sets := [][]string{{statedir.Checkpoint, statedir.CheckpointPrev}}
	var all []string
	for _, f := range statedir.Files {
		sets, all = append(sets, []string{f.Name}), append(all, f.Name)
	}
	sets = append(sets, all)
	for _, names := range sets {
		for kind, damage := range damages {
			t.Run(strings.Join(names, ", ")+" "+kind, func(t *testing.T) {
				in := newSite(t)
				for _, name := range names {
					whole, err := os.ReadFile(in.path(name))
					if err != nil {
						t.Fatal(err)
					}
					if err := os.Remove(in.path(name)); err != nil {
						t.Fatal(err)
					}
					if err := damage(in.path(name), whole); err != nil {
						t.Fatal(err)
					}
				}
				in.write(lines(120, 10))
				log := in.once(130)
				for _, name := range names {
					about := regexp.MustCompile(`"level":"(ERROR|WARN)".*` + regexp.QuoteMeta(in.path(name)) + `[":]`)
					if about.MatchString(log) == isNoDamage(name, kind) {
						t.Errorf("%s: logged\n%s", name, log)
					}
				}
				in.write(lines(130, 5))
				if log := in.once(135); strings.Contains(log, in.state) || strings.Contains(log, `"level":"ERROR"`) {
					t.Errorf("the next start logged\n%s", log)
				}
			})
		}
	}
}

// isNoDamage reports whether a file is as it may be.
func isNoDamage(name, kind string) bool {
	isFile := slices.Contains([]string{"cut to nothing", "cut to half", "noise"}, kind)
	switch name {
	case statedir.Lock:
		return isFile // nobody reads it
	case statedir.Rejects, statedir.RejectsPrev:
		return kind == "cut to nothing" // as if nothing had been rejected
	}
	return false
}

// Continuing without what a newer tailflux wrote would lose lines or store them
// twice. Nothing is changed then.
func TestNewerStateFile(t *testing.T) {
	for name, text := range map[string]string{
		statedir.Checkpoint: "tailflux checkpoint 2 00000000\n{}\n",
		statedir.TagValues:  "tailflux tag values 2\n",
		statedir.Intents:    "tailflux intents 2\n",
		statedir.Formats:    `{"version":2}`,
		statedir.Shaping:    `{"version":2}`,
	} {
		t.Run(name, func(t *testing.T) {
			in := newSite(t)
			if err := os.WriteFile(in.path(name), []byte(text), 0o640); err != nil {
				t.Fatal(err)
			}
			in.write(lines(120, 10))
			before := maps.Clone(in.db.points)
			for range 2 {
				code, log := in.start()
				if code != exitUsage || !strings.Contains(log, "newer tailflux") || !strings.Contains(log, in.path(name)) {
					t.Errorf("exit code %d:\n%s", code, log)
				}
			}
			if !maps.Equal(in.db.points, before) {
				t.Error("points were written")
			}
			if now, err := os.ReadFile(in.path(name)); err != nil || string(now) != text {
				t.Errorf("the file is %q, %v", now, err)
			}
		})
	}
}

// Members of the group run tailflux verify, whatever umask tailflux has.
func TestStateFilesCanBeReadByTheGroup(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	in := &site{&installation{t: t, state: filepath.Join(t.TempDir(), "state"), log: filepath.Join(t.TempDir(), "access.log")}, newStore(t)}
	in.write(lines(0, 120) + "junk\n")
	in.once(120)
	entries, err := os.ReadDir(in.state)
	if err != nil || len(entries) != len(statedir.Files)-1 { // there is no rejects.jsonl.1
		t.Errorf("%d files, %v: %v", len(entries), err, entries)
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("%s: mode %v, %v, want 0640", entry.Name(), info.Mode(), err)
		}
	}
	if info, err := os.Stat(in.state); err != nil || info.Mode().Perm() != 0o750 {
		t.Errorf("the directory: mode %v, %v, want 0750", info.Mode(), err)
	}
}
