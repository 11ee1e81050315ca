//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

// systemd has nothing to say about the unit. systemd-analyze exits with 0 even
// when it ignores a key, so what counts is that it is silent.
func TestDeployUnit(t *testing.T) {
	unit := strings.ReplaceAll(readFile(t, "deploy/tailflux.service"), "/usr/bin/tailflux", binary)
	verify := func(unit string) string {
		file := filepath.Join(t.TempDir(), "tailflux.service")
		if err := os.WriteFile(file, []byte(unit), 0o644); err != nil {
			t.Fatal(err)
		}
		var says bytes.Buffer
		cmd := exec.Command("systemd-analyze", "verify", file)
		cmd.Stdout, cmd.Stderr = &says, &says
		if err := cmd.Run(); err != nil {
			fmt.Fprintln(&says, err)
		}
		return says.String()
	}
	if says := verify(unit); says != "" {
		t.Error(says)
	}
	for _, tt := range []struct{ name, from, to, says string }{
		{"unknown key", "NoNewPrivileges=", "NoNewPrivilege=", "NoNewPrivilege"},
		{"bad value", "UMask=0077", "UMask=rw", "rw"},
		{"unknown section", "[Install]", "[Instal]", "Instal"},
		{"missing program", binary, binary + "x", "tailfluxx"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			broken := strings.Replace(unit, tt.from, tt.to, 1)
			if broken == unit {
				t.Fatalf("the unit has no %s", tt.from)
			}
			if says := verify(broken); !strings.Contains(says, tt.says) {
				t.Errorf("systemd-analyze verify: %q, want %s in it", says, tt.says)
			}
		})
	}
}

// The sandbox is as tight as it is said to be.
func TestDeployUnitIsSandboxed(t *testing.T) {
	says, err := exec.Command("systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold=12", filepath.Join(repository, "deploy", "tailflux.service")).CombinedOutput()
	if err != nil {
		t.Errorf("more than 1.2 (%v): %s", err, says)
	}
}

// composeCommand is Docker's plugin when there is one, else Debian's docker-compose.
func composeCommand() []string {
	if exec.Command("docker", "compose", "version").Run() == nil {
		return []string{"docker", "compose"}
	}
	return []string{"docker-compose"}
}

