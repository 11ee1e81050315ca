//go:build e2e

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

// victoriaBench is one tailflux beside a VictoriaMetrics.
func victoriaBench(t *testing.T, v *influxdtest.Victoria) *bench {
	t.Helper()
	return &bench{t: t, dir: t.TempDir(), url: v.URL()}
}

// victoriaConfig is a rollupConfig that relies on the store after so long.
func (b *bench) victoriaConfig(log string, raw bool, lag string) string {
	b.t.Helper()
	config := b.rollupConfig(log, raw)
	text := strings.Replace(read(b.t, config), "influxdb: {", "influxdb: {store_lag: "+lag+", ", 1)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	return config
}

// VictoriaMetrics is known at the start, by check too, with its flags: what is said depends on
// them. Lines that are older than its retention, or from the far future, are in the reject file.
func TestVictoriaIsRecognised(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, raw string
		flags     []string
		says      string
		fits      bool
	}{
		{"raw", "true", nil, "raw: false is recommended", false},
		{"raw with dedup", "true", []string{"-dedup.minScrapeInterval=1ms"}, "throws away most points of lines", false},
		{"rollups without dedup", "false", nil, "start it with -dedup.minScrapeInterval=1ms", false},
		{"rollups", "false", []string{"-dedup.minScrapeInterval=1ms"}, "makes what is sent again count once; what is older than its retention of 31 days is rejected", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := victoriaBench(t, influxdtest.NewVictoria(t, tt.flags...))
			g := newTraffic()
			g.at = time.Now().Add(-40 * 24 * time.Hour)
			old := g.text(300)
			g.at = time.Now().Add(3 * 24 * time.Hour)
			future := g.text(200)
			g.at = time.Now().Add(-time.Minute)
			log := b.write("access.log", old+future+g.text(100))
			config := b.victoriaConfig(log, tt.raw == "true", "1s")
			b.once("--config", config)
			said := read(t, b.path("tailflux.log"))
			warned := strings.Contains(said, `"level":"WARN","msg":"this server is not InfluxDB 1.x"`)
			if !strings.Contains(said, tt.says) || warned == tt.fits {
				t.Errorf("want %q, as a warning: %t; said\n%s", tt.says, !tt.fits, said)
			}
			rejected := read(t, b.path("state/rejects.jsonl"))
			if !strings.Contains(rejected, `"reason":"expired"`) || !strings.Contains(rejected, `"reason":"future"`) {
				t.Errorf("rejected are %.2000s", rejected)
			}
			_ = b.run("check", "--config", config)
			if said := read(t, b.path("tailflux.log")); strings.Count(said, tt.says) != 2 {
				t.Errorf("check does not say %q:\n%s", tt.says, said)
			}
		})
	}
}

// victoriaSums reads what a rollup adds up to, every field by window and tags, with the
// expressions of docs/scaling.md.
func victoriaSums(t *testing.T, v *influxdtest.Victoria, measurement string, interval time.Duration, from, to time.Time, tags ...string) sums {
	t.Helper()
	all := sums{}
	by := strings.Join(append([]string{"__name__"}, tags...), ",")
	for _, expression := range []string{
		fmt.Sprintf(`sum(sum_over_time({__name__=~"%s_.+",__name__!~".+_max",source!="tailflux"}[%s]) keep_metric_names) by (%s)`, measurement, interval, by),
		fmt.Sprintf(`max(max_over_time({__name__=~"%s_.+_max"}[%s]) keep_metric_names) by (%s)`, measurement, interval, by),
	} {
		// A window is behind its begin, up to the next one, which it includes: the stamps are a
		// millisecond or more behind it.
		samples, err := v.Range(t.Context(), from.Truncate(interval).Add(interval), to.Truncate(interval).Add(interval), interval, expression)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range samples {
			key := fmt.Sprint(s.At.Add(-interval).Unix())
			for _, tag := range tags {
				key += fmt.Sprintf(" %s=%s", tag, s.Labels[tag])
			}
			all.add(key, strings.TrimPrefix(s.Labels["__name__"], measurement+"_"), int64(s.Value))
		}
	}
	return all
}

func (b *bench) wantVictoria(v *influxdtest.Victoria, g *traffic) {
	b.t.Helper()
	from := time.Date(2026, 11, 20, 9, 59, 0, 0, time.UTC)
	b.wantSums("site", g.site, victoriaSums(b.t, v, "site", time.Second, from, g.at, "status"))
	b.wantSums("paths", g.paths, victoriaSums(b.t, v, "paths", 10*time.Second, from, g.at, "path", "status_class"))
}

