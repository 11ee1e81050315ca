package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
	"github.com/tailflux/tailflux/internal/verify"
)

// installation is a log directory, a state directory and an influxd.
type installation struct {
	t        *testing.T
	db       *influxdtest.Server
	log      string
	state    string
	settings []string
	running  *tailfluxtest.Daemon // the last one that daemon started
}

func newInstallation(t *testing.T, settings ...string) *installation {
	t.Helper()
	return &installation{
		t: t, db: influxdtest.New(t, influxdtest.Options{}), state: t.TempDir(),
		log: filepath.Join(t.TempDir(), "access.log"), settings: settings,
	}
}

// run runs a command and returns its exit code and what it printed.
func (in *installation) run(command string, args ...string) (code int, out string) {
	in.t.Helper()
	all := append([]string{
		command, "--path", in.log, "--name", "web", "--format", "combined", "--host", "h",
		"--influxdb-url", in.db.URL(), "--state-dir", in.state, "--listen", "",
	}, in.settings...)
	var stdout, stderr bytes.Buffer
	code = execute(append(all, args...), &stdout, &stderr)
	if in.t.Failed() {
		in.t.Logf("%s: exit code %d, %s%s", command, code, &stdout, &stderr)
	}
	return code, stdout.String() + stderr.String()
}

func (in *installation) deliver() {
	in.t.Helper()
	if code, out := in.run("run", "--once"); code != 0 {
		in.t.Fatalf("run --once: exit code %d:\n%s", code, out)
	}
}

func (in *installation) points() int64 {
	in.t.Helper()
	n, err := in.db.Count(in.t.Context(), "nginx", "nginx_access", "")
	if err != nil && !strings.Contains(err.Error(), "database not found") {
		in.t.Fatal(err)
	}
	return n
}

var start = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

// lines are n lines, a second each, from a second on.
func lines(from, n int) string {
	var b strings.Builder
	for i := range n {
		at := start.Add(time.Duration(from+i) * time.Second)
		fmt.Fprintf(&b, "192.0.2.1 - - [%s] \"GET /%c HTTP/1.1\" 200 %d \"-\" \"curl/8.5.0\"\n", at.Format("02/Jan/2006:15:04:05 -0700"), 'a'+i%4, 100+i)
	}
	return b.String()
}

func (in *installation) write(text string) {
	in.t.Helper()
	f, err := os.OpenFile(in.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		in.t.Fatal(err)
	}
}

