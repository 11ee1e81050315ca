package tail_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

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

// Links across globs are other names, too, whichever glob comes first; and a link that is
// turned to a log of its own later is followed from then on.
func TestLinksAcrossGlobs(t *testing.T) {
	for _, linksFirst := range []bool{true, false} {
		t.Run(fmt.Sprintf("links first: %t", linksFirst), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				logs, links := t.TempDir(), t.TempDir()
				create(t, filepath.Join(logs, "a.log"), "1\n")
				create(t, filepath.Join(logs, "b.txt"), "2\n")
				link := filepath.Join(links, "current.log")
				if err := os.Symlink(filepath.Join(logs, "a.log"), link); err != nil {
					t.Fatal(err)
				}
				config := tail.Config{Globs: []tail.Glob{{Pattern: filepath.Join(logs, "*.log"), Name: "logs"}, {Pattern: filepath.Join(links, "*.log"), Name: "links"}}}
				if linksFirst {
					slices.Reverse(config.Globs)
				}
				turn := func() {
					time.Sleep(3 * time.Second)
					if err := os.Remove(link); err != nil {
						t.Error(err)
					}
					if err := os.Symlink(filepath.Join(logs, "b.txt"), link); err != nil {
						t.Error(err)
					}
				}
				got, want := followed(t, config, stateDir(t), 2, turn), []string{"links:current 2\n", "logs:a 1\n"}
				if !slices.Equal(got, want) {
					t.Errorf("%q, want %q", got, want)
				}
			})
		})
	}
}

// While its log is rotated, nothing is behind a link for a moment.
func TestLinkWhileItsLogIsRotated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		path := filepath.Join(dir, "z.log")
		create(t, path, "1\n")
		if err := os.Symlink(path, filepath.Join(dir, "a.log")); err != nil {
			t.Fatal(err)
		}
		config := tail.Config{Globs: []tail.Glob{{Pattern: filepath.Join(dir, "*.log"), Name: "g"}}}
		rotate := func() {
			if err := os.Rename(path, path+".1"); err != nil {
				t.Error(err)
			}
			time.Sleep(3 * time.Second)
			create(t, path, "2\n")
			time.Sleep(3 * time.Second)
		}
		got, want := followed(t, config, stateDir(t), 2, rotate), []string{"g:z 1\n", "g:z 2\n"}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}
