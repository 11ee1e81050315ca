package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
)

// queryable is an installation whose log is in rollups: 300 lines of ten minutes until three
// minutes ago, one in ten an error that takes long.
func queryable(t *testing.T) *installation {
	in := &installation{
		t: t, db: influxdtest.New(t, influxdtest.Options{}), state: t.TempDir(), log: t.TempDir() + "/access.log",
		settings: []string{"--format", `$remote_addr [$time_local] "$request" $status $bytes_sent $request_time`, "--rollups", "default", "--raw=false"},
	}
	var b strings.Builder
	at := time.Now().UTC().Truncate(time.Minute).Add(-13 * time.Minute)
	for i := range 300 {
		path, status, took := "/a", 200, 0.1
		if i%10 == 0 {
			path, status, took = "/slow", 503, 5
		}
		fmt.Fprintf(&b, "192.0.2.1 [%s] \"GET %s HTTP/1.1\" %d 1000 %.3f\n", at.Add(time.Duration(2*i)*time.Second).Format("02/Jan/2006:15:04:05 -0700"), path, status, took)
	}
	in.write(b.String())
	in.deliver()
	return in
}

// query runs the command; only what it needs is said.
func (in *installation) query(args ...string) (code int, out, errs string) {
	return printed(append([]string{"query", "--influxdb-url", in.db.URL(), "--rollups", "default"}, args...)...)
}

