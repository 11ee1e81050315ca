package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/tailflux/tailflux/internal/config"
)

// layers is what Load is called with.
type layers struct {
	file  string // contents of t.yaml; none when empty
	flags []string
	env   map[string]string
	check func(*config.Config, config.Source) error
	files func(*config.Config) error

	noSource bool // is no mistake
}

// load returns the configuration, and the error with the file called t.yaml.
func (l layers) load(t *testing.T) (*config.Config, string) {
	t.Helper()
	c, _, err := l.loadBoth(t)
	return c, err
}

func (l layers) loadBoth(t *testing.T) (c *config.Config, described config.Source, message string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "t.yaml")
	if err := os.WriteFile(name, []byte(l.file), 0o600); err != nil {
		t.Fatal(err)
	}
	flags := pflag.NewFlagSet("tailflux", pflag.ContinueOnError)
	config.Flags(flags)
	if err := flags.Parse(l.flags); err != nil {
		t.Fatal(err)
	}
	env := func(name string) (string, bool) {
		text, ok := l.env[name]
		return text, ok
	}
	c, described, err := config.Load(config.Options{File: name, Flags: flags, Env: env, Check: l.check, NeedSource: !l.noSource, Files: l.files})
	if err != nil {
		return nil, described, strings.ReplaceAll(err.Error(), name, "t.yaml")
	}
	return c, described, ""
}

func (l layers) mustLoad(t *testing.T) *config.Config {
	t.Helper()
	c, err := l.load(t)
	if err != "" {
		t.Fatalf("Load(%+v):\n%s", l, err)
	}
	return c
}

func TestOnlyAPath(t *testing.T) {
	want := config.Default()
	want.Sources = []config.Source{{Name: "access.log", Path: "/var/log/nginx/access.log", Format: "auto", Start: "end"}}
	for _, l := range []layers{
		{file: "sources:\n  - path: /var/log/nginx/access.log\n"},
		{file: "sources: [{path: /var/log//nginx/access.log}]"},
		{file: "\ufeff# comment\r\nsources:\r\n- path: \"/var/log/nginx/access.log\" # comment\r\n"},
		{file: "%YAML 1.2\n---\nsources:\n  - path: >\n      /var/log/nginx/access.log\ninfluxdb:\n...\n---\n"},
		{flags: []string{"--path", "/var/log/nginx/access.log"}},
		{env: map[string]string{"TAILFLUX_PATH": "/var/log/nginx/access.log"}},
	} {
		if diff := cmp.Diff(&want, l.mustLoad(t)); diff != "" {
			t.Errorf("Load(%+v): (-want +got)\n%s", l, diff)
		}
	}
}

func TestPrecedence(t *testing.T) {
	const file = `
sources:
  - {name: one, path: /one.log, regexp: '(?P<time_iso8601>\S+)', start: beginning}
  - {name: two, path: /two.log, format: timed}
influxdb: {batch_points: 2}
tags: [scheme]
wakeups: false
`
	two := []config.Source{
		{Name: "one", Path: "/one.log", Regexp: `(?P<time_iso8601>\S+)`, Start: "beginning"},
		{Name: "two", Path: "/two.log", Format: "timed", Start: "end"},
	}
	type outcome struct {
		Sources     []config.Source
		BatchPoints int
		Tags        []string
		Wakeups     bool
	}
	for _, tt := range []struct {
		name string
		give layers
		want outcome
	}{
		{
			"file over default",
			layers{file: file},
			outcome{two, 2, []string{"scheme"}, false},
		},
		{
			"variable over file",
			layers{file: file, env: map[string]string{
				"TAILFLUX_INFLUXDB_BATCH_POINTS": "3", "TAILFLUX_TAGS": "status, path", "TAILFLUX_WAKEUPS": "true",
			}},
			outcome{two, 3, []string{"status", "path"}, true},
		},
		{
			"flag over variable",
			layers{
				file: file, env: map[string]string{
					"TAILFLUX_INFLUXDB_BATCH_POINTS": "3", "TAILFLUX_TAGS": "status,path",
				},
				flags: []string{"--influxdb-batch-points=4", "--tags", "", "--wakeups"},
			},
			outcome{two, 4, []string{}, true},
		},
		{
			"one source replaces those of the file",
			layers{
				file:  file,
				flags: []string{"--path=logs/../three.log"},
			},
			outcome{[]config.Source{{Name: "three.log", Path: "three.log", Format: "auto", Start: "end"}}, 2, []string{"scheme"}, false},
		},
		{
			"one source out of flags and variables",
			layers{
				file:  file,
				env:   map[string]string{"TAILFLUX_PATH": "/three.log", "TAILFLUX_NAME": "three", "TAILFLUX_START": "beginning"},
				flags: []string{"--path=/four.log", "--regexp=(?P<msec>.*)"},
			},
			outcome{[]config.Source{{Name: "three", Path: "/four.log", Regexp: "(?P<msec>.*)", Start: "beginning"}}, 2, []string{"scheme"}, false},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := tt.give.mustLoad(t)
			got := outcome{c.Sources, c.InfluxDB.BatchPoints, c.Tags, c.Wakeups}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Load: (-want +got)\n%s", diff)
			}
		})
	}
}

