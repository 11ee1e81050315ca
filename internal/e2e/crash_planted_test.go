//go:build e2e && planted

package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/planted"
)

// The crash run with a program that has a bug: a check has to fail that is about
// just this. With none planted, no check does. (No other test is run with the tag.)
func TestPlantedBugsFailTheCrashRun(t *testing.T) {
	program := filepath.Join(t.TempDir(), "tailflux")
	if out, err := exec.Command("go", "build", "-tags", "planted", "-o", program, "../../cmd/tailflux").CombinedOutput(); err != nil {
		t.Fatalf("build tailflux: %v\n%s", err, out)
	}
	if has := plantable(t, program); !has {
		t.Fatal("nothing can be planted into what was built")
	}
	caughtBy := map[planted.Bug]string{
		planted.StampsFromClock:     checkDoubled,
		planted.CheckpointBeforeAck: checkLost,
		planted.PageIsSuccess:       checkLost,
		planted.DroppedBelieved:     checkLost,
		planted.RejectsAppended:     checkRejects,
	}
	seed := *crashSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	for i, bug := range append(planted.Delivery(), "") {
		t.Run("planted "+string(bug), func(t *testing.T) {
			t.Parallel()
			run := newCrashRun(t, program, string(bug), seed+uint64(i))
			run.play(*crashKills, *crashOutages, *crashRate)
			found := run.check()
			run.checkEnemies()
			t.Log(run.summary())
			is := func(f finding) bool { return f.check == caughtBy[bug] }
			switch at := slices.IndexFunc(found, is); {
			case bug == "":
				for _, f := range found {
					t.Errorf("nothing is planted, and yet: %s: %s", f.check, f.what)
				}
			case at < 0:
				t.Errorf("%s: not found by %q; found was %+v", bug, caughtBy[bug], found)
			default:
				t.Logf("%s: found by %q: %s; in all %v", bug, found[at].check, found[at].what, run.wrong)
			}
		})
	}
}

// What is built without the tag has no bugs to be planted.
func TestNothingCanBePlanted(t *testing.T) {
	if plantable(t, binary) {
		t.Error("what was built without the tag reads which bug to plant")
	}
}

// plantable tells whether a program knows a bug that can be planted, or the
// variable that names one.
func plantable(t *testing.T, program string) bool {
	t.Helper()
	text, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	for _, bug := range append(planted.Delivery(), planted.Following()...) {
		if bytes.Contains(text, []byte(bug)) {
			return true
		}
	}
	return bytes.Contains(text, []byte("TAILFLUX_PLANTED"))
}
