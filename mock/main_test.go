package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/mock/feed"
	"github.com/tailflux/tailflux/mock/nginxlog"
)

func mock(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestHelp(t *testing.T) {
	code, out, errs := mock(t, "--help")
	if code != 0 || errs != "" {
		t.Errorf("--help: exit code %d, standard error %q", code, errs)
	}
	wanted := append(nginxlog.Names(), "Examples:", "MATCH the format", "match no format", "--rotate-lag", "SIGTERM")
	for _, want := range wanted {
		if !strings.Contains(out, want) {
			t.Errorf("--help lacks %q", want)
		}
	}
}

func TestWrongUsage(t *testing.T) {
	for _, row := range []struct{ args, want string }{
		{"--nope", "--nope"},
		{"access.log", `unexpected argument "access.log"`},
		{"--rate -5", "rate -5"},
		{"--format $nope", "unknown variable $nope"},
		{"--start yesterday", `--start "yesterday"`},
		{"--rotate-every often --output x", `--rotate-every "often"`},
		{"--rotate-every 0 --output x", `--rotate-every "0"`},
		{"--rotate-every 10s", "needs an output file"},
	} {
		code, out, errs := mock(t, strings.Fields(row.args)...)
		if code != 2 || out != "" || !strings.Contains(errs, row.want) {
			t.Errorf("mock %s: exit code %d, standard error %q, want 2 and %q", row.args, code, errs, row.want)
		}
	}
}

func TestSummary(t *testing.T) {
	args := []string{"--rate", "0", "--lines", "2000", "--start", "2026-11-22T10:00:00+01:00", "--torn", "0.01", "--garbage", "0.01"}
	code, out, errs := mock(t, append(args, "--json")...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	var got feed.Summary
	if err := json.Unmarshal([]byte(errs), &got); err != nil {
		t.Fatalf("standard error is no JSON: %v: %q", err, errs)
	}
	if got.Lines != 2000 || got.Bytes != int64(len(out)) || got.Torn == 0 || got.Garbage == 0 {
		t.Errorf("summary %s, want 2000 lines, %d bytes, some torn, some garbage", errs, len(out))
	}
	if !strings.Contains(out, "[22/Nov/2026:10:00:01 +0100]") {
		t.Error("the log is not in the zone of --start")
	}
	_, again, text := mock(t, args...)
	if again != out {
		t.Error("the same flags give another log")
	}
	if !strings.HasPrefix(text, "mock: 2000 lines, ") || strings.Count(text, "\n") != 1 {
		t.Errorf("standard error %q, want one line on 2000 lines", text)
	}
}

func TestRotatedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	code, out, errs := mock(t, "--rate", "0", "--lines", "250", "--output", path, "--rotate-every", "100", "--rotate-lag", "0s")
	if code != 0 || out != "" || !strings.Contains(errs, "2 rotations") {
		t.Fatalf("exit code %d, standard output %q, standard error %q", code, out, errs)
	}
	for name, want := range map[string]int{path: 50, path + ".1": 100, path + ".2": 100} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(b, []byte("\n")); n != want {
			t.Errorf("%s: %d lines, want %d", name, n, want)
		}
	}
}

func TestFailedWrite(t *testing.T) {
	code, _, errs := mock(t, "--lines", "1", "--output", filepath.Join(t.TempDir(), "no", "dir"))
	if code != 1 || !strings.Contains(errs, "no such file or directory") {
		t.Errorf("exit code %d, standard error %q, want 1 and why", code, errs)
	}
}
