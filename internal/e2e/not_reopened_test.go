//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
)

// Real nginx goes on writing to the file that real logrotate has renamed. Each of its
// lines is a point, and that it is so is said.
func TestNginxIsNotToldToReopen(t *testing.T) {
	t.Parallel()
	db := influxdtest.New(t, influxdtest.Options{})
	for _, tt := range []struct {
		name, path, log string
		compress        bool
	}{
		{name: "logrotate's signal is not sent", path: "access.log", log: `access_log access.log timed;`},
		// What nginx writes to has no name any more, until it reopens its logs in the end.
		{name: "nor is it, and logrotate compresses", path: "access.log", log: `access_log access.log timed;`, compress: true},
		// nginx keeps the file of a name with variables open, and looks whether the name
		// still leads to it only after the time that valid= gives.
		{name: "open_log_file_cache", path: "127.0.0.1.log", log: `access_log $host.log timed; open_log_file_cache max=10 inactive=30s min_uses=1 valid=8s;`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, db)
			port := freePort(t)
			// Where a log's name has variables, nginx writes it only if the root is there.
			if err := os.Mkdir(b.path("html"), 0o755); err != nil {
				t.Fatal(err)
			}
			n := serve(b, 1, port, fmt.Sprintf(`
    log_format timed '$remote_addr - $remote_user [$time_local] $scheme "$request" $status $bytes_sent '
                     '"$http_referer" "$http_user_agent" "$gzip_ratio" $upstream_response_time $request_time';
    %s
    server { listen 127.0.0.1:%d; location / { return 204; } }`, tt.log, port))
			get := func() {
				t.Helper()
				resp, err := http.Get(n.url)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
			}
			get()
			d := b.start("--path", b.path(tt.path), "--format", "timed", "--start", "beginning", "--rotate-wait", "1s")
			b.delivered(d, 1)
			compress := "nocompress"
			if tt.compress {
				compress = "compress"
			}
			conf := b.write("logrotate.conf", b.path(tt.path)+" {\nrotate 5\ncreate 0644\n"+compress+"\n}\n")
			if out, err := exec.Command("logrotate", "-f", "-s", b.path("logrotate.state"), conf).CombinedOutput(); err != nil {
				t.Fatalf("logrotate: %v\n%s", err, out)
			}
			const visits = 7
			for i := range visits {
				get()
				if i < visits-1 {
					time.Sleep(2 * time.Second) // more than rotate_wait
				}
			}
			all := 1 + visits
			if tt.compress {
				b.delivered(d, int64(all))
				time.Sleep(2 * time.Second)
				if err := n.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
					t.Fatal(err)
				}
				time.Sleep(200 * time.Millisecond) // its worker hears of it
				for range visits {
					get()
				}
				all += visits
			}
			n.stop()
			r := b.delivered(d, int64(all))
			if late := r.Sources[0].WrittenLate; late == 0 {
				t.Errorf("still_written_after_rotation is 0; tailflux logged:\n%s", d.Log())
			}
			if err := d.Stop(); err != nil {
				t.Error(err)
			}
			if tt.compress {
				if _, err := os.Stat(b.path(tt.path + ".1.gz")); err != nil {
					t.Error(err)
				}
				return
			}
			var files []int
			for _, name := range []string{tt.path, tt.path + ".1"} {
				text, err := os.ReadFile(b.path(name))
				if err != nil {
					t.Fatal(err)
				}
				files = append(files, strings.Count(string(text), "\n"))
			}
			t.Logf("lines in the new file and in the rotated one: %v", files)
			if tt.path == "access.log" && files[0] > 0 || tt.path != "access.log" && (files[0] == 0 || files[1] < 3) {
				t.Errorf("lines in the new file and in the rotated one: %v, which is not what is tested", files)
			}
		})
	}
}
