//go:build e2e

package e2e

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// What docs/install.md installs from source, it removes; its downgrade of the package is
// one; and points are kept for as long as it says.
func TestInstallPage(t *testing.T) {
	t.Parallel() // most of it is waiting
	h := newHost(t, influxdtest.Options{})
	page := readFile(t, "docs/install.md")
	h.Run("nginx", "-t") // makes directories
	before := h.files()
	h.install()
	h.put("/root/tailflux/bin/man/tailflux.1", ".TH TAILFLUX 1\n")
	h.put("/root/tailflux/bin/man/tailflux-run.1", ".TH TAILFLUX-RUN 1\n")
	h.put("/root/tailflux/bin/completions/tailflux.bash", "complete -W run tailflux\n")
	man := capture(t, "(?s)manual pages and completions of commands:\n\n```sh\nmake man\n(.*?)```", page)
	h.Shell("cd /root/tailflux; " + man)
	h.put("/etc/tailflux/tailflux.yaml", "sources: [{path: "+accessLog+", format: combined}]\nlisten: "+h.listen+"\ninfluxdb: {url: '"+h.db.URL()+"'}\n")
	h.systemctl("enable", "--now", "tailflux")
	h.Shell(capture(t, "(?s)What was installed from source:\n\n```sh\n(.*?)```", page))
	// Directories of the system that were not there may stay.
	left := func() []string {
		all := h.files()
		for _, empty := range []string{"/usr/local/share/man/man1 ", "/usr/share/bash-completion ", "/usr/share/bash-completion/completions ", "/usr/lib/sysusers.d "} {
			all = slices.DeleteFunc(all, func(file string) bool { return strings.HasPrefix(file, empty) })
			before = slices.DeleteFunc(before, func(file string) bool { return strings.HasPrefix(file, empty) })
		}
		return all
	}
	if diff := cmp.Diff(before, left()); diff != "" {
		t.Errorf("after the removal (-before +after):\n%s", diff)
	}

	for _, version := range []string{"0.9.0", "1.0.0"} {
		h.copyIn(deb(t, "v"+version), "/root/tailflux_"+version+"_"+runtime.GOARCH+".deb")
	}
	h.Shell("cd /root; apt-get install --yes ./tailflux_1.0.0_*.deb")
	down := capture(t, "`sudo (apt install --allow-downgrades [^`]*)`", page)
	down = strings.ReplaceAll(down, "OLDER_amd64", "0.9.0_"+runtime.GOARCH)
	h.Shell("cd /root; " + strings.Replace(down, "apt install", "apt-get install --yes", 1))
	if is := h.Run("tailflux", "version"); !strings.Contains(is, "0.9.0") {
		t.Errorf("after the downgrade it is %s", is)
	}

	policy := func(intro, want string) {
		curl := capture(t, "(?s)"+intro+":\n\n```sh\n(.*?)```", page)
		curl = strings.ReplaceAll(curl, "http://127.0.0.1:8086", h.db.URL())
		h.Shell(strings.ReplaceAll(curl, "curl ", "curl --silent --show-error --fail "))
		policies, err := h.db.Query(t.Context(), database, "SHOW RETENTION POLICIES")
		if err != nil || !strings.Contains(fmt.Sprint(policies), want) {
			t.Errorf("the policies are %v, %v", policies, err)
		}
	}
	if _, err := h.db.Query(t.Context(), "", "CREATE DATABASE "+database); err != nil { // as tailflux does
		t.Fatal(err)
	}
	policy("To keep all for 30 days, rollups included, if they are in the default policy as well", "[autogen 720h0m0s 24h0m0s 1 true]")
	if _, err := h.db.Query(t.Context(), "", "DROP DATABASE "+database); err != nil {
		t.Fatal(err)
	}
	policy("or, before the first start", "[month 720h0m0s 24h0m0s 1 true]")
}
