package grafanatest

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mistake is what somebody may do to a query.
type mistake struct {
	name     string
	variable string // that must be chosen for anybody to see it
	find     *regexp.Regexp
	become   string
	same     []string // queries to which it makes no difference
}

// mistakes are done to a query, all of a kind at once. Each of the queries that one applies
// to must then be found wrong.
var mistakes = []mistake{
	{"another time range", "", regexp.MustCompile(`\$timeFilter|time >= \(\(\$\{__from\}`), "", nil},
	{"another host, too", "host", regexp.MustCompile(`"host" =~ /\^\$host\$/`), `"host" =~ /.*/`, nil},
	{"another source, too", "source", regexp.MustCompile(`"source" =~ /\^\$source\$/`), `"source" =~ /.*/`, nil},
	{"another path, too", "path", regexp.MustCompile(`"path" =~ /\^\$path\$/`), `"path" =~ /.*/`, nil},
	{"another method, too", "method", regexp.MustCompile(`"method" =~ /\^\$method\$/`), `"method" =~ /.*/`, nil},
	{"another class, too", "status_class", regexp.MustCompile(`"(status|status_class)" =~ /\^\$status_class/`), `"$1" =~ /.*/`, nil},
	{"another status, too", "status", regexp.MustCompile(`"status" =~ /\^\$status\$/`), `"status" =~ /.*/`, nil},
	{"the greatest, not the sum", "", regexp.MustCompile(`sum\("(\w+)"\)`), `max("$1")`, nil},
	{"the sum, not the greatest", "", regexp.MustCompile(`max\("(\w+)"\)`), `sum("$1")`, []string{"p95", "times"}}, // a percentile is within its bucket without it,
	{"the first, not the last", "", regexp.MustCompile(`last\("(values|limit)"\)`), `first("$1")`, nil},
	{"the oldest, not the newest", "", regexp.MustCompile(`time DESC LIMIT`), `time LIMIT`, nil},
	{"sources, too", "", regexp.MustCompile(`(?s)^(SELECT sum\("lines_read".*) AND "source" = ''`), `$1`, nil},
	{"seconds that are too long", "", regexp.MustCompile(`/ 10\.0 AS`), `/ 11.0 AS`, nil},
	{"lines in another time", "", regexp.MustCompile(`\* 1000\.0 /`), `* 1001.0 /`, nil},
	{"another class of status", "", regexp.MustCompile(`/\^5/`), `/^3/`, nil},
	{"half of the range is missing", "", regexp.MustCompile(`time < \$\{__to\}ms`), `time < $${__to}ms - 5m`, nil},
	{"another percentile", "", regexp.MustCompile(`0\.95\*`), `0.5*`, nil},
	{"another time", "", regexp.MustCompile(`"request_time(_\w*)?"`), `"upstream_response_time$1"`, nil},
	{"all errors", "", regexp.MustCompile(`"(errors|r)" > 0`), `"$1" >= 0`, nil},
}

// made is a query with the mistake in it.
func (m *mistake) made(query string) string {
	if m.become != "" {
		return m.find.ReplaceAllString(query, m.become)
	}
	return strings.NewReplacer("$timeFilter", "time >= ${__from}ms - 20m\nAND time <= ${__to}ms + 20m", "time >= ((${__from}", "time >= ((${__from} - 1200000").Replace(query)
}

// notAsked are queries that have nothing to say in the known traffic, which is of three
// hours: they are of other days, or of rollups that answer for longer ranges, or for a path
// alone. What is observed is not of one second.
var notAsked = []string{"yesterday", "week", "nginx_site_5m", "nginx_paths", "observed"}

// of are the views in which a mistake is looked for, the likeliest first: where the variable
// is chosen, or without one where all is shown, then where something is chosen.
func (m *mistake) of(d *dashboard, views []view) (all, chosen []view) {
	for _, v := range views {
		_, has := v.chosen[m.variable]
		switch {
		case !d.hasAll(v.chosen) || m.variable != "" && !has:
		case len(v.chosen) == 0 || has && len(v.chosen) == 1:
			all = append(all, v)
		default:
			chosen = append(chosen, v)
		}
	}
	return all, chosen
}

// A check that cannot fail is worth nothing.
func TestMistakesAreFound(t *testing.T) {
	w := filled(t)
	k := &site{knownDB, &w.known.record}
	views := w.views()
	slices.SortStableFunc(views, func(a, b view) int { return cmp.Compare(a.to.Sub(a.from), b.to.Sub(b.from)) })
	for name, d := range dashboards(t) {
		found := map[string]int{}
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				right := q.Query
				for _, m := range mistakes {
					q.Query = m.made(right)
					if q.Query == right || slices.Contains(notAsked, q.RefID) || slices.Contains(m.same, q.RefID) {
						continue
					}
					c := &checker{db: w.db, d: d, expect: expected[name], only: p.Title, known: w.known.answers}
					all, chosen := m.of(d, views)
					for _, v := range slices.Concat(all, chosen) {
						if c.check(t.Context(), k, v); len(c.wrong) > 0 {
							found[m.name]++
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
		t.Logf("%s: mistakes that were found: %v", name, found)
	}
}
