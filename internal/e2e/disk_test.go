//go:build e2e

package e2e

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
	"github.com/tailflux/tailflux/mock/feed"
)

// InfluxDB's disk is full. It answers 500, also when there is room again, until it
// is started anew; then points are gone that it showed meanwhile. None of them
// was acknowledged.
func TestDiskOfInfluxDBIsFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=12m")
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		t.Skip("only root may mount")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	db := influxdtest.New(t, influxdtest.Options{Dir: dir + "/influxd"})
	b := newBench(t, db)
	f, err := feed.New(feed.Options{Path: b.path("access.log"), Rate: 20_000})
	if err != nil {
		t.Fatal(err)
	}
	d := b.start("--path", b.path("access.log"), "--name", "web", "--format", "timed", "--start", "beginning")
	feeding, stop := context.WithCancel(t.Context())
	defer stop()
	fed := make(chan error, 1)
	go func() { fed <- f.Run(feeding) }()
	full := func(r tailfluxtest.Report) bool { return strings.Contains(r.InfluxDB.LastError, "no space left") }
	if _, err := d.WaitFor(arrival, full); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second) // more comes meanwhile
	stop()
	if err := <-fed; err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	db.Kill()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=512m"); err != nil {
		t.Fatal(err)
	}
	if err := db.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	lines := f.Summary().Lines
	b.delivered(d, lines)
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	if points := b.points(""); points != lines {
		t.Errorf("%d points of %d lines", points, lines)
	}
	if _, err := os.Stat(d.RejectFile()); err == nil {
		if n, err := d.Rejects(); err != nil || n != 0 {
			t.Errorf("%d lines rejected, %v", n, err)
		}
	}
}
