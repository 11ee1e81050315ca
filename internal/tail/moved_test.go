// The log is at another path: rotated into another directory, or the configuration names another one.

package tail_test

import (
	"path/filepath"
	"testing"
	"time"
)

// The directory is known as soon as a file was seen there.
func TestKilledRightAfterTheFirstRotationIntoAnotherDirectory(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path, dir := logFile(t), t.TempDir()
		a := create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.options.RotateWait = time.Hour
		d.start()
		d.want(1, "a1")
		d.acknowledge()
		later()
		rename(t, path, filepath.Join(dir, "access.log.1"))
		add(t, a, "a2\n")
		later()
		create(t, path, "b1\n")
		d.want(2, "b1")
		d.want(1, "a1", "a2")
		d.kill()
		d.start()
		d.wantAll([]string{"a2"}, []string{"b1"})
		if s := d.source(); s.Lost != 0 {
			t.Errorf("%d generations lost; the log:\n%s", s.Lost, &d.log)
		}
		d.stop()
	})
}

// Of what was at the earlier path the rest is read, however often it is started.
func TestKilledAfterTheConfigurationNamedAnotherPath(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path, other := logFile(t), filepath.Join(t.TempDir(), "site.log")
		create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.want(1, "a1")
		d.stop()
		appendTo(t, path, "a2\n")
		later()
		create(t, other, "b1\n")
		d.paths = []string{other}
		for _, end := range []func(){d.kill, d.stop} {
			d.start()
			d.wantAll([]string{"a2"}, []string{"b1"})
			if s := d.source(); s.Lost != 0 {
				t.Errorf("%d generations lost; the log:\n%s", s.Lost, &d.log)
			}
			end()
		}
	})
}

func TestConfigurationNamesAnotherPath(t *testing.T) {
	t.Parallel()
	t.Run("the log is there now", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path, moved := logFile(t), filepath.Join(t.TempDir(), "site.log")
			create(t, path, "a1\n")
			d := newDaemon(t, wakeups, path)
			d.start()
			d.want(1, "a1")
			d.stop()
			appendTo(t, path, "a2\n")
			rename(t, path, moved)
			d.paths = []string{moved}
			d.start()
			d.wantAll([]string{"a2"})
			d.kill()
			rotate(t, moved, "b1\n")
			d.start()
			d.wantAll([]string{"a2"}, []string{"b1"})
			d.stop()
		})
	})
	t.Run("another log is there", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path, other := logFile(t), filepath.Join(t.TempDir(), "site.log")
			create(t, path, "a1\n")
			d := newDaemon(t, wakeups, path)
			d.options.fromEnd = true
			d.start()
			d.looked()
			appendTo(t, path, "a2\n")
			d.want(1, "a2")
			d.stop()
			appendTo(t, path, "a3\n")
			later()
			create(t, other, "b1\n")
			d.paths = []string{other}
			d.start()
			d.wantAll([]string{"a3"}, []string{"b1"})
			d.stop()
			appendTo(t, path, "a4\n") // nobody follows it any more
			appendTo(t, other, "b2\n")
			d.start()
			d.wantAll(nil, []string{"b2"})
			d.stop()
		})
	})
	t.Run("the log was rotated and is elsewhere", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path, other := logFile(t), filepath.Join(t.TempDir(), "site.log")
			create(t, path, "a1\n")
			d := newDaemon(t, wakeups, path)
			d.start()
			d.want(1, "a1")
			d.stop()
			appendTo(t, path, "a2\n")
			rotate(t, path, "b1\n")
			rotate(t, path, "c1\n")
			later()
			rename(t, path, other)
			d.paths = []string{other}
			d.start()
			d.wantAll([]string{"a2"}, []string{"b1"}, []string{"c1"})
			d.stop()
		})
	})
}
