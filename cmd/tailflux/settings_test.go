package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

// What points look like is changed: after a clean stop nobody need know, after a
// crash the operator is told which keys.
func TestConfigurationIsChangedAfterACrash(t *testing.T) {
	const warning = "configuration changed after an unclean shutdown"
	in := newInstallation(t)
	in.write(lines(0, 30))
	changed := func(settings ...string) string {
		in.settings = settings
		code, out := in.run("run", "--once")
		if code != 0 {
			t.Errorf("exit code %d:\n%s", code, out)
		}
		return out
	}
	crash := func() {
		d := in.start("run")
		for written := in.points(); in.points() == written; time.Sleep(10 * time.Millisecond) {
			in.write(lines(30, 10))
		}
		d.Kill()
	}
	if out := changed(); strings.Contains(out, warning) {
		t.Errorf("the first run warned:\n%s", out)
	}
	if out := changed("--measurement", "other"); strings.Contains(out, warning) {
		t.Errorf("it warned after a clean stop:\n%s", out)
	}
	in.settings = nil
	crash()
	if out := changed(); strings.Contains(out, warning) {
		t.Errorf("it warned although nothing was changed:\n%s", out)
	}
	crash()
	if code, out := in.run("import", in.log); code != 0 {
		t.Fatalf("import: exit code %d:\n%s", code, out)
	}
	out := changed("--fold=false", "--tags", "method")
	if !strings.Contains(out, warning) || !strings.Contains(out, `"keys":["fold","tags"]`) {
		t.Errorf("it said\n%s", out)
	}
	if out := changed(); strings.Contains(out, warning) {
		t.Errorf("it warned once more:\n%s", out)
	}
}

// Lines wait for their rollups when it is killed, the format is repaired, and a command comes
// first that reads other lines with it: what the daemon has read is finished as it was read.
func TestCommandBetweenACrashAndTheNextStart(t *testing.T) {
	const finished = "what was read before is finished with the settings that it was read with"
	const noReferers = `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "-" "$http_user_agent"`
	for _, command := range []string{"redeliver", "import"} {
		t.Run(command, func(t *testing.T) {
			in := newInstallation(t, "--start", "beginning", "--format", noReferers)
			odd := strings.Replace(lines(50, 1), `"-"`, `"https://example.com/"`, 1)
			all := lines(0, 50) + odd + lines(51, 49)
			in.write(all)
			d := in.start("run")
			in.wait(99)
			d.Kill()
			in.settings = []string{"--start", "beginning"} // combined
			args := []string{}
			if command == "import" {
				args = append(args, in.elsewhere("other.log", lines(1000, 7)))
			}
			if code, out := in.run(command, args...); code != 0 {
				t.Fatalf("exit code %d:\n%s", code, out)
			}
			stop := in.daemon()
			in.until(func(r tailfluxtest.Report) bool { return r.Lines.Read == 100 && r.Lines.InFlight == 0 })
			stop()
			if out := in.running.Log(); !strings.Contains(out, finished) {
				t.Errorf("it said\n%s", out)
			}
			if command == "import" {
				in.want(99 + 7)
				code, out := in.run("redeliver")
				says(t, code, 0, out, "1 lines redelivered")
			}
			if code, v := in.verify(in.log); code != 0 || v.Lines != 100 || v.Missing != 0 {
				t.Errorf("verify: exit code %d, %+v", code, v)
			}
			sums, err := in.db.Query(t.Context(), "nginx", "SELECT SUM(requests) FROM nginx_paths WHERE time < '2026-11-20T10:10:00Z'")
			if got := fmt.Sprint(sums); err != nil || !strings.Contains(got, "100") {
				t.Errorf("nginx_paths has %s requests, %v, want 100", got, err)
			}
		})
	}
}
