package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

const timedLine = `172.0.0.12 - - [04/Mar/2018:13:49:52 +0000] http "GET /foo?query=t HTTP/1.0" 200 2133 "-" "KeepAliveClient" "-" 1.005 1.854` + "\n"

// Without a format it is found out, from an empty file as soon as it has lines,
// and kept over a restart.
func TestFormatAuto(t *testing.T) {
	t.Parallel()
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	log := b.write("access.log", "")
	d := b.start("--path", log)
	ready(t, d)
	// One that is of no format ends nothing, and says nothing of those that come.
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
	if got := b.points("request_time = 1.854 AND status = '200'"); got != 42 || r.Lines.Rejected != 0 {
		t.Errorf("%d points, and %d lines rejected after the restart, want 42 and none", got, r.Lines.Rejected)
	}
	if !strings.Contains(d.Log(), `"format":"timed"`) {
		t.Error("the format that was found is not logged")
	}
	if strings.Count(first, "no log format fits: lines are rejected until one does") != 1 {
		t.Error("the line that is of no format is not logged")
	}
}

// The first lines of a log fit no format, and tailflux is killed before it has saved
// anything of that: the next start accepts the log, as it would have gone on.
func TestFormatAutoKilledAtAnOddLine(t *testing.T) {
	t.Parallel()
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

// lineOf are n lines of a format, with a number of their own each.
func linesOf(format string, n int) string {
	tail := map[string]string{"combined": "", "times": " 0.012 0.011", "forwarded": ` "10.0.0.1"`, "times of upstreams first": " 0.011 0.032"}
	var b strings.Builder
	for i := range n {
		switch format {
		case "timed":
			b.WriteString(timedLine)
		case "vhost":
			fmt.Fprintf(&b, "example.com:443 %s", combined(200, i))
		case "json":
			fmt.Fprintf(&b, `{"time_iso8601":"2026-11-20T10:00:00+00:00","request":"GET /a HTTP/1.1","status":200,"body_bytes_sent":%d}`+"\n", i)
		default:
			fmt.Fprintf(&b, "%s%s\n", strings.TrimSuffix(combined(200, i), "\n"), tail[format])
		}
	}
	return b.String()
}

// What is judged is what will be read: the end of a log whose head is of another
// format, if it is begun there.
func TestFormatAutoOfALogWhoseHeadIsNotLikeItsEnd(t *testing.T) {
	t.Parallel()
	db := influxdtest.New(t, influxdtest.Options{})
	for _, tt := range []struct{ head, end string }{
		{"combined", "times"}, {"times", "combined"}, {"combined", "json"}, {"json", "vhost"}, {"timed", "forwarded"}, {"combined", "times of upstreams first"},
	} {
		for _, n := range []int{50, 1} {
			b := newBench(t, db)
			name := fmt.Sprintf("%s then %d %s", tt.head, n, tt.end)
			log := b.write("access.log", linesOf(tt.head, 300)+linesOf(tt.end, n))
			for i := range 2 {
				d := b.start("--path", log, "--name", name)
				ready(t, d)
				b.write("access.log", linesOf(tt.end, 5))
				b.delivered(d, 5)
				if err := d.Stop(); err != nil {
					t.Fatal(err)
				}
				if got, want := b.points("source = '"+name+"'"), int64(5*(i+1)); got != want {
					t.Errorf("%s, start %d: %d points, want %d", name, i+1, got, want)
				}
			}
		}
	}
}

// A choice that stops fitting is judged anew with the first line of another format, and
// that is said with both formats and the way back. All of these lines become points; so
// do later ones of the former format. Killed at any time, and started again with lines to
// be read again, no line has two points, and none is rejected.
func TestFormatAutoChangesWithTheLog(t *testing.T) {
	t.Parallel()
	db := influxdtest.New(t, influxdtest.Options{})
	for _, tt := range []struct{ before, after string }{
		{"combined", "times"}, {"timed", "combined"}, {"combined", "json"}, {"json", "vhost"}, {"combined", "forwarded"},
	} {
		b := newBench(t, db)
		name := tt.before + " to " + tt.after
		log := b.write("access.log", linesOf(tt.before, 20))
		run := func(text string, kill bool) string {
			d := b.start("--path", log, "--name", name, "--start", "beginning")
			ready(t, d)
			before, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.Lines.Read == r.Lines.Written })
			if err != nil {
				t.Fatal(err)
			}
			b.write("access.log", text)
			b.delivered(d, before.Lines.Read+int64(strings.Count(text, "\n")))
			if kill {
				d.Kill()
			} else if err := d.Stop(); err != nil {
				t.Error(err)
			}
			return d.Log()
		}
		said := run(linesOf(tt.after, 5), true)
		if strings.Count(said, "log format has changed") != 1 || !strings.Contains(said, "set format to one of the two") {
			t.Errorf("%s: the change is not said once:\n%s", name, said)
		}
		run(linesOf(tt.after, 1)+linesOf(tt.before, 1)+linesOf(tt.after, 3), true)
		if said := run(linesOf(tt.before, 5), false); strings.Count(said, "log format has changed") != 1 {
			t.Errorf("%s: the change is said again:\n%s", name, said)
		}
		if got := b.points("source = '" + name + "'"); got != 35 {
			t.Errorf("%s: %d points, want 35", name, got)
		}
		if text, err := os.ReadFile(b.path("state") + "/rejects.jsonl"); err == nil && len(text) > 0 {
			t.Errorf("%s: rejected\n%s", name, text)
		}
	}
}

