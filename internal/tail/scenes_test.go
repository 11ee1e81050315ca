package tail_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tailflux/tailflux/internal/scene"
	"github.com/tailflux/tailflux/internal/scene/keep"
)

// What is kept of a log's fates says the same when it is decided again.
func TestScenesAreKept(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path, dir := logFile(t), t.TempDir()
		a := create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.options.Scenes = dir
		d.start()
		d.want(1, "a1")
		rotate(t, path, "b1\n")
		d.want(2, "b1")
		d.acknowledge()
		d.kill()
		add(t, a, "a2\n")
		rotate(t, path, "c1\n")
		d.start()
		d.want(3, "c1")
		d.want(1, "a2")
		d.stop()
		files, err := filepath.Glob(filepath.Join(dir, "scene-*.json"))
		if err != nil || len(files) < 4 {
			t.Fatalf("%d scenes were kept: %v", len(files), err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var kept keep.Kept
			if err := json.Unmarshal(text, &kept); err != nil {
				t.Fatal(err)
			}
			actions, err := kept.Replay()
			if err != nil {
				t.Errorf("%s: %v", file, err)
			}
			if diff := cmp.Diff(kept.Actions, actions, cmpopts.IgnoreFields(scene.Action{}, "Err")); diff != "" {
				t.Errorf("%s: actions (-want +got):\n%s", file, diff)
			}
		}
	})
}
