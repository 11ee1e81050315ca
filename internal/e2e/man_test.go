//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The manual pages are the same whenever they are made, and have the flags of the
// configuration once.
func TestManual(t *testing.T) {
	pages := func() map[string]string {
		dir := t.TempDir()
		cmd := exec.CommandContext(t.Context(), "go", "run", "-buildvcs=false", "-tags", "man", "../../cmd/tailflux", "man", dir)
		cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1500000000")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		all := map[string]string{}
		for _, pattern := range []string{"man/*.1", "completions/*"} {
			files, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				all[filepath.Base(file)] = string(text)
			}
		}
		return all
	}
	first, second := pages(), pages()
	for _, name := range []string{"tailflux.1", "tailflux-run.1", "tailflux-init.1", "tailflux-explain.1", "tailflux-import.1", "tailflux-verify.1", "tailflux.bash", "_tailflux", "tailflux.fish"} {
		if first[name] == "" || first[name] != second[name] {
			t.Errorf("%s is empty or not always the same", name)
		}
	}
	for name, text := range first {
		if strings.HasSuffix(name, ".1") && strings.Contains(text, "influxdb-in-flight") != (name == "tailflux.1") {
			t.Errorf("%s has the flags of the configuration: %t", name, name != "tailflux.1")
		}
		if strings.HasSuffix(name, ".1") && !strings.Contains(text, "Jul 2017") {
			t.Errorf("%s has another date", name)
		}
	}
}
