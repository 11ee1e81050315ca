package e2e

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/go-units"
	"github.com/goccy/go-yaml"

	"github.com/tailflux/tailflux/internal/config"
)

const repository = "../.."

func readFile(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// loadYAML refuses keys that v does not have.
func loadYAML(t *testing.T, file string, v any) {
	t.Helper()
	if err := yaml.UnmarshalWithOptions([]byte(readFile(t, file)), v, yaml.Strict()); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// capture is what the only group of a pattern matched, which has to.
func capture(t *testing.T, pattern, text string) string {
	t.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if match == nil {
		t.Fatalf("no %s in\n%s", pattern, text)
	}
	return match[1]
}

// The unit and the program agree about exit codes, times, directories and
// memory. That systemd likes the unit is TestDeployUnit's to prove.
func TestDeployUnitAgrees(t *testing.T) {
	unit := readFile(t, "deploy/tailflux.service")
	key := func(name string) string {
		t.Helper()
		return capture(t, `(?m)^`+name+`=(.+)$`, unit)
	}
	check := func(name, want string) {
		t.Helper()
		if got := key(name); got != want {
			t.Errorf("%s=%s, want %s", name, got, want)
		}
	}
	standard := config.Default()
	check("ExecStart", "/usr/bin/tailflux run --config "+config.DefaultFile)
	check("Restart", "on-failure")
	check("RestartPreventExitStatus", "2")
	check("StateDirectory", strings.TrimPrefix(standard.StateDir, "/var/lib/"))
	if stop, err := time.ParseDuration(key("TimeoutStopSec")); err != nil || stop <= 10*time.Second {
		t.Errorf("TimeoutStopSec=%v (%v), want more than the 10 s that delivering may take", stop, err)
	}
	if every, err := time.ParseDuration(key("WatchdogSec")); err != nil || every <= standard.InfluxDB.Timeout {
		t.Errorf("WatchdogSec=%v (%v), want more than a request may last", every, err)
	}
	if limit, err := units.RAMInBytes(key("MemoryMax")); err != nil || limit != 2*standard.MemoryLimitBytes {
		t.Errorf("MemoryMax=%d (%v), want twice memory_limit, %d", limit, err, standard.MemoryLimitBytes)
	}
}

// What the Dockerfile copies is there, is all that the build needs, and gets
// past .dockerignore.
func TestDeployDockerfile(t *testing.T) {
	text := readFile(t, "deploy/Dockerfile")
	language := capture(t, `(?m)^go (\d+\.\d+)`, readFile(t, "go.mod"))
	if got := capture(t, `(?m)^FROM golang:(\d+\.\d+)`, text); got != language {
		t.Errorf("the Dockerfile builds with Go %s, go.mod wants %s", got, language)
	}
	var copied []string
	for _, match := range regexp.MustCompile(`(?m)^COPY ([^-].*) \S+$`).FindAllStringSubmatch(text, -1) {
		copied = append(copied, strings.Fields(match[1])...)
	}
	if len(copied) < 4 {
		t.Fatalf("COPY of %q only", copied)
	}
	ignored := strings.Split(readFile(t, ".dockerignore"), "\n")
	for _, source := range copied {
		if _, err := os.Stat(filepath.Join(repository, source)); err != nil {
			t.Errorf("COPY %s: %v", source, err)
		}
		if !slices.Contains(ignored, "!"+source) {
			t.Errorf("COPY %s: .dockerignore hides it", source)
		}
	}
	list := exec.Command("go", "list", "-deps", "-json=Dir,Module,GoFiles,EmbedFiles", "./cmd/tailflux")
	list.Dir = repository
	list.Stderr = os.Stderr
	output, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for dec := json.NewDecoder(strings.NewReader(string(output))); dec.More(); {
		var p struct {
			Dir                 string
			Module              *struct{ Main bool }
			GoFiles, EmbedFiles []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if p.Module == nil || !p.Module.Main {
			continue
		}
		root, err := filepath.Abs(repository)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range append(p.GoFiles, p.EmbedFiles...) {
			file, _ = filepath.Rel(root, filepath.Join(p.Dir, file))
			if top, _, _ := strings.Cut(file, "/"); !slices.Contains(copied, top) {
				t.Errorf("the build needs %s, which is not copied", file)
			}
			if strings.Contains(file, "/testdata/") {
				t.Errorf("the build needs %s, which .dockerignore hides", file)
			}
		}
	}
}

// effective is what tailflux check --print prints of a configuration.
type effective struct {
	Sources  []struct{ Name, Path, Format, Start string }
	InfluxDB struct{ URL, Database string } `yaml:"influxdb"`
	StateDir string                         `yaml:"state_dir"`
	Listen   string
	Memory   string `yaml:"memory_limit"`
}

func checked(t *testing.T, file string) (e effective) {
	t.Helper()
	check := exec.Command(binary, "check", "--print", "--config", filepath.Join(repository, file))
	check.Stderr = os.Stderr
	output, err := check.Output()
	if err != nil {
		t.Fatalf("tailflux check --print --config %s: %v", file, err)
	}
	if err := yaml.Unmarshal(output, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// The parts of docker-compose.yml fit together: who writes where, who reads it,
// who asks whom.
func TestDeployComposeFits(t *testing.T) {
	var c composeFile
	loadYAML(t, "docker-compose.yml", &c)
	nginx, tailflux, grafana := c.Services["nginx"], c.Services["tailflux"], c.Services["grafana"]
	equal := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}

	file := strings.TrimPrefix(tailflux.mounts()[config.DefaultFile], "./")
	settings := checked(t, file)
	source := settings.Sources[0]
	conf := readFile(t, "deploy/nginx/nginx.conf")
	equal("nginx's log", capture(t, `(?m)^\s*access_log (\S+) timed;$`, conf), source.Path)
	equal("rotated log", capture(t, `log=\$\{LOG:-(.+)\}`, readFile(t, "deploy/nginx/start.sh")), source.Path)
	logs := path.Dir(source.Path)
	equal("nginx's volume at "+logs, nginx.mounts()[logs], "logs")
	equal("tailflux's volume at "+logs, tailflux.mounts()[logs], "logs")
	if !slices.Contains(tailflux.Volumes, "logs:"+logs+":ro") {
		t.Error("tailflux can write to the logs")
	}
	if logs == "/var/log/nginx" {
		t.Error("nginx's image links the logs there to standard output")
	}
	if _, ok := c.Volumes[tailflux.mounts()[settings.StateDir]]; !ok {
		t.Errorf("%s is on no volume", settings.StateDir)
	}
	equal("format", source.Format, "timed")
	format := regexp.MustCompile(`'\s*'`).ReplaceAllString(capture(t, `log_format timed '([^;]+)';`, conf), "")
	equal("log_format timed", format, `$remote_addr - $remote_user [$time_local] $scheme "$request" $status $bytes_sent `+
		`"$http_referer" "$http_user_agent" "$gzip_ratio" $upstream_response_time $request_time`)

	equal("influxdb.url", settings.InfluxDB.URL, "http://influxdb:8086")
	port := capture(t, `(?m)^\s*listen (\d+) default_server;$`, conf)
	equal("traffic's site", c.Services["traffic"].Environment["SITE"], "http://nginx:"+port)
	if len(nginx.Ports) != 1 || !strings.HasSuffix(nginx.Ports[0], ":"+port) {
		t.Errorf("ports %s, nginx listens on %s", nginx.Ports, port)
	}
	health, err := url.Parse(nginx.Healthcheck.Test[len(nginx.Healthcheck.Test)-1])
	if err != nil || health.Port() != port || !strings.Contains(conf, "location = "+health.Path+" {") {
		t.Errorf("nginx's health is asked at %s (%v), where nothing answers", health, err)
	}
	listen, err := netip.ParseAddrPort(settings.Listen)
	if err != nil || !listen.Addr().IsUnspecified() {
		t.Errorf("listen %s: nobody outside the container can reach it", settings.Listen)
	}
	if len(tailflux.Ports) != 1 || !strings.HasSuffix(tailflux.Ports[0], settings.Listen[strings.LastIndex(settings.Listen, ":"):]) {
		t.Errorf("ports %s, listen %s", tailflux.Ports, settings.Listen)
	}
	if test := tailflux.Healthcheck.Test; !slices.Equal(test, []string{"CMD", "/usr/bin/tailflux", "healthcheck"}) {
		t.Errorf("healthcheck %q, and the image has no shell", test)
	}
	if tailflux.Hostname == "" {
		t.Error("tailflux has no hostname: the tag host would be a container's id")
	}
	for _, other := range []string{"influxdb", "nginx"} {
		if tailflux.DependsOn[other].Condition == "" {
			t.Errorf("%s may stop before tailflux has delivered", other)
		}
	}
	if grace, err := time.ParseDuration(tailflux.StopGracePeriod); err != nil || grace <= 10*time.Second {
		t.Errorf("stop_grace_period %v (%v), want more than the 10 s that delivering may take", grace, err)
	}
	limit, err := units.RAMInBytes(tailflux.MemLimit)
	soft, errSoft := units.RAMInBytes(settings.Memory)
	if err != nil || errSoft != nil || limit != 2*soft {
		t.Errorf("mem_limit %s, want twice memory_limit, %s", tailflux.MemLimit, settings.Memory)
	}

	var ds struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct {
			Name, UID, Type, Access, URL, Database string
			IsDefault                              bool              `yaml:"isDefault"`
			JSONData                               map[string]string `yaml:"jsonData"`
		}
	}
	loadYAML(t, strings.TrimPrefix(grafana.mounts()["/etc/grafana/provisioning/datasources/tailflux.yaml"], "./"), &ds)
	equal("data source", ds.Datasources[0].URL, settings.InfluxDB.URL)
	equal("its database", ds.Datasources[0].JSONData["dbName"], settings.InfluxDB.Database)
	equal("its database, for older versions of Grafana", ds.Datasources[0].Database, settings.InfluxDB.Database)
	var boards struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Name, Folder, Type string
			Options            struct{ Path string }
		}
	}
	loadYAML(t, strings.TrimPrefix(grafana.mounts()["/etc/grafana/provisioning/dashboards/tailflux.yaml"], "./"), &boards)
	home := grafana.Environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
	equal("directory of dashboards", boards.Providers[0].Options.Path, path.Dir(home))
	var overview struct{ UID string }
	if err := json.Unmarshal([]byte(readFile(t, grafana.file(home))), &overview); err != nil || overview.UID != "tailflux-nginx" {
		t.Errorf("home dashboard %s: uid %q (%v), want tailflux-nginx", home, overview.UID, err)
	}
	equal("where alert rules are", grafana.file("/etc/grafana/provisioning/alerting/tailflux.yaml"), "deploy/grafana/alerting.yaml")
}
