package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// What is committed is what gen writes.
func TestCommitted(t *testing.T) {
	for _, f := range files() {
		want, err := f.make()
		if err != nil {
			t.Fatalf("%s: %v", f.name, err)
		}
		got, err := os.ReadFile(filepath.Join("..", f.name))
		if err != nil {
			t.Errorf("%v; make grafana writes it", err)
		} else if !bytes.Equal(got, want) {
			t.Errorf("deploy/grafana/%s is not what gen writes: make grafana", f.name)
		}
	}
}
