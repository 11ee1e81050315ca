//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/e2e/engine"
	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

var composition = flag.String("composition", "", "Debian's Docker engine, unpacked, which runs docker-compose.yml; make compose has one")

// composed is docker-compose.yml in an engine.
type composed struct {
	*engine.Engine
	t       *testing.T
	compose []string
}

func (c composed) do(args ...string) string {
	c.t.Helper()
	out, err := c.Run(slices.Concat(c.compose, args)...)
	if err != nil {
		c.t.Fatal(err)
	}
	return out
}

// state is what docker inspect says of a service's container.
type state struct {
	State struct {
		Pid, ExitCode int
		Health        struct{ Status string }
	}
	Mounts []struct{ Name string }
}

func (c composed) inspect(service string) (s state, err error) {
	id := strings.TrimSpace(c.do("ps", "-q", service))
	if id == "" {
		return s, fmt.Errorf("%s has no container", service)
	}
	out, err := c.Run("docker", "inspect", "--format", "{{json .}}", id)
	if err == nil {
		err = json.Unmarshal([]byte(out), &s)
	}
	return s, err
}

func (c composed) healthy(service string) {
	c.t.Helper()
	c.WaitFor(service+" healthy", func() error {
		s, err := c.inspect(service)
		if err == nil && s.State.Health.Status != "healthy" {
			err = fmt.Errorf("it is %s", s.State.Health.Status)
		}
		return err
	})
}

func (c composed) monitor() (r tailfluxtest.Report, err error) {
	out, err := c.Inside("curl", "--noproxy", "*", "-fsS", "http://127.0.0.1:9193/monitor")
	if err == nil {
		err = json.Unmarshal([]byte(out), &r)
	}
	return r, err
}

// points counts those in the influxd of the composition.
func (c composed) points() (int64, error) {
	out, err := c.Run(slices.Concat(c.compose, []string{
		"exec", "-T", "influxdb", "curl", "-fsS", "http://127.0.0.1:8086/query?db=" + database + "&q=SELECT+count(bytes_sent)+FROM+nginx_access",
	})...)
	if err != nil {
		return 0, err
	}
	if match := regexp.MustCompile(`\["1970-01-01T00:00:00Z",(\d+)\]`).FindStringSubmatch(out); match != nil {
		return strconv.ParseInt(match[1], 10, 64)
	}
	return 0, fmt.Errorf("no count in %s", out)
}

// confined looks at a process from outside its container.
func (c composed) confined(service string) string {
	c.t.Helper()
	s, err := c.inspect(service)
	if err != nil {
		c.t.Fatal(err)
	}
	proc := fmt.Sprintf("/proc/%d/", s.State.Pid)
	status, err := c.Inside("cat", proc+"status")
	if err != nil {
		c.t.Fatal(err)
	}
	mounts, err := c.Inside("cat", proc+"mountinfo")
	if err != nil {
		c.t.Fatal(err)
	}
	user := capture(c.t, `(?m)^Uid:\t(\d+)`, status)
	if user == "0" {
		c.t.Errorf("%s runs as root", service)
	}
	for key, want := range map[string]string{"CapPrm": "0000000000000000", "CapBnd": "0000000000000000", "NoNewPrivs": "1"} {
		if got := capture(c.t, `(?m)^`+key+`:\t(\S+)`, status); got != want {
			c.t.Errorf("%s: %s is %s, want %s", service, key, got, want)
		}
	}
	if options := capture(c.t, `(?m)^\S+ \S+ \S+ \S+ / (\S+) `, mounts); !strings.HasPrefix(options+",", "ro,") {
		c.t.Errorf("%s: its files are mounted %s, want ro", service, options)
	}
	return user
}