// Without the need for a source, what flags and variables say of one is apart
// from those of the file.
func TestDescribedSource(t *testing.T) {
	const file = "sources:\n- {name: one, path: /one.log, format: timed}\n"
	one := []config.Source{{Name: "one", Path: "/one.log", Format: "timed", Start: "end"}}
	for _, tt := range []struct {
		name      string
		give      layers
		sources   []config.Source
		described config.Source
	}{
		{"nothing", layers{}, nil, config.Source{}},
		{"the file alone", layers{file: file}, one, config.Source{}},
		{
			"a name and a start are no other log",
			layers{file: file, flags: []string{"--name=two"}, env: map[string]string{"TAILFLUX_START": "beginning"}},
			one,
			config.Source{Name: "two", Start: "beginning"},
		},
		{"a path is", layers{file: file, flags: []string{"--path=logs/../two.log"}}, nil, config.Source{Path: "two.log"}},
		{"so is a format", layers{file: file, env: map[string]string{"TAILFLUX_FORMAT": "combined"}}, nil, config.Source{Format: "combined"}},
		{"and a regexp", layers{flags: []string{"--regexp=(?P<msec>.*)", "--name=x"}}, nil, config.Source{Name: "x", Regexp: "(?P<msec>.*)"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.give.noSource = true
			c, described, err := tt.give.loadBoth(t)
			if err != "" {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.sources, c.Sources); diff != "" {
				t.Errorf("Load: sources (-want +got)\n%s", diff)
			}
			if described != tt.described {
				t.Errorf("Load: described %+v, want %+v", described, tt.described)
			}
		})
	}
	both := layers{noSource: true, flags: []string{"--format=timed", "--regexp=(?P<msec>.*)"}}
	if _, err := both.load(t); !strings.Contains(err, "want one of the two") {
		t.Errorf("Load of a format and a regexp: %q", err)
	}
}

// samples has a value of its own for every key, as a flag takes it.
var samples = map[string]string{
	"name": "shop", "path": "/srv/*/access.log", "format": "timed", "regexp": `^(?P<msec>\S+) "x: #y'z"$`, "start": "beginning",
	"influxdb.url": "https://[::1]:443/influx", "influxdb.database": "0815", "influxdb.retention_policy": "two weeks",
	"influxdb.username": "null", "influxdb.password_file": "/run/secrets/influxdb", "influxdb.batch_points": "100000",
	"influxdb.token_file": "/run/secrets/token", "influxdb.ca_file": "/etc/ssl/ca.pem", "influxdb.insecure_skip_verify": "true",
	"influxdb.client_cert_file": "/etc/ssl/client.pem", "influxdb.client_key_file": "/etc/ssl/client.key", "influxdb.headers": "X-Scope-Orgid: web,X-A: b:c",
	"influxdb.flush_interval": "1m", "influxdb.in_flight": "16", "influxdb.gzip": "true", "influxdb.timeout": "100ms", "influxdb.store_lag": "1m",
	"host": "web-1.example.com", "measurement": "requests", "tags": "vhost,status", "fields": "request_time",
	"tag_limit": "1", "rotate_wait": "1m30s", "max_line": "1025", "on_reject": "hold", "rejects_max_bytes": "1GiB", "memory_limit": "33MiB",
	"fold": "false", "fold_static": "true", "timezone": "Europe/Berlin", "mask": "remote_addr", "query": "keep", "raw": "false", "rollups": "none",
	"retention.raw": "36h", "retention.rollups": "2y", "self_metrics": "false",
	"trusted_proxies": "10.0.0.0/8,2001:db8::/32", "exclude": "*error.log,/srv/*/old.log", "wakeups": "false", "state_dir": "state", "listen": "[::1]:0",
	"http.token_file": "/run/secrets/http", "http.public": "true",
	"http.live": "false", "http.full_addresses": "true",
	"http.hosts": "logs.example.com,web-1.local",
}

