//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/nginxconf"
	"github.com/tailflux/tailflux/internal/shape"
)

// What init makes of a tree of nginx.conf reads what a real nginx writes with it: each
// log that has lines is a source or was left out with a reason, and each line of a
// source fits its format.
func TestInitFitsWhatNginxWrites(t *testing.T) {
	for _, tree := range []struct {
		name  string
		odd   []string // sources that no request of this test reaches, or whose lines are of several formats
		extra string   // at the beginning of http { }
	}{
		{name: "alpine"},
		{name: "debian"},
		{name: "gitlab", extra: "access_log logs/other.log;"}, // nginx's own log is where it was built for
		{name: "map_and_if"},
		{name: "official_image"},
		{name: "proxy_manager"},
		{name: "quotes"},
		{name: "variables"},
		{name: "vhosts", odd: []string{"both.log"}},
	} {
		t.Run(tree.name, func(t *testing.T) {
			t.Parallel()
			n := newTree(t, "../draft/testdata/"+tree.name, tree.extra)
			file := filepath.Join(n.root, "tailflux.yaml")
			out, err := n.init("-", "--yes", "--config", file)
			if err != nil {
				t.Fatalf("init: %v\n%s", err, out)
			}
			n.serve()
			c, _, err := config.Load(config.Options{File: file, Check: shape.Check, NeedSource: true})
			if err != nil {
				t.Fatal(err)
			}
			logs := n.logs()
			for _, s := range c.Sources {
				odd, lines := slices.Contains(tree.odd, s.Name), 0
				for path := range logs {
					if match, _ := filepath.Match(s.Path, path); match || s.Path == path {
						logs[path] = false
						if !odd {
							lines += n.fit(c, s, path)
						}
					}
				}
				if lines == 0 && !odd {
					t.Errorf("source %s (%s) has no line", s.Name, s.Path)
				}
			}
			for path, unread := range logs {
				if unread && !slices.ContainsFunc(leftOut.FindAllStringSubmatch(out, -1), func(m []string) bool {
					match, _ := filepath.Match(nginxconf.Glob(m[1]), path)
					return match
				}) {
					t.Errorf("nginx writes %s, which is neither a source nor left out\n%s", path, out)
				}
			}
		})
	}
}

// A configTree is one of the trees of internal/draft, in a directory of its own.
type configTree struct {
	t          *testing.T
	root, conf string
	prefix     string // of relative paths
	address    string
	hosts      []string
}

var (
	rooted   = regexp.MustCompile(`([\s"'=])/(etc|var|data|srv|usr|opt)/`)
	listens  = regexp.MustCompile(`listen\s+[^;{]*?( default_server)?( reuseport[^;{]*)?;`)
	leftOut  = regexp.MustCompile(`left out: .*?access_log (\S+?):? `)
	names    = regexp.MustCompile(`server_name\s+([^;]*);`)
	logPaths = regexp.MustCompile(`(?:access|error)_log\s+["']?([^\s;"']+)`)
	ours     = regexp.MustCompile(`(?m)^\s*(?:user|pid|daemon|error_log)\s[^;]*;`)
)