// docker-compose.yml is built and run, with stand-ins for the images that it names: all
// become healthy, points come, an outage costs none, and nothing is left.
func TestComposition(t *testing.T) {
	if *composition == "" {
		t.Skip("SKIPPED: a Docker engine is wanted: make compose")
	}
	influxd, err := influxdtest.Binary(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	file, err := filepath.Abs(filepath.Join(repository, "docker-compose.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var parsed composeFile
	loadYAML(t, "docker-compose.yml", &parsed)
	services := []string{"influxdb", "nginx", "traffic", "tailflux", "grafana"}
	c := composed{engine.Start(t, *composition), t, append(composeCommand(), "-p", "tailflux", "-f", file)}
	began := time.Now()
	pin := func(dockerfile string) string {
		return capture(t, `(?m)^FROM (\S+:\S+)`, readFile(t, dockerfile))
	}
	c.Images(influxd, pin("deploy/Dockerfile"), pin("deploy/nginx/Dockerfile"), parsed.Services["influxdb"].Image, parsed.Services["grafana"].Image)
	c.do("build")
	t.Logf("built with stand-ins for the images, %v", time.Since(began).Round(time.Second))

	began = time.Now()
	c.do("up", "-d")
	for _, service := range services {
		c.healthy(service)
	}
	t.Logf("all are healthy after %v", time.Since(began).Round(time.Second))
	var users []string
	for _, service := range services {
		users = append(users, service+" "+c.confined(service))
	}
	t.Logf("read-only files, no capabilities, no new privileges; users: %s", strings.Join(users, ", "))
	c.listensOnLoopback()

	var first int64
	c.WaitFor("points", func() (err error) {
		if first, err = c.points(); err == nil && first == 0 {
			err = errors.New("there are none")
		}
		return err
	})
	grown := func(from int64) (now int64) {
		c.WaitFor("more points", func() (err error) {
			if now, err = c.points(); err == nil && now <= from {
				err = fmt.Errorf("still %d", now)
			}
			return err
		})
		return now
	}
	second := grown(first)
	c.do("stop", "influxdb")
	c.WaitFor("lines that wait", func() error {
		r, err := c.monitor()
		if err == nil && r.Lines.InFlight == 0 {
			err = errors.New("there are none")
		}
		return err
	})
	c.do("start", "influxdb")
	third := grown(second)
	t.Logf("points: %d, %d, and %d after an outage", first, second, third)

	c.do("stop", "traffic")
	var r tailfluxtest.Report
	c.WaitFor("everything to be delivered", func() (err error) {
		if r, err = c.monitor(); err == nil && r.Lines.InFlight != 0 {
			err = fmt.Errorf("%d lines are in flight", r.Lines.InFlight)
		}
		return err
	})
	logged := strings.TrimSpace(c.do("exec", "-T", "nginx", "sh", "-c", "cat /var/log/site/access.log* | wc -l"))
	last, err := c.points()
	if err != nil || fmt.Sprint(r.Lines.Read) != logged || last+r.Lines.Rejected != r.Lines.Read {
		t.Errorf("%s lines in nginx's log, %d points (%v), /monitor: %+v", logged, last, err, r.Lines)
	}
	t.Logf("at the end %s lines in nginx's log, %d points, %d rejected", logged, last, r.Lines.Rejected)
	c.do("stop")
	if s, err := c.inspect("tailflux"); err != nil || s.State.ExitCode != 0 {
		t.Errorf("tailflux ended with %d (%v), want 0", s.State.ExitCode, err)
	}
	c.do("down", "-v")
	for _, what := range []string{"ps -aq", "volume ls -q"} {
		if left, err := c.Run(append([]string{"docker"}, strings.Fields(what)...)...); err != nil || left != "" {
			t.Errorf("docker %s after down: %q (%v)", what, left, err)
		}
	}
	t.Logf("NOT RUN: %s. Something else answered at its port: its mounts, user and healthcheck were tried, not Grafana.", parsed.Services["grafana"].Image)
	t.Logf("NOT RUN: the images of golang, nginx and influxdb. Debian's nginx, Go and influxd of this machine, with busybox's sh, stood in for them.")
}

// listensOnLoopback looks at who listens in the engine's network: the ports that are
// published, and nobody on an address that others reach.
func (c composed) listensOnLoopback() {
	c.t.Helper()
	sockets, err := c.Inside("cat", "/proc/net/tcp", "/proc/net/tcp6")
	if err != nil {
		c.t.Fatal(err)
	}
	var ports []int64
	for _, match := range regexp.MustCompile(`(?m)^ *\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ 0A `).FindAllStringSubmatch(sockets, -1) {
		port, err := strconv.ParseInt(match[2], 16, 32)
		if err != nil || match[1] != "0100007F" {
			c.t.Errorf("port %d listens on %s (%v), want 127.0.0.1", port, match[1], err)
		}
		ports = append(ports, port)
	}
	slices.Sort(ports)
	if want := []int64{3000, 8080, 9193}; !slices.Equal(ports, want) {
		c.t.Errorf("ports %d listen, want %d", ports, want)
	}
	c.t.Logf("ports %d listen, on 127.0.0.1", ports)
}
