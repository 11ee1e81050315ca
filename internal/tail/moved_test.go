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
		l := newLives(t, wakeups, path)
		l.options.RotateWait = time.Hour
		l.start()
		l.want(1, "a1")
		l.acknowledge()
		later()
		rename(t, path, filepath.Join(dir, "access.log.1"))
		add(t, a, "a2\n")
		later()
		create(t, path, "b1\n")
		l.want(2, "b1")
		l.want(1, "a1", "a2")
		l.kill()
		l.start()
		l.wantAll([]string{"a2"}, []string{"b1"})
		if s := l.source(); s.Lost != 0 {
			t.Errorf("%d generations lost; the log:\n%s", s.Lost, &l.log)
		}
		l.stop()
	})
}

// Of what was at the earlier path the rest is read, however often it is started.
func TestKilledAfterTheConfigurationNamedAnotherPath(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path, other := logFile(t), filepath.Join(t.TempDir(), "site.log")
		create(t, path, "a1\n")
		l := newLives(t, wakeups, path)
		l.start()
		l.want(1, "a1")
		l.stop()
		appendTo(t, path, "a2\n")
		later()
		create(t, other, "b1\n")
		l.paths = []string{other}
		for _, end := range []func(){l.kill, l.stop} {
			l.start()
			l.wantAll([]string{"a2"}, []string{"b1"})
			if s := l.source(); s.Lost != 0 {
				t.Errorf("%d generations lost; the log:\n%s", s.Lost, &l.log)
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
			l := newLives(t, wakeups, path)
			l.start()
			l.want(1, "a1")
			l.stop()
			appendTo(t, path, "a2\n")
			rename(t, path, moved)
			l.paths = []string{moved}
			l.start()
			l.wantAll([]string{"a2"})
			l.kill()
			rotate(t, moved, "b1\n")
			l.start()
			l.wantAll([]string{"a2"}, []string{"b1"})
			l.stop()
		})
	})
	t.Run("another log is there", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path, other := logFile(t), filepath.Join(t.TempDir(), "site.log")
			create(t, path, "a1\n")
			l := newLives(t, wakeups, path)
			l.options.fromEnd = true
			l.start()
			l.looked()
			appendTo(t, path, "a2\n")
			l.want(1, "a2")
			l.stop()
			appendTo(t, path, "a3\n")
			later()
			create(t, other, "b1\n")
			l.paths = []string{other}
			l.start()
			l.wantAll([]string{"a3"}, []string{"b1"})
			l.stop()
			appendTo(t, path, "a4\n") // nobody follows it any more
			appendTo(t, other, "b2\n")
			l.start()
			l.wantAll(nil, []string{"b2"})
			l.stop()
		})
	})
	t.Run("the log was rotated and is elsewhere", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path, other := logFile(t), filepath.Join(t.TempDir(), "site.log")
			create(t, path, "a1\n")
			l := newLives(t, wakeups, path)
			l.start()
			l.want(1, "a1")
			l.stop()
			appendTo(t, path, "a2\n")
			rotate(t, path, "b1\n")
			rotate(t, path, "c1\n")
			later()
			rename(t, path, other)
			l.paths = []string{other}
			l.start()
			l.wantAll([]string{"a2"}, []string{"b1"}, []string{"c1"})
			l.stop()
		})
	})
}
