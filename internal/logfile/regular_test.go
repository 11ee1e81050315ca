package logfile_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/logfile"
)

// The last lines are whole ones, as the first ones are.
func TestLastLines(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"some", "a\nb\nc\nd\n", "b c d"},
		{"few", "a\n", "a"},
		{"none", "", ""},
		{"half a line", "a\nb\nhal", "a b"},
		{"only half a line", "hal", ""},
		{"CR LF", "a\r\nb\r\n", "a b"},
		{"an empty one", "a\n\nb\n", "a  b"},
		{"NULs", "a\n\x00\x00b\nc\n", "a b c"},
		{"many", strings.Repeat("x\n", 1<<20) + "a\nb\nc\n", "a b c"},
		{"longer than is looked at", strings.Repeat("x", 300<<10) + "\na\n", "a"},
		{"one that is longer", "a\n" + strings.Repeat("x", 300<<10) + "\n", ""},
	} {
		path := filepath.Join(t.TempDir(), "access.log")
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		lines, err := logfile.LastLines(path, 3)
		if got := string(bytes.Join(lines, []byte(" "))); err != nil || got != tt.want {
			t.Errorf("%s: LastLines = %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
	if _, err := logfile.LastLines(filepath.Join(t.TempDir(), "missing"), 3); err == nil {
		t.Error("LastLines of a missing file: no error")
	}
}
