package grafanatest

import (
	"regexp"
	"strings"
	"testing"
)

// mistakes are what somebody may do to a query, all its like at once. Each of the queries
// that one applies to must then be found wrong.
var mistakes = []struct {
	name   string
	find   *regexp.Regexp
	become string
}{
	{"no time range", regexp.MustCompile(`\$timeFilter`), `time > 0`},
	{"another host, too", regexp.MustCompile(`"host" =~ /\^\$host\$/`), `"host" =~ /.*/`},
	{"another source, too", regexp.MustCompile(`"source" =~ /\^\$source\$/`), `"source" =~ /.*/`},
	{"the greatest, not the sum", regexp.MustCompile(`sum\("requests"\)`), `max("requests")`},
	{"seconds that are too long", regexp.MustCompile(`\$__interval_ms`), `($$__interval_ms * 1.01)`},
	{"zeros", regexp.MustCompile(`fill\((none|null)\)`), `fill(0)`},
	{"another class of status", regexp.MustCompile(`/\^5`), `/^4`},
	{"another percentile", regexp.MustCompile(`0\.95\*`), `0.90*`},
	{"tunnels", regexp.MustCompile(`"?status"? != '101'`), `"status" != 'none'`},
}

// sameAnyway are mistakes that change nothing: "panel refId: mistake".
var sameAnyway = map[string]bool{}

// A check that cannot fail is none.
func TestMistakesAreFound(t *testing.T) {
	w := filled(t)
	k := &site{knownDB, &w.known.record}
	views := w.known.views()
	found, applied := 0, map[string]int{}
	for name, d := range dashboards(t) {
		if expected[name] == nil {
			continue
		}
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				right := q.Query
				for _, m := range mistakes {
					q.Query = m.find.ReplaceAllString(right, m.become)
					if q.Query == right || sameAnyway[p.Title+" "+q.RefID+": "+m.name] {
						continue
					}
					applied[m.name]++
					c := &checker{db: w.db, d: d, expect: expected[name], only: p.Title}
					for _, v := range views {
						if c.check(t.Context(), k, v); len(c.wrong) > 0 {
							found++
							break
						}
					}
					if len(c.wrong) == 0 {
						t.Errorf("%s: %s %s: %s: nobody sees it\n\t%s", name, p.Title, q.RefID, m.name, strings.TrimSpace(q.Query))
					}
				}
				q.Query = right
			}
		}
	}
	t.Logf("%d mistakes were found: %v", found, applied)
}