// beside has the flags without which a key is refused.
var beside = map[string][]string{
	"influxdb.username": {"--influxdb-password-file=/p"}, "influxdb.password_file": {"--influxdb-username=u"},
	"influxdb.client_cert_file": {"--influxdb-client-key-file=/k"}, "influxdb.client_key_file": {"--influxdb-client-cert-file=/c"},
}

// quoted are the samples that need quotes in the file.
var quoted = map[string]string{
	"influxdb.database": `"0815"`, "influxdb.username": `'null'`, "listen": `"[::1]:0"`,
	"influxdb.url": `"https://[::1]:443/influx"`,
	"regexp":       `'^(?P<msec>\S+) "x: #y''z"$'`, "tags": "\n- vhost\n- status", "fields": "[request_time]",
	"influxdb.headers": "{X-Scope-OrgID: web, x-a: 'b:c'}",
	"exclude":          "\n- '*error.log'\n- /srv/*/old.log", "mask": "[remote_addr]", "rollups": "[]", "trusted_proxies": "[10.1.0.0/8, '2001:db8::1/32']",
	"http.hosts": "[Logs.example.com., web-1.local]",
}

// rules are the samples of the keys that only the file has.
const rules = `
paths:
  - {match: '^/p/.*', as: /p/:slug}
  - match: "it's"
    as: '*'
drop:
  - {path: /healthz, status: '200'}
  - http_user_agent: '~^kube-probe/'
  - http_user_agent: ""
rollups: [{measurement: hosts, interval: 1h, tags: [vhost]}, {interval: 2s, measurement: all, retention_policy: year}]
types: {upstream_cost: integer, lag: float}
rename: {DownstreamStatus: status, request.method: request_method, '@ts': msec}
`

func TestEveryKeyByFlagVariableAndFile(t *testing.T) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	config.Flags(flags)
	count := 0
	flags.VisitAll(func(*pflag.Flag) { count++ })
	if count != len(samples) {
		t.Errorf("there are %d flags and %d samples", count, len(samples))
	}
	standard := layers{flags: []string{"--path=/default.log"}}.mustLoad(t)
	for key, text := range samples {
		t.Run(key, func(t *testing.T) {
			flag := "--" + strings.NewReplacer(".", "-", "_", "-").Replace(key)
			variable := "TAILFLUX_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
			yaml := text
			if q, ok := quoted[key]; ok {
				yaml = q
			}
			byFlag := layers{flags: append([]string{"--path=/default.log", flag + "=" + text}, beside[key]...)}.mustLoad(t)
			byVariable := layers{flags: beside[key], env: map[string]string{"TAILFLUX_PATH": "/default.log", variable: text}}.mustLoad(t)
			file := "sources: [{path: /default.log}]\n" + strings.Replace(key, ".", ": {", 1) + ": " + yaml
			switch section, _, dotted := strings.Cut(key, "."); {
			case dotted && (section == "influxdb" || section == "http" || section == "retention"):
				file += "}\n"
			case key == "path":
				file = "sources:\n- path: " + yaml + "\n"
			case slices.Contains([]string{"name", "format", "regexp", "start"}, key):
				file = "sources:\n- path: /default.log\n  " + key + ": " + yaml + "\n"
			}
			byFile := layers{file: file, flags: beside[key]}.mustLoad(t)
			if diff := cmp.Diff(byFlag, byVariable); diff != "" {
				t.Errorf("%s and %s disagree:\n%s", flag, variable, diff)
			}
			if diff := cmp.Diff(byFlag, byFile); diff != "" {
				t.Errorf("%s and the file disagree:\n%s", flag, diff)
			}
			if cmp.Equal(byFlag, standard) {
				t.Errorf("%s=%s changed nothing", flag, text)
			}
		})
	}
}

