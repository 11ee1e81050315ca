package keep

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/tailflux/tailflux/internal/scene"
)

// Dir is a directory to which scenes are written. The nil one keeps none.
type Dir struct {
	dir    string
	log    *slog.Logger
	n      int // that were written
	failed bool
}

// NewDir returns nil if dir is "". It writes beside what is there.
func NewDir(dir string, log *slog.Logger) *Dir {
	if dir == "" {
		return nil
	}
	there, _ := filepath.Glob(filepath.Join(dir, "scene-*.json")) // the pattern is good
	return &Dir{dir: dir, log: log, n: len(there)}
}

// mostScenes is how many scenes are kept; the next one takes the place of the oldest.
const mostScenes = 1000

// Keep writes a scene from which more follows than to wait.
func (k *Dir) Keep(source string, sc *scene.Scene, actions []scene.Action) {
	waits := true
	for _, a := range actions {
		waits = waits && (a.Do == scene.Wait || a.Do == scene.LookAgain)
	}
	if k == nil || waits {
		return
	}
	text, err := json.MarshalIndent(struct {
		Source string
		*Kept
	}{source, Keep(sc, actions)}, "", " ")
	if err == nil {
		err = os.WriteFile(filepath.Join(k.dir, fmt.Sprintf("scene-%03d.json", k.n%mostScenes)), text, 0o640)
	}
	if err != nil && !k.failed {
		k.log.Warn("scenes cannot be kept", "err", err)
	}
	k.failed = err != nil
	k.n++
}
