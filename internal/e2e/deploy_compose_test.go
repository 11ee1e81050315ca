package e2e

import (
	"cmp"
	"fmt"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/go-units"
	"github.com/goccy/go-yaml"
)

// composeFile has the keys that docker-compose.yml uses.
type composeFile struct {
	Confined any `yaml:"x-confined"` // what services have in common
	Services map[string]composeService
	Volumes  map[string]any
}

type composeService struct {
	Image       string
	Build       composeBuild
	Restart     string
	Hostname    string
	Entrypoint  []string
	Command     []string
	User        string
	Init        bool
	Environment map[string]string
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	Volumes     []string
	Tmpfs       []string
	Ports       []string
	Healthcheck struct {
		Test              []string
		Interval, Timeout string
		Retries           int
		StartPeriod       string `yaml:"start_period"`
	}
	StopGracePeriod string   `yaml:"stop_grace_period"`
	MemLimit        string   `yaml:"mem_limit"`
	ReadOnly        bool     `yaml:"read_only"`
	CapDrop         []string `yaml:"cap_drop"`
	SecurityOpt     []string `yaml:"security_opt"`
	Logging         struct {
		Driver  string
		Options map[string]string
	}
}

// composeBuild is a directory, or a directory and a file below it.
type composeBuild struct{ Context, Dockerfile string }

func (b *composeBuild) UnmarshalYAML(text []byte) error {
	if yaml.Unmarshal(text, &b.Context) == nil {
		return nil
	}
	return yaml.UnmarshalWithOptions(text, (*struct{ Context, Dockerfile string })(b), yaml.Strict())
}

// file is the Dockerfile, from the root of the repository.
func (b composeBuild) file() string {
	return path.Join(b.Context, cmp.Or(b.Dockerfile, "Dockerfile"))
}

// mounts is what stands where in the container.
func (s composeService) mounts() map[string]string {
	m := map[string]string{}
	for _, volume := range s.Volumes {
		source, rest, _ := strings.Cut(volume, ":")
		target, _, _ := strings.Cut(rest, ":")
		m[target] = source
	}
	return m
}

// file is the file of the repository that is at a path in the container, or nothing.
func (s composeService) file(at string) string {
	m := s.mounts()
	for dir, below := at, ""; dir != "/"; dir, below = path.Dir(dir), path.Join(path.Base(dir), below) {
		if source, ok := m[dir]; ok {
			return path.Join(source, below)
		}
	}
	return ""
}

// An image whose tag has a full version: a shorter one is another image next month.
var pinned = regexp.MustCompile(`^[a-z0-9./-]+:v?\d+\.\d+\.\d+[a-z0-9.-]*$`)

// composeFaults says what a composition does that an operator would not want: what is
// open to others, what nobody watches, what may change under its name.
func composeFaults(t *testing.T, text string) []string {
	t.Helper()
	var c composeFile
	if err := yaml.UnmarshalWithOptions([]byte(text), &c, yaml.Strict()); err != nil {
		return []string{err.Error()}
	}
	var faults []string
	used := map[string]bool{}
	for name, s := range c.Services {
		fault := func(format string, args ...any) {
			faults = append(faults, name+": "+fmt.Sprintf(format, args...))
		}
		user := s.User
		switch built := s.Build.Context != ""; {
		case built == (s.Image != ""):
			fault("want an image or a build")
		case built:
			dockerfile := readFile(t, s.Build.file())
			for _, from := range regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(dockerfile, -1) {
				if from[1] != "scratch" && !pinned.MatchString(from[1]) {
					fault("%s: the image %s is not pinned", s.Build.file(), from[1])
				}
			}
			if last := regexp.MustCompile(`(?m)^USER (\S+)`).FindAllStringSubmatch(dockerfile, -1); user == "" && last != nil {
				user = last[len(last)-1][1]
			}
		case !pinned.MatchString(s.Image):
			fault("the image %s is not pinned", s.Image)
		}
		if account, _, _ := strings.Cut(user, ":"); account == "" || account == "root" || account == "0" {
			fault("runs as root")
		}
		if !s.ReadOnly {
			fault("can write to its own files")
		}
		if !slices.Equal(s.CapDrop, []string{"ALL"}) {
			fault("has capabilities")
		}
		if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			fault("may gain privileges")
		}
		if test := s.Healthcheck.Test; len(test) < 2 || !strings.HasPrefix(test[0], "CMD") {
			fault("nobody asks whether it is well")
		}
		for _, span := range []string{s.Healthcheck.Interval, s.Healthcheck.Timeout, s.Healthcheck.StartPeriod} {
			if d, err := time.ParseDuration(span); err != nil || d <= 0 {
				fault("healthcheck: %q is no time", span)
			}
		}
		if s.Restart == "" || s.Restart == "no" {
			fault("is not restarted")
		}
		if s.Logging.Options["max-size"] == "" || s.Logging.Options["max-file"] == "" {
			fault("its output fills the disk")
		}
		if limit, err := units.RAMInBytes(s.MemLimit); err != nil || limit == 0 {
			fault("no limit of memory")
		}
		for target, source := range s.mounts() {
			if !strings.HasPrefix(source, "./") {
				used[source] = true
				if _, ok := c.Volumes[source]; !ok {
					fault("the volume %s is not declared", source)
				}
			} else if _, err := os.Stat(filepath.Join(repository, source)); err != nil {
				fault("%s: %v", target, err)
			} else if !slices.Contains(s.Volumes, source+":"+target+":ro") {
				fault("can write to %s", source)
			}
		}
		for _, port := range s.Ports {
			host, _, _ := strings.Cut(port, ":")
			if addr, err := netip.ParseAddr(host); err != nil || !addr.IsLoopback() {
				fault("port %s is open to everybody", port)
			}
		}
		for other, on := range s.DependsOn {
			if _, ok := c.Services[other]; !ok || on.Condition != "service_healthy" {
				fault("depends on %s, condition %q", other, on.Condition)
			}
		}
		for _, dir := range s.Tmpfs { // root's, with the mode of what is there: only /tmp is everybody's
			if at, options, _ := strings.Cut(dir, ":"); at != "/tmp" && !strings.Contains(options, "uid=") {
				fault("only root can write to %s", at)
			}
		}
		for key, value := range s.Environment {
			if strings.Contains(strings.ToUpper(key), "PASSWORD") && value != "" {
				fault("%s has a password that all know", key)
			}
		}
	}
	for name := range c.Volumes {
		if !used[name] {
			faults = append(faults, "nobody uses the volume "+name)
		}
	}
	slices.Sort(faults)
	return faults
}

