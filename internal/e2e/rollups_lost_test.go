package e2e

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

// loseLog delivers a log, kills tailflux while the cuts of one rollup are further than those of
// the other, moves the log away, and starts tailflux, which finds it lost.
func (b *bench) loseLog(g *traffic, config, log, away string) *tailfluxtest.Daemon {
	b.t.Helper()
	d := b.start("--config", config)
	for range 20 {
		b.write("access.log", g.text(300))
		time.Sleep(200 * time.Millisecond)
	}
	d.Kill()
	if saved := read(b.t, b.path("state/checkpoint")); !strings.Contains(saved, `"destination": "site#`) {
		b.t.Fatalf("no rollup is ahead of the other: this test shows nothing\n%s", saved)
	}
	if err := os.Rename(log, away); err != nil {
		b.t.Fatal(err)
	}
	d = b.start("--config", config)
	for deadline := time.Now().Add(arrival); !strings.Contains(read(b.t, b.path("tailflux.log")), "part of a log is lost"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatal("the log is not called lost")
		}
	}
	return d
}

// A log that was lost turns up at its path, or a copy of it does, or it is imported, which is
// killed again and again: each line is delivered exactly once all the same.
func TestLostLogTurnsUp(t *testing.T) {
	t.Parallel()
	db := influxdtest.New(t, influxdtest.Options{})
	back := func(b *bench, g *traffic, log, away string) {
		if err := os.Rename(away, log); err != nil {
			b.t.Fatal(err)
		}
		b.write("access.log", g.text(300))
	}
	for _, tt := range []struct {
		name      string
		raw, stop bool // before it turns up
		turnsUp   func(b *bench, g *traffic, config, log, away string)
	}{
		{"at the path", true, false, func(b *bench, g *traffic, _, log, away string) { back(b, g, log, away) }},
		{"at the path of the next start", false, true, func(b *bench, g *traffic, _, log, away string) { back(b, g, log, away) }},
		{"as a copy", true, true, func(b *bench, g *traffic, _, _, away string) { b.write("access.log", read(b.t, away)+g.text(300)) }},
		{"for import", true, true, func(b *bench, g *traffic, config, _, away string) {
			b.write("access.log", g.text(300))
			if code := b.run("import", "--config", config, away); code != 0 {
				b.t.Errorf("import: exit code %d", code)
			}
		}},
		{"for an import that is killed", false, true, func(b *bench, g *traffic, config, _, away string) {
			b.write("access.log", g.text(300))
			b.killed(g, "import", "--config", config, away)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := db.Query(t.Context(), "", "DROP DATABASE "+database); err != nil {
				t.Fatal(err)
			}
			b, g := newBench(t, db), newTraffic()
			log, away := b.write("access.log", ""), b.path("away.log")
			config := b.rollupConfig(log, tt.raw)
			d := b.loseLog(g, config, log, away)
			if tt.stop {
				if err := d.Stop(); err != nil {
					t.Fatal(err)
				}
			}
			tt.turnsUp(b, g, config, log, away)
			if !tt.stop {
				b.delivered(d, 1)
				_ = d.Stop()
			}
			b.readToTheEnd(config)
			b.wantRollups(g)
			if tt.raw {
				b.wantPoints(g.lines - g.rejected)
			}
			if n := int64(len(rejectsOf(t, b.path("state/rejects.jsonl")))); n != g.rejected {
				t.Errorf("%d entries of rejected lines, want %d", n, g.rejected)
			}
		})
	}
}