// newTree copies a tree and makes it one that a test may run.
func newTree(t *testing.T, from, extra string) *configTree {
	t.Helper()
	n := &configTree{t: t, root: t.TempDir()}
	n.address = fmt.Sprintf("127.0.0.1:%d", freePort(t))
	mkdir := func(dir string) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text := rooted.ReplaceAllString(string(raw), "${1}"+n.root+"/$2/")
		for _, m := range logPaths.FindAllStringSubmatch(text, -1) {
			for _, name := range []string{"a.example.com", "b.example.com"} {
				if dir := filepath.Dir(strings.ReplaceAll(m[1], "$server_name", name)); filepath.IsAbs(dir) {
					mkdir(dir)
				}
			}
		}
		for _, m := range names.FindAllStringSubmatch(text, -1) {
			for name := range strings.FieldsSeq(m[1]) {
				n.hosts = append(n.hosts, strings.Trim(name, `"'`))
			}
		}
		text = listens.ReplaceAllString(ours.ReplaceAllString(text, ""), "listen "+n.address+"$1;")
		text, _, _ = strings.Cut(text, "\nstream {") // not every nginx has it
		text = strings.Replace(text, "http {\n", "http { client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp; "+extra+"\n", 1)
		to := filepath.Join(n.root, strings.TrimPrefix(path, from))
		mkdir(filepath.Dir(to))
		return os.WriteFile(to, []byte(text), 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	n.conf = n.root + "/etc/nginx/nginx.conf"
	n.prefix = n.root + "/usr/share/nginx"
	mkdir(filepath.Join(n.prefix, "logs"))
	mkdir(filepath.Join(n.prefix, "html")) // without its root, nginx writes no log whose name has variables
	return n
}

func (n *configTree) nginx(args ...string) *exec.Cmd {
	user := ""
	if os.Getuid() == 0 {
		user = "user root; "
	}
	return exec.Command("nginx", append([]string{"-p", n.prefix + "/", "-e", n.root + "/error.log", "-c", n.conf, "-g", user + "daemon off; pid " + n.root + "/nginx.pid; error_log " + n.root + "/error.log;"}, args...)...)
}

// init runs tailflux init with what nginx says of the tree as standard input.
func (n *configTree) init(args ...string) (string, error) {
	var dump, errs bytes.Buffer
	asked := n.nginx("-T")
	asked.Stdout, asked.Stderr = &dump, &errs
	if err := asked.Run(); err != nil {
		n.t.Fatalf("nginx -T: %v\n%s", err, errs.String())
	}
	cmd := exec.Command(binary, append([]string{"init"}, args...)...)
	cmd.Stdin = strings.NewReader("configure arguments: --prefix=" + n.prefix + "\n" + errs.String() + dump.String())
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// serve runs nginx, and asks each server for this and that.
func (n *configTree) serve() {
	cmd := n.nginx()
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	stop := func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Signal(os.Interrupt)
			_ = cmd.Wait() // its exit code is not what is tested
		}
	}
	n.t.Cleanup(stop)
	for deadline := time.Now().Add(arrival); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", n.address)
		if err == nil {
			conn.Close()
			break
		}
		if time.Now().After(deadline) {
			n.t.Fatal(err)
		}
	}
	for _, host := range append(n.hosts, "nobody.example.net") {
		for _, path := range []string{"/", "/api/", "/api/quiet", "/api/inherits", "/static", "/gone", "/reports", "/favicon.ico", "/a%20b/%22c%22?q=1&private_token=x%5c"} {
			for _, method := range []string{http.MethodGet, http.MethodDelete} {
				req, _ := http.NewRequest(method, "http://"+n.address+path, nil)
				req.Host = strings.Trim(host, "~^$")
				req.Header.Set("User-Agent", "it's \"quoted\" \\ back\tslash and größe")
				req.Header.Set("Referer", "http://example.com/?a=b c")
				req.Header.Set("X-Debug", "1")
				req.Header.Set("X-Tenant", "acme")
				req.SetBasicAuth("jo hn", "x")
				resp, err := http.DefaultTransport.RoundTrip(req)
				if err != nil {
					n.t.Logf("%s %s: %v", method, path, err)
					continue
				}
				resp.Body.Close()
			}
		}
	}
	for _, request := range []string{"\x16\x03\x01\x02\x00\x01", "GET\r\n\r\n", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "\r\n"} { // no requests
		if conn, err := net.Dial("tcp", n.address); err == nil {
			fmt.Fprint(conn, request)
			_ = conn.SetReadDeadline(time.Now().Add(time.Second))
			_, _ = conn.Read(make([]byte, 1))
			conn.Close()
		}
	}
	stop()
}

// logs are the access logs that nginx has written lines to.
func (n *configTree) logs() map[string]bool {
	all := map[string]bool{}
	for _, dir := range []string{"var", "data", "srv", "usr"} {
		_ = filepath.WalkDir(filepath.Join(n.root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.Contains(path, "error.log") || strings.HasSuffix(path, ".conf") {
				return nil //nolint:nilerr // there is no such directory, or it is no access log
			}
			if info, err := d.Info(); err == nil && info.Size() > 0 {
				all[path] = true
			}
			return nil
		})
	}
	return all
}

// fit counts the lines of a log, and reports those that do not fit its format.
func (n *configTree) fit(c *config.Config, s config.Source, path string) (lines int) {
	log, err := os.ReadFile(path)
	if err != nil {
		n.t.Fatal(err)
	}
	if s.Format == shape.Auto {
		return 0
	}
	l, err := shape.New(c, s, "h", nil)
	if err != nil {
		n.t.Fatal(err)
	}
	for line := range bytes.Lines(log) {
		lines++
		line = bytes.TrimSuffix(line, []byte("\n"))
		if _, outcome, matched := l.AppendOne(nil, line, int64(lines)); !matched {
			n.t.Errorf("%s: no match (%v): %s\n%s", path, outcome, line, s.Format)
		}
	}
	return lines
}
