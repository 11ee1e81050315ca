package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
	"github.com/tailflux/tailflux/mock/feed"
)

// Rotations 200 ms apart at 20,000 lines/s, the old file written 50 ms longer:
// nothing lost, nothing doubled.
func TestFastRotations(t *testing.T) {
	t.Parallel()
	db := influxdtest.New(t, influxdtest.Options{})
	for _, wakeups := range []bool{true, false} {
		t.Run(fmt.Sprintf("wakeups %v", wakeups), func(t *testing.T) {
			b := newBench(t, db)
			name := fmt.Sprintf("web-%v", wakeups)
			f, err := feed.New(feed.Options{
				Path: b.path("access.log"), Rate: 20_000, Duration: 6 * time.Second,
				Rotation: feed.Rotation{Every: 200 * time.Millisecond, Lag: 50 * time.Millisecond},
			})
			if err != nil {
				t.Fatal(err)
			}
			d := b.start("--path", b.path("access.log"), "--name", name, "--format", "timed",
				"--start", "beginning", fmt.Sprintf("--wakeups=%v", wakeups))
			if err := f.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			written := f.Summary()
			if written.Rotations < 20 {
				t.Fatalf("only %d rotations", written.Rotations)
			}
			r, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool {
				return r.Lines.Read >= written.Lines && r.Lines.InFlight == 0
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Stop(); err != nil {
				t.Error(err)
			}
			points := b.points("source = '" + name + "'")
			if r.Lines.Read != written.Lines || r.Lines.Rejected != 0 || points != written.Lines {
				t.Errorf("%d lines in %d files: %d points, %+v", written.Lines, written.Rotations+1, points, r.Lines)
			}
		})
	}
}
