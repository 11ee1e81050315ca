package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

// What comes of lines: every one a point, although all have one second and one
// series, or an entry in the reject file.
func TestOnce(t *testing.T) {
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	const n = 20_000
	log := b.write("access.log", lines(n)+"\nno log line\n"+combined(404, 7)+"half a li")
	d := b.once("--path", log, "--name", "web")
	if got := b.points(""); got != n+1 {
		t.Errorf("%d points, want %d", got, n+1)
	}
	if got := b.points("status = '404' AND source = 'web' AND path = '/a' AND method = 'GET'"); got != 1 {
		t.Errorf("%d points with the tags of the last line, want 1", got)
	}
	if got := b.sum("body_bytes_sent"); got != n+7 {
		t.Errorf("%d bytes sent, want %d", got, n+7)
	}
	entries := rejects(t, d)
	if len(entries) != 2 || entries[0].Reason != "empty" || entries[1].Reason != "no match" ||
		entries[1].Line != "no log line" || entries[1].LineNumber != n+2 || entries[1].Source != "web" {
		t.Errorf("reject file: %+v", entries)
	}
}

type reject struct {
	Time       time.Time
	Source     string
	Generation int64
	LineNumber int64 `json:"line_number"`
	Number     int64 // in the time of the point, if it is another
	Kind       string
	Rollup     string
	Reason     string
	Line       string
}

func rejects(t *testing.T, d *tailfluxtest.Daemon) (entries []reject) {
	t.Helper()
	return rejectsOf(t, d.RejectFile())
}

func rejectsOf(t *testing.T, path string) (entries []reject) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for dec := json.NewDecoder(f); ; {
		var entry reject
		if err := dec.Decode(&entry); errors.Is(err, io.EOF) {
			return entries
		} else if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, entry)
	}
}

// Lines written while tailflux runs are points soon; the ones before are not,
// and a line that comes in two halves is one.
func TestFollow(t *testing.T) {
	t.Parallel()
	db := influxdtest.New(t, influxdtest.Options{})
	for _, wakeups := range []bool{true, false} {
		t.Run(fmt.Sprintf("wakeups %v", wakeups), func(t *testing.T) {
			b := newBench(t, db)
			name := fmt.Sprintf("web-%v", wakeups)
			log := b.write("access.log", lines(10))
			d := b.start("--path", log, "--name", name, fmt.Sprintf("--wakeups=%v", wakeups), "--influxdb-flush-interval", "100ms")
			ready(t, d)
			line := combined(200, 1)
			b.write("access.log", line[:20])
			time.Sleep(300 * time.Millisecond)
			written := time.Now()
			b.write("access.log", line[20:])
			where := "source = '" + name + "'"
			for b.points(where) < 1 {
				// flush_interval + 200 ms + tick, five times
				if time.Since(written) > 5*(100+200+250)*time.Millisecond {
					t.Fatal("the line is no point yet")
				}
				time.Sleep(10 * time.Millisecond)
			}
			if err := d.Signal(syscall.SIGHUP); err != nil { // does nothing
				t.Fatal(err)
			}
			b.write("access.log", lines(500))
			b.delivered(d, 501)
			// As timeout(1) does, which signals the process and then its group.
			if err := errors.Join(d.Signal(syscall.SIGTERM), d.Stop()); err != nil {
				t.Error(err)
			}
			if got := b.points(where); got != 501 {
				t.Errorf("%d points, want 501", got)
			}
		})
	}
}

