//go:build e2e

package machine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/e2e/machine"
)

// A machine is a Debian with its own systemd, which starts and stops services; and
// nothing of it is left.
func TestMachine(t *testing.T) {
	before, err := filepath.Glob(filepath.Join(os.TempDir(), "tailflux-machine-*"))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("up", func(t *testing.T) {
		m := machine.Boot(t, "../../../.cache/debian-12.tar")
		if name := m.Run("cat", "/proc/1/comm"); name != "systemd\n" {
			t.Errorf("pid 1 is %q", name)
		}
		m.Put("/etc/systemd/system/one.service", 0o644, strings.NewReader("[Service]\nExecStart=/bin/sleep 1000\nDynamicUser=yes\n"))
		m.Run("systemctl", "daemon-reload")
		m.Run("systemctl", "start", "one")
		if state := m.Run("systemctl", "is-active", "one"); state != "active\n" {
			t.Errorf("the service is %q", state)
		}
		if says, err := m.Try("systemctl", "start", "two"); err == nil || !strings.Contains(says, "two.service not found") {
			t.Errorf("a service that is not there: %v, %q", err, says)
		}
		if got := m.Shell("echo a | cat; id -u"); got != "a\n0\n" {
			t.Errorf("a script said %q", got)
		}
	})
	after, err := filepath.Glob(filepath.Join(os.TempDir(), "tailflux-machine-*"))
	if err != nil || len(after) != len(before) {
		t.Errorf("left behind: %q", after)
	}
}