// auto in so many words judges anew what was chosen, after a clean stop.
func TestFormatAutoInSoManyWords(t *testing.T) {
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	log := b.write("access.log", linesOf("times", 20))
	if err := os.MkdirAll(b.path("state"), 0o750); err != nil {
		t.Fatal(err)
	}
	b.once("--path", log)
	wrong := `{"access.log":{"path":"` + log + `","format":"json"}}`
	if err := os.WriteFile(b.path("state")+"/formats.json", []byte(wrong), 0o640); err != nil {
		t.Fatal(err)
	}
	d := b.start("--path", log, "--format", "auto")
	ready(t, d)
	b.write("access.log", linesOf("times", 5))
	b.delivered(d, 5)
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	if got := b.points(""); got != 25 {
		t.Errorf("%d points, want 25", got)
	}
	kept, err := os.ReadFile(b.path("state") + "/formats.json")
	if err != nil || strings.Contains(string(kept), "json\"") || !strings.Contains(d.Log(), "is forgotten") {
		t.Errorf("formats.json is %s, %v", kept, err)
	}
}

// Logs of other things in a glob are left out, with one warning each that names the file:
// at the start, when they appear, and when they have lines later.
func TestGlobWithOtherLogs(t *testing.T) {
	t.Parallel()
	db := influxdtest.New(t, influxdtest.Options{})
	others := map[string]string{
		"error.log":     `2026/11/20 10:00:00 [error] 4242#4242: *17 open() "/srv/www/favicon.ico" failed (2: No such file or directory), client: 192.0.2.7, server: _` + "\n",
		"ssl_error.log": `2026/11/20 10:00:00 [crit] 31#31: *5 SSL_do_handshake() failed while SSL handshaking, client: 192.0.2.7, server: 0.0.0.0:443` + "\n",
		"php-fpm.log":   "[20-Nov-2026 10:00:00] NOTICE: fpm is running, pid 1\n[20-Nov-2026 10:00:00] NOTICE: ready to handle connections\n",
		"php-slow.log":  "\n[20-Nov-2026 10:00:00]  [pool www] pid 1234\nscript_filename = /srv/www/index.php\n[0x00007f1c2a41f0c0] sleep() /srv/www/index.php:3\n",
	}
	for _, format := range []string{"", "auto", "combined"} {
		for _, when := range []string{"there", "later", "empty"} {
			b := newBench(t, db)
			name := strings.Trim(format+"-"+when, "-")
			b.write("access.log", "")
			b.write("shop.access.log", "")
			put := func(empty bool) {
				for file, text := range others {
					if empty {
						text = ""
					}
					b.write(file, text)
				}
			}
			if when != "later" {
				put(when == "empty")
			}
			args := []string{"--path", b.path("*.log"), "--name", name, "--exclude", "tailflux.log"}
			if format != "" {
				args = append(args, "--format", format)
			}
			d := b.start(args...)
			ready(t, d)
			if when != "there" {
				put(false)
				time.Sleep(1500 * time.Millisecond) // files are looked for
			}
			b.write("access.log", linesOf("combined", 50))
			b.write("shop.access.log", linesOf("combined", 50))
			put(false)
			r, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.Lines.Written == 100 && r.Lines.InFlight == 0 })
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			time.Sleep(500 * time.Millisecond)
			if err := d.Stop(); err != nil {
				t.Error(err)
			}
			if r.Lines.Rejected != 0 {
				t.Errorf("%s: %d lines are rejected", name, r.Lines.Rejected)
			}
			for file := range others {
				n := 0
				for line := range strings.Lines(d.Log()) {
					if strings.Contains(line, "left out") && strings.Contains(line, b.path(file)) {
						n++
					}
				}
				if n != 1 {
					t.Errorf("%s: %d warnings of %s, want 1:\n%s", name, n, file, d.Log())
				}
			}
		}
	}
}

// A file of a glob that no format fits stops nobody: only if none fits is that refused.
func TestGlobWithAFileOfNoKnownFormat(t *testing.T) {
	t.Parallel()
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	b.write("a.log", linesOf("combined", 50))
	b.write("b.log", linesOf("timed", 50))
	b.write("c.log", strings.Repeat("what is this?\n", 50))
	d := b.start("--path", b.path("*.log"), "--name", "g", "--exclude", "tailflux.log")
	ready(t, d)
	b.write("a.log", linesOf("combined", 50))
	b.write("b.log", linesOf("timed", 50))
	b.write("c.log", strings.Repeat("what is this?\n", 500))
	r, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.Lines.Written == 100 && r.Lines.InFlight == 0 })
	if err != nil || r.Lines.Rejected != 0 {
		t.Errorf("%d lines are rejected; %v", r.Lines.Rejected, err)
	}
	if err := d.Stop(); err != nil || !strings.Contains(d.Log(), "left out until the next start") {
		t.Errorf("it ended with %v and logged\n%s", err, d.Log())
	}
	// A run that ends by itself says by its exit code that not all was read.
	d = b.start("--once", "--path", b.path("*.log"), "--name", "g", "--exclude", "tailflux.log", "--state-dir", b.path("another"))
	if err := d.Wait(); err == nil || d.ExitCode() != 1 || !strings.Contains(err.Error(), b.path("c.log")) {
		t.Errorf("--once: exit code %d: %v", d.ExitCode(), err)
	}
	// Later, it has no more rejects than it takes to be sure.
	b.write("d.log", "")
	d = b.start("--path", b.path("*.log"), "--name", "g", "--exclude", "tailflux.log")
	ready(t, d)
	for i := range 5 {
		b.write("d.log", strings.Repeat("what is this?\n", 100))
		b.delivered(d, int64(100*i))
	}
	r = b.delivered(d, 500)
	if err := d.Stop(); err != nil || r.Lines.Rejected > 100 {
		t.Errorf("%d lines are rejected; %v", r.Lines.Rejected, err)
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
