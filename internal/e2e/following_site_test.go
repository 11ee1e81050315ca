//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// visitedSite is a real nginx that writes every line twice: to logs/access.log, which
// is rotated, and to reference.log, which is not.
type visitedSite struct {
	*nginx
	log, reference string
}

// visitedFormat is the format of both.
const visitedFormat = `$remote_addr [$time_local] "$request" $status $bytes_sent`

const visitedConf = `
    log_format visited '%s';
    server {
        listen 127.0.0.1:%d;
        access_log reference.log visited;
        access_log logs/access.log visited;
        location / { return 200 "here you are\n"; }
    }`

func startVisited(b *bench) *visitedSite {
	b.t.Helper()
	if err := os.Mkdir(b.path("logs"), 0o755); err != nil {
		b.t.Fatal(err)
	}
	port := freePort(b.t)
	return &visitedSite{
		nginx: serve(b, 2, port, fmt.Sprintf(visitedConf, visitedFormat, port)),
		log:   b.path("logs/access.log"), reference: b.path("reference.log"),
	}
}

// visitedLine is a line of the format, cut here by hand and not by the code under
// test; what follows it tells whether its end is there too.
var visitedLine = regexp.MustCompile(`^127\.0\.0\.1 \[[^]]+\] "GET (/r/\d+) HTTP/1\.1" 200 \d+\n$`)

// visited returns the paths in a log file, compressed or not, in their order.
// cut tells that it ends within a line.
func visited(t *testing.T, file string) (paths []string, cut bool) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var plain io.Reader = f
	switch filepath.Ext(file) {
	case ".gz":
		plain, err = gzip.NewReader(f)
	case ".zst":
		var d *zstd.Decoder
		if d, err = zstd.NewReader(f); err == nil {
			defer d.Close()
			plain = d
		}
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for in := bufio.NewReader(plain); ; {
		line, err := in.ReadString('\n')
		switch m := visitedLine.FindStringSubmatch(line); {
		case errors.Is(err, io.EOF):
			return paths, line != ""
		case err != nil:
			t.Fatalf("%s: %v", file, err)
		case m == nil:
			t.Fatalf("%s: a line that nginx did not write: %q", file, line)
		default:
			paths = append(paths, m[1])
		}
	}
}

// packed is a text compressed as the end of a file's name says.
func packed(t *testing.T, ext, text string) []byte {
	t.Helper()
	var buf bytes.Buffer
	var w io.WriteCloser
	switch ext {
	case ".gz":
		w = gzip.NewWriter(&buf)
	case ".zst":
		var err error
		if w, err = zstd.NewWriter(&buf); err != nil {
			t.Fatal(err)
		}
	default:
		return []byte(text)
	}
	_, err := io.WriteString(w, text)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// logrotate is a real one for a site.
type logrotate struct {
	site   *visitedSite
	conf   string
	state  string
	forced bool
	dirs   []string // where rotated files are
	turns  int
	last   time.Time
}

// newLogrotate sets it up with some directives. With size among them it is not
// forced, but asked until it finds the log large enough.
func newLogrotate(s *visitedSite, dirs []string, directives string) *logrotate {
	s.b.t.Helper()
	l := &logrotate{
		site: s, state: s.b.path("logrotate.state"), forced: !strings.Contains(directives, "size "),
		dirs: append([]string{filepath.Dir(s.log)}, dirs...),
	}
	for _, dir := range dirs {
		if err := os.Mkdir(dir, 0o755); err != nil {
			s.b.t.Fatal(err)
		}
	}
	if !strings.Contains(directives, "copytruncate") {
		directives += fmt.Sprintf("\ncreate 0644\npostrotate\nkill -USR1 $(cat %s)\nendscript", s.b.path("nginx.pid"))
	}
	l.conf = s.b.write("logrotate.conf", fmt.Sprintf("%s {\nrotate 1000\n%s\n}\n", s.log, directives))
	return l
}

// rotated returns the rotated files.
func (l *logrotate) rotated() (files []string) {
	for _, dir := range l.dirs {
		found, err := filepath.Glob(filepath.Join(dir, "access.log?*"))
		if err != nil {
			l.site.b.t.Fatal(err)
		}
		files = append(files, found...)
	}
	return files
}

// turn rotates once.
func (l *logrotate) turn() {
	t := l.site.b.t
	t.Helper()
	for time.Now().Unix() == l.last.Unix() { // names may have a second in them
		time.Sleep(10 * time.Millisecond)
	}
	args := []string{"-s", l.state, l.conf}
	if l.forced {
		args = append(args, "-f")
	}
	before := len(l.rotated())
	for deadline := time.Now().Add(arrival); ; time.Sleep(20 * time.Millisecond) {
		l.last = time.Now()
		out, err := exec.Command("logrotate", args...).CombinedOutput()
		if err != nil {
			t.Fatalf("logrotate: %v\n%s", err, out)
		}
		if files := l.rotated(); len(files) == before+1 {
			l.turns++
			return
		} else if l.forced || len(files) != before || time.Now().After(deadline) {
			t.Fatalf("logrotate made %d rotated files of %d: %q\n%s", len(files), before, files, out)
		}
	}
}
