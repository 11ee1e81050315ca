package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// influxDB answers as one that is well, and knows no user.
func influxDB(t *testing.T) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Influxdb-Version", "1.8.10")
		if r.URL.Path != "/query" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		answer := `{"results":[{"statement_id":0}]}`
		if strings.HasPrefix(r.FormValue("q"), "SHOW RETENTION") {
			answer = `{"results":[{"series":[{"columns":["name","duration","default"],"values":[["autogen","0s",true]]}]}]}`
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// checked is what check says where there is an InfluxDB.
func checked(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	args = append([]string{"check", "--influxdb-url", influxDB(t), "--listen", ""}, args...)
	code, stdout, stderr := printed(args...)
	return code, stdout + stderr
}

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
		{"auto", map[string]string{"a.log": strings.Repeat(combined, 30)}, []string{"a.log"}, 0, []string{"source a.log\n", "DIR/a.log: 30 of its newest 30 lines become points (format combined: 30 of its last 30 lines fit)"}},
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
			[]string{"format combined: 100 of its first 100 lines fit)"},
		},
		{
			"what the detected format has nothing for",
			map[string]string{"a.log": combined},
			[]string{"a.log", "--fields=request_time"},
			0,
			[]string{"format combined: 1 of its last 1 lines fit)", "warning  points         fields: the format has nothing for request_time"},
		},
		{"no lines", map[string]string{"a.log": ""}, []string{"a.log"}, 0, nil},
		{"no log", nil, []string{"a.log"}, 1, []string{"error    file           DIR/a.log is not there"}},
		{"no known format", map[string]string{"a.log": "hello\n"}, []string{"a.log"}, 1, []string{"error    format         DIR/a.log: no known format matches the first line", "check: 1 error\n"}},
		{"an error log", map[string]string{"error.log": errors}, []string{"error.log"}, 1, []string{"error    format         DIR/error.log: this is nginx's error log, not an access log"}},
		{"another format than the configured one", map[string]string{"a.log": combined}, []string{"a.log", "--format=timed"}, 1, []string{"no line is in the configured format, they look like combined: set that, or auto"}},
		{"the configured one", map[string]string{"a.log": combined + "half\n"}, []string{"a.log", "--format=combined"}, 0, []string{"format combined: 1 of its last 2 lines fit"}},
		{
			"a glob",
			map[string]string{"a.log": combined, "b.log": explainTimed + "\n", "error.log": errors, "c.log": "hello\n"},
			[]string{"*.log"},
			0,
			[]string{"DIR/a.log: 1 of its newest 1 lines become points (format combined: 1 of", "DIR/b.log: 1 of its newest 1 lines become points (format timed: 1 of", "warning  format         DIR/c.log: no known format", "1 warning, 1 note\n"},
		},
		{"a glob of which nothing fits", map[string]string{"c.log": "hello\n", "error.log": errors}, []string{"*.log"}, 1, []string{"check: 2 errors"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range tt.logs {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			args := append([]string{"--state-dir", filepath.Join(dir, "state"), "--path", filepath.Join(dir, tt.args[0])}, tt.args[1:]...)
			code, out := checked(t, args...)
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			for _, want := range tt.wants {
				if want = strings.ReplaceAll(want, "DIR", dir); !strings.Contains(out, want) {
					t.Errorf("it says\n%s\nwant %s", out, want)
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
		code, out := checked(t, append([]string{"--state-dir", filepath.Join(dir, "state"), "--path", filepath.Join(dir, tt.path)}, tt.args...)...)
		if n := strings.Count(out, tt.want); code != 0 || n != 1 {
			t.Errorf("%s: exit code %d, %q is said %d times:\n%s", name, code, tt.want, n, out)
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

// The JSON is for programs: it stands alone on standard output, whatever the verdict.
func TestCheckAsJSON(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		name, url, verdict string
		code               int
	}{
		{"well", influxDB(t), "note", 0}, // of logrotate, which knows no such log
		{"no InfluxDB", "http://127.0.0.1:9", "error", 1},
	} {
		log := writeTemp(t, "access.log", explainCombined+"\n")
		code, out, _ := printed("check", "--json", "--path", log, "--state-dir", dir, "--listen", "", "--influxdb-url", tt.url)
		var got struct {
			Verdict, User string
			Findings      []map[string]string
		}
		if err := json.Unmarshal([]byte(out), &got); err != nil || code != tt.code || got.Verdict != tt.verdict || got.User == "" {
			t.Errorf("%s: exit code %d, %v, want %d and %s:\n%s", tt.name, code, err, tt.code, tt.verdict, out)
		}
		for _, f := range got.Findings {
			for _, key := range []string{"verdict", "subject", "check", "reason"} {
				if f[key] == "" {
					t.Errorf("%s: a finding without %s: %v", tt.name, key, f)
				}
			}
		}
	}
}

// check --print prints the configuration and looks at nothing else.
func TestCheckPrintsTheConfiguration(t *testing.T) {
	code, out, errs := printed("check", "--print", "--path", "/none/access.log", "--influxdb-url", "http://127.0.0.1:9")
	if code != 0 || errs != "" || !strings.HasPrefix(out, "sources:\n  - name: access.log\n    path: /none/access.log\n") {
		t.Errorf("check --print = exit %d\n%s%s", code, out, errs)
	}
	code, out, errs = printed("check", "--print", "--path", "/none/access.log", "--tag-limit", "none")
	if code != 2 || out != "" || !strings.Contains(errs, "--tag-limit") {
		t.Errorf("check --print of a mistake = exit %d\n%s%s", code, out, errs)
	}
	code, out, errs = printed("check", "--print", "--json", "--path", "/none/access.log")
	if code != 2 || out != "" || !strings.Contains(errs, "--print and --json: want one of the two") {
		t.Errorf("check --print --json = exit %d\n%s%s", code, out, errs)
	}
}

// What would be refused by InfluxDB later is refused now.
func TestUserAndPasswordBelongTogether(t *testing.T) {
	config, password := writeTemp(t, "tailflux.yaml", "sources: [{path: /x.log}]\ninfluxdb:\n  username: u\n"), "/etc/passwd" // which is there
	for want, args := range map[string][]string{
		`--influxdb-username: got "u" without influxdb.password_file, want both influxdb.username and influxdb.password_file, or none`:                {"--path", "/x.log", "--influxdb-username", "u"},
		`--influxdb-password-file: got "` + password + `" without influxdb.username, want both influxdb.password_file and influxdb.username, or none`: {"--path", "/x.log", "--influxdb-password-file", password},
		config + `:3:13: influxdb.username: got "u" without influxdb.password_file, want both influxdb.username and influxdb.password_file, or none`:  {"--config", config},
	} {
		for _, command := range []string{"check", "run"} {
			code, _, errs := printed(append([]string{command, "--state-dir", t.TempDir(), "--listen", ""}, args...)...)
			if code != exitUsage || errs != want+"\n" {
				t.Errorf("%s %q = exit %d\n%swant %s", command, args, code, errs, want)
			}
		}
	}
}

// Another user is looked as by root only.
func TestCheckAsAnotherUser(t *testing.T) {
	if code, _, errs := printed("check", "--path", "/none.log", "--user", "no-such-user"); code != exitUsage || !strings.Contains(errs, "no-such-user") {
		t.Errorf("check --user = exit %d\n%s", code, errs)
	}
}
