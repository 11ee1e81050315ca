//go:build planted

package tail_test

import (
	"io"
	"sync/atomic"
	"testing"

	"github.com/tailflux/tailflux/internal/planted"
)

// Each bug that can be planted must be found by the sequences that CI plays. (No
// other test is run with the tag.)
func TestPlantedBugsAreFound(t *testing.T) {
	for _, bug := range planted.Following() {
		t.Run(string(bug), func(t *testing.T) {
			planted.Plant(bug)
			var next, found atomic.Int64
			var why atomic.Pointer[error]
			t.Run("sequences", func(t *testing.T) {
				for range modelShards {
					t.Run("", func(t *testing.T) {
						t.Parallel()
						for found.Load() == 0 {
							seed := uint64(next.Add(1))
							if seed > uint64(*modelSequences) {
								return
							}
							if err := play(t, seed, script(seed), io.Discard); err != nil {
								found.Store(int64(seed))
								why.Store(&err)
							}
						}
					})
				}
			})
			if found.Load() == 0 {
				t.Fatalf("%s: not found in %d sequences", bug, *modelSequences)
			}
			t.Logf("%s: found by sequence %d, the %dth: %v", bug, found.Load(), next.Load(), *why.Load())
		})
	}
}
