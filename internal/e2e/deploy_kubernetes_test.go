package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker/go-units"
	"github.com/goccy/go-yaml"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/shape"
)

// manifest has the keys that deploy/kubernetes uses.
type manifest struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct {
		Name, Namespace string
		Labels          map[string]string
	}
	Data map[string]string
	Spec struct {
		Replicas int
		Selector struct {
			MatchLabels map[string]string `yaml:"matchLabels"`
		}
		UpdateStrategy struct {
			RollingUpdate struct {
				MaxUnavailable int `yaml:"maxUnavailable"`
				MaxSurge       int `yaml:"maxSurge"`
			} `yaml:"rollingUpdate"`
		} `yaml:"updateStrategy"`
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     podSpec
		}
	}
}

type podSpec struct {
	Token          bool                `yaml:"automountServiceAccountToken"`
	Grace          int                 `yaml:"terminationGracePeriodSeconds"`
	Tolerations    []map[string]string `yaml:"tolerations"`
	InitContainers []container         `yaml:"initContainers"`
	Containers     []container
	Volumes        []volume
}

type volume struct {
	Name      string
	ConfigMap struct{ Name string } `yaml:"configMap"`
	Secret    struct {
		SecretName  string `yaml:"secretName"`
		DefaultMode int    `yaml:"defaultMode"`
	}
	HostPath struct{ Path, Type string } `yaml:"hostPath"`
	EmptyDir struct {
		SizeLimit string `yaml:"sizeLimit"`
	} `yaml:"emptyDir"`
}

type container struct {
	Name, Image   string
	RestartPolicy string `yaml:"restartPolicy"`
	Command       []string
	Env           []struct {
		Name      string
		ValueFrom struct {
			FieldRef struct {
				FieldPath string `yaml:"fieldPath"`
			} `yaml:"fieldRef"`
		} `yaml:"valueFrom"`
	}
	Ports []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
	}
	Liveness  probe `yaml:"livenessProbe"`
	Readiness probe `yaml:"readinessProbe"`
	Resources struct{ Requests, Limits map[string]string }
	Security  struct {
		User         int                     `yaml:"runAsUser"`
		Group        int                     `yaml:"runAsGroup"`
		NonRoot      bool                    `yaml:"runAsNonRoot"`
		Escalation   bool                    `yaml:"allowPrivilegeEscalation"`
		ReadOnly     bool                    `yaml:"readOnlyRootFilesystem"`
		Capabilities struct{ Drop []string } `yaml:"capabilities"`
		Seccomp      struct{ Type string }   `yaml:"seccompProfile"`
	} `yaml:"securityContext"`
	Mounts []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
		SubPath   string `yaml:"subPath"`
		ReadOnly  bool   `yaml:"readOnly"`
	} `yaml:"volumeMounts"`
}

type probe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
	Exec    struct{ Command []string }
	Period  int `yaml:"periodSeconds"`
	Timeout int `yaml:"timeoutSeconds"`
}

// manifests are those of a file, by their kind.
func manifests(t *testing.T, file string) map[string]manifest {
	t.Helper()
	all := map[string]manifest{}
	for dec := yaml.NewDecoder(strings.NewReader(readFile(t, file)), yaml.Strict()); ; {
		var m manifest
		err := dec.Decode(&m)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[m.Kind] = m
	}
}

