package e2e

import (
	"os"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

const timedLine = `172.0.0.12 - - [04/Mar/2018:13:49:52 +0000] http "GET /foo?query=t HTTP/1.0" 200 2133 "-" "KeepAliveClient" "-" 1.005 1.854` + "\n"

// Without a format it is found out, from an empty file as soon as it has lines,
// and kept over a restart.
func TestFormatAuto(t *testing.T) {
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	log := b.write("access.log", "")
	d := b.start("--path", log)
	ready(t, d)
	// One that is of no format ends nothing, and is no reason to guess: 20 lines of
	// which 95 % are alike tell.
	b.write("access.log", "half a line\n")
	b.delivered(d, 1)
	b.write("access.log", strings.Repeat(timedLine, 2))
	b.delivered(d, 3)
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	first := d.Log()
	d = b.start("--path", log)
	ready(t, d)
	b.write("access.log", strings.Repeat(timedLine, 30))
	b.delivered(d, 30)
	b.write("access.log", strings.Repeat(timedLine, 10))
	r := b.delivered(d, 40)
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	if got := b.points("request_time = 1.854 AND status = '200'"); got < 10 || got > 40 || got+r.Lines.Rejected != 40 {
		t.Errorf("%d points, and %d lines rejected after the restart", got, r.Lines.Rejected)
	}
	if !strings.Contains(d.Log(), `"format":"timed"`) {
		t.Error("the format that was found is not logged")
	}
	if strings.Count(first, "no log format fits: lines are rejected until one does") != 1 {
		t.Error("the line that is of no format is not logged")
	}

	// The choice stands: lines of another format are rejected now, and a
	// warning says what they look like.
	if err := os.Truncate(log, 0); err != nil {
		t.Fatal(err)
	}
	d = b.start("--path", log)
	ready(t, d)
	b.write("access.log", lines(2000))
	r, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.Lines.Rejected == 2000 })
	if err != nil {
		t.Fatalf("%v: %+v", err, r)
	}
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(d.Log(), `they look like another format: compare with tailflux explain","source":"access.log","file":"`+log+`","format":"combined"`) {
		t.Error("nothing warns of the wrong format")
	}
}

// The first lines of a log fit no format, and tailflux is killed before it has saved
// anything of that: the next start accepts the log, as it would have gone on.
func TestFormatAutoKilledAtAnOddLine(t *testing.T) {
	for _, pattern := range []string{"access.log", "acc*.log"} {
		b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
		b.write("access.log", "")
		args := []string{"--path", b.path(pattern), "--start", "beginning"}
		d := b.start(args...)
		followed := func(r tailfluxtest.Report) bool { return len(r.Sources) == 1 }
		if _, err := d.WaitFor(arrival, followed); err != nil {
			t.Fatal(err)
		}
		b.write("access.log", "half a line\n")
		if _, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.Lines.Read == 1 }); err != nil {
			t.Fatal(err)
		}
		d.Kill()
		d = b.start(args...)
		if _, err := d.WaitFor(arrival, followed); err != nil {
			t.Fatalf("%s: %v", pattern, err)
		}
		b.write("access.log", strings.Repeat(timedLine, 30))
		b.delivered(d, 31)
		if err := d.Stop(); err != nil {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}

// A log of no known format is refused at the start, with a remedy.
func TestFormatAutoUnknown(t *testing.T) {
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	log := b.write("access.log", "Nov 22 10:00:00 web1 sshd[7]: hello\n")
	for _, args := range [][]string{{"--path", log}, {"--path", b.path("*.log")}, {"--once", "--path", log}, {"--once", "--path", b.path("*.log")}} {
		d := b.start(args...)
		if err := d.Wait(); err == nil || d.ExitCode() != 2 || !strings.Contains(err.Error(), "set format to the log_format in nginx.conf") {
			t.Errorf("%q: exit code %d: %v", args, d.ExitCode(), err)
		}
	}
}

// A glob is as many sources, each with what the wildcards matched in its name
// and its own format.
func TestGlob(t *testing.T) {
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	b.write("one.access.log", lines(100))
	b.write("two.access.log", strings.Repeat(timedLine, 100))
	b.write("two.access.log.1", "not followed\n")
	b.once("--path", b.path("*.access.log"), "--name", "site")
	for _, site := range []string{"one", "two"} {
		if got := b.points("source = 'site:" + site + "'"); got != 100 {
			t.Errorf("%d points of %s, want 100", got, site)
		}
	}
	if got := b.points(""); got != 200 {
		t.Errorf("%d points, want 200", got)
	}
}