func TestQuery(t *testing.T) {
	in := queryable(t)
	code, out, errs := in.query("requests", "errors", "p50", "max", "bytes_sent", "upstream_p95", "--by", "path")
	want := "path   requests    errors    p50    max  bytes_sent  upstream_p95\n" +
		"/a          270    0.000%  0.100  0.100       270kB             -\n"
	if code != 0 || errs != "" || !strings.HasPrefix(out, "nginx_paths, windows of 1m, from ") || !strings.Contains(out, want) ||
		!strings.Contains(out, "/slow        30  100.000%  4.822  5.000        30kB             -\n") {
		t.Errorf("exit code %d\n%s%s, want\n%s", code, out, errs, want)
	}
	code, out, _ = in.query("requests", "rate", "p99", "--where", "status_class=5xx", "--host", "h", "--every", "1m", "--json")
	var got struct {
		Measurement string
		Every       int `json:"every_seconds"`
		Rows        []struct {
			From, To time.Time
			Values   map[string]*float64
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 || got.Measurement != "nginx_site" || got.Every != 60 || len(got.Rows) != 10 {
		t.Fatalf("exit code %d, %v\n%s", code, err, out)
	}
	for _, row := range got.Rows {
		if v := row.Values; *v["requests"] != 3 || *v["rate"] != 0.05 || *v["p99"] != 5 || row.To.Sub(row.From) != time.Minute {
			t.Errorf("row %v", row)
		}
	}
	for _, tt := range []struct{ args, want string }{
		{"requests --host another", "no lines in this range with these filters"},
		{"errors p95 --where path=/none", "no lines in this range with these filters"},
		{"requests --from 2026-01-01 --to 2026-01-02", "no lines in this range"},
		{"p95 mean --from 2026-01-01 --to 2026-01-02", "no lines with a time in this range"},
		{"upstream_p95 --where status_class=2xx", "no lines with a time in this range with these filters"},
	} {
		if code, out, _ = in.query(strings.Fields(tt.args)...); code != 0 || !strings.HasSuffix(out, "\n"+tt.want+"\n") {
			t.Errorf("tailflux query %s = exit %d\n%s, want %s", tt.args, code, out, tt.want)
		}
	}
	if code, out, _ = in.query("requests", "--by", "path", "--top", "1"); code != 0 || !strings.HasSuffix(out, "\n/a         270\n") {
		t.Errorf("exit code %d\n%s", code, out)
	}
}

// What cannot be asked is refused before anybody is asked, with what can be.
func TestQueriesThatCannotBeAnswered(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"", "nothing is asked; want some of requests, rate, errors, "},
		{"p95x", `nothing is called "p95x"; want some of requests`},
		{"p100", `nothing is called "p100"`},
		{"p95 --by country", "no rollup has the tags country together; there are nginx_site (10s; method, status); nginx_paths (1m; path, status_class); nginx_site_5m (5m; status_class)"},
		{"p95 --by path --where method=GET", "rollups: [{measurement: nginx_by_path_method, interval: 1h, tags: [path, method]}"},
		{"p95 --rollup nginx_site --by path", "nginx_site has no tag path: nginx_site (10s; method, status)"},
		{"p95 --rollup nginx", `there is no rollup "nginx"; there are nginx_site`},
		{"p95 --rollups none", "no rollups are configured (rollups: []); --rollups=default"},
		{"p95 --every 15s", "a row for each 15s: want whole windows of nginx_site, which are 10s long"},
		{"p95 --every 1.5s", `--every: got "1.5s", want a time of whole seconds`},
		{"p95 --since yesterday", `--since: got "yesterday", want a time of whole seconds`},
		{"p95 --from 20.11.2026", `--from: got "20.11.2026", want a time such as 2026-11-20`},
		{"p95 --from 2026-11-20 --to 2026-11-19", "the range ends before it begins: from 2026-11-20T00:00:00Z to 2026-11-19T00:00:00Z"},
		{"p95 --from 2126-11-20 --to 2126-11-21", "the range is in the future: from 2126-11-20T00:00:00Z, and now it is 20"},
		{"p95 --from 2126-11-20", "the range is in the future: from 2126-11-20T00:00:00Z"},
		{"p95 --to 2126-11-20", "the range is in the future: from 2126-11-19T23:00:00Z"},
		{"p95 --since 1s", "no window of nginx_site has ended"},
		{"p95 --since 24h --from 2026-11-20", "--since and --from: want one of the two"},
		{"p95 --since 1h --from 2026-11-20 --to 2026-11-21", "--since and --from: want one of the two"},
		{"p95 --since 99999w", `--since: got "99999w", which is too long`},
		{"p95 --since 32767w", `--since: got "32767w", which is too long`},
		{"p95 --since 9999999999h", `--since: got "9999999999h", which is too long`},
		{"p95 --since 9000w", `--since: got "9000w", which begins before 1970`},
		{"p95 --every 99999999999999999999d", `--every: got "99999999999999999999d", which is too long`},
		{"p95 --since 0d", `--since: got "0d", want a time of whole seconds`},
		{"p95 --since -5d", `--since: got "-5d", want a time of whole seconds`},
		{"p95 --from 1969-01-01", `--from: got "1969-01-01", which is before 1970`},
		{"p95 --from 1970-01-01T00:00:00+01:00", `--from: got "1970-01-01T00:00:00+01:00", which is before 1970`},
		{"p95 --where path", `--where: got "path", want tag=value`},
		{"p95 --where =x", `--where: got "=x", want tag=value`},
		{"p95 --where path=~(", "missing closing )"},
		{"p95 --by path --top 5 --every 1m", "--top and --every: want one of the two"},
		{"p95 --top -1", "--top: got -1"},
	} {
		args := append([]string{"query", "--influxdb-url", "http://127.0.0.1:1", "--rollups", "default"}, strings.Fields(tt.args)...)
		if code, out, errs := printed(args...); code != exitUsage || out != "" || !strings.HasPrefix(errs, "tailflux: query: ") || !strings.Contains(errs, tt.want) {
			t.Errorf("tailflux query %s = exit %d\n%s%s, want %s", tt.args, code, out, errs, tt.want)
		}
	}
	code, _, errs := printed("query", "requests", "--influxdb-url", "http://127.0.0.1:1", "--rollups", "default")
	if code != exitFailed || !strings.Contains(errs, "no InfluxDB at http://127.0.0.1:1 (influxdb.url)") {
		t.Errorf("exit code %d, %s", code, errs)
	}
}

// The examples of docs/query.md, README.md and --help do something.
func TestQueriesOfTheDocumentation(t *testing.T) {
	in := queryable(t)
	text := queryExamples + "\n"
	for _, page := range []string{"../../docs/query.md", "../../README.md"} {
		data, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		text += string(data)
	}
	examples := regexp.MustCompile("(?m)(?:^ +|`)tailflux query ([^\n`]*--[^\n`]*)").FindAllStringSubmatch(text, -1)
	if len(examples) < 8 {
		t.Fatalf("%d examples, want more", len(examples))
	}
	for _, e := range examples {
		for _, more := range []string{"", "--show"} {
			args := strings.Fields(e[1] + " " + more)
			if code, out, errs := in.query(args...); code != 0 || out == "" {
				t.Errorf("tailflux query %s = exit %d\n%s%s", args, code, out, errs)
			}
		}
	}
}
