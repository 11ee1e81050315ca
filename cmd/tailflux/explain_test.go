package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

const (
	explainHead     = `192.0.2.7 - - [04/Mar/2018:13:49:52 +0000] `
	explainCombined = explainHead + `"GET /users/42?a=1 HTTP/1.1" 200 612 "-" "curl, \x22x\x22"`
	explainTimed    = `172.0.0.12 - - [04/Mar/2018:13:49:52 +0000] http "GET /foo?query=t HTTP/1.0" 502 2133 "-" "KeepAliveClient" "-" 0.010, 0.020 : 1.005 1.854`
	explainJSON     = `{"time_iso8601":"2018-03-04T13:49:52+00:00","remote_addr":"2001:db8::17","request":"GET /a HTTP/1.1","status":200,"request_time":0.120}`

	// The pattern that tutorials hand down, with its groups named.
	explainLineage = `(?P<remote_addr>[\d\.]+)\s+(?P<_>[^ \[]+)\s+(?P<remote_user>[^ \[]+)\s+\[(?P<time_local>[^\]]+)\]` +
		`\s+(?P<scheme>[a-z]+)\s+\"(?P<request>[^"]+)\"\s+(?P<status>\d{3})\s+(?P<bytes_sent>\d+)` +
		`\s+\"(?P<http_referer>[^"]+)\"\s+\"(?P<http_user_agent>.*?)\"\s+\"(?P<gzip_ratio>[\d\.-]+)\"` +
		`\s+(?P<upstream_response_time>[\d\.-]+)\s+(?P<request_time>[\d\.-]+)`
)

// explainWith runs the command with that standard input.
func explainWith(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	in, err := os.Open(writeTemp(t, "stdin", stdin))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	old := os.Stdin
	os.Stdin = in
	defer func() { os.Stdin = old }()
	var out, errs bytes.Buffer
	code = execute(append([]string{"explain", "--host=web1"}, args...), &out, &errs)
	return code, out.String(), errs.String()
}

