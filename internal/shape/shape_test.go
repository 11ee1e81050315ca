package shape_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/shape"
	"github.com/tailflux/tailflux/internal/statedir"
)

const (
	combined = `192.0.2.7 - - [20/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "curl"` + "\n"
	timed    = `192.0.2.7 - - [20/Nov/2026:10:00:00 +0000] http "GET /a HTTP/1.1" 200 5 "-" "curl" "-" 0.100 0.101` + "\n"
)

// house is a log, a state directory and a configuration.
type house struct {
	t      *testing.T
	config config.Config
	dir    *statedir.Dir
	log    strings.Builder
	source *flow.Source

	followed bool // the checkpoint knows the log
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, config: config.Default()}
	h.config.StateDir = t.TempDir()
	path := filepath.Join(t.TempDir(), "access.log")
	h.config.Sources = []config.Source{{Name: "web", Path: path, Format: shape.Auto}}
	h.source = &flow.Source{Name: "web", Path: path}
	dir, err := statedir.Open(h.config.StateDir, slog.New(slog.NewTextHandler(&h.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dir.Close)
	h.dir = dir
	return h
}

func (h *house) write(text string) {
	h.t.Helper()
	if err := os.WriteFile(h.source.Path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) open(once bool) (*shape.Shaper, error) {
	return shape.Open(shape.Options{
		Config: &h.config, State: h.dir, Host: "h", Once: once, Log: slog.New(slog.NewTextHandler(&h.log, nil)),
		Followed: func(path string) bool { return h.followed && path == h.source.Path },
	})
}

func (h *house) mustOpen() *shape.Shaper {
	h.t.Helper()
	s, err := h.open(false)
	if err != nil {
		h.t.Fatalf("Open: %v", err)
	}
	return s
}

// names are the variables of a source's format, when these lines have been read.
func (h *house) names(s *shape.Shaper, read string) string {
	h.t.Helper()
	lines, _, err := s.Lines(h.at(1), []byte(read))
	if err != nil {
		h.t.Fatalf("Lines(%q): %v", read, err)
	}
	if lines == nil {
		return ""
	}
	return strings.Join(lines.Format.Names(), " ")
}

// at is the position of a line of the source.
func (h *house) at(line int64) flow.Position {
	return flow.Position{Generation: &flow.Generation{Source: h.source, ID: 1, FirstLine: 1}, Line: line}
}

// kept is what formats.json says of the source.
func (h *house) kept() (format string, found bool) {
	h.t.Helper()
	data, err := os.ReadFile(h.dir.Path(statedir.Formats))
	if errors.Is(err, fs.ErrNotExist) {
		return "", false
	}
	var all map[string]struct{ Path, Format string }
	if err == nil {
		err = json.Unmarshal(data, &all)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	one, found := all["web"]
	return one.Format, found
}

// The format is detected of lines that end with CR LF as of others, by what is in the
// file at the start and by what comes later.
func TestFormatOfLinesThatEndWithCRLF(t *testing.T) {
	crlf := strings.Replace(combined, "\n", "\r\n", 1)
	for _, there := range []string{"", crlf, "\r\n" + crlf} {
		h := newHouse(t)
		h.write(there)
		s, err := h.open(there != "")
		if err != nil {
			t.Errorf("with %q in the log: %v", there, err)
			continue
		}
		if names := h.names(s, "\r\n"+crlf); !strings.Contains(names, "http_user_agent") {
			t.Errorf("with %q in the log: variables %q, want those of combined", there, names)
		}
	}
}

// The format is detected from the lines that the parse stage has in its hands; the
// disk hears of it at the next Sync.
func TestFormatIsDetectedInMemoryAndDurableAfterSync(t *testing.T) {
	h := newHouse(t)
	s := h.mustOpen() // there is no log yet
	if names := h.names(s, "\n"); names != "" {
		t.Errorf("an empty line has the variables %s", names)
	}
	if names := h.names(s, timed); !strings.Contains(names, "request_time") {
		t.Errorf("variables %q, want those of timed", names)
	}
	if format, found := h.kept(); found {
		t.Errorf("before Sync formats.json has %q", format)
	}
	if err := s.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if format, _ := h.kept(); format != "timed" {
		t.Errorf("after Sync formats.json has %q, want timed", format)
	}
	// It stands, whatever comes later.
	if names := h.names(h.mustOpen(), combined); !strings.Contains(names, "request_time") {
		t.Errorf("after a restart the variables are %q, want those of timed", names)
	}
}

// A choice that could not be saved is saved by the next Sync.
func TestSyncAfterAFullDisk(t *testing.T) {
	h := newHouse(t)
	s := h.mustOpen()
	h.names(s, timed)
	blocked := h.dir.Path(statedir.Formats)
	if err := os.MkdirAll(filepath.Join(blocked, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.Sync(t.Context()); err == nil {
		t.Error("Sync = nil though the file cannot be replaced")
	}
	if err := os.RemoveAll(blocked); err != nil {
		t.Fatal(err)
	}
	if err := s.Sync(t.Context()); err != nil {
		t.Error(err)
	}
	if format, _ := h.kept(); format != "timed" {
		t.Errorf("formats.json has %q, want timed", format)
	}
}

// Requests in flight sync while the parse stage detects.
func TestSyncWhileFormatsAreDetected(t *testing.T) {
	h := newHouse(t)
	s := h.mustOpen()
	done := make(chan error)
	for range 2 {
		go func() {
			var err error
			for range 50 {
				err = errors.Join(err, s.Sync(t.Context()))
			}
			done <- err
		}()
	}
	for i := range 50 {
		name := "web" + strings.Repeat("x", i)
		at := flow.Position{Generation: &flow.Generation{Source: &flow.Source{Name: name, Path: name}, ID: 1}, Line: 1}
		if lines, _, err := s.Lines(at, []byte(combined)); err != nil || lines == nil {
			t.Errorf("Lines: %v, %v", lines, err)
		}
	}
	if err := errors.Join(<-done, <-done, s.Sync(t.Context())); err != nil {
		t.Error(err)
	}
	data, err := os.ReadFile(h.dir.Path(statedir.Formats))
	if n := strings.Count(string(data), `"combined"`); err != nil || n != 50 {
		t.Errorf("formats.json has %d formats, want 50; %v", n, err)
	}
}

// One odd line does not keep the format from being detected by those after it, nor
// end the daemon, nor the next one.
func TestOddLine(t *testing.T) {
	h := newHouse(t)
	s := h.mustOpen()
	for range 3 {
		if names := h.names(s, "half a line\n"); names != "" {
			t.Errorf("an odd line has the variables %s", names)
		}
	}
	if n := strings.Count(h.log.String(), "no log format fits"); n != 1 {
		t.Errorf("it was logged %d times that no format fits, want once:\n%s", n, &h.log)
	}
	if err := s.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.write("half a line\n")
	s = h.mustOpen()
	if names := h.names(s, "half a line\n"+strings.Repeat(timed, 25)); !strings.Contains(names, "request_time") {
		t.Errorf("variables %q, want those of timed", names)
	}
	// Lines that are of no format are forgotten, at the latest when a hundred others
	// have come.
	h.source = &flow.Source{Name: "other", Path: "other"}
	h.names(s, strings.Repeat("odd\n", 100))
	if names := h.names(s, combined); !strings.Contains(names, "status") {
		t.Errorf("variables %q, want those of combined", names)
	}
}

// After a crash it need not be on the disk that no format fitted the lines: that the
// log was followed then, and with which format, is. Anything else is the operator's
// mistake, as at the first start.
func TestOddLineBeforeACrash(t *testing.T) {
	for _, tt := range []struct {
		name            string
		before          string // the format then
		clean, followed bool
		once            bool
		accepted        bool
	}{
		{name: "a crash", before: shape.Auto, followed: true, accepted: true},
		{name: "a clean stop", before: shape.Auto, followed: true, clean: true},
		{name: "nothing was read", before: shape.Auto},
		{name: "the format was another", before: "combined", followed: true},
		{name: "a run that ends by itself", before: shape.Auto, followed: true, once: true},
	} {
		for _, glob := range []bool{false, true} {
			h := newHouse(t)
			if glob {
				h.config.Sources[0].Path = filepath.Join(filepath.Dir(h.source.Path), "*.log")
			}
			h.config.Sources[0].Format = tt.before
			settings, err := h.begin("h")
			if err == nil && tt.clean {
				err = settings.Delivered(true)
			}
			if err != nil {
				t.Fatal(err)
			}
			h.config.Sources[0].Format = shape.Auto
			h.write("half a line\n")
			h.followed = tt.followed
			s, err := h.open(tt.once)
			if (err == nil) != tt.accepted {
				t.Errorf("%s, glob %v: Open = %v, want it accepted: %v", tt.name, glob, err, tt.accepted)
			}
			if err != nil {
				continue
			}
			h.names(s, "half a line\n")
			if n := strings.Count(h.log.String(), "no log format fits"); n != 1 {
				t.Errorf("glob %v: it was logged %d times that no format fits, want once:\n%s", glob, n, &h.log)
			}
			if names := h.names(s, strings.Repeat(timed, 25)); !strings.Contains(names, "request_time") {
				t.Errorf("glob %v: variables %q, want those of timed", glob, names)
			}
		}
	}
}

// A run that ends by itself rejects nothing for want of a format.
func TestNoFormatFits(t *testing.T) {
	h := newHouse(t)
	s, err := h.open(true)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, err error) {
		t.Helper()
		if usage, ok := errors.AsType[config.UsageError](err); !ok || !strings.Contains(usage.Error(), "source web: "+h.source.Path+": format auto: ") {
			t.Errorf("%s of an odd line = %v, want the operator's error", what, err)
		}
	}
	_, _, err = s.Lines(h.at(1), []byte("odd\n"))
	check("Lines", err)
	h.write("odd\n")
	_, err = h.open(true)
	check("Open", err)
	_, err = h.open(false)
	check("Open", err)
	h.config.Sources[0].Path = filepath.Dir(h.source.Path) + "/*.log"
	_, err = h.open(false)
	check("Open", err)
}

// The first lines of the log decide, not those that are read first: start may be
// the end.
func TestFirstLinesOfTheLogDecide(t *testing.T) {
	for _, path := range []string{"", "*.log"} {
		h := newHouse(t)
		h.write(timed + timed)
		if path != "" {
			h.config.Sources[0].Path = filepath.Join(filepath.Dir(h.source.Path), path)
		}
		s := h.mustOpen()
		if names := h.names(s, "torn\n"); !strings.Contains(names, "request_time") {
			t.Errorf("path %q: variables %q, want those of timed", path, names)
		}
	}
}

// A format is that of one log: at another path it is detected anew.
func TestFormatIsDetectedAgainAtAnotherPath(t *testing.T) {
	h := newHouse(t)
	s := h.mustOpen()
	h.names(s, timed)
	if err := s.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.source.Path += ".other"
	h.config.Sources[0].Path = h.source.Path
	if names := h.names(h.mustOpen(), combined); names == "" || strings.Contains(names, "request_time") {
		t.Errorf("variables %q, want those of combined", names)
	}
}

// All days of a log have one format: lines that are read again must be read in the same
// way, whichever day it is by then. So it is for a log whose days were sources before.
func TestFormatStaysWhenTheDayChanges(t *testing.T) {
	for _, before := range []string{"web", "web:2026-11-28"} {
		h := newHouse(t)
		dir := filepath.Dir(h.source.Path)
		h.source = &flow.Source{Name: before, Path: filepath.Join(dir, "access-2026-11-28.log")}
		if h.config.Sources[0].Path = h.source.Path; before == "web" {
			h.config.Sources[0].Path = filepath.Join(dir, "access-*.log")
		}
		s := h.mustOpen()
		h.names(s, timed)
		if err := s.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.config.Sources[0].Path = filepath.Join(dir, "access-*.log")
		h.source = &flow.Source{Name: "web", Path: filepath.Join(dir, "access-2026-11-29.log")}
		h.write("an odd line\n")
		if names := h.names(h.mustOpen(), "another\n"); !strings.Contains(names, "request_time") {
			t.Errorf("after %s, variables %q, want those of timed", before, names)
		}
	}
}

// A source whose format was lost goes on although the head of its log has odd lines,
// which were rejected before: the next lines show the format.
func TestFormatIsDetectedAgainAfterItsFileWasDamaged(t *testing.T) {
	for _, once := range []bool{false, true} {
		h := newHouse(t)
		h.write("odd\n" + timed)
		if _, err := h.open(once); err == nil {
			t.Error("a first start with an odd line is not refused")
		}
		if err := os.WriteFile(h.dir.Path(statedir.Formats), []byte(`{"web":{"pa`), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := h.open(once)
		if err != nil {
			t.Fatalf("once %v: the start is refused: %v", once, err)
		}
		if names := h.names(s, timed); !strings.Contains(names, "request_time") {
			t.Errorf("once %v: variables %q, want those of timed", once, names)
		}
	}
}

// Each file of the state directory, damaged in each way: the daemon starts without
// it, says what that costs, and keeps it; a newer one is refused.
func TestDamagedStateFiles(t *testing.T) {
	good := map[string]string{
		statedir.Formats: `{"web":{"path":"/access.log","format":"timed"}}`,
		statedir.Shaping: `{"clean":false,"keys":{"host":"\"other\""}}`,
		statedir.Host:    "web1\n",
	}
	start := func(h *house) error {
		host, err := shape.Host(&h.config, h.dir)
		if err != nil {
			return err
		}
		if host == "" {
			t.Error("no host")
		}
		s, err := h.open(false)
		if err != nil {
			return err
		}
		h.names(s, combined)
		if err := s.Sync(t.Context()); err != nil {
			return err
		}
		_, err = h.begin(host)
		return err
	}
	for name, text := range good {
		for damage, put := range map[string]func(path string) error{
			"empty":     func(path string) error { return os.WriteFile(path, nil, 0o600) },
			"half":      func(path string) error { return os.WriteFile(path, []byte(text[:len(text)/2]), 0o600) },
			"noise":     func(path string) error { return os.WriteFile(path, []byte("\x00\xff\x13\n{]"), 0o600) },
			"foreign":   func(path string) error { return os.WriteFile(path, []byte("[1,2]\n\x01"), 0o600) },
			"directory": func(path string) error { return os.MkdirAll(filepath.Join(path, "x"), 0o700) },
			"dangling":  func(path string) error { return os.Symlink("nowhere", path) },
			"circle":    func(path string) error { return os.Symlink(path, path) },
		} {
			t.Run(name+" "+damage, func(t *testing.T) {
				h := newHouse(t)
				path := h.dir.Path(name)
				if err := put(path); err != nil {
					t.Fatal(err)
				}
				if err := start(h); err != nil {
					t.Fatalf("the start is refused: %v", err)
				}
				if said := strings.Contains(h.log.String(), "file="+path) && strings.Contains(h.log.String(), "level=ERROR"); said != (damage != "dangling") {
					t.Errorf("it logged\n%s", &h.log)
				}
				if _, err := os.Lstat(path + statedir.Bad); err != nil && damage != "dangling" {
					t.Errorf("the damaged file is not kept: %v", err)
				}
				info, err := os.Lstat(path)
				if err != nil || info.Mode() != 0o640 {
					t.Errorf("the new file: %v, %v, want mode 0640", info, err)
				}
				h.log.Reset()
				if err := start(h); err != nil || strings.Contains(h.log.String(), "level=ERROR") {
					t.Errorf("the next start: %v\n%s", err, &h.log)
				}
			})
		}
		if name == statedir.Host {
			continue
		}
		t.Run(name+" of a newer tailflux", func(t *testing.T) {
			h := newHouse(t)
			if err := os.WriteFile(h.dir.Path(name), []byte(`{"version":2,"keys":[]}`), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := start(h); !errors.Is(err, statedir.ErrNewer) {
				t.Errorf("the start: %v, want %v", err, statedir.ErrNewer)
			}
		})
	}
}

// The tag host stays what it was at the first start.
func TestHostIsKept(t *testing.T) {
	h := newHouse(t)
	if host, err := shape.KeptHost(&h.config); err != nil || host != "" {
		t.Errorf("KeptHost before the first start = %q, %v", host, err)
	}
	machine, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if host, err := shape.Host(&h.config, h.dir); err != nil || host != machine {
		t.Errorf("Host = %q, %v, want %q", host, err, machine)
	}
	if err := h.dir.Replace(statedir.Host, []byte("renamed since\n")); err != nil {
		t.Fatal(err)
	}
	if host, err := shape.Host(&h.config, h.dir); err != nil || host != "renamed since" {
		t.Errorf("Host = %q, %v, want the one that was kept", host, err)
	}
	if host, err := shape.KeptHost(&h.config); err != nil || host != "renamed since" {
		t.Errorf("KeptHost = %q, %v, want the one that was kept", host, err)
	}
	h.config.Host = "web1"
	if host, err := shape.Host(&h.config, h.dir); err != nil || host != "web1" {
		t.Errorf("Host = %q, %v, want the configured one", host, err)
	}
}

// Settings that were changed are warned of when lines may be read again: after a stop
// that was not clean, also when an import came between.
func TestSettings(t *testing.T) {
	for _, tt := range []struct {
		name string
		stop func(t *testing.T, h *house, s *shape.Settings)
		want bool
	}{
		{"a crash", func(*testing.T, *house, *shape.Settings) {}, true},
		{"a clean stop", func(t *testing.T, _ *house, s *shape.Settings) { delivered(t, s, true) }, false},
		{"a clean stop, and a crash", func(t *testing.T, h *house, s *shape.Settings) {
			delivered(t, s, true)
			openSettings(t, h)
		}, true},
		{"a crash, and an import", func(t *testing.T, h *house, _ *shape.Settings) { delivered(t, openSettings(t, h), false) }, true},
		{"a clean stop, and an import", func(t *testing.T, h *house, s *shape.Settings) {
			delivered(t, s, true)
			delivered(t, openSettings(t, h), false)
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t)
			tt.stop(t, h, openSettings(t, h))
			h.log.Reset()
			h.config.Measurement += "2"
			openSettings(t, h)
			if got := strings.Contains(h.log.String(), "measurement"); got != tt.want {
				t.Errorf("logged %q; want a warning: %t", h.log.String(), tt.want)
			}
		})
	}
}

// begin does with the settings what a start does.
func (h *house) begin(host string) (*shape.Settings, error) {
	s, err := shape.OpenSettings(h.dir)
	if err != nil {
		return nil, err
	}
	changed, err := s.Changed(&h.config, host, false)
	if len(changed) > 0 {
		fmt.Fprintln(&h.log, changed)
	}
	return s, errors.Join(err, s.Begin(&h.config, host, false))
}

func openSettings(t *testing.T, h *house) *shape.Settings {
	t.Helper()
	s, err := h.begin("h")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func delivered(t *testing.T, s *shape.Settings, caughtUp bool) {
	t.Helper()
	if err := s.Delivered(caughtUp); err != nil {
		t.Fatal(err)
	}
}
