package write_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/write"
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

// Not InfluxDB, but what must be on tailflux's own disk before points are sent: that is said.
func TestStateDirectoryIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var room atomic.Bool
		b := start(t, write.Config{BatchPoints: 1}, sink{write: func(context.Context, string) error {
			if !room.Load() {
				return fmt.Errorf("%w: save intents: %w", write.ErrState, syscall.ENOSPC)
			}
			return nil
		}}, &rejectFile{})
		b.send("p")
		time.Sleep(time.Minute)
		synctest.Wait()
		if db := b.stats.Snapshot(time.Now()).InfluxDB; db.Up || db.LastError != "cannot write to state_dir: save intents: no space left on device" {
			t.Errorf("/monitor: %+v", db)
		}
		room.Store(true)
		b.finish()
		for message, want := range map[string]int{
			"cannot write to state_dir, and points that need it wait; retrying, reading is paused": 1,
			"state_dir is writable again": 1, outageBegins: 0, outageEnds: 0,
		} {
			if got := b.log.count(message); got != want {
				t.Errorf("said %d times %q, want %d", got, message, want)
			}
		}
		if books := b.books(); books.Written != 1 {
			t.Errorf("%+v", books)
		}
	})
}
