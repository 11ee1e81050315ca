package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// A file with a secret is a mistake beside the others, at its place, for the commands that
// need it.
func TestFilesOfTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "t.yaml")
	put(t, conf, "sources: [{path: /a.log, format: combined}]\ninfluxdb: {username: u, password_file: "+dir+"/none}\nhttp: {token_file: "+dir+"/gone}\nmax_line: 5\n", 0o600)
	const password, token, line = "t.yaml:2:40: influxdb.password_file: open ", "t.yaml:3:20: http.token_file: open ", "t.yaml:4:11: max_line: got 5"
	for _, tt := range []struct {
		command string
		want    []string
	}{
		{"run --once", []string{password, token, line}},
		{"check", []string{password, token, line}},
		{"import a.log", []string{password, token, line}},
		{"redeliver", []string{password, token, line}},
		{"verify a.log", []string{password, line}},
		{"query requests", []string{password, line}},
		{"query requests --show", []string{line}},
		{"explain x", []string{line}},
		{"healthcheck", []string{line}},
	} {
		code, out, errs := printed(append(strings.Fields(tt.command), "--config", conf, "--state-dir", dir+"/state")...)
		mistakes := strings.Split(strings.TrimSpace(errs), "\n")
		if code != 2 || out != "" || len(mistakes) != len(tt.want) {
			t.Errorf("%s: exit code %d\n%s%s", tt.command, code, out, errs)
			continue
		}
		for i, want := range tt.want {
			if !strings.Contains(mistakes[i], want) {
				t.Errorf("%s: %s, want %s", tt.command, mistakes[i], want)
			}
		}
	}
}
