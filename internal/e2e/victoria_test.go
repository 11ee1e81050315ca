//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
)

// victoriaBench is one tailflux beside a VictoriaMetrics.
func victoriaBench(t *testing.T, v *influxdtest.Victoria) *bench {
	t.Helper()
	return &bench{t: t, dir: t.TempDir(), url: v.URL()}
}

// VictoriaMetrics is known at the start, by check too, with its flags: what is said
// depends on them. Lines that are older than its retention, or from the far future, are in the reject file.
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
			config := b.rollupConfig(log, tt.raw == "true")
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
