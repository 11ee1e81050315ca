package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/tailflux/tailflux/internal/report"
)

// reported is what report prints of a command line, and its exit code.
func reported(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	t.Chdir(t.TempDir())
	return printed(append([]string{"report"}, args...)...)
}

// Report needs neither a configuration nor a state directory, and leaves nothing behind.
func TestReportNeedsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	if err := os.WriteFile(path, []byte(lines(0, 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(t.TempDir(), "state")
	code, out, errs := reported(t, "--state-dir", state, path)
	if code != 0 || errs != "" {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	if !strings.HasPrefix(out, "<!doctype html>") || !strings.Contains(out, `data-figure="requests">500<`) {
		t.Errorf("it prints %.300s", out)
	}
	if _, err := html.Parse(strings.NewReader(out)); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(state); !os.IsNotExist(err) {
		t.Errorf("there is a state directory: %v", err)
	}
	here, err := os.ReadDir(".")
	if err != nil || len(here) > 0 {
		t.Errorf("it left %v, %v", here, err)
	}
}

func TestReportOfStandardInput(t *testing.T) {
	withStandardInput(t, lines(0, 300), func() {
		code, out, errs := reported(t, "--json", "-")
		var r report.Report
		if err := json.Unmarshal([]byte(out), &r); code != 0 || errs != "" || err != nil {
			t.Fatalf("exit code %d, %v: %s%.200s", code, err, errs, out)
		}
		if r.Total.Requests != 300 || r.Lines.Read != 300 || r.Files[0].Name != "standard input" {
			t.Errorf("%d requests, %+v, %+v", r.Total.Requests, r.Lines, r.Files[0])
		}
	})
}

// Mistakes are said, with a remedy, and have the exit codes of the house.
func TestReportSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good.log", lines(0, 50))
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string // on standard error
		page bool
	}{
		{"no file", nil, 2, "tailflux: report: no file given; see tailflux report --help\n", false},
		{"absent", []string{good, dir + "/absent.log"}, 1, "tailflux: report: stat " + dir + "/absent.log: no such file or directory\n", false},
		{"directory", []string{good, dir}, 1, "is a directory: name the logs in it, such as " + dir + "/access.log*\n", true},
		{"unknown flag", []string{"--colour", good}, 2, "--colour", false},
		{"bad format", []string{"--format", "$status", good}, 2, "no time: the format needs $time_local, $time_iso8601, $time_iso8601_ms or $msec", false},
		{"prose", []string{good, file("prose", "Hello.\nThis is no log.\n")}, 1, "tailflux: report: " + dir + "/prose: format auto: ", true},
		{
			"another format",
			[]string{"--format", "timed", file("combined.log", `192.0.2.1 - - [20/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 10 "-" "curl/8"`+"\n")},
			1,
			"combined.log: none of its 1 lines is in the format: try tailflux explain --file ", true,
		},
		{"two of three", []string{file("a.xz", "\xfd7zXZ\x00"), good, file("b.gz", "\x1f\x8b\x08cut")}, 1, "tailflux: report: " + dir + "/b.gz: ", true},
		{"nothing in it", []string{file("empty.log", "")}, 0, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errs := reported(t, tt.args...)
			if code != tt.code || !strings.Contains(errs, strings.TrimPrefix(tt.want, "tailflux: ")) || (tt.want == "") != (errs == "") {
				t.Errorf("exit code %d, %q, want %d, %q", code, errs, tt.code, tt.want)
			}
			if page := strings.HasSuffix(out, "</html>\n"); page != tt.page || !page && out != "" {
				t.Errorf("there is a page: %v, want %v; %d bytes", page, tt.page, len(out))
			}
		})
	}
}

// The configuration of the daemon holds for a file of one of its sources.
func TestReportByTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	path, other := filepath.Join(dir, "access.log"), filepath.Join(dir, "other.log")
	for _, file := range []string{path, other} {
		if err := os.WriteFile(file, []byte("1520171392.123 200 /a/17\n1520171393.000 404 /b\nodd\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	conf := filepath.Join(dir, "tailflux.yaml")
	text := "sources:\n  - {path: " + path + ", format: '$msec $status $uri'}\n  - {path: /var/log/nginx/timed.log, format: timed}\ndrop:\n  - {status: \"404\"}\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := reported(t, "--config", conf, "--json", path)
	var r report.Report
	if err := json.Unmarshal([]byte(out), &r); code != 0 || err != nil {
		t.Fatalf("exit code %d, %v: %s", code, err, errs)
	}
	if want := (report.Lines{Read: 3, Requests: 1, Filtered: 1, Rejected: 1}); r.Lines != want {
		t.Errorf("%+v, want %+v", r.Lines, want)
	}
	if code, _, errs := reported(t, "--config", conf, other); code != 2 || !strings.Contains(errs, "use --name (one of access.log, timed.log) or --format") {
		t.Errorf("a file of no source: exit code %d, %s", code, errs)
	}
}
