//go:build e2e

package e2e

import (
	"fmt"
	"os/exec"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/influxdtest"
)

// logrotate's postrotate hides the addresses of visitors, as people do who may not keep them.
func TestNginxAnonymised(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"no address": `sed -i -E 's/^[0-9.]+ /- /' "$1"`,
		"masked":     `sed -E 's/^([0-9]+)[0-9.]* /\1.0.0.0 /' "$1" >"$1~"; mv "$1~" "$1"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, influxdtest.New(t, influxdtest.Options{})) // whose points are all counted
			n := startTimed(b)
			d := b.start("--path", b.path("access.log"), "--format", "timed", "--start", "beginning", "--rotate-wait", "1s")
			hide := b.write("hide", script+"\n")
			conf := b.write("logrotate.conf", fmt.Sprintf(`
%s {
    rotate 20
    create 0644
    nocompress
    postrotate
        kill -USR1 $(cat %s)
        sleep 0.3
        sh %s %s.1
    endscript
}
`, b.path("access.log"), b.path("nginx.pid"), hide, b.path("access.log")))
			const rotations = 3
			load := n.wrk((rotations + 1) * 2 * time.Second)
			for range rotations {
				time.Sleep(2 * time.Second)
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
			b.delivered(d, want.Lines)
			time.Sleep(2 * time.Second) // for lines that come twice
			r, err := d.Monitor(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if r.Lines.Read != want.Lines || r.Sources[0].Rotations != rotations {
				t.Errorf("%d lines in %d files; /monitor: %+v, %+v; tailflux logged:\n%s", want.Lines, rotations+1, r.Lines, r.Sources[0], d.Log())
			}
			if err := d.Stop(); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(want, b.stored(want.Status)); diff != "" {
				t.Errorf("logged (-) and stored (+):\n%s", diff)
			}
			t.Logf("%d lines in %d files", want.Lines, rotations+1)
		})
	}
}
