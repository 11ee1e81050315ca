//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/e2e/machine"
	"github.com/tailflux/tailflux/internal/influxdtest"
)

// host is a machine with tailflux as its service, beside an influxd outside.
type host struct {
	*machine.Machine
	t      *testing.T
	db     *influxdtest.Server
	listen string
	lines  int64 // written to the log so far
}

const (
	password  = "a secret" // of tailflux
	accessLog = "/var/log/nginx/access.log"
)

// withUser is an influxd that wants a password.
var withUser = influxdtest.Options{Username: "tailflux", Password: password}

func newHost(t *testing.T, db influxdtest.Options) *host {
	t.Helper()
	m := machine.Boot(t, filepath.Join(repository, ".cache", "debian-12.tar"))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return &host{
		Machine: m, t: t, listen: l.Addr().String(),
		db: influxdtest.New(t, db),
	}
}

// static is the program as packages have it.
func static(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tailflux")
	build := exec.Command("go", "build", "-o", file, "../../cmd/tailflux")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if says, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build tailflux: %v: %s", err, says)
	}
	return file
}

// copyIn makes a file of the machine of one of the test's.
func (h *host) copyIn(file, path string) {
	h.t.Helper()
	f, err := os.Open(file)
	if err != nil {
		h.t.Fatal(err)
	}
	defer f.Close()
	h.Put(path, 0o755, f)
}

func (h *host) put(path, text string) {
	h.t.Helper()
	h.Put(path, 0o644, strings.NewReader(text))
}

// configure writes the configuration, with more of it at its end.
func (h *host) configure(passwordFile, more string) {
	h.t.Helper()
	h.put("/etc/tailflux/tailflux.yaml", fmt.Sprintf(`
sources:
  - path: %s
    format: combined
    start: beginning
influxdb:
  url: %s
  username: tailflux
  password_file: %s
listen: %s
%s
`, accessLog, h.db.URL(), passwordFile, h.listen, more))
}

// set makes a drop-in of the unit, named in one word, and loads it.
func (h *host) set(name, settings string) {
	h.t.Helper()
	h.put("/etc/systemd/system/tailflux.service.d/"+name+".conf", "[Service]\n"+settings+"\n")
	h.Run("systemctl", "daemon-reload")
}

func (h *host) systemctl(command ...string) {
	h.t.Helper()
	h.Run(append([]string{"systemctl"}, command...)...)
}

// property is one of the unit's.
func (h *host) property(name string) string {
	h.t.Helper()
	return strings.TrimSpace(h.Run("systemctl", "show", "--property="+name, "--value", "tailflux"))
}

func (h *host) restarts() int {
	h.t.Helper()
	n, err := strconv.Atoi(h.property("NRestarts"))
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

// write appends lines to the log.
func (h *host) write(n int) {
	h.t.Helper()
	add := h.Command("tee", "-a", accessLog)
	add.Stdin = strings.NewReader(lines(n))
	add.Stdout = io.Discard
	if err := add.Run(); err != nil {
		h.t.Fatal(err)
	}
	h.lines += int64(n)
}

// arrived waits until each line is a point, and none is two.
func (h *host) arrived() {
	h.t.Helper()
	count := func() int64 {
		n, _ := h.db.Count(h.t.Context(), database, "nginx_access", "") // there may be no database yet
		return n
	}
	h.Until(arrival, fmt.Sprintf("%d points", h.lines), func() bool { return count() >= h.lines })
	if n := count(); n != h.lines {
		h.t.Errorf("%d points of %d lines", n, h.lines)
	}
}

// status waits for a status text that matches.
func (h *host) status(pattern string) {
	h.t.Helper()
	is := ""
	wanted := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(arrival); !wanted.MatchString(is); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatalf("the status is %q, want %s", is, pattern)
		}
		is = h.property("StatusText")
	}
	h.t.Logf("Status: %q", is)
}

// install runs what docs/install.md says, with a program that is built already.
func (h *host) install() {
	h.t.Helper()
	h.copyIn(static(h.t), "/root/tailflux/bin/tailflux")
	for _, file := range []string{"deploy/tailflux.service", "deploy/package/sysusers.conf"} {
		h.put("/root/tailflux/"+file, readFile(h.t, file))
	}
	block := capture(h.t, "(?s)## From source\n.*?```sh\n(.*?)```", readFile(h.t, "docs/install.md"))
	steps := strings.Split(strings.TrimSpace(block), "\n")
	steps = slices.DeleteFunc(steps, func(step string) bool {
		return step == "make build" || step == "sudo tailflux check" || strings.HasPrefix(step, "sudo systemctl enable ")
	})
	if len(steps) < 5 {
		h.t.Fatalf("too few steps to install: %q", steps)
	}
	h.Shell("cd /root/tailflux; " + strings.ReplaceAll(strings.Join(steps, "\n"), "tailflux init", "tailflux init --yes"))
}