// ready waits until /readyz answers 200.
func ready(t *testing.T, d *tailfluxtest.Daemon) {
	t.Helper()
	deadline := time.Now().Add(arrival)
	for {
		status, body := get(t, d, "/readyz")
		if status == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("/readyz: %d %s", status, body)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// get asks the daemon; the status is 0 while it does not listen.
func get(t *testing.T, d *tailfluxtest.Daemon, path string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// A log that is rotated is read on, and what is still written to the old file
// too.
func TestRotation(t *testing.T) {
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	log := b.write("access.log", lines(1000))
	d := b.start("--path", log, "--start", "beginning")
	b.delivered(d, 1000)
	for i := range 5 {
		if err := os.Rename(log, b.path(fmt.Sprintf("access.log.%d", i))); err != nil {
			t.Fatal(err)
		}
		b.write("access.log", lines(100))
		b.write(fmt.Sprintf("access.log.%d", i), lines(10))
		r, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.Lines.Read >= int64(1000+110*(i+1)) })
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Sources[0].Rotations; got != int64(i+1) {
			t.Errorf("%d rotations, want %d", got, i+1)
		}
	}
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	if got := b.points(""); got != 1550 {
		t.Errorf("%d points, want 1550", got)
	}
}

// Two sources with the same lines are two series: nothing is overwritten.
func TestTwoSources(t *testing.T) {
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	b.write("a.log", lines(10_000))
	b.write("b.log", lines(10_000))
	config := b.write("tailflux.yaml", fmt.Sprintf(`
sources:
  - {name: a, path: %q}
  - {name: b, path: %q}
`, b.path("a.log"), b.path("b.log")))
	b.once("--config", config)
	if got := b.points(""); got != 20_000 {
		t.Errorf("%d points, want 20000", got)
	}
}

// At a signal with everything full, what was read is delivered at once, and
// nothing more is read.
func TestStopWithFullBacklog(t *testing.T) {
	t.Parallel()
	db := influxdtest.New(t, influxdtest.Options{})
	b := newBench(t, db)
	const n = 400_000
	log := b.write("access.log", lines(n))
	if err := db.Stop(); err != nil {
		t.Fatal(err)
	}
	d := b.start("--path", log, "--start", "beginning")
	full, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.Lines.Read > 20_000 && r.InfluxDB.Retries > 0 })
	if err != nil {
		t.Fatal(err)
	}
	if status, body := get(t, d, "/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "influxdb: ") {
		t.Errorf("/readyz: %d %s", status, body)
	}
	if err := db.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("stopping took %v", took)
	}
	points := b.points("")
	if points < full.Lines.Read {
		t.Errorf("%d lines were read, %d are points", full.Lines.Read, points)
	}
	if points == n {
		t.Error("the whole log was delivered: the backlog was not full")
	}
}

// Without InfluxDB, stopping takes ten seconds, and the exit code tells that
// something was left over.
func TestStopWithoutInfluxDB(t *testing.T) {
	t.Parallel()
	db := influxdtest.New(t, influxdtest.Options{})
	if err := db.Stop(); err != nil {
		t.Fatal(err)
	}
	t.Run("lines left over", func(t *testing.T) {
		b := newBench(t, db)
		d := b.start("--path", b.write("access.log", lines(1000)), "--start", "beginning")
		if _, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.Lines.Read == 1000 }); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := d.Stop(); err == nil || d.ExitCode() != 1 || !strings.Contains(err.Error(), "1000 lines not delivered") {
			t.Errorf("exit code %d, want 1: %v", d.ExitCode(), err)
		}
		if took := time.Since(start); took < 9*time.Second || took > 50*time.Second {
			t.Errorf("stopping took %v, want 10 s", took)
		}
	})
	t.Run("nothing left over", func(t *testing.T) {
		b := newBench(t, db)
		d := b.start("--path", b.write("access.log", ""))
		if _, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.InfluxDB.LastError != "" }); err != nil {
			t.Fatal(err)
		}
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	t.Run("second signal", func(t *testing.T) {
		b := newBench(t, db)
		d := b.start("--path", b.write("access.log", lines(1000)), "--start", "beginning")
		if _, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.Lines.Read == 1000 }); err != nil {
			t.Fatal(err)
		}
		if err := d.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond)
		start := time.Now()
		if err := d.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		if err := d.Wait(); err == nil || d.ExitCode() != 1 {
			t.Errorf("exit code %d, want 1", d.ExitCode())
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// InfluxDB comes late, goes, and comes back: nothing is lost, and one line is
// logged for each.
func TestOutage(t *testing.T) {
	t.Parallel()
	db := influxdtest.New(t, influxdtest.Options{})
	if err := db.Stop(); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, db)
	log := b.write("access.log", lines(100))
	d := b.start("--path", log, "--start", "beginning", "--influxdb-flush-interval", "50ms")
	if _, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.InfluxDB.Retries > 2 && !r.InfluxDB.Up }); err != nil {
		t.Fatal(err)
	}
	if err := db.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.delivered(d, 100)
	ready(t, d)
	db.Kill()
	b.write("access.log", lines(100))
	if _, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.InfluxDB.OutageSeconds > 0.5 }); err != nil {
		t.Fatal(err)
	}
	if err := db.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.delivered(d, 200)
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	if got := b.points(""); got != 200 {
		t.Errorf("%d points, want 200", got)
	}
	for _, message := range []string{"influxdb is not accepting writes", "influxdb is accepting writes again"} {
		if got := strings.Count(d.Log(), message); got != 2 {
			t.Errorf("%q was logged %d times, want 2", message, got)
		}
	}
}

