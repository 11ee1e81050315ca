package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

// verdict is what tailflux verify --json says of a file.
type verdict struct {
	File                                            string
	Lines, Pending, Rejected, Added, Found, Missing int64
	Raw                                             bool
	Rollups                                         []struct {
		Measurement                                          string
		Pending, Outside, Refused, Expected, Found, Compared int64
		Windows                                              []struct {
			Time            time.Time
			Expected, Found map[string]int64
		}
	}
}

// verify verifies files, all logs of the bench without any.
func (b *bench) verify(config string, files ...string) (all []verdict, code int) {
	b.t.Helper()
	if len(files) == 0 {
		var err error
		if files, err = filepath.Glob(b.path("access.log*")); err != nil {
			b.t.Fatal(err)
		}
	}
	args := append([]string{"verify", "--config", config, "--state-dir", b.path("state"), "--influxdb-url", b.db.URL(), "--json"}, files...)
	cmd := exec.Command(binary, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		b.t.Fatal(err)
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var v verdict
		if err := d.Decode(&v); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			b.t.Fatalf("%v: %s\n%s", err, out, &stderr)
		}
		all = append(all, v)
	}
	if len(all) != len(files) {
		b.t.Fatalf("%d verdicts of %d files\n%s", len(all), len(files), &stderr)
	}
	return all, cmd.ProcessState.ExitCode()
}

// tally is what is said of a rollup in several verdicts.
type tally struct {
	pending, outside, refused, expected, found int64
	windows                                    []string
}

func verified(all []verdict, measurement string) (t tally) {
	for _, v := range all {
		for _, r := range v.Rollups {
			if r.Measurement != measurement {
				continue
			}
			t.pending, t.outside, t.refused = t.pending+r.Pending, t.outside+r.Outside, t.refused+r.Refused
			t.expected, t.found = t.expected+r.Expected, t.found+r.Found
			for _, w := range r.Windows {
				t.windows = append(t.windows, w.Time.Format(time.RFC3339))
			}
		}
	}
	return t
}

// wantEqual wants that all lines that are in rollups are there.
func (b *bench) wantEqual(config string, lines int64) {
	b.t.Helper()
	all, code := b.verify(config)
	for _, of := range []string{"site", "paths"} {
		if is := verified(all, of); is.pending != 0 || is.outside != 0 || is.expected != lines || is.found != lines || is.windows != nil {
			b.t.Errorf("%s of %d lines: %+v", of, lines, is)
		}
	}
	if code != 0 {
		b.t.Errorf("exit code %d", code)
	}
}

// Killed and rotated, rollups are equal to the logs. Of what is deleted, the window is named.
func TestVerifyOfRollups(t *testing.T) {
	t.Parallel()
	for _, raw := range []bool{true, false} {
		t.Run(fmt.Sprint("raw ", raw), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
			g := newTraffic()
			log := b.write("access.log", g.text(5000))
			config := b.rollupConfig(log, raw)
			for i := range 6 {
				d := b.start("--config", config)
				for range 5 {
					b.write("access.log", g.text(200+g.r.IntN(1000)))
					time.Sleep(time.Duration(g.r.IntN(300)) * time.Millisecond)
				}
				if i%2 == 0 {
					if err := os.Rename(log, b.path(fmt.Sprintf("access.log.%d", time.Now().UnixNano()))); err != nil {
						t.Fatal(err)
					}
					b.write("access.log", g.text(10))
				}
				d.Kill()
			}
			b.readToTheEnd(config)
			b.wantEqual(config, g.lines-g.rejected)
			all, _ := b.verify(config)
			points, added := int64(0), int64(0)
			for _, v := range all {
				points, added = points+v.Found, added+v.Added
				if v.Raw != raw {
					t.Errorf("raw is %t", v.Raw)
				}
			}
			if raw && points != g.lines-g.rejected || !raw && added != g.lines-g.rejected || points+added != g.lines-g.rejected {
				t.Errorf("%d points, %d only added up, of %d lines", points, added, g.lines-g.rejected)
			}
			gone := g.at.Add(-2 * time.Second).Truncate(time.Second)
			if _, err := b.db.Query(t.Context(), database, fmt.Sprintf("DELETE FROM site WHERE time >= %d AND time < %d", gone.UnixNano(), gone.Add(time.Second).UnixNano())); err != nil {
				t.Fatal(err)
			}
			all, code := b.verify(config)
			is := verified(all, "site")
			if code != 1 || is.expected <= is.found || len(is.windows) == 0 || is.windows[0] != gone.Format(time.RFC3339) || is.windows[len(is.windows)-1] != is.windows[0] {
				t.Errorf("exit code %d, %+v; want that %v is named", code, is, gone)
			}
			if is := verified(all, "paths"); is.windows != nil {
				t.Errorf("windows of paths are named: %v", is.windows)
			}
		})
	}
}

