package e2e

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

const givenUp = "what was on the way to InfluxDB is given up"

// configured changes the configuration of a bench, and returns its file.
func (b *bench) configured(config string, change ...string) string {
	b.t.Helper()
	text := strings.NewReplacer(change...).Replace(read(b.t, config))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	return config
}

// saved waits until all that was read is delivered, cut and saved.
func (b *bench) saved(d *tailfluxtest.Daemon) {
	b.t.Helper()
	is := func(r tailfluxtest.Report) bool {
		open := int64(0)
		for _, of := range r.Rollups {
			open += of.Cells
		}
		return r.Lines.InFlight == 0 && r.Sources[0].LagBytes == 0 && open == 0
	}
	for again := true; again; {
		if _, err := d.WaitFor(arrival, is); err != nil {
			b.t.Fatal(err)
		}
		time.Sleep(2500 * time.Millisecond) // the checkpoint is saved, twice
		r, err := d.Monitor(b.t.Context())
		if err != nil {
			b.t.Fatal(err)
		}
		again = !is(r)
	}
}

// After a kill, rollups are changed: what InfluxDB has is not called given up.
func TestWhatWasDeliveredIsNotGivenUp(t *testing.T) {
	t.Parallel()
	db := influxdtest.New(t, influxdtest.Options{})
	for _, tt := range []struct {
		name   string
		change []string
	}{
		{"another tag", []string{"tags: [status]", "tags: [status, method]"}},
		{"one is gone", []string{"- {measurement: site, interval: 1s, tags: [status]}\n", ""}},
		{"all are gone", []string{
			"rollups:\n- {measurement: site, interval: 1s, tags: [status]}\n- {measurement: paths, interval: 10s, tags: [path, status_class]}\n", "rollups: []\n",
		}},
	} {
		for _, start := range []string{"--once", "--wakeups=true"} { // which is the default
			t.Run(tt.name+" "+start, func(t *testing.T) {
				t.Parallel()
				b := newBench(t, db)
				g := newTraffic()
				log := b.write("access.log", g.text(2000))
				config := b.rollupConfig(log, true)
				d := b.start("--config", config)
				b.saved(d)
				d.Kill()
				if !strings.Contains(read(t, b.path("state/intents")), "site#") {
					t.Fatal("no intent is in the file: this test shows nothing")
				}
				b.configured(config, tt.change...)
				d = b.start(start, "--config", config)
				if start == "--once" {
					_ = d.Wait()
				} else {
					b.saved(d)
					_ = d.Stop()
				}
				if logged := read(t, b.path("tailflux.log")); strings.Contains(logged, givenUp) || strings.Contains(logged, "lines were not delivered to a measurement") {
					t.Errorf("what was delivered is called given up:\n%s", logged)
				}
			})
		}
	}
}

// What was not delivered is given up, and named.
func TestWhatWasNotDeliveredIsGivenUp(t *testing.T) {
	t.Parallel()
	db := influxdtest.New(t, influxdtest.Options{})
	b := newBench(t, db)
	g := newTraffic()
	log := b.write("access.log", g.text(1000))
	config := b.rollupConfig(log, false) // or the requests of raw points are before that of a cut
	d := b.start("--config", config)
	b.saved(d)
	if err := db.Stop(); err != nil {
		t.Fatal(err)
	}
	before := strings.Count(read(t, b.path("state/intents")), "site#")
	b.write("access.log", g.text(1000))
	for deadline := time.Now().Add(arrival); strings.Count(read(t, b.path("state/intents")), "site#") == before; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no cut was begun")
		}
	}
	d.Kill()
	if err := db.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.once("--config", b.configured(config, "tags: [status]", "tags: [status, method]"))
	logged := read(t, b.path("tailflux.log"))
	if strings.Count(logged, givenUp) != 1 || !strings.Contains(logged, `"measurement":"site","from_line":1001,`) {
		t.Errorf("want one cut of site that is given up, from line 1001 on:\n%s", logged)
	}
}
