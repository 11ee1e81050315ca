package verify_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/verify"
)

// points answers with the times it holds.
type points func(s influx.Series, from, to int64) ([]int64, error)

func (p points) Timestamps(_ context.Context, s influx.Series, from, to int64) ([]int64, error) {
	return p(s, from, to)
}

// Deltas returns no deltas: no rollup is configured.
func (p points) Deltas(context.Context, influx.Rollup, int64, int64) ([]influx.Delta, error) {
	return nil, errors.New("a rollup")
}

var start = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

// writeLog writes a log of n lines, ten seconds each, and two that are no points.
func writeLog(t *testing.T, n int) (path string) {
	t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "192.0.2.1 - - [%s] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl\"\n", start.Add(time.Duration(10*i)*time.Second).Format("02/Jan/2006:15:04:05 -0700"))
	}
	b.WriteString("odd\n" + `192.0.2.1 - - [20/Nov/2026:10:00:00 +0000] "GET /healthz HTTP/1.1" 200 5 "-" "curl"`)
	path = filepath.Join(t.TempDir(), "access.log")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, sources []config.Source, p points) *verify.Verifier {
	t.Helper()
	c := config.Default()
	c.StateDir, c.Sources, c.Host = t.TempDir(), sources, "web1"
	c.Drop = []config.DropRule{{{Variable: "path", Match: "/healthz"}}}
	v, err := verify.Open(&c, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// A file that the state directory does not know is compared by the minute.
func TestUnknownFileIsCompared(t *testing.T) {
	file := writeLog(t, 12)
	var asked influx.Series
	v := open(t, []config.Source{{Name: "web", Path: file, Format: "combined"}}, func(s influx.Series, from, to int64) (all []int64, err error) {
		asked = s
		for i := range int64(11) { // one is missing
			if at := start.UnixNano() + 10*i*int64(time.Second); at >= from && at <= to {
				all = append(all, at)
			}
		}
		return all, nil
	})
	got, err := v.Verify(t.Context(), file, "")
	if err != nil {
		t.Fatal(err)
	}
	if !got.Approximate || got.Lines != 14 || got.Rejected != 1 || got.Filtered != 1 || got.Expected != 12 || got.Found != 11 || got.Missing != 1 ||
		len(got.Minutes) != 1 || !got.Minutes[0].Time.Equal(start.Add(time.Minute)) || got.Minutes[0].Expected != 6 || got.Minutes[0].Found != 5 {
		t.Errorf("Verify = %+v", got)
	}
	if asked.Source != "web" || asked.Host != "web1" || asked.Measurement != "nginx_access" || len(asked.Fields) == 0 {
		t.Errorf("it asked for %+v", asked)
	}
	var text strings.Builder
	if err := got.Print(&text); err != nil || !strings.Contains(text.String(), "unknown to the state directory: approximate") ||
		!strings.Contains(text.String(), "2026-11-20T10:01Z  5 of 6 points") {
		t.Errorf("Print: %v\n%s", err, &text)
	}
}

// Lines are verified as they were read: without the CR of CR LF, and without those
// that are too long with it.
func TestLinesThatEndWithCRLFAreVerified(t *testing.T) {
	file := filepath.Join(t.TempDir(), "access.log")
	line := `192.0.2.1 - - [20/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "curl"`
	longest := strings.Replace(line, "curl", strings.Repeat("c", int(config.Default().MaxLineBytes)-len(line)+4), 1)
	if err := os.WriteFile(file, []byte(line+"\r\n"+longest+"\n"+longest+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	v := open(t, []config.Source{{Name: "web", Path: file, Format: "combined"}}, func(influx.Series, int64, int64) ([]int64, error) { return nil, nil })
	if got, err := v.Verify(t.Context(), file, ""); err != nil || got.Lines != 3 || got.Expected != 2 || got.Rejected != 1 {
		t.Errorf("Verify = %+v, %v, want 2 points expected and a line rejected", got, err)
	}
}

// Holes of NULs are no lines, and what is around them is: a stop, a crash or a
// compression in between changes no number.
func TestLinesAroundHolesAreVerified(t *testing.T) {
	file := filepath.Join(t.TempDir(), "access.log")
	line := `192.0.2.1 - - [20/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "curl"` + "\n"
	hole := strings.Repeat("\x00", int(config.Default().MaxLineBytes)+1)
	if err := os.WriteFile(file, []byte(hole+line+hole+line+line[:20]+hole+line+hole), 0o600); err != nil {
		t.Fatal(err)
	}
	v := open(t, []config.Source{{Name: "web", Path: file, Format: "combined"}}, func(influx.Series, int64, int64) ([]int64, error) { return nil, nil })
	if got, err := v.Verify(t.Context(), file, ""); err != nil || got.Lines != 4 || got.Expected != 3 || got.Rejected != 1 {
		t.Errorf("Verify = %+v, %v, want 3 points expected and half a line rejected", got, err)
	}
}

// A file that is in another format is not as it should be, though nothing is missing.
func TestNoLineMatches(t *testing.T) {
	file := writeLog(t, 3)
	none := func(influx.Series, int64, int64) ([]int64, error) { return nil, nil }
	for format, want := range map[string]bool{"combined": false, "timed": true} {
		v := open(t, []config.Source{{Name: "web", Path: file, Format: format}}, none)
		if got, err := v.Verify(t.Context(), file, ""); err != nil || got.NoneMatches() != want {
			t.Errorf("%s: Verify = %+v, %v; want that none matches: %t", format, got, err, want)
		}
	}
}

func TestVerifyFails(t *testing.T) {
	file := writeLog(t, 1)
	down := errors.New("down")
	v := open(t, []config.Source{{Name: "a", Path: file, Format: "combined"}, {Name: "b", Path: "/b.log", Format: "auto"}},
		func(influx.Series, int64, int64) ([]int64, error) { return nil, down })
	for _, tt := range []struct {
		source, want string
		usage        bool
	}{
		{"", "cannot tell which source this file belongs to: use --source (one of a, b)", true},
		{"c", "source c is not configured; use one of a, b", true},
		{"b", "source b has the format auto, and none was detected yet: use --format", true},
		{"a", "down", false},
	} {
		_, err := v.Verify(t.Context(), file, tt.source)
		_, usage := errors.AsType[config.UsageError](err)
		if err == nil || err.Error() != tt.want || usage != tt.usage {
			t.Errorf("Verify of source %q: %v, usage %t, want %q, usage %t", tt.source, err, usage, tt.want, tt.usage)
		}
	}
}

// A line that a container's runtime has cut is one point, as the daemon joins it; pieces
// without an end are rejected, and lines of the standard error filtered.
func TestLinesInPiecesAreVerified(t *testing.T) {
	const (
		cri  = "2026-11-20T10:00:00.123456789Z "
		line = `192.0.2.1 - - [20/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "curl"`
	)
	piece := func(text string) string { return cri + "stdout P " + text + "\n" }
	whole := func(text string) string { return cri + "stdout F " + text + "\n" }
	docker := func(log, stream string) string {
		return `{"log":"` + strings.NewReplacer(`"`, `\"`, "\n", `\n`).Replace(log) + `","stream":"` + stream + `","time":"2026-11-20T10:00:00Z"}` + "\n"
	}
	for _, tt := range []struct {
		name, text                          string
		lines, expected, filtered, rejected int64
	}{
		{"two", piece(line[:30]) + whole(line[30:]) + whole(line), 3, 2, 1, 0},
		{"many", piece(line[:9]) + strings.Repeat(piece(""), 20) + piece(line[9:30]) + whole(line[30:]), 23, 1, 22, 0},
		{"Docker", docker(line[:30], "stdout") + docker(line[30:]+"\n", "stdout") + docker(line+"\n", "stdout"), 3, 2, 1, 0},
		{"an error between", piece(line[:30]) + cri + "stderr F oh\n" + whole(line[30:]), 3, 1, 2, 0},
		{"an error", whole(line) + cri + "stderr F oh\n" + docker("oh\n", "stderr"), 3, 1, 2, 0},
		{"no end", whole(line) + piece(line[:30]), 2, 1, 0, 1},
		{"another line before the end", piece(line[:30]) + line + "\n" + whole(line[30:]), 3, 1, 0, 2},
		{"dropped", piece(line[:30]) + whole(strings.Replace(line[30:], "/a", "/healthz", 1)), 2, 0, 2, 0},
	} {
		file := filepath.Join(t.TempDir(), "access.log")
		if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		v := open(t, []config.Source{{Name: "web", Path: file, Format: "combined"}}, func(influx.Series, int64, int64) ([]int64, error) { return nil, nil })
		got, err := v.Verify(t.Context(), file, "")
		if err != nil || got.Lines != tt.lines || got.Expected != tt.expected || got.Filtered != tt.filtered || got.Rejected != tt.rejected {
			t.Errorf("%s: Verify = %+v, %v, want %+v", tt.name, got, err, tt)
		}
	}
}
