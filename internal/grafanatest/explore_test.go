package grafanatest

import (
	"fmt"
	"math"
)

// tally is how many values each series has, and what they add up to. Points of lines have
// times that several of them may share in milliseconds.
type tally map[string]*struct {
	values int
	sum    float64
}

func (s tally) empty() bool { return len(s) == 0 }

func (s tally) differs(came []*frame) (wrong []string) {
	got := tally{}
	for _, f := range came {
		for _, c := range f.columns[min(1, len(f.columns)):] {
			for _, v := range c.values {
				if n, is := v.(float64); is {
					got.add(c.name, n)
				}
			}
		}
	}
	for name, w := range s {
		g := got[name]
		within := 1e-6
		if w.values == newestOnly { // which of those that share a time is the last, nobody can tell
			within = w.sum / 100
		}
		if g == nil || g.values != w.values || math.Abs(g.sum-w.sum) > within {
			wrong = append(wrong, fmt.Sprintf("series %q is %+v, want %+v", name, g, *w))
		}
	}
	for name, g := range got {
		if s[name] == nil {
			wrong = append(wrong, fmt.Sprintf("series %q is %+v, want none", name, *g))
		}
	}
	return wrong
}

func (s tally) add(name string, n float64) {
	if s[name] == nil {
		s[name] = &struct {
			values int
			sum    float64
		}{}
	}
	s[name].values++
	s[name].sum += n
}

// many are rows of a table, of which only their number is compared.
type many struct{ rows int }

func (m many) empty() bool { return m.rows == 0 }

func (m many) differs(came []*frame) []string {
	n := 0
	for _, f := range came {
		n += f.rows()
	}
	if n != m.rows {
		return []string{fmt.Sprintf("%d rows, want %d", n, m.rows)}
	}
	return nil
}

// lines are the requests of the range that are chosen, newest first.
func (a asked) lines() []request {
	if a.database == monthDB {
		return nil // no points of lines there
	}
	return a.chosenOf(a.in(a.from, a.to), "host", "source", "method", "path")
}

// newestOnly is how many requests of each status are drawn.
const newestOnly = 500

// newestOf are the newest of each status that has such a time, in seconds.
func (a asked) newestOf(ms func(r *request) int64) shown {
	s, all := tally{}, a.lines()
	for i := len(all) - 1; i >= 0; i-- {
		status := fmt.Sprint(all[i].status)
		if v := ms(&all[i]); v >= 0 && (s[status] == nil || s[status].values < newestOnly) {
			s.add(status, float64(v)/1000)
		}
	}
	return s
}

// ofRaw are the values of a tag of points of lines, whatever is chosen.
func ofRaw(of func(r *request) string) func(a asked) shown {
	return func(a asked) shown {
		if a.database == monthDB {
			return options{}
		}
		return distinct(a.requests, of)
	}
}

// ofExplore is what explore.json shows: requests one by one.
var ofExplore = expectations{
	"$policy": policies,
	"$host":   ofRaw(func(r *request) string { return r.host }),
	"$source": ofRaw(func(r *request) string { return r.source }),
	"$method": ofRaw(func(r *request) string { return r.method }),
	"$status": ofRaw(func(r *request) string { return fmt.Sprint(r.status) }),
	"$path":   ofRaw(func(r *request) string { return r.path }),
	"Request times requests": func(a asked) shown {
		return a.newestOf(func(r *request) int64 { return r.ms })
	},
	"Upstream times requests": func(a asked) shown {
		return a.newestOf((*request).upstreamMS)
	},
	"Newest requests requests": func(a asked) shown { return many{min(500, len(a.lines()))} },
}
