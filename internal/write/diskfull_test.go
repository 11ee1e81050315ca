package write_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/influxdtest"
)

// InfluxDB's disk is full, has room again, and InfluxDB is restarted: every point
// is there.
func TestInfluxDBDiskIsFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=32m"); errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		t.Skip("not permitted to mount a small file system:", err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	db := influxdtest.New(t, influxdtest.Options{Dir: filepath.Join(dir, "influxdb")})
	d := deliverTo(t, db, influx.Config{Database: "nginx"}, 1000, func(n int) string { return fmt.Sprintf("m,path=/a v=%di %d", n, n) })
	d.send(3000)
	d.settled()
	filler := filepath.Join(dir, "filler")
	f, err := os.Create(filler)
	if err != nil {
		t.Fatal(err)
	}
	for some := make([]byte, 4096); err == nil; {
		_, err = f.Write(some)
	}
	f.Close()
	d.send(3000) // two requests in flight, and one waits
	full := func() bool {
		return strings.Contains(d.stats.Snapshot(time.Now()).InfluxDB.LastError, "no space left on device")
	}
	for deadline := time.Now().Add(time.Minute); !full(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("InfluxDB is %+v", d.stats.Snapshot(time.Now()).InfluxDB)
		}
	}
	if books := d.stats.Snapshot(time.Now()).Books; books.InFlight == 0 {
		t.Errorf("books are %+v with a full disk", books)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	db.Kill()
	if err := db.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.finish("")
}
