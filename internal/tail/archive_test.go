package tail_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What people make of a rotated log while tailflux is stopped, and leave beside it, is no log.
func TestArchivesBesideTheLogAreNotRead(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		d := newDaemon(t, wakeups, path)
		file := create(t, path, "a1\n")
		d.start()
		d.want(1, "a1")
		d.acknowledge()
		d.stop()
		add(t, file, "a2\n")
		rotate(t, path, "b1\n")
		for name, command := range map[string][]string{
			"access.log-2026-48.tar.gz": {"tar", "-czf"},
			"access.log-2026-48":        {"tar", "-cf"},
		} {
			archive := exec.Command(command[0], append(command[1:], name, "access.log.1")...)
			archive.Dir = filepath.Dir(path)
			if said, err := archive.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, said)
			}
		}
		for _, name := range []string{"access.log.1.sha256", "access.log-2026-report.html", "access.log.2026.json"} {
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), []byte("a3\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		d.start()
		d.want(1, "a2")
		d.want(2, "b1")
		d.still()
		d.stop()
		if s := d.source(); s.Lost > 0 {
			t.Errorf("%d generations are called lost", s.Lost)
		}
		if read := d.stats.Snapshot(time.Now()).Books.Read; read != 2 {
			t.Errorf("%d lines were read since the start, want 2", read)
		}
		if said := d.log.String(); !strings.Contains(said, "is an archive (tar) and no log") {
			t.Errorf("it said\n%s", said)
		}
	})
}
