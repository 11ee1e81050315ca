package keep_test

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

// Scenes that were kept (tailflux run --debug-scenes) are decided as they were then. Put
// one here that shows a fault, with the actions that are right.
func TestKeptScenes(t *testing.T) {
	files, err := filepath.Glob("testdata/scenes/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenes: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
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
				t.Fatal(err)
			}
			if diff := cmp.Diff(kept.Actions, actions, cmpopts.IgnoreFields(scene.Action{}, "Err")); diff != "" {
				t.Errorf("actions (-want +got):\n%s", diff)
			}
		})
	}
}
