package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/statedir"
)

const moreFormat = `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time`

// more are n lines of moreFormat, all of one second, with so many paths.
func more(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "192.0.2.1 - - [20/Nov/2026:10:00:00 +0000] \"GET /x%d HTTP/1.1\" 200 5 \"-\" \"curl\" 0.00%d\n", i%3, i%10)
	}
	return b.String()
}

// combined makes lines of more ones of combined.
func combined(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(line[:strings.LastIndexByte(line, ' ')] + "\n")
	}
	return b.String()
}

// A rejected line that is delivered after all becomes the point that it would have been:
// it replaces no other point, is delivered once, and verify knows it.
func TestRedeliver(t *testing.T) {
	in := newInstallation(t)
	in.write(combined(more(200)) + more(500))
	code, out := in.run("run", "--once")
	says(t, code, 1, out, "500 of 700 lines rejected")
	in.want(200)
	if code, v := in.verify(in.log); code != 0 || v.Rejected != 500 || v.Expected != 200 {
		t.Errorf("verify before: exit code %d, %+v", code, v)
	}
	now := []string{"--format", moreFormat}
	code, out = in.run("redeliver", now...)
	says(t, code, 0, out, "500 lines redelivered\n")
	in.want(700)
	if n := in.entries(`"kind":"redelivered"`); n != 500 {
		t.Errorf("%d entries of the kind redelivered, want 500", n)
	}
	if code, v := in.verify(append(now, in.log)...); v.Rejected != 200 || v.Expected != 500 || v.Found != 500 || v.Missing != 0 {
		t.Errorf("verify in the new format: exit code %d, %+v", code, v)
	}
	// Again, and after the daemon has run.
	for range 2 {
		code, out = in.run("redeliver", now...)
		says(t, code, 0, out, "0 lines redelivered\n")
		in.want(700)
		in.deliver()
	}
	if n := in.entries("{"); n != 1000 {
		t.Errorf("%d entries, want 1000", n)
	}
	// Each point has the number of its line.
	at := start.UnixNano()
	times, err := in.db.Query(t.Context(), "nginx", fmt.Sprintf("SELECT COUNT(body_bytes_sent) FROM nginx_access WHERE time > %d AND time <= %d", at, at+700))
	if err != nil || len(times) == 0 {
		t.Errorf("points of the lines 1 to 700: %v, %v", times, err)
	}
}

