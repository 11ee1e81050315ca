package logfile_test

import (
	"testing"

	"github.com/tailflux/tailflux/internal/logfile"
)

// What people make of a log is none, unless the log is called so itself.
func TestNamesOfWhatIsMadeOfALog(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		log, name string
		want      bool
	}{
		{"access.log", "access.log-2026-48", true},
		{"access.log", "access.log.1.sha256", false},
		{"access.log", "access.log-2026-48.tar.gz", false},
		{"access.log", "access.log-2026-48.html", false},
		{"access.json", "access.json.2026-48.json", true},
		{"access.json", "access.json.2026-48.sha1", false},
		{"access.json", "access-20261122.json", true},
	} {
		if got := logfile.RotatedName(tt.log, tt.name); got != tt.want {
			t.Errorf("%s may be a rotated file of %s: %v", tt.name, tt.log, got)
		}
	}
}
