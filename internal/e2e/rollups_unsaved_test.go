package e2e

import (
	"os"
	"testing"

	"github.com/tailflux/tailflux/internal/influxdtest"
)

// A log is rotated while the checkpoint cannot be saved, and tailflux is killed. The next start
// does not know the new file, but the intents of rollups tell how its lines were numbered: they
// are the same points again, and rollups neither count them twice nor stand still.
func TestNewFileWhileTheCheckpointCannotBeSaved(t *testing.T) {
	t.Parallel()
	b, g := newBench(t, influxdtest.New(t, influxdtest.Options{})), newTraffic()
	log := b.write("access.log", g.text(1000))
	config := b.configured(b.rollupConfig(log, true), "interval: 10s", "interval: 1s")
	d := b.start("--config", config)
	b.saved(d)
	inTheWay := b.path("state/checkpoint.new")
	if err := os.Mkdir(inTheWay, 0o700); err != nil {
		t.Fatal(err)
	}
	b.write("access.log", g.text(1000))
	b.saved(d)
	if err := os.Rename(log, log+".1"); err != nil {
		t.Fatal(err)
	}
	b.write("access.log", g.text(700))
	b.saved(d)
	d.Kill()
	if err := os.Remove(inTheWay); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		d = b.start("--config", config)
		b.saved(d)
		if err := d.Stop(); err != nil {
			t.Errorf("the stop was not clean: %v", err)
		}
		b.write("access.log", g.text(10))
	}
	b.once("--config", config)
	b.wantRollups(g)
	b.wantPoints(g.lines - g.rejected)
}
