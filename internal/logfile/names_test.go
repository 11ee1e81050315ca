package logfile_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tailflux/tailflux/internal/logfile"
)

// Names beside a log access.log, and whether they are those of its rotated files.
func TestNamesOfRotatedLogs(t *testing.T) {
	for name, want := range map[string]struct {
		of    bool // it is a rotated file of access.log
		any   bool // it is called like a rotated file of some log
		shows string
	}{
		"access.log.1":                   {of: true, any: true},
		"access.log.999":                 {of: true, any: true},
		"access.log.1000":                {},
		"access.log.2.gz":                {of: true, any: true, shows: "access.log.gz"},
		"access.log.2.zst":               {of: true, any: true, shows: "access.log.zst"},
		"access.log.2.bz2":               {any: true, shows: "access.log.bz2"}, // cannot be read
		"access.log.2.xz":                {any: true, shows: "access.log.xz"},
		"access.log.old":                 {of: true, any: true},
		"access.log.bak":                 {of: true, any: true},
		"access.log.old.gz":              {of: true, any: true},
		"access.log.gz":                  {of: true, any: true},
		"access.log-20261122":            {of: true, any: true},
		"access.log-20261122.gz":         {of: true, any: true, shows: "access.log.gz"},
		"access.log-2026-11-22":          {of: true},
		"access.log-1795168800":          {of: true, any: true},
		"access.log.20261122":            {of: true},
		"access.1.log":                   {of: true, shows: "access.log"},
		"access.1.log.gz":                {of: true, any: true},
		"access-20261122.log":            {of: true, shows: "access.log"},
		"access-2026-11-22T10.log":       {of: true, shows: "access.log"},
		"access-20261122.log.zst":        {of: true, any: true},
		"access-2.log":                   {},
		"access-8080-8443.log":           {},
		"access.10.0.0.12.log":           {shows: "access.10.0.0.log"},
		"access.log.tmp":                 {any: true}, // renamecopy's, or a script's
		"access.log.tmp.gz":              {any: true},
		"access.log.1.txt":               {shows: "access.log.txt"},
		"access.log.1.bak":               {any: true, shows: "access.log.bak"}, // a copy that somebody has made
		"access.log-20261122.txt.gz":     {any: true},
		"access.log.1.conf":              {shows: "access.log.conf"},
		"access.log.copy":                {},
		"access.log~":                    {},
		"error.log.1":                    {any: true},
		"access.logger.1":                {any: true},
		"myaccess.log.1":                 {any: true},
		"access-20261122-1795168800.log": {of: true, shows: "access.log"},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "access.log")
		for _, file := range []string{path, filepath.Join(dir, name)} {
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		of := slices.ContainsFunc((*logfile.Directories)(nil).Siblings(path), func(s logfile.Sibling) bool { return s.Rotated && filepath.Base(s.Path) == name })
		if of != want.of {
			t.Errorf("%s is a rotated file of access.log: %v, want %v", name, of, want.of)
		}
		if got := logfile.IsRotated(filepath.Join(dir, name)); got != want.any {
			t.Errorf("IsRotated(%s) = %v, want %v", name, got, want.any)
		}
		shows := ""
		if want.shows != "" {
			shows = filepath.Join(dir, want.shows)
		}
		if got := logfile.RotatedFrom(filepath.Join(dir, name)); got != shows {
			t.Errorf("RotatedFrom(%s) = %q, want %q", name, got, shows)
		}
	}
}

// A name need not be text: its bytes are what they are.
func TestNamesThatAreNotUTF8(t *testing.T) {
	const latin1 = "caf\xe9.log"
	for name, want := range map[string]bool{
		"caf\xe9.log.1":        true,
		"caf\xe9.log.2.gz":     true,
		"caf\xe9.1.log":        true,
		"caf\xe9-20261122.log": true,
		"caf\xe8.log.1":        false,
		"caf\ufffd.log.1":      false,
		"caf.log.1":            false,
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, latin1)
		for _, file := range []string{path, filepath.Join(dir, name)} {
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		is := slices.ContainsFunc((*logfile.Directories)(nil).Siblings(path), func(s logfile.Sibling) bool { return s.Rotated && filepath.Base(s.Path) == name })
		if is != want {
			t.Errorf("%q is a rotated file of %q: %v, want %v", name, latin1, is, want)
		}
	}
	// And of a link that is turned.
	dir := t.TempDir()
	for _, name := range []string{"caf\xe9-1.log", "caf\xe9-2.log"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(dir, "access.log")
	if err := os.Symlink("caf\xe9-2.log", link); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc((*logfile.Directories)(nil).Siblings(link), func(s logfile.Sibling) bool { return s.Rotated && filepath.Base(s.Path) == "caf\xe9-1.log" }) {
		t.Error("the file that a link led to before is not found")
	}
}
