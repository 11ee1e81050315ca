package grafanatest

import (
	"regexp"
	"slices"
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
	{"another time range", regexp.MustCompile(`\$timeFilter|time >= \(\(\$\{__from\}`), ""},
	{"another host, too", regexp.MustCompile(`"host" =~ /\^\$host\$/`), `"host" =~ /.*/`},
	{"another source, too", regexp.MustCompile(`"source" =~ /\^\$source\$/`), `"source" =~ /.*/`},
	{"another path, too", regexp.MustCompile(`"path" =~ /\^\$path\$/`), `"path" =~ /.*/`},
	{"the greatest, not the sum", regexp.MustCompile(`sum\("(requests|bytes_sent)"\)`), `max("$1")`},
	{"seconds that are too long", regexp.MustCompile(`/ 10\.0 AS`), `/ 11.0 AS`},
	{"another class of status", regexp.MustCompile(`/\^5/`), `/^3/`},
	{"half of the range is missing", regexp.MustCompile(`time < \$\{__to\}ms`), `time < $${__to}ms - 5m`},
	{"another percentile", regexp.MustCompile(`0\.95\*`), `0.5*`},
	{"another time", regexp.MustCompile(`"request_time_`), `"upstream_response_time_`},
	{"all errors", regexp.MustCompile(`"(errors|r)" > 0`), `"$1" >= 0`},
}

// mistaken is a query with a mistake in it.
func mistaken(query string, n int) string {
	m := mistakes[n]
	if m.become != "" {
		return m.find.ReplaceAllString(query, m.become)
	}
	return strings.NewReplacer("$timeFilter", "time >= ${__from}ms - 20m\nAND time <= ${__to}ms + 20m", "time >= ((${__from}", "time >= ((${__from} - 1200000").Replace(query)
}

// notAsked are queries that have nothing to say in the known traffic, which is of three
// hours: they are of other days, or of rollups that answer for longer ranges, or for a path
// alone. What is observed is not of one second.
var notAsked = []string{"yesterday", "week", "nginx_site_5m", "nginx_paths", "observed"}

// A check that cannot fail is none.
func TestMistakesAreFound(t *testing.T) {
	w := filled(t)
	k := &site{knownDB, &w.known.record}
	var views []view
	for _, v := range w.views() {
		if v.chosen["method"] == nil && v.chosen["status_class"] == nil && v.to.Sub(v.from) < 90*minute {
			views = append(views, v)
		}
	}
	slices.SortStableFunc(views, func(a, b view) int { return len(b.chosen) - len(a.chosen) })
	found, applied := 0, map[string]int{}
	for name, d := range dashboards(t) {
		if name != "overview" { // others have few queries of traffic, and points about tailflux in one view only
			continue
		}
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				right := q.Query
				for n, m := range mistakes {
					q.Query = mistaken(right, n)
					if q.Query == right || slices.Contains(notAsked, q.RefID) {
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
