package doctor_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/doctor"
	"github.com/tailflux/tailflux/internal/influx"
)

// A clinic is a machine that is well: a log of the format, which a rule of logrotate
// rotates rightly, a state directory and an InfluxDB; the daemon's user is nobody, where
// that can be.
type clinic struct {
	t            *testing.T
	dir          string
	log, state   string
	conf, rotate string
	answers      map[string]string // by how a query begins
	writes       func(http.ResponseWriter)
	opts         doctor.Options
}

// nginx is a rule that is right, but for what is replaced in it.
const nginx = `LOGS/*.log {
	daily
	rotate 14
	compress
	delaycompress
	create 0640 root nogroup
	postrotate
		nginx -s reopen
	endscript
}
`

func newClinic(t *testing.T) *clinic {
	t.Helper()
	dir := t.TempDir()
	c := &clinic{
		t: t, dir: dir, log: filepath.Join(dir, "logs", "access.log"), state: filepath.Join(dir, "state"), conf: filepath.Join(dir, "tailflux.yaml"),
		rotate: nginx, answers: map[string]string{
			"SHOW RETENTION": `{"results":[{"series":[{"columns":["name","duration","default"],"values":[["autogen","0s",true]]}]}]}`,
		},
	}
	c.opts.User = doctor.Self()
	c.opts.Nginx = filepath.Join(dir, "nginx.conf")
	if os.Geteuid() == 0 {
		nobody, err := doctor.Lookup("nobody")
		if err != nil {
			t.Fatal(err)
		}
		nobody.Why = "--user"
		c.opts.User = nobody
	}
	for at := dir; at != os.TempDir() && at != "/"; at = filepath.Dir(at) {
		c.must(os.Chmod(at, 0o755))
	}
	c.must(os.Mkdir(filepath.Dir(c.log), 0o755))
	c.must(os.Mkdir(c.state, 0o750))
	c.own(c.state)
	c.write(c.log, lines(1000, time.Now(), time.Second))
	c.write(c.conf, "# as in Config\n")
	conf := config.Default()
	conf.Sources = []config.Source{{Name: "web", Path: c.log, Format: "combined", Start: "end"}}
	conf.StateDir, conf.Listen = c.state, "127.0.0.1:0"
	server := httptest.NewServer(http.HandlerFunc(c.serve))
	t.Cleanup(server.Close)
	conf.InfluxDB.URL = server.URL
	c.opts.Config, c.opts.File = &conf, c.conf
	return c
}

func (c *clinic) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *clinic) own(path string) {
	c.t.Helper()
	if os.Geteuid() == 0 {
		c.must(os.Chown(path, c.opts.User.UID, c.opts.User.GID))
	}
}

func (c *clinic) write(path, text string) {
	c.t.Helper()
	c.must(os.WriteFile(path, []byte(text), 0o644))
	c.must(os.Chmod(path, 0o644))
}

// serve is an InfluxDB that is well.
func (c *clinic) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Influxdb-Version", "1.8.10")
	switch {
	case r.URL.Path == "/write" && c.writes != nil:
		c.writes(w)
	case r.URL.Path != "/query":
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Content-Type", "application/json")
		for begin, answer := range c.answers {
			if strings.HasPrefix(r.FormValue("q"), begin) {
				_, _ = io.WriteString(w, answer)
				return
			}
		}
		_, _ = io.WriteString(w, `{"results":[{"statement_id":0}]}`)
	}
}

// run looks, and returns all findings.
func (c *clinic) run() []doctor.Finding {
	c.t.Helper()
	conf := filepath.Join(c.dir, "logrotate.conf")
	if c.opts.Logrotate == "" {
		c.write(conf, strings.ReplaceAll(c.rotate, "LOGS", filepath.Dir(c.log)))
		c.opts.Logrotate = conf
	}
	access, err := c.opts.Config.Access()
	c.must(err)
	db := c.opts.Config.InfluxDB
	c.opts.Store, err = influx.New(influx.Config{
		URL: db.URL, Database: db.Database, RetentionPolicy: db.RetentionPolicy, Username: db.Username, Password: access.Password,
		Timeout: 2 * time.Second, InFlight: 1, Log: slog.New(slog.DiscardHandler),
		Keep: influx.Keep{Raw: c.opts.Config.Retention.Raw, Rollups: c.opts.Config.Retention.Rollups, RollupsPolicy: c.opts.Config.RollupsPolicy()},
	})
	c.must(err)
	defer c.opts.Store.Close()
	all := doctor.Run(c.t.Context(), c.opts)
	for _, f := range all {
		provoked[f.Verdict.String()+" "+f.Check] = true
	}
	return all
}

// provoked has the verdict and the check of each finding that some test has seen.
var provoked = map[string]bool{}

// A want is a finding: its verdict and check, and what is in its reason and remedy.
type want struct{ finding, reason, remedy string }

// finds runs, and compares all that is not fine.
func (c *clinic) finds(wants ...want) {
	c.t.Helper()
	all := c.run()
	var got, wanted []string
	for _, f := range all {
		if f.Verdict != doctor.OK {
			got = append(got, f.Verdict.String()+" "+f.Check)
		}
	}
	for _, w := range wants {
		wanted = append(wanted, w.finding)
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		c.t.Errorf("findings (-want +got):\n%s%s", diff, text(all))
		return
	}
	for i, f := range notFine(all) {
		for _, in := range []struct{ want, got string }{{wants[i].reason, f.Reason}, {wants[i].remedy, f.Remedy}} {
			if in.want = c.real(in.want); !strings.Contains(in.got, in.want) {
				c.t.Errorf("%s: %q, want %q in it", wants[i].finding, in.got, in.want)
			}
		}
	}
}

// real replaces the places in a text.
func (c *clinic) real(text string) string {
	return strings.NewReplacer("LOG", c.log, "STATE", c.state, "DIR", c.dir, "USER", c.opts.User.Name, "URL", c.opts.Config.InfluxDB.URL).Replace(text)
}

func notFine(all []doctor.Finding) (some []doctor.Finding) {
	for _, f := range all {
		if f.Verdict != doctor.OK {
			some = append(some, f)
		}
	}
	return some
}

func text(all []doctor.Finding) string {
	var b strings.Builder
	p := doctor.Printer{W: &b}
	for _, f := range all {
		p.Print(f)
	}
	p.End(all)
	return b.String()
}

// lines are lines of combined, the last of which is of some time.
func lines(n int, last time.Time, every time.Duration) string {
	var b strings.Builder
	for i := range n {
		at := last.Add(-every * time.Duration(n-1-i))
		fmt.Fprintf(&b, "192.0.2.7 - - [%s] \"GET /p/page%c HTTP/1.1\" 200 %d \"-\" \"-\"\n", at.UTC().Format("02/Jan/2006:15:04:05 -0700"), 'a'+rune(i%5), 100+i)
	}
	return b.String()
}

// front passes on to a server, and changes what it answers.
func front(t *testing.T, target string, change func(*http.Response)) string {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ModifyResponse = func(r *http.Response) error {
		change(r)
		return nil
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}

func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("root only")
	}
}
