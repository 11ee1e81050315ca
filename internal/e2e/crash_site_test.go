//go:build e2e

package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// crashSite is a real nginx of which every request is one line, known by its
// path, in logs/access.log, which is rotated, and in reference.log, which is not.
//
//	/ok/7  /missing/7  /down/7   points
//	/up/7                        with an upstream time: a field that has another type in InfluxDB
//	/ok/7 of a stranger          a value of a tag that has as many as it may have
//	/odd/7                       in another format
type crashSite struct {
	*nginx
	log, reference string
	turns          [2]int // by rename, by copytruncate
}

// Both formats end such that a line that was cut is known for one.
const (
	crashFormat = `$remote_addr [$time_local] "$request" $status $bytes_sent $upstream_response_time "$http_user_agent"`
	visitor     = "visitor"
	stranger    = "stranger"
)

const crashConf = `
    log_format crash '%[1]s';
    log_format odd '-- $uri --';
    server {
        listen 127.0.0.1:%[2]d;
        access_log reference.log crash;
        access_log logs/access.log crash;
        location / { return 200 "here you are: $uri\n"; }
        location /missing/ { return 404; }
        location /down/ { return 503; }
        location /up/ { proxy_pass http://127.0.0.1:%[2]d/inner/; }
        location /inner/ { access_log off; return 200 "from within\n"; }
        location /odd/ {
            access_log reference.log odd;
            access_log logs/access.log odd;
            return 200;
        }
    }`

func startCrashSite(b *bench) *crashSite {
	b.t.Helper()
	if err := os.Mkdir(b.path("logs"), 0o755); err != nil {
		b.t.Fatal(err)
	}
	s := &crashSite{log: b.path("logs/access.log"), reference: b.path("reference.log")}
	for i, directives := range []string{
		fmt.Sprintf("create 0644\npostrotate\nkill -USR1 $(cat %s)\nendscript", b.path("nginx.pid")),
		"copytruncate",
	} {
		b.write(fmt.Sprintf("logrotate-%d.conf", i), fmt.Sprintf("%s {\nrotate 1000\n%s\n}\n", s.log, directives))
	}
	port := freePort(b.t)
	s.nginx = serve(b, 2, port, fmt.Sprintf(crashConf, crashFormat, port))
	return s
}

// crashRequest is the nth one: its path and who asks.
func crashRequest(seed uint64, n, perSecond int) (path, agent string) {
	random := rand.New(rand.NewPCG(seed, uint64(n)))
	kind, agent := "ok", visitor
	// What InfluxDB refuses comes a few at a time: it is looked for with at most 50
	// requests a second. Of two kinds in one request it counts only the strangers,
	// and stores nothing.
	switch at := n % (3 * perSecond); {
	case at < 3, at == perSecond || at == perSecond+1:
		kind = "up"
	case at == perSecond+2 || at == perSecond+3:
		agent = fmt.Sprintf("%s-%d", stranger, random.IntN(3))
	default:
		switch of100 := random.IntN(100); {
		case of100 < 2:
			kind = "odd"
		case of100 < 10:
			kind = "missing"
		case of100 < 14:
			kind = "down"
		}
	}
	return fmt.Sprintf("/%s/%d", kind, n), agent
}

// Ways to rotate.
const (
	byRename = iota
	byCopy
)

// turn rotates once.
func (s *crashSite) turn(way int) error {
	out, err := exec.Command("logrotate", "-f", "-s", s.b.path("logrotate.state"), s.b.path(fmt.Sprintf("logrotate-%d.conf", way))).CombinedOutput()
	if err != nil {
		return fmt.Errorf("logrotate: %w\n%s", err, out)
	}
	s.turns[way]++
	return nil
}

// crashLine is what a line of nginx has to become: a point, or, with a reason, an
// entry of the reject file.
type crashLine struct {
	path, status string
	sent         int64
	reason       string
}

// Lines are cut here by hand and not by the code under test.
var (
	crashPattern = regexp.MustCompile(`^127\.0\.0\.1 \[[^]]+\] "GET (/[a-z]+/\d+) HTTP/1\.1" (\d{3}) (\d+) (\S+) "([a-z]+)(?:-\d)?"$`)
	oddPattern   = regexp.MustCompile(`^-- (/odd/\d+) --$`)
)

// readCrashLine reads a line; ok is false when it is not a whole one.
func readCrashLine(text string) (line crashLine, ok bool) {
	if m := oddPattern.FindStringSubmatch(text); m != nil {
		return crashLine{path: m[1], reason: "no match"}, true
	}
	m := crashPattern.FindStringSubmatch(text)
	if m == nil {
		return crashLine{}, false
	}
	line = crashLine{path: m[1], status: m[2]}
	line.sent, _ = strconv.ParseInt(m[3], 10, 64)
	switch {
	case m[4] != "-":
		line.reason = "field type conflict"
	case m[5] == stranger:
		line.reason = "max-values-per-tag limit exceeded"
	}
	return line, true
}

// readCrashLog returns the lines of a file, and whether it ends within one.
func readCrashLog(t *testing.T, file string) (lines []crashLine, cut bool) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for in := bufio.NewReader(f); ; {
		text, err := in.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return lines, text != ""
		} else if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		line, ok := readCrashLine(text[:len(text)-1])
		if !ok {
			t.Fatalf("%s: a line that nginx did not write: %q", file, text)
		}
		lines = append(lines, line)
	}
}

// files returns the log and what was rotated.
func (s *crashSite) files() []string {
	files, err := filepath.Glob(s.log + "*")
	if err != nil {
		s.b.t.Fatal(err)
	}
	return files
}
