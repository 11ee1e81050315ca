// Dates in the names of logs.

package logfile_test

import (
	"path/filepath"
	"testing"

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
