//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
	"github.com/tailflux/tailflux/mock/feed"
)

// While InfluxDB is away the log is the buffer: a minute of 20,000 lines/s and
// five rotations change nothing about the daemon's memory, and all of it is there
// afterwards.
func TestOutageOfAMinute(t *testing.T) {
	t.Parallel()
	const (
		outage  = time.Minute
		most    = 64 << 20
		every   = 10 * time.Second
		before  = 3 * time.Second
		leastOf = 5 // rotations
	)
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	f, err := feed.New(feed.Options{
		Path: b.path("access.log"), Rate: 20_000, Duration: before + outage,
		Rotation: feed.Rotation{Every: every, Lag: 50 * time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	d := b.start("--path", b.path("access.log"), "--name", "web", "--format", "timed", "--start", "beginning")
	fed := make(chan error, 1)
	go func() { fed <- f.Run(t.Context()) }()
	if _, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.Lines.Written > 0 }); err != nil {
		t.Fatal(err)
	}
	time.Sleep(before)
	b.db.Kill()
	if err := <-fed; err != nil {
		t.Fatal(err)
	}
	written := f.Summary()
	if written.Rotations < leastOf {
		t.Fatalf("only %d rotations", written.Rotations)
	}
	r, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return !r.InfluxDB.Up })
	if err != nil {
		t.Fatal(err)
	}
	missing := written.Lines - r.Lines.Written
	if err := b.db.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	back := time.Now()
	r, err = d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.InfluxDB.Up }) // asks every 10 s
	if err != nil {
		t.Fatal(err)
	}
	noticed, left := time.Now(), written.Lines-r.Lines.Written
	b.delivered(d, written.Lines)
	took, peak := time.Since(noticed), peakMemory(t, d)
	if peak > most && !raceEnabled {
		t.Errorf("%d bytes resident, want at most %d", peak, most)
	}
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	if points := b.points(""); points != written.Lines {
		t.Errorf("%d points of %d lines", points, written.Lines)
	}

	// As many lines, with nothing in the way: full speed, to compare with.
	f, err = feed.New(feed.Options{Path: b.path("full.log"), Lines: missing})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	b.once("--path", b.path("full.log"), "--name", "full", "--format", "timed", "--start", "beginning")
	speed := float64(missing) / time.Since(begin).Seconds()
	caught := float64(left) / took.Seconds()
	t.Logf("%d lines during the outage; back in touch after %v, then %.0f lines/s, %.2f of full speed; at most %.1f MiB resident",
		missing, noticed.Sub(back).Round(time.Millisecond), caught, caught/speed, float64(peak)/(1<<20))
}

// A thousand clients that send a byte of their request now and then hold neither
// connections without bound nor the log up.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	const clients, lines = 1000, 200_000
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	d := b.start("--path", b.path("access.log"), "--name", "web", "--format", "timed", "--start", "beginning")
	address, err := url.Parse(d.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.WaitFor(arrival, func(tailfluxtest.Report) bool { return true }); err != nil {
		t.Fatal(err)
	}
	descriptors := func() int {
		t.Helper()
		entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.PID()))
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	quiet := descriptors()
	for range clients {
		c, err := net.Dial("tcp", address.Host)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if _, err := c.Write([]byte("GET /monitor HT")); err != nil {
			t.Fatal(err)
		}
	}
	f, err := feed.New(feed.Options{Path: b.path("access.log"), Lines: lines})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	most := 0
	for deadline := time.Now().Add(arrival); b.pointsOrNone() < lines; time.Sleep(50 * time.Millisecond) {
		most = max(most, descriptors())
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d lines are points", b.pointsOrNone(), lines)
		}
	}
	if most > quiet+100 {
		t.Errorf("%d descriptors open, %d without the clients", most, quiet)
	}
	// They are sent away, and others are heard again.
	if _, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.Lines.Written == lines }); err != nil {
		t.Error(err)
	}
}

// pointsOrNone is points, also before the database is there.
func (b *bench) pointsOrNone() int64 {
	b.t.Helper()
	n, err := b.db.Count(b.t.Context(), database, "nginx_access", "")
	if err != nil && !strings.Contains(err.Error(), "database not found") {
		b.t.Fatal(err)
	}
	return n
}