// everything returns a configuration in which no value is the default one, but for
// influxdb.token_file, which is refused beside a user name.
func everything(t *testing.T) *config.Config {
	t.Helper()
	l := layers{file: rules}
	for key, text := range samples {
		if key != "format" && key != "rollups" && key != "influxdb.token_file" {
			l.flags = append(l.flags, "--"+strings.NewReplacer(".", "-", "_", "-").Replace(key)+"="+text)
		}
	}
	return l.mustLoad(t)
}

func TestEveryFieldHasAKey(t *testing.T) {
	all := everything(t)
	all.InfluxDB.TokenFile = samples["influxdb.token_file"] // as TestEveryKeyByFlagVariableAndFile has set it
	got, standard := reflect.ValueOf(*all), reflect.ValueOf(config.Default())
	var walk func(name string, a, b reflect.Value)
	walk = func(name string, a, b reflect.Value) {
		if a.Kind() != reflect.Struct {
			if reflect.DeepEqual(a.Interface(), b.Interface()) {
				t.Errorf("%s cannot be set by any key", name)
			}
			return
		}
		for i := range a.NumField() {
			walk(name+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))
		}
	}
	walk("Config", got, standard)
}

func TestRules(t *testing.T) {
	c := everything(t)
	paths := []config.PathRule{{Match: "^/p/.*", As: "/p/:slug"}, {Match: "it's", As: "*"}}
	if diff := cmp.Diff(paths, c.Paths); diff != "" {
		t.Errorf("paths: (-want +got)\n%s", diff)
	}
	drop := []config.DropRule{{{"path", "/healthz"}, {"status", "200"}}, {{"http_user_agent", "~^kube-probe/"}}, {{"http_user_agent", ""}}}
	if diff := cmp.Diff(drop, c.Drop); diff != "" {
		t.Errorf("drop: (-want +got)\n%s", diff)
	}
}

func TestNetworks(t *testing.T) {
	c := layers{file: one + "trusted_proxies: [10.1.2.3/8, 192.0.2.7, '2001:db8::1/32', '::1', '::ffff:192.0.2.8']\n"}.mustLoad(t)
	want := []string{"10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32", "::1/128", "192.0.2.8/32"}
	if diff := cmp.Diff(want, c.TrustedProxies); diff != "" {
		t.Errorf("trusted_proxies: (-want +got)\n%s", diff)
	}
}

func TestUnits(t *testing.T) {
	c := layers{flags: []string{"--path=x", "--max-line=64KiB", "--memory-limit=33554432", "--rotate-wait=1.5s"}}.mustLoad(t)
	if c.MaxLineBytes != 65536 || c.MemoryLimitBytes != 32<<20 || c.RotateWait != 1500*time.Millisecond {
		t.Errorf("max_line, memory_limit, rotate_wait = %d, %d, %v", c.MaxLineBytes, c.MemoryLimitBytes, c.RotateWait)
	}
}

func TestFlagsShowDefaults(t *testing.T) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	config.Flags(flags)
	usage := flags.FlagUsages()
	for _, want := range []string{
		"--influxdb-batch-points number", "(default 5000)", "(default http://127.0.0.1:8086)", "(default 64KiB)",
		"--tags list", "(default method,status,scheme,path)", "--wakeups ", "(default true)", "--influxdb-gzip ", "(default auto)",
	} {
		if !strings.Contains(usage, want) {
			t.Errorf("usage lacks %q:\n%s", want, usage)
		}
	}
	for _, name := range []string{"influxdb-password", "sources", "paths", "drop"} {
		if flags.Lookup(name) != nil {
			t.Errorf("there is a flag --%s", name)
		}
	}
}

func TestWhichFileIsRead(t *testing.T) {
	dir := t.TempDir()
	standard, other, missing := filepath.Join(dir, "standard"), filepath.Join(dir, "other"), filepath.Join(dir, "missing")
	for _, name := range []string{standard, other} {
		if err := os.WriteFile(name, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name, file, standard, want string
		err                        error
	}{
		{"named", other, standard, other, nil},
		{"not named", "", standard, standard, nil},
		{"not named and no standard one", "", missing, "", nil},
		{"named and missing", missing, standard, missing, os.ErrNotExist},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data, name, err := config.Read(tt.file, tt.standard)
			if name != tt.want || !errors.Is(err, tt.err) || err == nil && string(data) != tt.want {
				t.Errorf("read(%q, %q) = %q, %q, %v", tt.file, tt.standard, data, name, err)
			}
		})
	}
}

