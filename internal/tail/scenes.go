package tail

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/tailflux/tailflux/internal/scene"
)

// scenes writes scenes to files, for whoever wants to know why something happened to a
// log. The nil one keeps none.
type scenes struct {
	dir    string
	log    *slog.Logger
	n      int // that were written
	failed bool
}

// newScenes returns nil if dir is "". It writes beside what is there.
func newScenes(dir string, log *slog.Logger) *scenes {
	if dir == "" {
		return nil
	}
	there, _ := filepath.Glob(filepath.Join(dir, "scene-*.json")) // the pattern is good
	return &scenes{dir: dir, log: log, n: len(there)}
}

// mostScenes is how many scenes are kept; the next one takes the place of the oldest.
const mostScenes = 1000

// keep writes a scene from which more follows than to wait.
func (k *scenes) keep(source string, sc *scene.Scene, actions []scene.Action) {
	waits := true
	for _, a := range actions {
		waits = waits && (a.Do == scene.Wait || a.Do == scene.Again)
	}
	if k == nil || waits {
		return
	}
	text, err := json.MarshalIndent(struct {
		Source string
		*scene.Kept
	}{source, sc.Keep(actions)}, "", " ")
	if err == nil {
		err = os.WriteFile(filepath.Join(k.dir, fmt.Sprintf("scene-%03d.json", k.n%mostScenes)), text, 0o640)
	}
	if err != nil && !k.failed {
		k.log.Warn("scenes cannot be kept", "err", err)
	}
	k.failed = err != nil
	k.n++
}