// While lines wait in open cells, or in an outage, they are not there yet, and none is missing.
func TestVerifyOfWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	for _, raw := range []bool{true, false} {
		t.Run(fmt.Sprint("raw ", raw), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
			g := newTraffic()
			log := b.write("access.log", g.text(3000))
			config := b.rollupConfig(log, raw)
			d := b.start("--config", config)
			if _, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.Lines.Read == 3000 }); err != nil {
				t.Fatal(err)
			}
			waited := false
			for i := range 12 {
				b.write("access.log", g.text(500))
				if i == 6 {
					d.Kill() // what it had sent may be more than it had saved
					d = b.start("--config", config)
				}
				time.Sleep(time.Duration(g.r.IntN(1200)) * time.Millisecond)
				all, code := b.verify(config)
				for _, of := range []string{"site", "paths"} {
					is := verified(all, of)
					if is.windows != nil || is.expected != is.found || is.outside != 0 || code != 0 {
						t.Errorf("%s: %+v, exit code %d", of, is, code)
					}
					waited = waited || is.pending > 0 && is.expected > 0
				}
			}
			if !waited {
				t.Error("no line was ever on its way: this test shows nothing")
			}
			_ = d.Stop()
			b.once("--config", config)
			b.wantEqual(config, g.lines-g.rejected)
		})
	}
}

// Lines from before a rollup was configured are not in it; nor are those that are dropped.
// Values beyond tag_limit change no sum.
func TestVerifyOfRollupsThatCameLater(t *testing.T) {
	t.Parallel()
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	g := newTraffic()
	log := b.write("access.log", g.text(3000))
	config := b.rollupConfig(log, true)
	with := read(t, config) + "tag_limit: 5\ndrop: [{path: /page/b}]\n"
	before, _, _ := strings.Cut(with, "rollups:")
	without := before + "rollups: []\n"
	b.write("tailflux.yaml.without", without)
	b.once("--config", b.path("tailflux.yaml.without"))
	early := g.lines - g.rejected
	b.write("access.log", g.text(3000))
	if err := os.WriteFile(config, []byte(with), 0o600); err != nil {
		t.Fatal(err)
	}
	b.once("--config", config)
	if err := os.Rename(log, b.path("access.log.1")); err != nil {
		t.Fatal(err)
	}
	b.write("access.log", g.text(3000))
	d := b.start("--config", config)
	if _, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.Lines.Read >= 3000 }); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	_ = d.Stop()
	all, code := b.verify(config)
	for _, of := range []string{"site", "paths"} {
		is := verified(all, of)
		if code != 0 || is.pending != 0 || is.windows != nil || is.expected != is.found || is.outside == 0 || is.outside > early ||
			is.expected+is.outside > g.lines-g.rejected || is.expected < (g.lines-early)*8/10 {
			t.Errorf("%s: %+v, exit code %d", of, is, code)
		}
	}
	// Gone again: the next lines have no rollups, and come back.
	b.write("access.log", g.text(1000))
	b.once("--config", b.path("tailflux.yaml.without"))
	b.write("access.log", g.text(1000))
	b.once("--config", config)
	earlier := all
	all, code = b.verify(config)
	for _, of := range []string{"site", "paths"} {
		was, is := verified(earlier, of), verified(all, of)
		if code != 0 || is.windows != nil || is.expected != is.found || is.outside <= was.outside || is.expected <= was.expected {
			t.Errorf("%s: %+v, exit code %d; it was %+v", of, is, code, was)
		}
	}
	if _, err := b.db.Query(t.Context(), database, "DROP MEASUREMENT site"); err != nil {
		t.Fatal(err)
	}
	all, code = b.verify(config)
	if is := verified(all, "site"); code != 1 || is.found != 0 || is.expected == 0 || len(is.windows) == 0 {
		t.Errorf("without the measurement: %+v, exit code %d", is, code)
	}
}

// Imported logs, in any order, and with late lines, are equal; what InfluxDB refused is said.
func TestVerifyOfImportsAndRefusals(t *testing.T) {
	t.Parallel()
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	g := newTraffic()
	var logs []string
	for i := range 3 {
		logs = append(logs, b.write(fmt.Sprintf("access.log.%d", 3-i), g.text(20_000)))
	}
	config := b.rollupConfig(b.path("access.log"), false)
	for _, log := range []string{logs[1], logs[2], logs[0]} {
		if code := b.run("import", "--config", config, log); code != 0 {
			t.Fatalf("import of %s: exit code %d\n%s", log, code, read(t, b.path("tailflux.log")))
		}
	}
	b.wantEqual(config, g.lines-g.rejected)

	other := newBench(t, b.db)
	if _, err := b.db.Query(t.Context(), "", "DROP DATABASE "+database); err != nil {
		t.Fatal(err)
	}
	if _, err := b.db.Query(t.Context(), "", "CREATE DATABASE "+database); err != nil {
		t.Fatal(err)
	}
	g = newTraffic()
	log := other.write("access.log", g.text(3000))
	taken := fmt.Sprintf("site,host=other,source=other requests=\"many\" %d\n", g.at.UnixNano())
	resp, err := http.Post(b.db.URL()+"/write?db="+database, "", strings.NewReader(taken))
	if err != nil || resp.StatusCode != http.StatusNoContent {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	config = other.rollupConfig(log, true)
	other.once("--config", config)
	all, code := other.verify(config)
	if is := verified(all, "site"); code != 0 || is.refused != g.lines-g.rejected || is.expected != 0 || is.windows != nil {
		t.Errorf("site: %+v, exit code %d", is, code)
	}
	if is := verified(all, "paths"); is.refused != 0 || is.expected != is.found || is.expected != g.lines-g.rejected {
		t.Errorf("paths: %+v", is)
	}
	if all[0].Found != g.lines-g.rejected || all[0].Rejected != g.rejected {
		t.Errorf("%d points, %d rejected of %d lines: entries of deltas are no lines", all[0].Found, all[0].Rejected, g.lines)
	}
}
