//go:build e2e

package e2e

import (
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
)

// A Debian whose nginx serves its first site, and somebody who types what README.md says:
// after how long are there points? Typing and reading is not counted.
func TestFiveMinutes(t *testing.T) {
	h := newHost(t, influxdtest.Options{})
	port := strconv.Itoa(freePort(t)) // 80 is this machine's, too
	h.Shell("sed -i 's/listen 80 /listen 127.0.0.1:" + port + " /; /listen .*:80 /d' /etc/nginx/sites-available/default")
	h.systemctl("start", "nginx")
	h.copyIn(deb(t, "v1.0.0"), "/root/tailflux_1.0.0_"+runtime.GOARCH+".deb")

	script := capture(t, "(?s)## Install\n.*?```sh\n(.*?)```", readFile(t, "README.md"))
	// It has no terminal to ask on, and others may use the usual ports.
	for _, change := range [][2]string{
		{"tailflux init", "tailflux init --yes --influxdb-url " + h.db.URL() + " --listen " + h.listen},
		{"127.0.0.1:9193", h.listen},
		{"_amd64.deb", "_" + runtime.GOARCH + ".deb"},
	} {
		if !strings.Contains(script, change[0]) {
			t.Fatalf("README.md does not say %s: %s", change[0], script)
		}
		script = strings.ReplaceAll(script, change[0], change[1])
	}
	began := time.Now()
	says := h.Shell("set -x; cd /root; " + script)
	h.Run("curl", "--silent", "--fail", "http://127.0.0.1:"+port+"/")
	h.lines = 1
	h.arrived()
	t.Logf("five minutes: points after %.1f s, from the package on\n%s", time.Since(began).Seconds(), says)
}
