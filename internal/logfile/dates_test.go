// Dates in the names of logs.

package logfile_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/logfile"
)

// What a file is called that matches a pattern, and which date is in its name.
func TestDatedNames(t *testing.T) {
	for _, tt := range []struct{ glob, path, label, date string }{
		// The shapes of a day.
		{"/logs/access-*.log", "/logs/access-2026-11-28.log", "", "20261128"},
		{"/logs/access-*.log", "/logs/access-20261128.log", "", "20261128"},
		{"/logs/access-*.log", "/logs/access-2026_11_28.log", "", "20261128"},
		{"/logs/access-*.log", "/logs/access-2026.11.28.log", "", "20261128"},
		{"/logs/access*", "/logs/access20261128", "", "20261128"},
		{"/logs/access.log.*", "/logs/access.log.2026-11-28", "", "20261128"},
		{"/logs/*.log", "/logs/shop-2026-11-28.log", "shop", "20261128"},
		{"/logs/*.log", "/logs/shop_2026-11-28.log", "shop", "20261128"},
		{"/logs/*.log", "/logs/shop.access.2026-11-28.log", "shop.access", "20261128"},
		{"/logs/*.log", "/logs/2026-11-28.log", "", "20261128"},
		{"/logs/*.log", "/logs/2028-02-29.log", "", "20280229"},
		// And of an hour.
		{"/logs/access-*.log", "/logs/access-2026-11-28-13.log", "", "2026112813"},
		{"/logs/access-*.log", "/logs/access-2026-11-28_13.log", "", "2026112813"},
		{"/logs/access-*.log", "/logs/access-2026-11-28T13.log", "", "2026112813"},
		{"/logs/access-*.log", "/logs/access-2026-11-28-1300.log", "", "202611281300"},
		{"/logs/access-*.log", "/logs/access-2026-11-28-13-05.log", "", "202611281305"},
		{"/logs/access-*.log", "/logs/access-2026-11-28T13:00:00Z.log", "", "20261128130000"},
		{"/logs/access-*.log", "/logs/access-2026112813.log", "", "2026112813"},
		{"/logs/access-*.log", "/logs/access-202611281300.log", "", "202611281300"},
		{"/logs/access-*.log", "/logs/access-20261128T130059.log", "", "20261128130059"},
		// In directories.
		{"/logs/*/*/*/access.log", "/logs/2026/11/28/access.log", "", "20261128"},
		{"/logs/*/*/*/*/access.log", "/logs/2026/11/28/13/access.log", "", "2026112813"},
		{"/logs/*/*/*.log", "/logs/2026/11/28.log", "", "20261128"},
		{"/logs/*/access.log", "/logs/2026-11-28/access.log", "", "20261128"},
		{"/logs/*/*.log", "/logs/2026-11-28/shop.log", "*,shop", "20261128"},
		{"/logs/*/*.log", "/logs/2026-11/28.log", "", "20261128"},
		{"/logs/*/*.log", "/logs/shop/2026-11-28.log", "shop", "20261128"},
		{"/logs/*/access-*.log", "/logs/shop/access-2026-11-28.log", "shop", "20261128"},
		{"/logs/*/access-*.log", "/logs/a,b/access-2026-11-28.log", `"a,b"`, "20261128"},
		{"/logs/*/*/access-*.log", "/logs/2026/11/access-2026-11-28.log", "", "20261128"},
		{"/logs/2026/*/access-*.log", "/logs/2026/11/access-2026-11-28.log", "", "20261128"},
		{"/logs/*/access-*.log", "/logs/202611/access-2026-11-28.log", "", "20261128"},
		{"/logs/*/*/access-*.log", "/logs/2026/10/access-2026-11-28.log", "10", "20261128"}, // it is another month
		{"/logs/*/access-*.log", "/logs/2026-11-28/access-2026-11-28-13.log", "", "20261128,2026112813"},
		// Elsewhere in the name.
		{"/logs/*.log", "/logs/2026-11-28-access.log", "*-access", "20261128"},
		{"/logs/*.log", "/logs/shop-2026-11-28-access.log", "shop-*-access", "20261128"},
		{"/logs/*-access.log", "/logs/shop-2026-11-28-access.log", "shop-*", "20261128"},
		{"/logs/*.log", "/logs/access-2026-11-28.shop.log", "access-*.shop", "20261128"},
		{"/logs/*.log", "/logs/access-2026-11-28-8443.log", "access-*-8443", "20261128"},
		{"/logs/*.log", "/logs/access-2026-11-28-10.0.0.12.log", "access-*-10.0.0.12", "20261128"},
		{"/logs/*.log", "/logs/access-2026-11-28-10-0-0-12.log", "access-*-10-0-0-12", "20261128"},
		{"/logs/*.log", "/logs/access-2026-11-28-25.log", "access-*-25", "20261128"},
		// By several wildcards, or by some of its digits only.
		{"/logs/access-????-??-??.log", "/logs/access-2026-11-28.log", "", "20261128"},
		{"/logs/access-2026-*.log", "/logs/access-2026-11-28.log", "", "20261128"},
		{"/logs/access-20[0-9][0-9]*.log", "/logs/access-20261128.log", "", "20261128"},
		{"/logs/access-*-*.log", "/logs/access-shop-2026-11-28.log", "shop", "20261128"},
		// No dates.
		{"/logs/2026-11-28/*.log", "/logs/2026-11-28/shop.log", "shop", ""}, // no wildcard stands for it
		{"/logs/access-*.log", "/logs/access-10.20.11.28.log", "10.20.11.28", ""},
		{"/logs/access-*.log", "/logs/access-8443.log", "8443", ""},
		{"/logs/access-*.log", "/logs/access-20268080.log", "20268080", ""},
		{"/logs/access-*.log", "/logs/access-120261128.log", "120261128", ""},
		{"/logs/access-*.log", "/logs/access-2026112.log", "2026112", ""},
		{"/logs/access-*.log", "/logs/access-1795168800.log", "1795168800", ""},
		{"/logs/access-*.log", "/logs/access-2026-13-28.log", "2026-13-28", ""},
		{"/logs/access-*.log", "/logs/access-2026-02-29.log", "2026-02-29", ""},
		{"/logs/access-*.log", "/logs/access-2026-11.28.log", "2026-11.28", ""},
		{"/logs/access-*.log", "/logs/access-2026-11.log", "2026-11", ""},
		{"/logs/access-*.log", "/logs/access-28-11-2026.log", "28-11-2026", ""},
		{"/logs/access-*.log", "/logs/access-20261128abc.log", "20261128abc", ""},
		{"/logs/*/access.log", "/logs/2026/access.log", "2026", ""},
		{"/logs/access-*.log", "/logs/access-2001-0db8-11-28.log", "2001-0db8-11-28", ""},
	} {
		if ok, err := filepath.Match(tt.glob, tt.path); !ok || err != nil {
			t.Errorf("%q does not match %q: %v", tt.path, tt.glob, err)
		}
		if label, date := logfile.CompilePattern(tt.glob).Label(tt.path); label != tt.label || date != tt.date {
			t.Errorf("Label(%q) of %q = %q, %q, want %q, %q", tt.path, tt.glob, label, date, tt.label, tt.date)
		}
	}
}