// kubernetesConfig is the configuration in a ConfigMap, as tailflux takes it.
func kubernetesConfig(t *testing.T, text string) *config.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tailflux.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	c, _, err := config.Load(config.Options{File: file, Check: shape.Check, NeedSource: true})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What each file says fits together, and fits the program and the image. That
// Kubernetes knows the keys was seen by hand, against its own types.
func TestDeployKubernetes(t *testing.T) {
	dockerfile := readFile(t, "deploy/Dockerfile")
	program := capture(t, `ENTRYPOINT \["(.*)"\]`, dockerfile)
	for file, kind := range map[string]string{"deploy/kubernetes/daemonset.yaml": "DaemonSet", "deploy/kubernetes/sidecar.yaml": "Deployment"} {
		all := manifests(t, file)
		m, settings := all[kind], all["ConfigMap"]
		if m.APIVersion != "apps/v1" || settings.APIVersion != "v1" || m.Metadata.Namespace != settings.Metadata.Namespace {
			t.Errorf("%s: %+v and %+v do not belong together", file, m.Metadata, settings.Metadata)
		}
		for key, value := range m.Spec.Selector.MatchLabels {
			if m.Spec.Template.Metadata.Labels[key] != value {
				t.Errorf("%s: its pods have no label %s=%s", file, key, value)
			}
		}
		pod := m.Spec.Template.Spec
		if pod.Token || pod.Grace <= 10 {
			t.Errorf("%s: token %t, grace %d, want none, and more than the 10 s that delivering may take", file, pod.Token, pod.Grace)
		}
		containers := slices.Concat(pod.InitContainers, pod.Containers)
		for _, c := range containers {
			if _, tag, _ := strings.Cut(path.Base(c.Image), ":"); tag == "" || tag == "latest" {
				t.Errorf("%s: image %s is not pinned", file, c.Image)
			}
			for _, mount := range c.Mounts {
				if !slices.ContainsFunc(pod.Volumes, func(v volume) bool {
					return v.Name == mount.Name && (v.ConfigMap.Name == "" || v.ConfigMap.Name == settings.Metadata.Name)
				}) {
					t.Errorf("%s: %s mounts %s, which is none", file, c.Name, mount.Name)
				}
				if _, ok := settings.Data[mount.SubPath]; mount.SubPath != "" && !ok {
					t.Errorf("%s: the ConfigMap has no %s", file, mount.SubPath)
				}
			}
		}
		own := containers[slices.IndexFunc(containers, func(c container) bool { return c.Name == "tailflux" })]
		c := kubernetesConfig(t, settings.Data["tailflux.yaml"])
		mounted := func(file string, readOnly bool) {
			t.Helper()
			for _, mount := range own.Mounts {
				if file == mount.MountPath || strings.HasPrefix(file, mount.MountPath+"/") {
					if mount.ReadOnly != readOnly {
						t.Errorf("%s can be written to: %t, want %t", file, !mount.ReadOnly, !readOnly)
					}
					return
				}
			}
			t.Errorf("%s is on no volume", file)
		}
		mounted(config.DefaultFile, true)
		mounted(c.Sources[0].Path, true)
		mounted(c.StateDir, false)
		if c.HTTP.TokenFile != "" {
			mounted(c.HTTP.TokenFile, true)
		}
		if limit, err := units.RAMInBytes(own.Resources.Limits["memory"] + "B"); err != nil || limit != 2*c.MemoryLimitBytes {
			t.Errorf("%s: memory %d (%v), want twice memory_limit", file, limit, err)
		}
		if s := own.Security; s.Escalation || !s.ReadOnly || !slices.Equal(s.Capabilities.Drop, []string{"ALL"}) || s.Seccomp.Type != "RuntimeDefault" {
			t.Errorf("%s: %+v is more than it needs", file, s)
		}
		if env := own.Env; len(env) != 1 || env[0].Name != "TAILFLUX_HOST" {
			t.Errorf("%s: %+v: pods with one host and source would overwrite each other's points", file, env)
		}
		host, port, _ := net.SplitHostPort(c.Listen)
		switch p := own.Liveness; {
		case p.HTTPGet.Path != "":
			if host != "0.0.0.0" || c.HTTP.TokenFile == "" || p.HTTPGet.Path != "/healthz" || own.Readiness.HTTPGet.Path != "/readyz" {
				t.Errorf("%s: kubelet asks %s %+v, %+v", file, c.Listen, p, own.Readiness)
			}
			if len(own.Ports) != 1 || fmt.Sprint(own.Ports[0].ContainerPort) != port || p.HTTPGet.Port != own.Ports[0].Name || own.Readiness.HTTPGet.Port != own.Ports[0].Name {
				t.Errorf("%s: ports %+v, listen %s", file, own.Ports, c.Listen)
			}
		case !slices.Equal(p.Exec.Command, []string{program, "healthcheck"}) || host != "127.0.0.1":
			t.Errorf("%s: kubelet runs %q for %s", file, p.Exec.Command, c.Listen)
		}
	}
}

