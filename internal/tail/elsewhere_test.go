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