// Killed with -9 again and again, with what is sent again counting once, rollups in
// VictoriaMetrics are what the log adds up to.
func TestVictoriaRollupsSurviveKills(t *testing.T) {
	t.Parallel()
	v := influxdtest.NewVictoria(t, "-dedup.minScrapeInterval=1ms", "-retentionPeriod=100y")
	b := victoriaBench(t, v)
	g := newTraffic()
	log := b.write("access.log", g.text(5000))
	config := b.victoriaConfig(log, false, "1s")
	for i := range 10 {
		d := b.start("--config", config)
		for deadline := time.Now().Add(time.Duration(300+g.r.IntN(900)) * time.Millisecond); time.Now().Before(deadline); {
			b.write("access.log", g.text(200+g.r.IntN(2000)))
			time.Sleep(time.Duration(g.r.IntN(100)) * time.Millisecond)
			if g.r.IntN(10) == 0 {
				if err := os.Rename(log, b.path(fmt.Sprintf("access.log.%d", time.Now().UnixNano()))); err != nil {
					t.Fatal(err)
				}
				b.write("access.log", g.text(10))
			}
		}
		if i%5 == 4 {
			_ = d.Stop()
		} else {
			d.Kill()
		}
		if i%2 == 0 { // the latest save is lost, which must be harmless
			if err := os.Remove(b.path("state/checkpoint")); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		}
	}
	b.readToTheEnd(config)
	b.wantVictoria(v, g)
	t.Logf("%d lines, %d windows", g.lines, len(g.site))
}

// Killed with -9, VictoriaMetrics forgets seconds that it acknowledged, also when it is back
// before anybody asks it something. They are sent again, by the same process.
func TestVictoriaForgetsWhatItAcknowledged(t *testing.T) {
	t.Parallel()
	v := influxdtest.NewVictoria(t, "-dedup.minScrapeInterval=1ms", "-retentionPeriod=100y", "-inmemoryDataFlushInterval=1s")
	b := victoriaBench(t, v)
	g := newTraffic()
	log := b.write("access.log", g.text(5000))
	config := b.victoriaConfig(log, false, "6s")
	d := b.start("--config", config)
	for i := range 4 {
		for deadline := time.Now().Add(time.Duration(800+g.r.IntN(700)) * time.Millisecond); time.Now().Before(deadline); {
			b.write("access.log", g.text(200+g.r.IntN(2000)))
			time.Sleep(time.Duration(g.r.IntN(100)) * time.Millisecond)
			if g.r.IntN(10) == 0 {
				if err := os.Rename(log, b.path(fmt.Sprintf("access.log.%d", time.Now().UnixNano()))); err != nil {
					t.Fatal(err)
				}
				b.write("access.log", g.text(10))
			}
		}
		if i == 1 || i == 3 { // all is acknowledged, and nothing more is sent
			b.quiet(d)
		}
		v.Kill()
		if i == 0 {
			d.Kill() // and tailflux, too
			d = b.start("--config", config)
		}
		time.Sleep([]time.Duration{ // none: it is back before anybody asks it something
			0, 500 * time.Millisecond, time.Second, 12 * time.Second, // so long that it is an outage, though nobody writes
		}[i])
		if err := v.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2500 * time.Millisecond) // what it lost is noticed within two seconds
	}
	b.quiet(d)
	r, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.Lines.InFlight == 0 && r.InfluxDB.Up })
	if err != nil || r.Lines.Read != r.Lines.Written+r.Lines.Rejected {
		t.Errorf("%+v, %+v, %v", r.Lines, r.InfluxDB, err)
	}
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	if n := strings.Count(read(t, b.path("tailflux.log")), "the store may have lost what it acknowledged last"); n < 2 {
		t.Errorf("noticed %d times", n)
	}
	b.wantVictoria(v, g)
	if rejected := int64(strings.Count(read(t, b.path("state/rejects.jsonl")), "\n")); rejected != g.rejected {
		t.Errorf("%d entries for %d rejected lines", rejected, g.rejected)
	}
	t.Logf("%d lines, %d of them read, %d windows", g.lines, r.Lines.Read, len(g.site))
}

// quiet waits until all is read and delivered, and stays so.
func (b *bench) quiet(d *tailfluxtest.Daemon) {
	b.t.Helper()
	for range 10 {
		if _, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool {
			return len(r.Sources) == 1 && r.Sources[0].LagBytes == 0 && r.Lines.InFlight == 0
		}); err != nil {
			b.t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