func writeTemp(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestExplainGolden(t *testing.T) {
	config := writeTemp(t, "tailflux.yaml", `sources:
- {path: /var/log/nginx/web.log, format: timed}
- {path: /var/log/nginx/api.log, format: combined}
drop:
- {path: /healthz}
- {http_user_agent: '~^kube-probe/', status: '200'}
mask: [remote_addr]
tags: [method, status, remote_addr]
`)
	probe := explainHead + `"GET / HTTP/1.1" 200 612 "-" "kube-probe/1.30"`
	for _, tt := range []struct {
		name  string
		stdin string
		args  []string
		code  int
	}{
		{"combined", "", []string{"--format=combined", explainCombined}, 0},
		{"timed", "", []string{"--format=timed", explainTimed}, 0},
		{"detected", explainTimed + "\n" + explainTimed + "\n", nil, 0},
		{"json_lines", explainJSON, []string{"--format=auto"}, 0},
		{"mismatch", explainHead + `"GET / HTTP/1.1" OK 612 "-" "-"` + "\n\n", []string{"--format=combined"}, 1},
		{"nearest", explainCombined, []string{"--format=timed"}, 1},
		{"long", explainHead + `"GET /` + strings.Repeat("x", 300) + ` HTTP/1.1" ÄÖÜ` + strings.Repeat("y", 300), []string{"--format=combined"}, 1},
		{"unsafe", explainHead + "\"GET /\x1b[31m\xff\t HTTP/1.1\" 200 \x1b[31m", []string{"--format=combined"}, 1},
		{"bad_time", strings.Replace(explainCombined, "04/Mar", "31/Feb", 1), []string{"--format=combined"}, 1},
		{"too_long", explainCombined + strings.Repeat("x", 1024), []string{"--format=combined", "--max-line=1KiB"}, 1},
		{"torn", explainCombined + "\n" + explainCombined[:60] + "\n", nil, 1},
		{"unknown", "hello world\n", nil, 1},
		{"filtered", probe, []string{"--config", config, "--name=api.log"}, 0},
		{"log_format", `192.0.2.7 [04/Mar/2018:13:49:52 +0000] "GET / HTTP/1.1" 200`, []string{`--format=$remote_addr [$time_local] "$request" $status`, "--name=web"}, 0},
		{"lineage", explainHead + `http "GET / HTTP/1.1" 200 612 "-" "-" "-" 0.100 0.100` + "\n" + explainTimed, []string{"--regexp", explainLineage}, 1},
		{"regexp", `200 1520171392.123`, []string{"--regexp", `(?P<status>\d+)\b (?P<msec>\S+)$`}, 0},
		{"json", explainTimed + "\n" + explainCombined + "\n", []string{"--format=timed", "--json"}, 1},
		{"json_filtered", probe, []string{"--config", config, "--name=api.log", "--json"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := explainWith(t, tt.stdin, tt.args...)
			got := fmt.Sprintf("exit %d\n--- stdout\n%s--- stderr\n%s", code, stdout, stderr)
			golden := filepath.Join("testdata", "explain", tt.name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" || code != tt.code {
				t.Errorf("explain %q = exit %d, want %d (-want +got)\n%s", tt.args, code, tt.code, diff)
			}
		})
	}
}

// The keys of --json are a promise.
func TestExplainJSONKeys(t *testing.T) {
	_, stdout, _ := explainWith(t, explainCombined+"\n"+explainTimed+"\n", "--format=combined", "--json")
	decoder := json.NewDecoder(strings.NewReader(stdout))
	want := []string{"error", "fields", "format", "matched", "path_taken", "point", "rollups", "tags", "time", "vars"}
	for _, matched := range []bool{true, false} {
		var object map[string]any
		if err := decoder.Decode(&object); err != nil {
			t.Fatal(err)
		}
		var keys []string
		for key := range object {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		if !slices.Equal(keys, want) || object["matched"] != matched || (object["error"] == nil) != matched || (object["point"] != nil) != matched {
			t.Errorf("explain --json = %v, want the keys %q and matched %v", object, want, matched)
		}
	}
	if err := decoder.Decode(&struct{}{}); err != io.EOF {
		t.Errorf("explain --json of two lines: after them %v, want the end", err)
	}
}

func TestExplainSourcesAndExitCodes(t *testing.T) {
	several := writeTemp(t, "several.yaml", "sources:\n- {path: /x/web.log, format: timed}\n- {path: /x/api*.log, format: combined}\n")
	alike := writeTemp(t, "alike.yaml", "sources:\n- {path: /x/web.log, format: combined}\n- {path: /x/api.log, format: combined}\n")
	dir := t.TempDir()
	log := filepath.Join(dir, "api1.log")
	if err := os.WriteFile(log, []byte(explainCombined), 0o600); err != nil {
		t.Fatal(err)
	}
	glob := writeTemp(t, "glob.yaml", "sources:\n- {path: /x/web.log, format: timed}\n- {path: "+dir+"/api*.log, format: combined, name: api}\n")
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string // is in the output
	}{
		{"a file", []string{"--file", log, "--format=combined"}, 0, "source=api1.log,"},
		{"standard input", []string{"--file=-", "--format=combined"}, 0, "source=access.log,"},
		{"a path", []string{"--path=/x/y.log"}, 0, "format combined, detected"},
		{"by name", []string{"--config", several, "--name=api*.log"}, 0, "source=api*.log,"},
		{"by file", []string{"--config", glob, "--file", log}, 0, "source=api,"},
		{"all alike", []string{"--config", alike}, 0, "source=web.log,"},
		{"a format in place of the sources", []string{"--config", several, "--format=combined"}, 0, "source=access.log,"},
		{"the first start", []string{"--config", alike, "--start=end"}, 0, "source=web.log,"},
		{"which source", []string{"--config", several}, 2, "use --name (one of web.log, api*.log)"},
		{"no such source", []string{"--config", several, "--name=x"}, 2, `--name: got "x", want one of the sources web.log, api*.log`},
		{"no such format", []string{"--format=$nope"}, 2, "--format: got"},
		{"format and regexp", []string{"--format=timed", "--regexp=x"}, 2, "want one of the two"},
		{"lines and a file", []string{"--file", log, "x"}, 2, "want one of the two"},
		{"no such flag", []string{"--nope"}, 2, "unknown flag"},
		{"no such configuration", []string{"--config=/nowhere.yaml"}, 2, "no such file"},
		{"no such file", []string{"--file=/nowhere.log"}, 1, "no such file"},
		{"a directory", []string{"--file", dir}, 1, "is a directory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := explainWith(t, explainCombined, tt.args...)
			if code != tt.code || !strings.Contains(stdout+stderr, tt.want) {
				t.Errorf("explain %q = exit %d, want %d and %q in\n%s%s", tt.args, code, tt.code, tt.want, stdout, stderr)
			}
		})
	}

	for _, args := range [][]string{nil, {"--format=combined"}} {
		if code, stdout, stderr := explainWith(t, "", args...); code != 0 || !strings.Contains(stderr, "no lines to explain") {
			t.Errorf("explain %q of nothing = exit %d\n%s%s", args, code, stdout, stderr)
		}
	}

	// Names that only a rule has are looked for in JSON too.
	dropping := writeTemp(t, "drop.yaml", "sources: [{path: /x.log, format: json}]\ndrop:\n- {http_x_health: '1'}\n")
	if code, stdout, stderr := explainWith(t, `{"msec":"1520171392.123","http_x_health":"1"}`+"\n", "--config", dropping); code != 0 || !strings.Contains(stdout, "drop[0]") {
		t.Errorf("explain of a line that is left out = exit %d\n%s%s", code, stdout, stderr)
	}

	t.Setenv("TAILFLUX_FORMAT", "combined")
	t.Setenv("TAILFLUX_NAME", "shop")
	if code, stdout, stderr := explainWith(t, explainCombined); code != 0 || !strings.HasPrefix(stdout, "format combined\n") || !strings.Contains(stdout, "source=shop,") {
		t.Errorf("explain with variables = exit %d\n%s%s", code, stdout, stderr)
	}
}