// The file and its directory come late.
func TestMissingFile(t *testing.T) {
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	d := b.start("--path", b.path("logs/access.log"))
	if _, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.InfluxDB.Up }); err != nil {
		t.Fatal(err)
	}
	if status, body := get(t, d, "/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "source access.log: ") {
		t.Errorf("/readyz: %d %s", status, body)
	}
	if status, _ := get(t, d, "/healthz"); status != http.StatusOK {
		t.Errorf("/healthz: %d", status)
	}
	if err := os.Mkdir(b.path("logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	b.write("logs/access.log", lines(10))
	b.delivered(d, 10)
	ready(t, d)
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, tt := range []struct {
		name string
		args []string
		code int
		says string // on standard output or error
	}{
		{"version", []string{"version"}, 0, "tailflux "},
		{"help", []string{"--help"}, 0, "--influxdb-url"},
		{"help of a command", []string{"run", "--help"}, 0, "--once"},
		{"check", []string{"check", "--path", "/x/access.log", "--influxdb-url", "http://127.0.0.1:9"}, 1, "/x/access.log is not there"},
		{"check, printed", []string{"check", "--print", "--path", "/x/access.log"}, 0, "path: /x/access.log"},
		{"unknown flag", []string{"run", "--nonsense"}, 2, "--nonsense"},
		{"unknown command", []string{"fly"}, 2, "fly"},
		{"help of an unknown command", []string{"help", "fly"}, 2, "fly"},
		{"completion of an unknown shell", []string{"completion", "fly"}, 2, "bash, fish"},
		{"completion with more", []string{"completion", "bash", "x"}, 2, `"x"`},
		{"password file, checked", []string{"check", "--path", "/x", "--influxdb-password-file", dir + "/none"}, 2, "password_file"},
		{"bad listen address", []string{"run", "--path", "/x", "--listen", "256.0.0.1:1"}, 2, "--listen: got"},
		{"an address for everybody", []string{"run", "--path", "/x", "--state-dir", dir, "--listen", "0.0.0.0:0"}, 2, "http.token_file"},
		{"a token file that is not there", []string{"run", "--path", "/x", "--state-dir", dir, "--listen", ":0", "--http-token-file", dir + "/none"}, 2, "none"},
		{"an address of another machine", []string{"run", "--path", "/x", "--state-dir", dir, "--listen", "192.0.2.1:1", "--http-public"}, 1, "address of this machine"},
		{"no source", []string{"run"}, 2, "path"},
		{"bad value", []string{"run", "--path", "/x", "--influxdb-batch-points", "no"}, 2, "--influxdb-batch-points"},
		{"bad format", []string{"run", "--path", "/x", "--format", "$time_local $status$"}, 2, "--format"},
		{"format without a time", []string{"check", "--path", "/x", "--format", "$status $request"}, 2, "$time_local"},
		{"missing config", []string{"run", "--config", dir + "/none.yaml"}, 2, "none.yaml"},
		{"a directory for a log", []string{"run", "--path", dir, "--state-dir", dir, "--listen", ""}, 2, "is a directory"},
		{"no match, once", []string{"run", "--once", "--path", dir + "/*.log", "--state-dir", dir, "--listen", ""}, 1, "no file matches"},
		{"missing file, once", []string{"run", "--once", "--path", dir + "/none.log", "--state-dir", dir, "--listen", ""}, 1, "none.log"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), arrival)
			defer cancel()
			cmd := exec.CommandContext(ctx, binary, tt.args...)
			output, _ := cmd.CombinedOutput()
			if got := cmd.ProcessState.ExitCode(); got != tt.code || !strings.Contains(string(output), tt.says) {
				t.Errorf("tailflux %q: exit code %d, want %d, and %q in\n%s", tt.args, got, tt.code, tt.says, output)
			}
		})
	}
}

// A log keeps its place when its source gets another name, or becomes a file of a
// glob; what both a source and a glob name is read once.
func TestSourceIsRenamed(t *testing.T) {
	t.Parallel()
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	log := b.write("access.log", lines(100))
	want := int64(0)
	for i, args := range [][]string{
		{"--path", log, "--name", "one", "--start", "beginning"},
		{"--path", log, "--name", "two"},
		{"--path", b.path("acc*.log"), "--name", "all"},
		{"--config", b.write("tailflux.yaml", "sources:\n- {path: "+log+", name: web, format: combined}\n- {path: '"+b.path("acc*.log")+"', name: all, format: combined}\n")},
	} {
		want += 100
		if i > 0 {
			b.write("access.log", lines(100))
		}
		d := b.start(args...)
		b.delivered(d, 100)
		time.Sleep(1500 * time.Millisecond) // files are looked for again
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
		if got := b.points(""); got != want {
			t.Errorf("%q: %d points, want %d", args, got, want)
		}
	}
}
