//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// site is one of three that the machine's nginx serves, each with a format of its own.
type site struct {
	name, format, body string
	port               int
}

// sites are in the style of Debian: the logs are rotated by the rule of its nginx.
func (h *host) sites() []site {
	return []site{
		{name: "shop", format: "combined"},
		{name: "api", format: "api", body: `log_format api '$remote_addr [$time_iso8601] "$request" $status $body_bytes_sent $request_time "$http_user_agent"';`},
		{name: "static", format: "static", body: `log_format static escape=json '{"time": "$time_iso8601", "remote_addr": "$remote_addr", "request": "$request", "status": "$status", "body_bytes_sent": "$body_bytes_sent"}';`},
	}
}

// serve starts nginx in the machine, with the sites.
func (h *host) serve() (all []site) {
	h.t.Helper()
	h.Run("rm", "/etc/nginx/sites-enabled/default") // listens on port 80, which is this machine's too
	for _, s := range h.sites() {
		s.port = freePort(h.t)
		h.put("/etc/nginx/sites-enabled/"+s.name, fmt.Sprintf(`%s
server {
    listen 127.0.0.1:%d;
    access_log /var/log/nginx/%s.access.log %s;
    location / { return 200 "%s\n"; }
}
`, s.body, s.port, s.name, s.format, s.name))
		all = append(all, s)
	}
	h.systemctl("start", "nginx")
	return all
}

// visit visits the sites until leave is called, which tells how many answers each gave.
func (h *host) visit(sites []site, perSecond int) (leave func() map[string]int64) {
	var leaves []func() int
	for _, s := range sites {
		n := &nginx{b: &bench{t: h.t}, url: fmt.Sprintf("http://127.0.0.1:%d", s.port)}
		leaves = append(leaves, n.visit(perSecond, func(i int) (string, string) { return "/" + strconv.Itoa(i%50), "visitor" }))
	}
	return sync.OnceValue(func() map[string]int64 {
		answers := map[string]int64{}
		for i, leave := range leaves {
			answers[sites[i].name] = int64(leave())
		}
		return answers
	})
}

// sources is the number of points of each site.
func (h *host) sources(sites []site) map[string]int64 {
	points := map[string]int64{}
	for _, s := range sites {
		points[s.name], _ = h.db.Count(h.t.Context(), database, "nginx_access", fmt.Sprintf("source = '%s.access.log'", s.name))
	}
	return points
}

// underLoad lets time pass under load.
func (h *host) underLoad() { time.Sleep(time.Second) }

// deb builds the package of a version.
func deb(t *testing.T, version string) string {
	t.Helper()
	return makePackages(t, "package", "FORMATS=deb", "ARCHS="+runtime.GOARCH, "VERSION="+version)("*.deb")
}

// files are all names in the machine that a package may be to blame for, and the users.
func (h *host) files() []string {
	h.t.Helper()
	return strings.Split(h.Shell(`find / -xdev \( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /root -o -path /var/log -o -path /var/tmp \
		-o -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/cache -o -path /var/lib/systemd -o -path /var/lib/logrotate \) -prune \
		-o ! -name '*-' ! -name .pwd.lock -printf '%p %M %u %g %l\n' | sort; cut -d: -f1 /etc/passwd; sort /etc/group`), "\n")
}