// Docker's own client takes the file. It needs no engine for that.
func TestDeployComposeConfig(t *testing.T) {
	compose := composeCommand()
	parsed := func(file string) (string, error) {
		cmd := exec.Command(compose[0], slices.Concat(compose[1:], []string{"-f", file, "config"})...)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		if err == nil && stderr.Len() > 0 {
			err = fmt.Errorf("%s", &stderr)
		}
		return stdout.String(), err
	}
	text, err := parsed(filepath.Join(repository, "docker-compose.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var c struct{ Services map[string]any }
	if err := yaml.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Services) != 5 {
		t.Errorf("%d services, want 5:\n%s", len(c.Services), text)
	}
	broken := strings.Replace(readFile(t, "docker-compose.yml"), "mem_limit:", "memory_limit:", 1)
	file := filepath.Join(t.TempDir(), "docker-compose.yml")
	if err := os.WriteFile(file, []byte(broken), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := parsed(file); err == nil {
		t.Error("an unknown key was accepted")
	}
}

// startSite runs the nginx of docker-compose.yml, with its paths and ports moved
// into the bench. start.sh becomes nginx, beside a child that rotates.
func startSite(b *bench) *nginx {
	b.t.Helper()
	port := freePort(b.t)
	conf := readFile(b.t, "deploy/nginx/nginx.conf")
	pages, err := filepath.Abs(filepath.Join(repository, "deploy", "nginx", "site"))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, move := range [][2]string{
		{"/var/log/site/", b.dir + "/"},
		{"/usr/share/nginx/html", pages},
		{"/tmp/nginx.pid", b.path("nginx.pid")},
		{"listen 8080 ", fmt.Sprintf("listen 127.0.0.1:%d ", port)},
		{"8081", fmt.Sprint(freePort(b.t))},
		{"8089", fmt.Sprint(freePort(b.t))},
		{"http {", "http { client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;"},
	} {
		if !strings.Contains(conf, move[0]) {
			b.t.Fatalf("nginx.conf has no %q", move[0])
		}
		conf = strings.ReplaceAll(conf, move[0], move[1])
	}
	if os.Getuid() == 0 {
		conf = "user root;\n" + conf // the test's directory is nobody else's
	}
	b.write("nginx.conf", conf)
	program, err := exec.LookPath("nginx")
	if err != nil {
		b.t.Fatal(err)
	}
	for _, dir := range []string{"bin", "tmp"} {
		if err := os.Mkdir(b.path(dir), 0o755); err != nil {
			b.t.Fatal(err)
		}
	}
	wrapper := b.write("bin/nginx", fmt.Sprintf("#!/bin/sh\nexec %s -p %s -c %s \"$@\"\n", program, b.dir, b.path("nginx.conf")))
	if err := os.Chmod(wrapper, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if says, err := exec.Command(wrapper, "-t").CombinedOutput(); err != nil {
		b.t.Fatalf("nginx -t: %v\n%s", err, says)
	}
	n := &nginx{b: b, url: fmt.Sprintf("http://127.0.0.1:%d", port)}
	n.cmd = script(b, "deploy/nginx/start.sh",
		"PATH="+b.path("bin")+":"+os.Getenv("PATH"), "LOG="+b.path("access.log"), "LOG_BYTES=60000", "LOG_SECONDS=1")
	return n
}

// script runs one of deploy's with sh, in a process group of its own, which
// ends with the test.
func script(b *bench, file string, env ...string) *exec.Cmd {
	b.t.Helper()
	cmd := exec.Command("/bin/sh", filepath.Join(repository, file))
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { endScript(cmd) })
	return cmd
}

// endScript ends a script and what it has started; it may be called again.
func endScript(cmd *exec.Cmd) {
	if cmd.ProcessState == nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait() // killed
	}
}

// The whole of docker-compose.yml but the containers: the nginx of deploy/
// under the traffic of deploy/, rotated by its start script, followed with the
// configuration of deploy/, and every query of the dashboard.
func TestDeploySite(t *testing.T) {
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	s := startSite(b)
	settings := strings.ReplaceAll(readFile(t, "deploy/tailflux-compose.yaml"), "/var/log/site/", b.dir+"/")
	d := b.start("--config", b.write("tailflux.yaml", settings), "--rotate-wait", "1s")
	traffic := script(b, "deploy/traffic/traffic.sh", "SITE="+s.url, "VISITORS=20", "ASKED="+b.path("asked"))

	// What visitors do rarely.
	ready(t, d)
	policies, err := b.db.Query(t.Context(), "", "SHOW RETENTION POLICIES ON "+database)
	if err != nil || len(policies) != 1 || fmt.Sprint(policies[0].Values[0][:2], policies[0].Values[1][:2]) != "[tailflux_raw 168h0m0s] [tailflux_rollups 17520h0m0s]" {
		t.Errorf("policies: %v, %v; want points to be kept for a week, and rollups for two years", policies, err)
	}
	for _, rare := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/", 200},
		{"POST", "/api/orders", 201},
		{"GET", "/home", 301},
		{"GET", "/admin", 403},
		{"GET", "/nothing", 404},
		{"get", "/", 400},
		{"GET", "/legacy", 502},
	} {
		req, err := http.NewRequest(rare.method, s.url+rare.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		// The application fails once in a while.
		if resp.StatusCode != rare.status && !strings.HasPrefix(rare.path, "/api/") {
			t.Errorf("%s %s: %s, want %d", rare.method, rare.path, resp.Status, rare.status)
		}
	}
	if _, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool {
		return r.Sources[0].Rotations == 1 && r.Lines.Read >= 500
	}); err != nil {
		t.Fatal(err)
	}
	if seen, err := os.Stat(b.path("asked")); err != nil || time.Since(seen.ModTime()) > time.Minute {
		t.Errorf("the healthcheck of traffic would say that nobody was answered: %v", err)
	}
	endScript(traffic)
	_ = s.cmd.Process.Signal(syscall.SIGQUIT) // as Docker does
	_ = s.cmd.Wait()                          // nginx has logged everything then
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)

	want := s.logged()
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