func (in *installation) shell(script string) {
	in.t.Helper()
	cmd := exec.CommandContext(in.t.Context(), "sh", "-ec", script)
	cmd.Dir = filepath.Dir(in.log)
	if out, err := cmd.CombinedOutput(); err != nil {
		in.t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

func (in *installation) verify(args ...string) (code int, v verify.Verdict) {
	in.t.Helper()
	code, out := in.run("verify", append([]string{"--json"}, args...)...)
	first, _, _ := strings.Cut(out, "\n")
	if err := json.Unmarshal([]byte(first), &v); err != nil {
		in.t.Fatalf("%v in %s", err, out)
	}
	return code, v
}

func TestVerify(t *testing.T) {
	in := newInstallation(t)
	in.write(lines(0, 100) + "junk\n\n")
	in.deliver()
	in.shell("mv access.log access.log.1")
	in.write(lines(100, 50))
	in.deliver()
	in.shell("gzip access.log.1")

	code, v := in.verify(in.log + ".1.gz")
	if code != 0 || v.Generation != 1 || v.Approximate || v.Lines != 102 || v.Rejected != 2 || v.Expected != 100 || v.Found != 100 || v.Missing != 0 {
		t.Errorf("exit code %d, %+v", code, v)
	}
	code, v = in.verify(in.log)
	if code != 0 || v.Generation != 2 || v.Lines != 50 || v.Expected != 50 || v.Found != 50 {
		t.Errorf("exit code %d, %+v", code, v)
	}

	t.Run("a point was deleted", func(t *testing.T) {
		at := start.Add(31*time.Second).UnixNano() + 32 // the line's number
		if _, err := in.db.Query(t.Context(), "nginx", fmt.Sprintf("DELETE FROM nginx_access WHERE time = %d", at)); err != nil {
			t.Fatal(err)
		}
		if n := in.points(); n != 149 {
			t.Fatalf("%d points, want 149: none was deleted", n)
		}
		code, v := in.verify(in.log + ".1.gz")
		if code != 1 || v.Missing != 1 || len(v.Minutes) != 1 || !v.Minutes[0].Time.Equal(start) {
			t.Errorf("exit code %d, %+v", code, v)
		}
		code, out := in.run("verify", in.log+".1.gz")
		if code != 1 || !strings.Contains(out, "2026-11-20T10:00Z  59 of 60 points") {
			t.Errorf("exit code %d:\n%s", code, out)
		}
	})
	t.Run("one of two files has another format", func(t *testing.T) {
		in.shell("echo junk >other.log")
		other := filepath.Join(filepath.Dir(in.log), "other.log")
		want := "verify: in 1 of 2 files no line matches the format: try tailflux explain --file " + other + "\n"
		if code, out := in.run("verify", "--source", "web", in.log, other); code != 1 || !strings.HasSuffix(out, want) {
			t.Errorf("exit code %d:\n%s, want at its end %s", code, out, want)
		}
	})
	t.Run("nothing is known of the file", func(t *testing.T) {
		in := *in
		in.t, in.state = t, t.TempDir()
		code, v := in.verify(in.log)
		if code != 0 || !v.Approximate || v.Expected != 50 || v.Found != 50 {
			t.Errorf("exit code %d, %+v", code, v)
		}
		code, v = in.verify(in.log + ".1.gz")
		if code != 1 || !v.Approximate || v.Expected != 100 || v.Missing != 1 {
			t.Errorf("exit code %d, %+v", code, v)
		}
	})
}

// 1 is for points that are missing, and 2 if nobody knows.
func TestVerifyComparesNothing(t *testing.T) {
	in := newInstallation(t)
	in.write(lines(0, 10))
	in.deliver()
	none := in.log + ".none"
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no file", []string{none}, 2, "tailflux: nothing could be compared: verify: "},
		{"one of two files", []string{none, in.log}, 1, none},
		{"InfluxDB is away", []string{"--influxdb-url", "http://127.0.0.1:1", in.log}, 2, "tailflux: nothing could be compared: verify " + in.log},
		{"no such database", []string{"--influxdb-database", "other", in.log}, 2, "tailflux: nothing could be compared: verify " + in.log},
		{"all is well", []string{in.log}, 0, "missing"},
	} {
		if code, out := in.run("verify", tt.args...); code != tt.code || !strings.Contains(out, tt.want) {
			t.Errorf("%s: exit code %d, want %d and %q in\n%s", tt.name, code, tt.code, tt.want, out)
		}
	}
}

// Lines that are not delivered yet tell of a wrong format, too.
func TestVerifyOfWhatIsNotDelivered(t *testing.T) {
	in := newInstallation(t, "--start", "end")
	in.write(lines(0, 5))
	stop := in.daemon()
	stop()
	for _, tt := range []struct {
		text   string // that is written
		format string
		code   int
	}{
		{"192.0.2.1 - - [20/No", "combined", 0},
		{"v/2026:10:00:00 +0000] junk\n", "combined", 1},
		{lines(5, 5), "combined", 0},
		{"", "timed", 1},
	} {
		in.write(tt.text)
		code, out := in.run("verify", "--format", tt.format, in.log)
		if code != tt.code || tt.code == 1 && !strings.Contains(out, "no line matches the format") {
			t.Errorf("%q of %s: exit code %d, want %d:\n%s", tt.text, tt.format, code, tt.code, out)
		}
	}
}

// A log that had lines at the very first start, of which none was read.
func TestVerifyFromTheEndOn(t *testing.T) {
	in := newInstallation(t, "--start", "end")
	in.write(lines(0, 30))
	stop := in.daemon()
	in.write(lines(30, 20))
	in.wait(20)
	stop()
	in.write(lines(50, 5))
	code, v := in.verify(in.log)
	if code != 0 || v.Lines != 55 || v.Earlier != 30 || v.Pending != 5 || v.Expected != 20 || v.Found != 20 {
		t.Errorf("exit code %d, %+v", code, v)
	}
}

// start starts a command of tailflux, which is this program, as a process.
func (in *installation) start(command string, args ...string) *tailfluxtest.Daemon {
	in.t.Helper()
	in.t.Setenv(isTailflux, "1")
	d, err := tailfluxtest.Start(tailfluxtest.Options{
		Binary: os.Args[0], URL: in.db.URL(), State: in.state, Output: filepath.Join(in.t.TempDir(), "output"), Command: command,
		Args: slices.Concat(
			[]string{"--path", in.log, "--name", "web", "--format", "combined", "--host", "h", "--influxdb-flush-interval", "100ms"},
			in.settings, args),
	})
	if err != nil {
		in.t.Fatal(err)
	}
	in.t.Cleanup(d.Kill)
	return d
}

// daemon starts tailflux and waits until it reads. The returned function stops it.
func (in *installation) daemon() (stop func()) {
	in.t.Helper()
	d := in.start("run")
	in.running = d
	in.until(func(r tailfluxtest.Report) bool { return len(r.Sources) == 1 && r.Sources[0].Offset > 0 })
	return func() {
		in.t.Helper()
		if err := d.Stop(); err != nil {
			in.t.Fatal(err)
		}
	}
}

// until waits until /monitor of the running tailflux is as wanted.
func (in *installation) until(wanted func(tailfluxtest.Report) bool) {
	in.t.Helper()
	if _, err := in.running.WaitFor(time.Minute, wanted); err != nil {
		in.t.Fatal(err)
	}
}

const isTailflux = "IS_TAILFLUX"

func TestMain(m *testing.M) {
	if os.Getenv(isTailflux) != "" {
		os.Unsetenv(isTailflux)
		main()
	}
	if os.Getenv(topPanics) != "" {
		panicInTop()
	}
	unitDirs = nil // tests are not about the services of this machine
	os.Exit(m.Run())
}