// The package from its installation until nothing is left of it, on a machine whose
// nginx is busy all the time.
func TestLifeOfThePackage(t *testing.T) {
	t.Parallel() // most of it is waiting
	h := newHost(t, withUser)
	sites := h.serve()
	old, current := deb(t, "v0.9.0"), deb(t, "v1.0.0")
	h.copyIn(old, "/root/old.deb")
	h.copyIn(current, "/root/new.deb")
	before := h.files()

	if says := h.Run("dpkg", "--install", "/root/old.deb"); !strings.Contains(says, "The next step: sudo tailflux init") {
		t.Errorf("the package says %s", says)
	}
	if state := h.property("ActiveState"); state != "inactive" {
		t.Errorf("it is %s although nothing is configured", state)
	}
	h.init(sites)
	h.set("test", "WatchdogSec=3s\nRestartSec=1s")
	leave := h.visit(sites, 300)
	h.systemctl("enable", "--now", "tailflux")
	if got := h.version(); got != "0.9.0" {
		t.Errorf("version %s runs", got)
	}
	step := func(name string, do func(t *testing.T)) {
		t.Run(name, func(t *testing.T) {
			do(t)
			h.underLoad()
			if state := h.property("ActiveState"); state != "active" {
				t.Fatalf("it is %s", state)
			}
		})
	}
	rotate := func(*testing.T) { h.Run("logrotate", "--force", "/etc/logrotate.d/nginx") }
	step("rotate", rotate)
	step("reload", h.reloads)
	step("kill", func(t *testing.T) { h.comesBack(t, "KILL") })
	step("rotate while it is killed", func(t *testing.T) {
		h.systemctl("kill", "--signal=KILL", "tailflux")
		rotate(t)
		h.Until(arrival, "started again", func() bool { return h.property("ActiveState") == "active" })
	})
	step("freeze", func(t *testing.T) { h.comesBack(t, "STOP") })
	step("upgrade", func(t *testing.T) {
		h.Run("dpkg", "--install", "/root/new.deb")
		if got := h.version(); got != "1.0.0" {
			t.Errorf("version %s runs after the upgrade", got)
		}
	})
	step("rotate after the upgrade", rotate)
	step("downgrade", func(t *testing.T) {
		h.Run("dpkg", "--install", "/root/old.deb")
		if got := h.version(); got != "0.9.0" {
			t.Errorf("version %s runs after the downgrade", got)
		}
	})
	step("downgrade from a newer state", h.refusesNewerState)
	step("stop and start", func(*testing.T) {
		h.systemctl("stop", "tailflux")
		h.underLoad()
		h.systemctl("start", "tailflux")
	})

	answers := leave()
	h.systemctl("stop", "nginx") // which writes its last lines
	h.Until(arrival, "all points", func() bool { return cmp.Equal(h.sources(sites), answers) })
	h.systemctl("stop", "tailflux")
	if points := h.sources(sites); !cmp.Equal(points, answers) {
		t.Errorf("points %v, answers of nginx %v", points, answers)
	}
	if rejected, err := h.Try("cat", "/var/lib/tailflux/rejects.jsonl"); err == nil && rejected != "" {
		t.Errorf("rejected: %.1000s", rejected)
	}
	t.Logf("each a point: %v", answers)

	h.Run("dpkg", "--purge", "tailflux")
	if diff := cmp.Diff(before, h.files()); diff != "" {
		t.Errorf("after the purge (-before +after): %s", diff)
	}
	if t.Failed() {
		t.Log(h.Run("journalctl", "--no-pager", "--unit=tailflux", "--output=cat"))
	}
}

// reloads takes a changed configuration over, and refuses wrong ones, while lines come.
func (h *host) reloads(t *testing.T) {
	const file = "/etc/tailflux/tailflux.yaml"
	was, pid := h.Run("cat", file), h.property("MainPID")
	h.put(file, was+"\ntags: [method, status, path, protocol]\n")
	h.systemctl("reload", "tailflux")
	h.Until(arrival, "points with the new tag", func() bool {
		n, _ := h.db.Count(t.Context(), database, "nginx_access", "protocol = 'HTTP/1.1'")
		return n > 0
	})
	changed := h.Run("cat", file)
	h.put(file, changed+"tag_limits: 7\n")
	if says, err := h.Try("systemctl", "reload", "tailflux"); err == nil {
		t.Errorf("reload with an unknown key: no error, %q", says)
	}
	// Only the daemon knows where it listens.
	h.put(file, strings.Replace(changed, h.listen, "127.0.0.1:1", 1))
	h.systemctl("reload", "tailflux")
	h.status(`^reload refused: listen cannot be changed`)
	h.put(file, changed)
	h.systemctl("reload", "tailflux")
	h.status(`^[0-9,.]+ lines/s, `)
	if now := h.property("MainPID"); now != pid {
		t.Errorf("it is process %s, was %s", now, pid)
	}
}

// version is that of the process.
func (h *host) version() string {
	h.t.Helper()
	text := h.Run("curl", "--silent", "--fail", "http://"+h.listen+"/monitor")
	return capture(h.t, `"version": "([^"]*)"`, text)
}

// comesBack sends a signal and waits until systemd has started another process.
func (h *host) comesBack(t *testing.T, signal string) {
	before := h.property("MainPID")
	h.systemctl("kill", "--signal="+signal, "tailflux")
	h.Until(arrival, "started again after "+signal, func() bool {
		return h.property("ActiveState") == "active" && h.property("MainPID") != before
	})
	if h.property("MainPID") == "0" {
		t.Errorf("after %s there is no process", signal)
	}
}