// The nginx of sidecar.yaml writes what its tailflux reads.
func TestDeployKubernetesSidecar(t *testing.T) {
	all := manifests(t, "deploy/kubernetes/sidecar.yaml")
	data := all["ConfigMap"].Data
	c := kubernetesConfig(t, data["tailflux.yaml"])
	source, conf := c.Sources[0], data["default.conf"]
	if log := capture(t, `access_log (\S+) timed;`, conf); log != source.Path || path.Dir(log) == "/var/log/nginx" {
		t.Errorf("nginx writes %s, tailflux reads %s", log, source.Path)
	}
	compose := readFile(t, "deploy/nginx/nginx.conf")
	want := strings.Join(strings.FieldsFunc(capture(t, `log_format timed '([^;]+)';`, compose), func(r rune) bool { return r == '\'' || r == '\n' }), "")
	got := capture(t, `log_format timed '([^;]+)';`, conf)
	if strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") {
		t.Errorf("log_format timed is\n%s, want\n%s", got, want)
	}
	pod := all["Deployment"].Spec.Template.Spec
	if sidecar := pod.InitContainers[0]; sidecar.RestartPolicy != "Always" || !sidecar.Security.NonRoot {
		t.Errorf("tailflux ends before nginx, or is root: %+v", sidecar)
	}
	if user := capture(t, `(?m)^USER (\d+):`, readFile(t, "deploy/Dockerfile")); fmt.Sprint(pod.InitContainers[0].Security.User) != user {
		t.Errorf("the image has a state directory of user %s", user)
	}
}

// The DaemonSet's configuration, on a node: kubelet's files, rotated as kubelet does
// while tailflux is stopped; another container's beside them.
func TestDeployKubernetesLogs(t *testing.T) {
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	all := manifests(t, "deploy/kubernetes/daemonset.yaml")
	token := b.write("token", "s3cret\n")
	text := all["ConfigMap"].Data["tailflux.yaml"]
	for _, move := range [][2]string{{"/var/log/pods", b.path("pods")}, {"/etc/tailflux-secret/http-token", token}} {
		if !strings.Contains(text, move[0]) {
			t.Fatalf("no %s in\n%s", move[0], text)
		}
		text = strings.ReplaceAll(text, move[0], move[1])
	}
	file := b.write("tailflux.yaml", text)
	pod := "pods/ingress-nginx_ingress-nginx-controller-7d9c_0b5f2c3e-1111-2222-3333-444455556666"
	for _, dir := range []string{pod + "/controller", "pods/shop_web-1_77777777-1111-2222-3333-444455556666/web"} {
		if err := os.MkdirAll(b.path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	requests := func(n int) string {
		var lines bytes.Buffer
		for i := range n {
			fmt.Fprintf(&lines, "2026-11-28T10:00:00.%09dZ stdout F 192.0.2.7 - - [28/Nov/2026:10:00:00 +0000] \"GET /a HTTP/1.1\" 200 612 \"-\" \"curl/8\" 80 0.004 [shop-web-80] [] 10.0.0.9:8080 612 0.004 200 3f2a\n", i)
			fmt.Fprintf(&lines, "2026-11-28T10:00:00.%09dZ stderr F 2026/11/28 10:00:00 [warn] 31#31: *5 a client request body is buffered\n", i)
		}
		return lines.String()
	}
	log := pod + "/controller/0.log"
	b.write("pods/shop_web-1_77777777-1111-2222-3333-444455556666/web/0.log", requests(9))
	b.write(log, requests(10))
	b.once("--config", file)
	if n := b.points(""); n != 10 {
		t.Fatalf("%d points, want 10", n)
	}
	b.write(log, requests(20))
	if err := os.Rename(b.path(log), b.path(log)+".20261128-100001"); err != nil {
		t.Fatal(err)
	}
	b.write(log, requests(30))
	b.write(pod+"/controller/1.log", requests(5)) // the container was restarted
	b.once("--config", file)
	if n := b.points(""); n != 65 {
		t.Errorf("%d points, want 65", n)
	}
}
