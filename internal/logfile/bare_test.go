package logfile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tailflux/tailflux/internal/logfile"
)

func TestIsBare(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"full/a", "empty"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		dir, root string
		want      bool
	}{
		{"full", "full", false},
		{"empty", "empty", true},
		{"gone", "gone", true},
		{"empty", ".", true}, // perhaps a volume is mounted there
		{"gone", ".", false},
		{"gone/b/c", ".", false},
		{"full/b/c", "full", false},
		{"empty/b/c", ".", true},
		{"gone/b/c", "gone", true},
		{"gone", "full", true}, // a source that has another glob now
	} {
		var d logfile.Directories
		if got := d.IsBare(filepath.Join(root, tt.dir), filepath.Join(root, tt.root)); got != tt.want {
			t.Errorf("IsBare(%s, %s) = %v", tt.dir, tt.root, got)
		}
	}
	t.Chdir(root)
	var d logfile.Directories
	if d.IsBare("gone/b", ".") || !d.IsBare("empty/b", ".") || !d.IsBare("full-gone", "full") {
		t.Error("relative paths are something else")
	}
}

func TestRootOfAPattern(t *testing.T) {
	t.Parallel()
	for glob, want := range map[string]string{
		"/var/log/nginx/*.log": "/var/log/nginx", "/srv/*/logs/access.log": "/srv", `/a\*b/c/*.log`: "/", "/*.log": "/", "*.log": ".",
	} {
		if got := logfile.CompilePattern(glob).Root(); got != want {
			t.Errorf("Root of %s = %s, want %s", glob, got, want)
		}
	}
}
