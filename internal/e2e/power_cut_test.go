//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
)

// The machine loses its power. What nginx had written last was not on the disk yet, so the log
// is shorter than it was; no shorter than what the checkpoint knows as delivered, so what comes
// next is read from its first line on, and rollups are what the log adds up to.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	for _, rotated := range []bool{false, true} {
		t.Run(fmt.Sprint("rotated ", rotated), func(t *testing.T) {
			t.Parallel()
			powerCut(t, rotated)
		})
	}
}

// powerCut is one, and if rotated, moments after a rotation, which may not be on the disk either.
func powerCut(t *testing.T, rotated bool) {
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	if err := os.Mkdir(b.path("logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	image := b.path("disk")
	command(t, "truncate", "-s", "64M", image)
	command(t, "mkfs.ext4", "-q", image)
	out, err := exec.Command("mount", "-o", "loop", image, b.path("logs")).CombinedOutput()
	_, none := os.Stat("/dev/loop-control")
	if forbidden := regexp.MustCompile(`(?i)not permitted|permission denied|superuser`); err != nil && (none != nil || forbidden.Match(out)) {
		t.Skipf("SKIPPED, nothing is shown: file systems may not be mounted here: %s", out)
	} else if err != nil {
		t.Fatalf("mount: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", b.path("logs")).Run() })
	config, last := b.rollupConfig(b.path("logs/access.log"), true), int64(0)
	write := func(n int) {
		var text strings.Builder
		for range n {
			last++
			now := time.Now()
			fmt.Fprintf(&text, "%d.%03d \"GET /page/%c HTTP/1.1\" 200 %d 1 1 0.010 -\n", now.Unix(), now.Nanosecond()/1e6, 'a'+last%26, last)
		}
		b.write("logs/access.log", text.String())
	}

	write(100)
	command(t, "sync", b.path("logs/access.log")) // it is there, if nothing else is
	d := b.start("--config", config)
	for began := time.Now(); time.Since(began) < 4*time.Second; time.Sleep(20 * time.Millisecond) {
		write(10)
	}
	b.delivered(d, last)
	if rotated {
		if err := os.Rename(b.path("logs/access.log"), b.path("logs/access.log.1")); err != nil {
			t.Fatal(err)
		}
		write(100)
		b.delivered(d, last)
	}
	write(100)
	d.Kill()
	command(t, "cp", "--sparse=always", image, image+".after") // what the disk has, without the kernel's memory
	command(t, "umount", b.path("logs"))
	command(t, "mount", "-o", "loop", image+".after", b.path("logs"))
	before := last
	kept := loggedBytes(t, b.path("logs"))
	t.Logf("%d of %d lines are on the disk", len(kept), before)
	time.Sleep(time.Second) // it is some time until the machine is there again
	b.write("logs/access.log", "\n")
	write(300)
	b.readToTheEnd(config)

	inLog, requests, bytes := loggedBytes(t, b.path("logs")), int64(0), int64(0)
	for n := range inLog {
		requests++
		bytes += n
	}
	if !inLog[before+1] || !inLog[last] {
		t.Fatalf("the log has not what was written at last: %d lines", requests)
	}
	points := map[int64]int{}
	series, err := b.db.Query(t.Context(), database, "SELECT bytes_sent FROM nginx_access")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range series {
		for _, row := range s.Values {
			n, err := row[1].(json.Number).Int64()
			if err != nil {
				t.Fatal(err)
			}
			if points[n]++; points[n] > 1 {
				t.Errorf("line %d is %d points", n, points[n])
			}
		}
	}
	missing := 0
	for n := range inLog {
		if points[n] == 0 {
			missing++
		}
	}
	if missing > 0 {
		t.Errorf("%d of %d lines of the log are no points", missing, requests)
	}
	for _, rollup := range []string{"site", "paths"} {
		total := map[string]int64{}
		for _, sums := range b.rollup(rollup, "1h", allPoints, "source") {
			total["requests"] += sums["requests"]
			total["bytes_sent"] += sums["bytes_sent"]
		}
		if total["requests"] != requests || total["bytes_sent"] != bytes {
			t.Errorf("%s has %v, the log %d requests and %d bytes", rollup, total, requests, bytes)
		}
	}
}

// loggedBytes are the bytes that were sent of each whole line of a log and what it was rotated
// to; no two have as many.
func loggedBytes(t *testing.T, dir string) map[int64]bool {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(dir, "access.log*"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("no logs, %v", err)
	}
	var text []byte
	for _, log := range logs {
		some, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, some...)
	}
	all := map[int64]bool{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if !strings.HasSuffix(line, " 0.010 -\n") || len(fields) != 10 {
			continue
		}
		n, err := strconv.ParseInt(fields[5], 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all[n] = true
	}
	return all
}