func TestDeployCompose(t *testing.T) {
	text := readFile(t, "docker-compose.yml")
	for _, fault := range composeFaults(t, text) {
		t.Error(fault)
	}
	var c composeFile
	loadYAML(t, "docker-compose.yml", &c)
	for _, name := range []string{"nginx", "traffic"} {
		s := c.Services[name]
		script := slices.Concat(s.Entrypoint, s.Command)
		if at := script[len(script)-1]; !strings.HasSuffix(s.mounts()[at], path.Base(at)) {
			t.Errorf("%s: runs %s, which is not mounted", name, script)
		}
	}
	// Whoever may look at Grafana need not know a password, and there is none to know.
	for key, want := range map[string]string{
		"GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION": "true",
		"GF_AUTH_DISABLE_LOGIN_FORM":                 "true",
		"GF_AUTH_BASIC_ENABLED":                      "false",
		"GF_AUTH_ANONYMOUS_ORG_ROLE":                 "Viewer",
	} {
		if got := c.Services["grafana"].Environment[key]; got != want {
			t.Errorf("grafana: %s=%q, want %q", key, got, want)
		}
	}

	// Each of these is found.
	for _, tt := range []struct{ name, from, to, fault string }{
		{"minor version", "influxdb:1.8.10", "influxdb:1.8", "influxdb: the image influxdb:1.8 is not pinned"},
		{"minor version of a variant", "image: nginx:1.28.3-alpine", "image: nginx:1.28-alpine", "traffic: the image nginx:1.28-alpine is not pinned"},
		{"no version", "grafana/grafana:12.1.1", "grafana/grafana", "grafana: the image grafana/grafana is not pinned"},
		{"latest", "grafana/grafana:12.1.1", "grafana/grafana:latest", "grafana: the image grafana/grafana:latest is not pinned"},
		{"port on all addresses", "127.0.0.1:3000:3000", "3000:3000", "grafana: port 3000:3000 is open to everybody"},
		{"port on 0.0.0.0", "127.0.0.1:8080:8080", "0.0.0.0:8080:8080", "nginx: port 0.0.0.0:8080:8080 is open to everybody"},
		{"root by name", "user: influxdb", "user: root", "influxdb: runs as root"},
		{"root by number", `user: "472:0"`, `user: "0:0"`, "grafana: runs as root"},
		{"user of an image that has none", "user: influxdb", `hostname: influxdb`, "influxdb: runs as root"},
		{"writable files", "read_only: true", "read_only: false", "tailflux: can write to its own files"},
		{"one capability", "cap_drop: [ALL]", "cap_drop: [NET_RAW]", "nginx: has capabilities"},
		{"health by order", "influxdb: {condition: service_healthy}", "influxdb: {condition: service_started}", `grafana: depends on influxdb, condition "service_started"`},
		{"health of nobody", "nginx: {condition: service_healthy}", "web: {condition: service_healthy}", `traffic: depends on web, condition "service_healthy"`},
		{"healthcheck off", "test: [CMD, wget,", "test: [NONE, wget,", "grafana: nobody asks whether it is well"},
		{"endless output", `, max-file: "3"`, "", "influxdb: its output fills the disk"},
		{"mount of nothing", "./deploy/nginx/site", "./deploy/nginx/pages", "nginx: /usr/share/nginx/html: stat ../../deploy/nginx/pages: no such file or directory"},
		{"mount to write", "traffic.sh:ro", "traffic.sh", "traffic: can write to ./deploy/traffic/traffic.sh"},
		{"password", "GF_AUTH_BASIC_ENABLED: \"false\"", "GF_SECURITY_ADMIN_PASSWORD: admin", "grafana: GF_SECURITY_ADMIN_PASSWORD has a password that all know"},
		{"no limit of memory", "mem_limit: 1g", "", "influxdb: no limit of memory"},
		{"tmpfs of root", `"/var/cache/nginx:uid=101,gid=101"`, "/var/cache/nginx", "nginx: only root can write to /var/cache/nginx"},
		{"not restarted", "restart: unless-stopped", `restart: "no"`, "influxdb: is not restarted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			broken := strings.ReplaceAll(text, tt.from, tt.to)
			if broken == text {
				t.Fatalf("docker-compose.yml has no %s", tt.from)
			}
			if faults := composeFaults(t, broken); !slices.Contains(faults, tt.fault) {
				t.Errorf("faults %q, want %q", faults, tt.fault)
			}
		})
	}
}
