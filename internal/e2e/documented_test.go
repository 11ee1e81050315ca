//go:build e2e

package e2e

import (
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/influxdtest"
)

// A backup is put back as docs/state-directory.md says: what was delivered since comes
// again, as the same points.
func TestBackup(t *testing.T) {
	t.Parallel() // most of it is waiting
	h := newHost(t, withUser)
	h.install()
	h.put("/etc/tailflux/password", password+"\n")
	h.configure("/etc/tailflux/password", "host: web-1")
	page := readFile(t, "docs/state-directory.md")
	save := capture(t, "(?s)\\*\\*A backup\\*\\*.*?```sh\n(.*?)```", page)
	restore := capture(t, "(?s)\nBack:\n\n```sh\n(.*?)```", page)
	forget := capture(t, "(?s)One was rotated since.*?```sh\n(.*?)```", page)
	forget = strings.ReplaceAll(forget, "http://127.0.0.1:8086", h.db.URL())
	forget = strings.ReplaceAll(forget, "curl ", "curl --silent --show-error --fail -u 'tailflux:"+password+"' ")

	h.write(1000)
	h.systemctl("enable", "--now", "tailflux")
	h.arrived()
	h.Shell("cd /root; " + save)
	h.write(100)
	h.arrived()
	h.Shell("cd /root; " + restore)
	h.write(10)
	h.arrived()

	h.Shell("cd /root; " + save)
	h.write(100)
	h.arrived()
	h.Run("mv", accessLog, accessLog+".1")
	h.put(accessLog, strings.ReplaceAll(lines(100), "20/Nov/2026:10:00:00", "28/Nov/2026:10:00:01"))
	h.lines += 100
	h.arrived()
	points := h.lines
	h.Shell("cd /root; " + forget)
	h.lines -= 100
	h.arrived()
	h.lines = points
	h.Shell("cd /root; " + restore)
	h.arrived()
	h.write(10)
	h.arrived()
	h.status(`lines/s, 0 s behind$`)
}

// One of many servers, as docs/many-servers.md says, with a user who may only write.
func TestManyServers(t *testing.T) {
	t.Parallel() // most of it is waiting
	h := newHost(t, influxdtest.Options{Username: "admin", Password: password})
	port := strconv.Itoa(freePort(t)) // 80 is this machine's, too
	h.Shell("sed -i 's/listen 80 /listen 127.0.0.1:" + port + " /; /listen .*:80 /d' /etc/nginx/sites-available/default")
	h.systemctl("start", "nginx")
	h.copyIn(deb(t, "v1.0.0"), "/root/tailflux_1.0.0_"+runtime.GOARCH+".deb")
	h.put("/root/password", "secret\n")

	page := readFile(t, "docs/many-servers.md")
	once := capture(t, "(?s)\\*\\*Once.*?```sh\n(.*?)```", page)
	each := capture(t, "(?s)\\*\\*On each server\\*\\*.*?```sh\n(.*?)```", page)
	once = strings.ReplaceAll(once, "curl ", "curl --silent --show-error --fail -u 'admin:"+password+"' ")
	once = strings.ReplaceAll(once, "http://127.0.0.1:8086", h.db.URL())
	h.Shell(once)
	for _, change := range [][2]string{
		{"web-1 web-2 web-3", "web-1"},
		{"https://db:8086", h.db.URL() + " --listen " + h.listen},
		{"_amd64.deb", "_" + runtime.GOARCH + ".deb"},
	} {
		if !strings.Contains(each, change[0]) {
			t.Fatalf("docs/many-servers.md does not say %s: %s", change[0], each)
		}
		each = strings.ReplaceAll(each, change[0], change[1])
	}
	t.Log(h.Shell("scp() { :; }; ssh() { (cd /root; bash -ec \"$2\"); }; cd /root\n" + each))
	h.Run("curl", "--silent", "--fail", "http://127.0.0.1:"+port+"/")
	h.lines = 1
	h.arrived()
}