// Names like those of rotated files, which are days as long as the log that they would
// have been rotated from is not there.
func TestDaysThatAreCalledLikeRotatedFiles(t *testing.T) {
	for _, tt := range []struct {
		glob         string
		there, match string
	}{
		{"access-*", "access-20261127 access-20261128", "access-20261127 access-20261128"},
		{"access.log-*", "access.log-20261128", "access.log-20261128"},
		{"access.log-*", "access.log access.log-20261128", ""},
		{"access.log*", "access.log access.log-20261128 access.log-20261127.gz access.log.1", "access.log"},
		{"access.*", "access.2026.11.28", "access.2026.11.28"},
		{"access-*", "access-20261128.gz access-20261127.1", ""},
		{"access-*.log", "access-20261127.log access-20261128.log", "access-20261127.log access-20261128.log"},
		{"*.log", "access.log access-20261128.log", "access.log"},
	} {
		dir := t.TempDir()
		for name := range strings.FieldsSeq(tt.there) {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for _, path := range logfile.CompilePattern(filepath.Join(dir, tt.glob)).Paths(nil) {
			got = append(got, filepath.Base(path))
		}
		if !slices.Equal(got, strings.Fields(tt.match)) {
			t.Errorf("of %s, %s matches %q, want %q", tt.there, tt.glob, got, tt.match)
		}
	}
}

// The files beside a day: of other days and logs, and which are called like its own.
func TestDaysBesideADay(t *testing.T) {
	dir := t.TempDir()
	for name := range strings.FieldsSeq(`access-2026-11-28.log access-2026-11-27.log access-2026-11-26.log.gz access-20261125.log
		access-2026-11-28.log.1 access-2026-11-28-443.log other-2026-11-27.log
		old/access-2026-11-24.log elsewhere/access-2026-11-23.log`) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Unix(1800000000, 0)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	pattern := logfile.CompilePattern(filepath.Join(dir, "access-*.log"))
	var got []string
	for _, f := range (*logfile.Directories)(nil).Days(pattern, filepath.Join(dir, "access-2026-11-28.log"), filepath.Join(dir, "old")) {
		if name, err := filepath.Rel(dir, f.Path); f.Rotated || f.Date == "20261128" {
			got = append(got, name)
		} else if err != nil {
			t.Error(err)
		}
	}
	want := strings.Fields("access-2026-11-28.log.1 old/access-2026-11-24.log access-20261125.log access-2026-11-26.log.gz access-2026-11-27.log access-2026-11-28.log")
	if !slices.Equal(got, want) {
		t.Errorf("Days = %q, want %q", got, want)
	}
}

// Paths of one label differ in what is left out of it alone, whatever the pattern.
func TestPathsOfOneLabelDifferInTheDateOnly(t *testing.T) {
	const patterns = 3000
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	one := func(of ...string) string { return of[random.IntN(len(of))] }
	dates := []string{"2026-11-28", "20261128", "2026-11-29-13", "2026/11/28", "2026-11-28T1300"}
	texts := []string{"a", "a", "b", ",", "-", "8443", "10.0.0.7", "a,b", ""}
	end := regexp.MustCompile(`[-._*]*(\.[^./*]*)?$`)
	shared := 0
	for range patterns {
		glob := "/logs"
		for range 1 + random.IntN(3) {
			glob += "/" + one("*", "*", "a*", "*a", "*-*", "?*")
		}
		glob += one(".log", "", "-a.log")
		pattern := logfile.CompilePattern(glob)
		labels := map[string]string{}
		for range 40 {
			path := "/logs"
			for range 1 + random.IntN(3) {
				path += "/" + one(texts...) + one("-", "", "_") + one(append(dates, texts...)...) + one("", one("-", ".")+one(texts...))
			}
			path += one(".log", "", "-a.log")
			if !pattern.Matches(path) {
				continue
			}
			label, date := pattern.Label(path)
			if label == "" && date != "" {
				label = "none" // the source has the name of the glob then, without a colon
			}
			log := end.ReplaceAllString(pattern.Log(path), `$1`) // separators before the date are left out, too
			before, taken := labels[label]
			if taken && before != log {
				t.Fatalf("seed %d: pattern %q: %q and %q are both called %q", seed, glob, before, log, label)
			}
			if taken {
				shared++
			}
			labels[label] = log
		}
	}
	if shared == 0 {
		t.Errorf("seed %d: no two paths had one label: the test shows nothing", seed)
	}
}
