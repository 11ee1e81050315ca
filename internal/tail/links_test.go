package tail_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/tailflux/tailflux/internal/tail"
)

// A glob may match links to what it matches, or to another source: that is read once, under
// the name that is no link, also after a restart. A link to what nothing else follows is a
// log.
func TestGlobMatchesLinks(t *testing.T) {
	for name, tt := range map[string]struct {
		file   string
		link   func(from, to string) error
		source bool // the file is a source itself
		to     string
		wants  string
	}{
		"a link":                     {"z.log", os.Symlink, false, "a.log", "g:z"},
		"another name":               {"a.log", os.Link, false, "z.log", "g:a"},
		"a link to the present day":  {"app-2026-11-28.log", os.Symlink, false, "app-current.log", "g:app"},
		"a link to a source":         {"z.txt", os.Symlink, true, "a.log", "z"},
		"another name of a source":   {"z.txt", os.Link, true, "a.log", "z"},
		"a link to what is no match": {"z.txt", os.Symlink, false, "a.log", "g:a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dir, state := t.TempDir(), stateDir(t)
				path := filepath.Join(dir, tt.file)
				file := create(t, path, "1\n")
				if err := tt.link(path, filepath.Join(dir, tt.to)); err != nil {
					t.Fatal(err)
				}
				config := tail.Config{Globs: []tail.Glob{{Pattern: filepath.Join(dir, "*.log"), Name: "g"}}}
				if tt.source {
					config.Sources = []tail.Source{{Name: "z", Path: path}}
				}
				for _, line := range []string{"1\n", "2\n"} {
					if got, want := followed(t, config, state, 1, nil), []string{tt.wants + " " + line}; !slices.Equal(got, want) {
						t.Errorf("%q, want %q", got, want)
					}
					add(t, file, "2\n")
				}
			})
		})
	}
}
