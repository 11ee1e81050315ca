//go:build e2e

package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

// nginx is a real one.
type nginx struct {
	b   *bench
	cmd *exec.Cmd
	url string
}

// serve runs nginx in the directory of the bench, on a port, with what its
// http { } holds.
func serve(b *bench, workers, port int, http string) *nginx {
	b.t.Helper()
	user := ""
	if os.Getuid() == 0 {
		user = "user root;" // the test's directory is nobody else's
	}
	if err := os.Mkdir(b.path("tmp"), 0o755); err != nil {
		b.t.Fatal(err)
	}
	conf := b.write("nginx.conf", fmt.Sprintf(`
daemon off;
worker_processes %d;
pid nginx.pid;
error_log error.log warn;
%s
events { worker_connections 512; }
http {
    client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
    %s
}
`, workers, user, http))
	n := &nginx{b: b, url: fmt.Sprintf("http://127.0.0.1:%d", port), cmd: exec.Command("nginx", "-p", b.dir, "-c", conf)}
	n.cmd.Stderr = os.Stderr
	if err := n.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(n.stop)
	for deadline := time.Now().Add(arrival); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", strings.TrimPrefix(n.url, "http://"))
		if err == nil {
			conn.Close()
			return n
		}
		if time.Now().After(deadline) {
			b.t.Fatal(err)
		}
	}
}

// visit asks for one page after the other at a steady rate. The returned function
// ends that, waits for the last answer and tells how many there were.
func (n *nginx) visit(perSecond int, request func(i int) (path, agent string)) (leave func() int) {
	const visitors = 8
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: visitors}}
	var all sync.WaitGroup
	var gone atomic.Bool
	var answers atomic.Int64
	began, interval := time.Now(), time.Second/time.Duration(perSecond)
	for first := range visitors {
		all.Go(func() {
			for i := first; !gone.Load(); i += visitors {
				time.Sleep(time.Until(began.Add(time.Duration(i) * interval)))
				path, agent := request(i)
				req, _ := http.NewRequest(http.MethodGet, n.url+path, nil)
				req.Header.Set("User-Agent", agent)
				resp, err := client.Do(req)
				if err != nil {
					n.b.t.Errorf("GET %s: %v", path, err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body) // so that the connection is kept
				resp.Body.Close()
				answers.Add(1)
			}
		})
	}
	leave = func() int {
		gone.Store(true)
		all.Wait()
		client.CloseIdleConnections()
		return int(answers.Load())
	}
	n.b.t.Cleanup(func() { leave() })
	return leave
}

// stop stops it after its last log line; it may be called again.
func (n *nginx) stop() {
	if n.cmd.ProcessState == nil {
		_ = n.cmd.Process.Signal(os.Interrupt)
		_ = n.cmd.Wait() // its exit code is not what is tested
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// timedSite is a small site that logs in the format timed. Of its upstream's
// servers nobody listens on the first: nginx asks the next one.
const timedSite = `
    log_format timed '$remote_addr - $remote_user [$time_local] $scheme "$request" $status $bytes_sent '
                     '"$http_referer" "$http_user_agent" "$gzip_ratio" $upstream_response_time $request_time';
    access_log access.log timed;
    upstream app {
        server 127.0.0.1:%[2]d max_fails=0;
        server 127.0.0.1:%[1]d max_fails=0;
    }
    server {
        listen 127.0.0.1:%[1]d;
        root site;
        location /api/ { proxy_pass http://app/; }
        location /moved { return 301 /; }
        location /down { return 503; }
    }`

func startTimed(b *bench) *nginx {
	b.t.Helper()
	if err := os.Mkdir(b.path("site"), 0o755); err != nil {
		b.t.Fatal(err)
	}
	b.write("site/index.html", "<h1>It works</h1>\n")
	b.write("site/large.html", strings.Repeat("all work and no play\n", 1000))
	port := freePort(b.t)
	return serve(b, 2, port, fmt.Sprintf(timedSite, port, freePort(b.t)))
}

// load is what wrk asks for: pages, redirects, errors, and an upstream of which
// every other server is down.
const load = `
local paths = {"/", "/large.html", "/missing", "/moved", "/down", "/api/", "/a%20b?q=1", "/", "/"}
local i = 0
request = function()
    i = i + 1
    return wrk.format("GET", paths[i % #paths + 1], {["User-Agent"] = "wrk \"quoted\" \\ " .. i % 7})
end
`

// wrk loads nginx for some time.
func (n *nginx) wrk(d time.Duration) *exec.Cmd {
	n.b.t.Helper()
	if _, err := os.Stat(n.b.path("load.lua")); err != nil {
		n.b.write("load.lua", load)
	}
	cmd := exec.Command("wrk", "-t1", "-c8", fmt.Sprintf("-d%ds", int(d.Seconds())), "-s", n.b.path("load.lua"), n.url)
	if err := cmd.Start(); err != nil {
		n.b.t.Fatal(err)
	}
	return cmd
}

// truth is what the log files say: lines by status, and the bytes sent.
type truth struct {
	Lines, Bytes int64
	Status       map[string]int64
}

// logged adds up all access logs, rotated ones too. The fields of the format
// are cut here by hand, not by the code under test.
func (n *nginx) logged() truth {
	n.b.t.Helper()
	sum := truth{Status: map[string]int64{}}
	files, err := filepath.Glob(n.b.path("access.log*"))
	if err != nil {
		n.b.t.Fatal(err)
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			n.b.t.Fatal(err)
		}
		for in := bufio.NewScanner(f); in.Scan(); {
			_, after, _ := strings.Cut(in.Text(), `" `) // behind the request
			fields := strings.Fields(after)
			bytes, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				n.b.t.Fatalf("%s: %v", in.Text(), err)
			}
			sum.Lines++
			sum.Bytes += bytes
			sum.Status[fields[0]]++
		}
		f.Close()
	}
	return sum
}

