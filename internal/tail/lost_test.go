package tail_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/tail"
)

// lost is a daemon whose log was deleted, as it seems, with two lines that were not
// acknowledged; away is where it is. Another log is at the path, and all of it was delivered.
func lost(t *testing.T) (d *daemon, path, away string) {
	t.Helper()
	path, away = logFile(t), filepath.Join(t.TempDir(), "away.log")
	file := create(t, path, "a1\na2\n")
	d = newDaemon(t, true, path)
	d.start()
	d.want(1, "a1", "a2")
	d.acknowledge()
	add(t, file, "a3\na4\n")
	d.want(1, "a1", "a2", "a3", "a4")
	d.looked()
	time.Sleep(300 * time.Millisecond)
	d.kill()
	rename(t, path, away)
	create(t, path, "b1\n")
	d.start()
	d.want(2, "b1")
	if s := d.source(); s.Lost != 1 {
		t.Fatalf("%d generations are lost, want 1", s.Lost)
	}
	d.stop()
	return d, path, away
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A log that was lost is found by its owner. It is imported as the generation that it was,
// from where it was acknowledged, and once, however many copies there are.
func TestLostLogIsImported(t *testing.T) {
	d, _, away := lost(t)
	copyFile(t, away, away+".copy")
	d.options.Import, d.options.Once = []string{away, away + ".copy"}, true
	d.options.Progress = func(tail.Progress) {}
	for i := range 2 {
		d.start()
		if err := d.wait(); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			d.want(1, "a3", "a4")
		}
		if n := d.collected(); n != 2-2*i {
			t.Errorf("run %d: %d lines, want %d", i+1, n, 2-2*i)
		}
		d.acknowledge()
	}
}

// A log that was lost, or a copy of it, is beside the log again, where rotated ones are.
func TestLostLogIsBesideTheLog(t *testing.T) {
	for _, as := range []struct {
		name string
		back func(t *testing.T, from, to string)
	}{{"itself", func(t *testing.T, from, to string) { rename(t, from, to) }}, {"a copy", copyFile}} {
		t.Run(as.name, func(t *testing.T) {
			d, path, away := lost(t)
			as.back(t, away, path+".1")
			now := time.Now()
			if err := os.Chtimes(path+".1", now, now); err != nil {
				t.Fatal(err)
			}
			d.start()
			d.wantAll([]string{"a3", "a4"}, nil)
			if s := d.source(); s.WrittenLate != 0 {
				t.Error("it is said to be written to still")
			}
			d.stop()
			d.start()
			d.wantNothing()
			d.stop()
		})
	}
}

// A log that was lost is at its path again, restored from a copy.
func TestLostLogIsRestored(t *testing.T) {
	d, path, away := lost(t)
	rename(t, path, path+".1")
	copyFile(t, away, path)
	d.start()
	d.want(1, "a3", "a4")
	d.stop()
	d.start()
	d.wantNothing()
	d.stop()
}

// A log whose time is a little ahead, because the clock was, does not hide what comes after it.
func TestFileWithATimeALittleAheadIsRotatedWhileStopped(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.want(1, "a1")
		ahead := time.Now().Add(40 * time.Second)
		if err := os.Chtimes(path, ahead, ahead); err != nil {
			t.Fatal(err)
		}
		time.Sleep(600 * time.Millisecond) // it is seen
		d.stop()
		rotate(t, path, "b1\n")
		rotate(t, path, "c1\n")
		d.start()
		d.wantAll(nil, []string{"b1"}, []string{"c1"})
		d.stop()
	})
}

// A log that was empty got lines while tailflux was stopped, and was deleted.
func TestLossIsSaidAlthoughAnotherFileIsRead(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.looked()
		d.stop()
		later()
		add(t, file, "a1\n")
		rotate(t, path, "b1\n")
		rotate(t, path, "c1\n")
		remove(t, path+".2")
		d.start()
		d.wantOf("b1", "c1")
		if s := d.source(); s.Lost != 1 {
			t.Errorf("lost %d, want 1; the log:\n%s", s.Lost, &d.log)
		}
		d.stop()
	})
}
