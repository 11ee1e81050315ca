package logfile_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/logfile"
)

// Whatever the clock of the file system, a directory that has changed is listed
// anew, however soon after the last listing.
func TestChangedDirectoryIsListedAnew(t *testing.T) {
	var d logfile.Directories
	dir := t.TempDir()
	path := filepath.Join(dir, "access.log")
	create := func(name string) {
		t.Helper()
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	create(path)
	names := 1
	for i := range 300 {
		if i%100 == 50 {
			time.Sleep(150 * time.Millisecond) // now a listing is kept
		}
		if got := len(d.Siblings(path)); got != names {
			t.Fatalf("round %d: %d siblings, want %d", i, got, names)
		}
		switch i % 3 {
		case 0:
			create(path + ".1")
			names = 2
		case 1:
			if err := os.Rename(path+".1", path+".2"); err != nil {
				t.Fatal(err)
			}
		case 2:
			if err := os.Remove(path + ".2"); err != nil {
				t.Fatal(err)
			}
			names = 1
		}
	}
}

// A thousand logs of one directory share a listing.
func BenchmarkRotatedLogs(b *testing.B) {
	dir := b.TempDir()
	path := filepath.Join(dir, "access.log")
	for i := range 2000 {
		if err := os.WriteFile(filepath.Join(dir, "vhost"+string(rune('a'+i%26))+time.Duration(i).String()+".log"), nil, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	time.Sleep(150 * time.Millisecond)
	for name, d := range map[string]*logfile.Directories{"each": nil, "shared": {}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				d.Siblings(path)
			}
		})
	}
}
