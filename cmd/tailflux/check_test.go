package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Check says of each log which format it is read in, and by what: the lines that are most
// like those that will be read.
func TestCheckShowsTheFormats(t *testing.T) {
	const (
		combined = explainCombined + "\n"
		errors   = "2026/11/20 10:00:00 [error] 4242#4242: *17 open() failed\n"
	)
	for _, tt := range []struct {
		name  string
		logs  map[string]string
		args  []string
		code  int
		wants []string
	}{
		{"auto", map[string]string{"a.log": strings.Repeat(combined, 30)}, []string{"a.log"}, 0, []string{"note: source a.log: DIR/a.log: format combined: 30 of its last 30 lines fit"}},
		{
			"the end is not like the head",
			map[string]string{"a.log": strings.Repeat(combined, 300) + strings.Repeat(explainTimed+"\n", 10)},
			[]string{"a.log"},
			0,
			[]string{"format timed: 10 of its last 100 lines fit; its first lines are of another format, combined"},
		},
		{
			"from the beginning",
			map[string]string{"a.log": strings.Repeat(combined, 300) + explainTimed + "\n"},
			[]string{"a.log", "--start=beginning"},
			0,
			[]string{"format combined: 100 of its first 100 lines fit\n"},
		},
		{
			"what the detected format has nothing for",
			map[string]string{"a.log": combined},
			[]string{"a.log", "--fields=request_time"},
			0,
			[]string{"format combined: 1 of its last 1 lines fit\nwarning: source a.log: fields: the format has nothing for request_time"},
		},
		{"no lines", map[string]string{"a.log": ""}, []string{"a.log"}, 0, nil},
		{"no log", nil, []string{"a.log"}, 0, nil},
		{"no known format", map[string]string{"a.log": "hello\n"}, []string{"a.log"}, 1, []string{"warning: source a.log: DIR/a.log: no known format matches the first line", "logs whose lines are not in the format of their source: 1"}},
		{"an error log", map[string]string{"error.log": errors}, []string{"error.log"}, 1, []string{"warning: source error.log: DIR/error.log: this is nginx's error log, not an access log"}},
		{"another format than the configured one", map[string]string{"a.log": combined}, []string{"a.log", "--format=timed"}, 1, []string{"no line is in the configured format, they look like combined: set that, or auto"}},
		{"the configured one", map[string]string{"a.log": combined + "half\n"}, []string{"a.log", "--format=combined"}, 0, []string{"format combined: 1 of its last 2 lines fit"}},
		{
			"a glob",
			map[string]string{"a.log": combined, "b.log": explainTimed + "\n", "error.log": errors, "c.log": "hello\n"},
			[]string{"*.log"},
			0,
			[]string{"DIR/a.log: format combined: 1 of", "DIR/b.log: format timed: 1 of", "note: source *.log: DIR/error.log: left out: this is nginx's error log", "DIR/c.log: no known format"},
		},
		{"a glob of which nothing fits", map[string]string{"c.log": "hello\n", "error.log": errors}, []string{"*.log"}, 1, []string{"source: 2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range tt.logs {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var out, errs bytes.Buffer
			args := append([]string{"check", "--state-dir", filepath.Join(dir, "state"), "--path", filepath.Join(dir, tt.args[0])}, tt.args[1:]...)
			if code := execute(args, &out, &errs); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			for _, want := range tt.wants {
				if want = strings.ReplaceAll(want, "DIR", dir); !strings.Contains(errs.String(), want) {
					t.Errorf("it says\n%s\nwant %s", errs.String(), want)
				}
			}
			if _, err := os.Stat(filepath.Join(dir, "state")); err == nil {
				t.Error("it made the state directory")
			}
		})
	}
}

// Each warning is said once: of a format that was configured, of one that was found, of
// two files of a glob, and of JSON.
func TestCheckSaysAWarningOnce(t *testing.T) {
	const json = `{"time":"2026-11-20T10:00:00Z","status":200,"verb":"GET","request_uri":"/a"}` + "\n"
	for name, tt := range map[string]struct {
		line, path, want string
		args             []string
	}{
		"found":         {explainCombined + "\n", "a.log", "fields: the format has nothing for cuont", []string{"--fields=cuont"}},
		"configured":    {explainCombined + "\n", "a.log", "fields: the format has nothing for cuont", []string{"--fields=cuont", "--format=combined"}},
		"a glob":        {explainCombined + "\n", "*.log", "fields: the format has nothing for cuont", []string{"--fields=cuont"}},
		"JSON":          {json, "a.log", "rename: {verb: method}", []string{"--format=json"}},
		"JSON, found":   {json, "a.log", "rename: {verb: method}", nil},
		"JSON, in glob": {json, "*.log", "rename: {verb: method}", nil},
	} {
		dir := t.TempDir()
		for _, name := range []string{"a.log", "b.log"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(tt.line), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var out, errs bytes.Buffer
		code := execute(append([]string{"check", "--state-dir", filepath.Join(dir, "state"), "--path", filepath.Join(dir, tt.path)}, tt.args...), &out, &errs)
		if n := strings.Count(errs.String(), tt.want); code != 0 || n != 1 {
			t.Errorf("%s: exit code %d, %q is said %d times:\n%s", name, code, tt.want, n, errs.String())
		}
	}
}

// explain says what a log is that has no requests, whichever format is nearest.
func TestExplainOfOtherLogs(t *testing.T) {
	for line, want := range map[string]string{
		"2026/11/20 10:00:00 [error] 4242#4242: *17 open() failed":                            "this is nginx's error log, not an access log",
		"\n[20-Nov-2026 10:00:00]  [pool www] pid 1234\nscript_filename = /srv/www/index.php": "this is php-fpm's slow log, not an access log",
		"[20-Nov-2026 10:00:00] NOTICE: fpm is running, pid 1":                                "this is php-fpm's log, not an access log",
		`{"time":"2026-11-28T12:44:21.77Z","level":"INFO","msg":"started"}`:                   "this is a program's own log, not an access log",
	} {
		_, out, errs := explainWith(t, line+"\n")
		if !strings.Contains(out, want) {
			t.Errorf("explain %q:\n%s%s\nwant %s", line, out, errs, want)
		}
	}
}
