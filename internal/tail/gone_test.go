package tail_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/tail"
)

// Directories that a glob matches come and go, as those of Kubernetes' pods do. When one is gone
// and others are there, it is no volume that is still to be mounted.
func TestDirectoryOfAGlobIsGone(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		pods := filepath.Join(t.TempDir(), "pods")
		d := newDaemon(t, wakeups)
		d.options.Globs = []tail.Glob{{Name: "s0", Pattern: filepath.Join(pods, "*", "controller", "*.log")}}
		for _, pod := range []string{"a", "b"} {
			if err := os.MkdirAll(filepath.Join(pods, pod, "controller"), 0o755); err != nil {
				t.Fatal(err)
			}
			create(t, filepath.Join(pods, pod, "controller", "0.log"), pod+"1\n")
		}
		read := func() bool { return d.stats.Snapshot(time.Now()).Books.Read == 2 }
		d.start()
		d.eventually("a line of each pod", read)
		d.acknowledge()
		d.stop()
		if err := os.RemoveAll(filepath.Join(pods, "a")); err != nil {
			t.Fatal(err)
		}
		d.start()
		d.eventually("nothing is waited for", func() bool {
			sources := d.stats.Snapshot(time.Now()).Sources
			for _, s := range sources {
				if s.Trouble != "" {
					return false
				}
			}
			return len(sources) > 0
		})
		d.stop()
	})
}
