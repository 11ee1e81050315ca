package e2e

import (
	"encoding/json"
	"fmt"
	"testing"
)

// The name of a log is given to another one, by a reload or between two runs. All lines are
// of one second: the numbers of the lines alone keep the points of the two logs apart.
func TestReloadGivesANameToAnotherLog(t *testing.T) {
	t.Parallel()
	const one, both, swapped = `name: web, path: PATH`, `name: old, path: PATH, format: combined, start: beginning}, {name: web, path: MORE`,
		`name: web, path: PATH, format: combined, start: beginning}, {name: old, path: MORE`
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprint("restart ", restart), func(t *testing.T) {
			t.Parallel()
			r := newReloading(t)
			names := func(sources string) {
				t.Helper()
				if !restart {
					r.reload(base, one, sources)
					return
				}
				if err := r.daemon.Stop(); err != nil {
					t.Error(err)
				}
				r.configure(base, one, sources)
				r.begin()
			}
			more := func(n int) {
				t.Helper()
				r.write("more.log", lines(n))
				r.lines += n
			}
			read := 0
			settled := func() {
				t.Helper()
				if restart {
					r.settled(r.lines - read)
				} else {
					r.settled(r.lines)
				}
				read = r.lines
			}
			r.configure(base)
			r.add(100)
			r.begin()
			settled()
			more(60)
			names(both)
			r.add(10)
			settled()
			names(swapped)
			r.add(70)
			more(90)
			settled()
			if err := r.daemon.Stop(); err != nil {
				t.Error(err)
			}
			r.want(database)
			for _, measurement := range []string{"nginx_site", "nginx_paths", "nginx_site_5m"} {
				series, err := r.db.Query(t.Context(), database, "SELECT sum(requests) FROM "+measurement+" WHERE source != 'tailflux'")
				if err != nil {
					t.Fatal(err)
				}
				if got := series[0].Values[0][1].(json.Number).String(); got != fmt.Sprint(r.lines) {
					t.Errorf("%s has %s of %d lines", measurement, got, r.lines)
				}
			}
		})
	}
}