// The unit under a real systemd, in the order of a bad day.
func TestSystemd(t *testing.T) {
	t.Parallel() // most of it is waiting
	h := newHost(t, withUser)
	h.install()
	h.Put("/root/password", 0o600, strings.NewReader(password+"\n"))
	h.Shell("sudo install -m 640 -g tailflux /root/password /etc/tailflux/password")
	h.configure("/etc/tailflux/password", "")
	h.set("test", "RestartSec=1s")

	h.write(1000)
	h.systemctl("enable", "--now", "tailflux")
	h.arrived()
	h.status(`lines/s, 0 s behind$`)
	t.Run("sandbox", h.sandbox)
	t.Run("user", h.user)
	t.Run("credential", h.credential)
	t.Run("rotated", h.rotated)
	t.Run("killed", h.killed)
	t.Run("crashed", h.crashed)
	t.Run("reload", h.reload)
	t.Run("wrong configuration", h.wrong)
	h.set("test", "RestartSec=1s\nWatchdogSec=3s")
	h.systemctl("restart", "tailflux")
	t.Run("frozen", h.frozen)
	t.Run("outage", h.outage)
	t.Run("stop", func(*testing.T) {
		h.systemctl("stop", "tailflux")
		if is := h.property("Result"); is != "success" {
			t.Errorf("after stop: %s", is)
		}
	})
	if t.Failed() {
		t.Log(h.Run("journalctl", "--no-pager", "--unit=tailflux", "--output=cat"))
	}
}

// What the unit says holds of the process.
func (h *host) sandbox(t *testing.T) {
	pid := h.property("MainPID")
	status := h.Run("cat", "/proc/"+pid+"/status")
	for _, want := range []string{`NoNewPrivs:\s1`, `Seccomp:\s2`, `CapBnd:\s0+\n`, `CapEff:\s0+\n`, `Groups:\s4 `} {
		if !regexp.MustCompile(want).MatchString(status) {
			t.Errorf("the process is not %s: %s", want, status)
		}
	}
	inside := []string{"nsenter", "--target", pid, "--mount", "--user", "--preserve-credentials"}
	for command, refusal := range map[string]string{
		"touch /etc/x":        "Read-only file system",
		"touch /home/x":       "Read-only file system",
		"cat /proc/meminfo":   "No such file",
		"head -c 1 /dev/kmsg": "No such file",
	} {
		if says, err := h.Try(append(inside, strings.Fields(command)...)...); err == nil || !strings.Contains(says, refusal) {
			t.Errorf("%s: %v, %q, want %q", command, err, says, refusal)
		}
	}
	if says, err := h.Try("systemd-analyze", "security", "--threshold=12", "tailflux"); err != nil {
		t.Errorf("more than 1.2: %s", says)
	}
	if says, err := h.Try("systemd-analyze", "verify", "tailflux.service"); err != nil || says != "" {
		t.Errorf("systemd-analyze verify: %v, %q", err, says)
	}
}

// What the user of the service runs sees what the service sees; check does so for root, too.
func (h *host) user(t *testing.T) {
	all := regexp.MustCompile(fmt.Sprintf(`points in InfluxDB +%d\n`, h.lines))
	h.Until(arrival, "verified", func() bool { // the checkpoint is saved once a second
		says, err := h.Try("sudo", "-u", "tailflux", "tailflux", "verify", accessLog)
		return err == nil && all.MatchString(says)
	})
	for _, command := range [][]string{{"tailflux", "check"}, {"sudo", "-u", "tailflux", "tailflux", "check"}} {
		says, err := h.Try(command...)
		if err != nil || strings.Contains(says, "warning") {
			t.Errorf("%s: %v: %s", strings.Join(command, " "), err, says)
		}
	}
}

// systemd hands the password over, and only root and the service can read it.
func (h *host) credential(t *testing.T) {
	h.Run("rm", "/etc/tailflux/password")
	h.set("credential", "LoadCredential=influxdb-password:/root/password")
	h.configure("/run/credentials/tailflux.service/influxdb-password", "")
	h.systemctl("restart", "tailflux")
	h.write(10)
	h.arrived()
	if says, err := h.Try("sudo", "-u", "www-data", "cat", "/run/credentials/tailflux.service/influxdb-password"); err == nil {
		t.Errorf("www-data reads %q", says)
	}
	h.user(t)
}

// logrotate renames the log and makes a new one, as Debian's rule for nginx does.
func (h *host) rotated(*testing.T) {
	h.Run("logrotate", "--force", "/etc/logrotate.d/nginx")
	h.write(100)
	h.arrived()
}

