package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/rollup"
	"github.com/tailflux/tailflux/internal/statedir"
)

// When the first byte of a delta is on its way, it is on the disk where its cut ends.
func TestIntentsAreOnTheDiskBeforeTheirDeltas(t *testing.T) {
	in := &site{&installation{t: t, state: t.TempDir(), log: filepath.Join(t.TempDir(), "access.log")}, newStore(t)}
	asked := 0
	in.db.before = func(lines []string) {
		data, err := os.ReadFile(in.path(statedir.Intents))
		if err != nil && !os.IsNotExist(err) {
			t.Error(err)
			return
		}
		intents, _, _ := rollup.ReadIntents(data) // no intents, if the file is not there
		saved := map[string]bool{}
		for _, i := range intents {
			saved[rollup.Measurement(i.Rollup)] = true
		}
		for _, line := range lines {
			switch measurement, _, _ := strings.Cut(line, ","); {
			case !strings.HasPrefix(measurement, "nginx_site") && measurement != "nginx_paths":
			case !saved[measurement]:
				t.Errorf("%s was sent before an intent of it was on the disk", measurement)
				return
			default:
				asked++
			}
		}
	}
	in.write(lines(0, 120))
	in.once(120)
	if asked == 0 {
		t.Error("no delta was sent, which shows nothing")
	}
}
