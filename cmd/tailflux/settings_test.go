package main

import (
	"strings"
	"testing"
	"time"
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