func (h *host) killed(t *testing.T) {
	before := h.restarts()
	h.write(1000)
	h.systemctl("kill", "--signal=KILL", "tailflux")
	h.write(1000)
	h.arrived()
	if n := h.restarts(); n != before+1 {
		t.Errorf("restarted %d times", n-before)
	}
}

// A crash ends with exit code 2 in Go, which is that of a wrong configuration.
func (h *host) crashed(t *testing.T) {
	before := h.restarts()
	h.systemctl("kill", "--signal=ABRT", "tailflux")
	h.write(10)
	h.arrived()
	if n := h.restarts(); n != before+1 {
		t.Errorf("restarted %d times", n-before)
	}
}

// A wrong configuration is no reload: systemctl says so, the journal has the key, and
// what ran goes on.
func (h *host) reload(t *testing.T) {
	before := h.property("MainPID")
	const passwordFile = "/run/credentials/tailflux.service/influxdb-password"
	h.configure(passwordFile, "tag_limits: 7")
	if says, err := h.Try("systemctl", "reload", "tailflux"); err == nil {
		t.Errorf("reload: no error, %q", says)
	}
	if says := h.Run("journalctl", "--no-pager", "--unit=tailflux", "--lines=20", "--output=cat"); !strings.Contains(says, "tag_limits") {
		t.Errorf("the journal does not name the key: %s", says)
	}
	h.write(10)
	h.arrived()
	h.configure(passwordFile, "")
	if says, err := h.Try("systemctl", "reload", "tailflux"); err != nil {
		t.Errorf("reload: %v: %s", err, says)
	}
	h.write(10)
	h.arrived()
	if says := h.Run("journalctl", "--no-pager", "--unit=tailflux", "--output=cat"); strings.Contains(says, "batch_points") {
		t.Errorf("the journal has the whole configuration: %s", says)
	}
	if state, pid := h.property("ActiveState"), h.property("MainPID"); state != "active" || pid != before {
		t.Errorf("after the reloads it is %s, process %s, was %s", state, pid, before)
	}
}

// A wrong configuration is no start, and not tried again.
func (h *host) wrong(t *testing.T) {
	h.configure("/run/credentials/tailflux.service/influxdb-password", "tag_limits: 7")
	if says, err := h.Try("systemctl", "restart", "tailflux"); err == nil {
		t.Errorf("restart: no error, %q", says)
	}
	time.Sleep(3 * time.Second)
	if state, code, n := h.property("ActiveState"), h.property("ExecMainStatus"), h.restarts(); state != "failed" || code != "2" || n != 0 {
		t.Errorf("the unit is %s, exit code %s, restarted %d times", state, code, n)
	}
	if says := h.Run("journalctl", "--no-pager", "--unit=tailflux", "--lines=20", "--output=cat"); !strings.Contains(says, "tag_limits") {
		t.Errorf("the journal does not name the key: %s", says)
	}
	h.configure("/run/credentials/tailflux.service/influxdb-password", "")
	h.systemctl("start", "tailflux")
	h.write(10)
	h.arrived()
}

// Nothing moves any more: the watchdog starts it again.
func (h *host) frozen(t *testing.T) {
	before := h.restarts()
	h.write(1000)
	h.systemctl("kill", "--signal=STOP", "tailflux")
	h.write(1000)
	h.Until(20*time.Second, "restarted", func() bool { return h.restarts() > before })
	h.arrived()
	if n := h.restarts(); n != before+1 {
		t.Errorf("restarted %d times", n-before)
	}
	if says := h.Run("journalctl", "--no-pager", "--unit=tailflux", "--lines=1000"); !strings.Contains(says, "Failed with result 'watchdog'") {
		t.Errorf("it was not the watchdog: %s", says)
	}
}

// Ten times as long as the watchdog waits InfluxDB is away; a reload waits for it, too, and
// a boot comes meanwhile.
func (h *host) outage(t *testing.T) {
	h.db.Kill()
	h.write(1000)
	before := h.restarts()
	time.Sleep(10 * time.Second)
	h.configure("/run/credentials/tailflux.service/influxdb-password", "tags: [method, status, protocol]")
	h.systemctl("reload", "tailflux")
	h.status(`^reload pending`)
	time.Sleep(20 * time.Second)
	h.status(`InfluxDB away for [23]\d s; 1,000 lines wait: `)
	if n := h.restarts(); n != before {
		t.Errorf("restarted %d times in an outage", n-before)
	}
	began := time.Now()
	h.Run("mv", accessLog, accessLog+".away")
	h.Shell("systemctl restart tailflux") // which it does, although its last lines are not delivered
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("without a log and InfluxDB a start took %v", took)
	}
	h.status(`source access.log: .*no such file`)
	h.Run("mv", accessLog+".away", accessLog)
	if err := h.db.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.arrived()
	h.status(`lines/s, 0 s behind$`)
}
