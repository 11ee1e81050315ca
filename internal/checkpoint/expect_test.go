package checkpoint_test

import (
	"testing"

	"github.com/tailflux/tailflux/internal/checkpoint"
)

// The generation that comes next has the numbers that it had before it could be saved. Of others
// nothing is known.
func TestExpect(t *testing.T) {
	for _, tt := range []struct {
		name             string
		source           string
		generation, line int64
		want             int64
	}{
		{"the next one", "web", 4, 503_301, 503_301},
		{"one that is known", "web", 3, 503_301, 7},
		{"the one after the next", "web", 5, 503_301, 7},
		{"an import", "web", -1, 503_301, 7},
		{"of an earlier version", "web", 4, 0, 7},
		{"of another source", "other", 1, 503_301, 7},
		{"less than another log had", "web", 4, 5, 7},
	} {
		c := checkpoint.InMemory(map[string]*checkpoint.Source{"web": {
			Path: "/web", Open: []checkpoint.Generation{{ID: 2}}, Finished: []checkpoint.Generation{{ID: 3}, {ID: 1}},
		}})
		c.Expect("web", 4, 7)
		c.Expect(tt.source, tt.generation, tt.line)
		is := c.Ledger("web").Copy()
		if is.FirstLine != tt.want {
			t.Errorf("%s: the next line is at least %d, want %d", tt.name, is.FirstLine, tt.want)
		}
		if _, known := c.Paths()["other"]; known {
			t.Errorf("%s: another source is known", tt.name)
		}
	}
}