func TestPassword(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	for _, tt := range []struct{ contents, want, err string }{
		{"secret\n", "secret", ""},
		{"secret\r\n", "secret", ""},
		{" s\n\n", " s\n", ""},
		{"secret", "secret", ""},
		{"\n", "", "influxdb.password_file: got the empty file " + file + ", want a password in it"},
	} {
		if err := os.WriteFile(file, []byte(tt.contents), 0o600); err != nil {
			t.Fatal(err)
		}
		c := config.Config{InfluxDB: config.InfluxDB{PasswordFile: file}}
		got, err := c.Access()
		if got.Password != tt.want || message(err) != tt.err {
			t.Errorf("Access() of %q = %q, %v, want %q, %s", tt.contents, got.Password, err, tt.want, tt.err)
		}
	}
	if got, err := new(config.Config).Access(); got.Password != "" || err != nil {
		t.Errorf("Access() without a file = %q, %v", got.Password, err)
	}
	c := config.Config{InfluxDB: config.InfluxDB{PasswordFile: file + ".missing"}}
	if _, err := c.Access(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Access() with a missing file: %v", err)
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// A key that is nothing without another one is refused without it; a value of the other
// one that is refused itself is one mistake.
func TestKeysThatBelongTogether(t *testing.T) {
	for _, tt := range []struct {
		flags []string
		want  string
	}{
		{[]string{"--influxdb-username=u"}, `--influxdb-username: got "u" without influxdb.password_file, want both influxdb.username and influxdb.password_file, or none`},
		{[]string{"--influxdb-password-file=/p"}, `--influxdb-password-file: got "/p" without influxdb.username, want both influxdb.password_file and influxdb.username, or none`},
		{[]string{"--influxdb-username=u", "--influxdb-password-file="}, `--influxdb-username: got "u" without influxdb.password_file, want both influxdb.username and influxdb.password_file, or none`},
		{[]string{"--influxdb-username=a\nb", "--influxdb-password-file=/p"}, "--influxdb-username: got \"a\\nb\", want"},
		{[]string{"--influxdb-username=u", "--influxdb-password-file=/p"}, ""},
		{[]string{"--influxdb-client-cert-file=/c"}, `--influxdb-client-cert-file: got "/c" without influxdb.client_key_file, want both influxdb.client_cert_file and influxdb.client_key_file, or none`},
		{[]string{"--influxdb-client-key-file=/k"}, `--influxdb-client-key-file: got "/k" without influxdb.client_cert_file, want both`},
		{[]string{"--influxdb-client-cert-file=/c", "--influxdb-client-key-file=/k"}, ""},
		{[]string{"--influxdb-token-file=/t", "--influxdb-username=u"}, `--influxdb-token-file: got "/t" beside influxdb.username at --influxdb-username, want one of the two`},
		{[]string{"--influxdb-token-file=/t", "--influxdb-username=u", "--influxdb-password-file=/p"}, `--influxdb-token-file: got "/t" beside influxdb.username at --influxdb-username, want one of the two`},
		{[]string{"--influxdb-token-file=/t", "--influxdb-password-file=/p"}, `--influxdb-password-file: got "/p" without influxdb.username, want both`},
		{[]string{"--influxdb-token-file=/t", "--influxdb-username="}, ""},
		{[]string{"--influxdb-username=", "--influxdb-password-file="}, ""},
	} {
		_, got := layers{flags: append([]string{"--path=/x.log"}, tt.flags...)}.load(t)
		if got = strings.TrimSuffix(got, "\n"); !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" || strings.Contains(got, "\n") {
			t.Errorf("%q: %s, want %s", tt.flags, got, tt.want)
		}
	}
}

// What tailflux says of itself shares no measurement with the lines: that is for where it
// says nothing.
func TestLinesMayHaveTheMeasurementOfTailfluxThatIsNotWritten(t *testing.T) {
	c, err := layers{file: "sources: [{path: /x.log}]\nmeasurement: tailflux\nself_metrics: false\n"}.load(t)
	if err != "" || c.Measurement != "tailflux" {
		t.Errorf("it is %+v, %s", c, err)
	}
}