// Whatever was rejected is delivered, or counted as left.
func TestRedeliverOfEveryKind(t *testing.T) {
	good := combined(more(1))
	long := strings.Replace(good, "curl", strings.Repeat("c", 20_000), 1)
	noTime := strings.Replace(good, "/Nov/", "/Nev/", 1)
	bytes := strings.Replace(more(1), "curl", "\xff\xfe \\xE4", 1)
	escapes := strings.Replace(more(1), "curl", `\xE4\xBD\xA0`, 1)
	for _, tt := range []struct {
		name, text string
		now        []string
		points     int64
		says       string
	}{
		{"still rejected", strings.Repeat("junk\n", 7), nil, 0, "7 lines are still rejected (no match)"},
		{"empty", "\n\n", nil, 0, "2 lines are still rejected (empty)"},
		{"some", "junk\n" + more(5), []string{"--format", moreFormat}, 5, "1 lines are still rejected (no match)"},
		{
			"for many reasons", noTime + "junk\n" + "\n" + strings.Repeat("junk\n", 2) + strings.Repeat("y", 20_000) + "\n" + more(2),
			[]string{"--max-line", "10KiB"},
			0,
			"8 lines are still rejected (5 no match, 1 bad time, 1 empty, 1 too long)",
		},
		{"a long line", long + good, []string{"--max-line", "64KiB"}, 1, "1 lines redelivered"},
		{"a line that is cut", strings.Replace(more(1), "curl", strings.Repeat("c", 20_000), 1), []string{"--format", moreFormat, "--max-line", "64KiB"}, 1, "1 lines redelivered"},
		{"a line of which only the beginning was read", strings.Repeat("x", 300_000) + "\n" + good, nil, 0, "1 lines are left: their entries do not hold them"},
		{"other bytes", bytes, []string{"--format", moreFormat}, 1, "1 lines redelivered"},
		{"nginx's escapes", escapes, []string{"--format", moreFormat}, 1, "1 lines redelivered"},
		{"no time", noTime, nil, 0, "1 lines are still rejected (bad time)"},
		{"of one source", more(3), []string{"--format", moreFormat, "--source", "web"}, 3, "3 lines redelivered"},
		{"not the source", more(3), []string{"--source", "other"}, 0, `no source "other"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newInstallation(t)
			in.write(tt.text)
			_, _ = in.run("run", "--once", "--max-line", "10KiB")
			before := in.points()
			_, out := in.run("redeliver", tt.now...)
			if !strings.Contains(out, tt.says) {
				t.Errorf("it says %s, want %s", out, tt.says)
			}
			in.want(before + tt.points)
		})
	}
}

// Entries of older versions have no number of their own, and no line_base64.
func TestRedeliverOfOlderEntries(t *testing.T) {
	in := newInstallation(t)
	line := strings.TrimSuffix(more(1), "\n")
	entry := func(number int, line, more string) string {
		quoted, err := json.Marshal(line)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf(`{"time":"2026-11-20T10:00:00Z","source":"web","generation":1,"line_number":%d,"reason":"no match","line":%s%s}`+"\n", number, quoted, more)
	}
	old := entry(3, line, "") + entry(4, line[:40], `,"line_bytes":9000`) + entry(5, strings.Replace(line, "curl", `\xFF`, 1), "") + entry(6, strings.Replace(line, "curl", `\x22`, 1), "")
	if err := os.WriteFile(filepath.Join(in.state, statedir.RejectsPrev), []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out := in.run("redeliver", "--format", moreFormat)
	says(t, code, 0, out, "2 lines redelivered", "2 lines are left: their entries")
	in.want(2)
}

// The line in the file and the number in the time of the point are two things.
func TestNumbersOfRejectedLines(t *testing.T) {
	check := func(t *testing.T, in *installation, wants ...int64) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(in.state, statedir.Rejects))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for line := range strings.Lines(string(text)) {
			var e struct {
				LineNumber int64  `json:"line_number"`
				Base64     string `json:"line_base64"`
			}
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatal(err)
			}
			if n >= len(wants) || e.LineNumber != wants[n] {
				t.Errorf("entry %d has line_number %d, want %v", n, e.LineNumber, wants)
			}
			n++
			if _, err := base64.StdEncoding.DecodeString(e.Base64); err != nil {
				t.Error(err)
			}
		}
		if n != len(wants) {
			t.Errorf("%d entries, want %d", n, len(wants))
		}
	}
	t.Run("imported", func(t *testing.T) {
		in := newInstallation(t)
		file := in.elsewhere("access.log.1", lines(0, 50)+"junk\n")
		in.imported(50, file)
		check(t, in, 51)
	})
	t.Run("rotated", func(t *testing.T) {
		in := newInstallation(t)
		in.write(lines(0, 20) + "junk\n")
		in.deliver()
		in.shell("mv access.log access.log.1")
		in.write(lines(30, 4) + "junk\n")
		in.deliver()
		in.write(lines(40, 4) + "junk\n")
		in.deliver()
		check(t, in, 21, 5, 10)
	})
	t.Run("from its end on", func(t *testing.T) {
		in := newInstallation(t, "--start", "end")
		in.write(lines(0, 20))
		stop := in.daemon()
		in.write(lines(20, 3) + "junk\n")
		in.wait(3)
		stop()
		in.write(lines(30, 3) + "junk\n")
		stop = in.daemon()
		in.wait(6)
		stop()
		check(t, in, 24, 28)
	})
	t.Run("what is missing is imported", func(t *testing.T) {
		in := newInstallation(t, "--start", "end")
		in.write(lines(0, 3) + "junk\n" + lines(3, 6))
		stop := in.daemon()
		in.write(lines(20, 3))
		in.wait(3)
		stop()
		in.imported(12, in.log)
		check(t, in, 4)
	})
}

// While another tailflux has the state directory, nothing is redelivered.
func TestRedeliverBesideADaemon(t *testing.T) {
	in := newInstallation(t, "--start", "beginning")
	in.write(lines(0, 1))
	defer in.daemon()()
	code, out := in.run("redeliver")
	says(t, code, 2, out, "state_dir")
	if strings.Contains(out, "redelivered") {
		t.Errorf("it says what it has redelivered:\n%s", out)
	}
}

// Killed in the middle, and run again: each line is one point.
func TestRedeliverIsKilled(t *testing.T) {
	in := newInstallation(t)
	const n = 60_000
	in.write(lines(0, 1) + more(n))
	in.run("run", "--once")
	in.want(1)
	d := in.start("redeliver", "--format", moreFormat, "--influxdb-batch-points", "500")
	in.wait(n / 20)
	d.Kill()
	if at := in.points(); at >= n {
		t.Fatal("it was done before it was killed")
	}
	code, out := in.run("redeliver", "--format", moreFormat)
	says(t, code, 0, out, "lines redelivered")
	in.want(n + 1)
	code, out = in.run("redeliver", "--format", moreFormat)
	says(t, code, 0, out, "0 lines redelivered")
	in.want(n + 1)
	if n := in.entries(`"kind":"redelivered"`); n != 60_000 {
		t.Errorf("%d entries of the kind redelivered", n)
	}
}

// The points of some lines were refused, and lines have none now: they are left, until they have
// points again.
func TestRedeliverOfRefusedPointsWithoutPoints(t *testing.T) {
	in := newInstallation(t)
	conflict := func(statement string) {
		t.Helper()
		if _, err := in.db.Query(t.Context(), "nginx", statement); err != nil {
			t.Fatal(err)
		}
	}
	in.write(lines(0, 20))
	in.deliver() // creates the database
	conflict("DROP MEASUREMENT nginx_access")
	resp, err := http.Post(in.db.URL()+"/write?db=nginx", "", strings.NewReader(fmt.Sprintf("nginx_access body_bytes_sent=\"x\" %d\n", start.UnixNano())))
	if err != nil || resp.StatusCode != http.StatusNoContent {
		t.Fatalf("%v, %v", resp, err)
	}
	resp.Body.Close()
	in.write(lines(20, 5))
	if code, out := in.run("run", "--once"); code != 0 || in.entries("field type conflict") != 5 {
		t.Fatalf("exit code %d:\n%s", code, out)
	}
	code, out := in.run("redeliver", "--raw=false")
	says(t, code, 0, out, "0 lines redelivered", "5 lines are left: their points were refused")
	conflict("DROP MEASUREMENT nginx_access")
	code, out = in.run("redeliver")
	says(t, code, 0, out, "5 lines redelivered")
	in.want(5)
}