// stored is the same from InfluxDB.
func (b *bench) stored(statuses map[string]int64) truth {
	b.t.Helper()
	sum := truth{Lines: b.points(""), Bytes: b.sum("bytes_sent"), Status: map[string]int64{}}
	for status := range statuses {
		sum.Status[status] = b.points("status = '" + status + "'")
	}
	return sum
}

// What nginx logged under load is what InfluxDB has, per status.
func TestNginx(t *testing.T) {
	db := influxdtest.New(t, influxdtest.Options{})
	b := newBench(t, db)
	n := startTimed(b)
	d := b.start("--path", b.path("access.log"), "--format", "timed", "--start", "beginning")
	var want truth
	for range 10 {
		if err := n.wrk(2 * time.Second).Wait(); err != nil {
			t.Fatal(err)
		}
		if want = n.logged(); want.Lines >= 20_000 {
			break
		}
	}
	n.stop()
	want = n.logged()
	if want.Lines < 20_000 || want.Status["404"] == 0 || want.Status["503"] == 0 {
		t.Fatalf("too little was logged: %+v", want)
	}
	r := b.delivered(d, want.Lines)
	if r.Lines.Read != want.Lines || r.Lines.Rejected != 0 {
		t.Errorf("/monitor: %+v, want %d read and written", r.Lines, want.Lines)
	}
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, b.stored(want.Status)); diff != "" {
		t.Errorf("logged (-) and stored (+):\n%s", diff)
	}
	t.Logf("%d lines: %v", want.Lines, want.Status)
}

// The same while real logrotate rotates ten times.
func TestNginxRotated(t *testing.T) {
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	n := startTimed(b)
	d := b.start("--path", b.path("access.log"), "--format", "timed", "--start", "beginning", "--rotate-wait", "1s")
	conf := b.write("logrotate.conf", fmt.Sprintf(`
%s {
    rotate 20
    create 0644
    nocompress
    postrotate
        kill -USR1 $(cat %s)
    endscript
}
`, b.path("access.log"), b.path("nginx.pid")))
	load := n.wrk(12 * time.Second)
	for range 10 {
		time.Sleep(time.Second)
		out, err := exec.Command("logrotate", "-f", "-s", b.path("logrotate.state"), conf).CombinedOutput()
		if err != nil {
			t.Fatalf("logrotate: %v\n%s", err, out)
		}
	}
	if err := load.Wait(); err != nil {
		t.Fatal(err)
	}
	n.stop()
	want := n.logged()
	if want.Lines < 10_000 {
		t.Fatalf("too little was logged: %+v", want)
	}
	r, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool {
		return r.Lines.Read >= want.Lines && r.Lines.InFlight == 0
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Sources[0].Rotations; got != 10 {
		t.Errorf("%d rotations seen, want 10", got)
	}
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, b.stored(want.Status)); diff != "" {
		t.Errorf("logged (-) and stored (+):\n%s", diff)
	}
	t.Logf("%d lines in 11 files: %v", want.Lines, want.Status)
}
