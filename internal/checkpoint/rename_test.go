package checkpoint_test

import (
	"maps"
	"testing"

	"github.com/tailflux/tailflux/internal/checkpoint"
)

// Names change all at once: two logs may change theirs, and one may have the name that
// another one gives up. The name of a log that keeps it is nobody else's.
func TestRenameAll(t *testing.T) {
	for _, tt := range []struct {
		name      string
		to, moved map[string]string
		paths     map[string]string // afterwards
	}{
		{"one", map[string]string{"a": "x"}, map[string]string{"a": "x"}, map[string]string{"x": "/a", "b": "/b", "c": "/c"}},
		{"two change theirs", map[string]string{"a": "b", "b": "a"}, map[string]string{"a": "b", "b": "a"}, map[string]string{"a": "/b", "b": "/a", "c": "/c"}},
		{"in a row", map[string]string{"a": "b", "b": "x"}, map[string]string{"a": "b", "b": "x"}, map[string]string{"b": "/a", "x": "/b", "c": "/c"}},
		{"to one that is taken", map[string]string{"a": "c"}, map[string]string{}, map[string]string{"a": "/a", "b": "/b", "c": "/c"}},
		{"in a row to one that is taken", map[string]string{"a": "b", "b": "c"}, map[string]string{}, map[string]string{"a": "/a", "b": "/b", "c": "/c"}},
		{"one that is not known", map[string]string{"z": "x"}, map[string]string{"z": "x"}, map[string]string{"a": "/a", "b": "/b", "c": "/c"}},
		{"none", nil, nil, map[string]string{"a": "/a", "b": "/b", "c": "/c"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := checkpoint.InMemory(map[string]*checkpoint.Source{"a": {Path: "/a"}, "b": {Path: "/b"}, "c": {Path: "/c"}})
			if got := c.RenameAll(tt.to); !maps.Equal(got, tt.moved) {
				t.Errorf("RenameAll(%v) = %v, want %v", tt.to, got, tt.moved)
			}
			if got := c.Paths(); !maps.Equal(got, tt.paths) {
				t.Errorf("after RenameAll(%v) the paths are %v, want %v", tt.to, got, tt.paths)
			}
		})
	}
}