// refusesNewerState is what a downgrade comes to when the newer version has written what
// this one cannot read: it says so, and touches nothing.
func (h *host) refusesNewerState(t *testing.T) {
	const file = "/var/lib/tailflux/checkpoint"
	h.systemctl("stop", "tailflux")
	was := h.Run("cat", file)
	newer := strings.Replace(was, "tailflux checkpoint 1 ", "tailflux checkpoint 2 ", 1)
	if newer == was {
		t.Fatalf("the checkpoint is of no version that is known: %.200s", was)
	}
	h.put(file, newer)
	if says, err := h.Try("systemctl", "start", "tailflux"); err == nil {
		t.Errorf("it starts with a newer checkpoint: %s", says)
	}
	if code := h.property("ExecMainStatus"); code != "2" {
		t.Errorf("exit code %s", code)
	}
	if says := h.Run("journalctl", "--no-pager", "--unit=tailflux", "--lines=5", "--output=cat"); !strings.Contains(says, "newer") {
		t.Errorf("it says %s", says)
	}
	if is := h.Run("cat", file); is != newer {
		t.Errorf("the checkpoint has changed to %.200s", is)
	}
	h.put(file, was)
	h.systemctl("start", "tailflux")
}

// init lets tailflux write the configuration for what nginx serves.
func (h *host) init(sites []site) {
	h.t.Helper()
	h.Put("/root/password", 0o600, strings.NewReader(password))
	h.Run("install", "-m", "640", "-g", "tailflux", "/root/password", "/etc/tailflux/password")
	says := h.Run("tailflux", "init", "--yes", "--influxdb-url", h.db.URL(), "--influxdb-username", "tailflux",
		"--influxdb-password-file", "/etc/tailflux/password", "--listen", h.listen, "--start", "beginning")
	for _, s := range sites {
		if !strings.Contains(says, "followed: /var/log/nginx/"+s.name+".access.log") {
			h.t.Errorf("init does not follow %s: %s", s.name, says)
		}
	}
	if check := h.Run("tailflux", "check"); strings.Contains(check, "warning") {
		h.t.Errorf("check: %s", check)
	}
}

// The package over an installation by hand, as README.md had it before there were packages.
// TAILFLUX_OLD may name a program that is really old.
func TestPackageOverAnInstallationByHand(t *testing.T) {
	t.Parallel() // most of it is waiting
	h := newHost(t, withUser)
	old := os.Getenv("TAILFLUX_OLD")
	if old == "" {
		old = static(t)
	}
	h.copyIn(old, "/usr/bin/tailflux")
	h.Run("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/var/lib/tailflux", "--shell", "/usr/sbin/nologin", "tailflux")
	h.Put("/root/password", 0o600, strings.NewReader(password))
	h.Shell("mkdir /etc/tailflux; install -m 640 -g tailflux /root/password /etc/tailflux/password")
	h.configure("/etc/tailflux/password", "")
	h.put("/etc/systemd/system/tailflux.service", `[Service]
Type=exec
ExecStart=/usr/bin/tailflux run --config /etc/tailflux/tailflux.yaml
User=tailflux
Group=tailflux
SupplementaryGroups=adm
StateDirectory=tailflux
StateDirectoryMode=0750
[Install]
WantedBy=multi-user.target
`)
	h.write(1000)
	h.systemctl("enable", "--now", "tailflux")
	h.arrived()
	h.write(10)
	h.arrived()
	configured := h.Run("cat", "/etc/tailflux/tailflux.yaml")

	h.copyIn(deb(t, "v1.0.0"), "/root/tailflux_1.0.0_"+runtime.GOARCH+".deb")
	script := capture(t, "(?s)### From an installation by hand to the package\n.*?```sh\n(.*?)```", readFile(t, "docs/install.md"))
	script = strings.ReplaceAll(script, "_amd64.deb", "_"+runtime.GOARCH+".deb")
	h.write(10)
	t.Log(h.Shell("cd /root; set -x\n" + script))
	h.write(10)
	h.arrived()
	if is := h.property("FragmentPath"); !strings.HasSuffix(is, "/lib/systemd/system/tailflux.service") {
		t.Errorf("the unit is %s", is)
	}
	if is := h.Run("cat", "/etc/tailflux/tailflux.yaml"); is != configured {
		t.Errorf("the configuration has become %s", is)
	}
	if is := h.Run("id", "tailflux"); !strings.Contains(is, "(adm)") {
		t.Errorf("the user is %s", is)
	}
	if is := h.Run("systemctl", "is-enabled", "tailflux"); is != "enabled\n" {
		t.Errorf("the service is %s", is)
	}
	h.status(`lines/s, 0 s behind$`)
}
