package grafanatest

import (
	"fmt"
	"math"
	"strings"
	"time"
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

// newest are the newest rows of a table of lines. Of those that share a second with the last
// any may be there.
type newest struct {
	lines []request // oldest first
	most  int
}

func (n newest) empty() bool { return len(n.lines) == 0 }

func (n newest) differs(came []*frame) (wrong []string) {
	left, rows := map[string]int{}, 0
	lines := n.lines[max(0, len(n.lines)-n.most):]
	for i := range n.lines {
		if !n.lines[i].at.Truncate(time.Second).Before(lines[0].at.Truncate(time.Second)) {
			left[n.lines[i].row()]++
		}
	}
	for _, f := range came {
		for i := range f.rows() {
			row := rowOf(f, i)
			if left[row]--; left[row] < 0 {
				wrong = append(wrong, "row "+row+" is not wanted")
			}
			rows++
		}
	}
	if rows != len(lines) {
		wrong = append(wrong, fmt.Sprintf("%d rows, want %d", rows, len(lines)))
	}
	for i := range lines {
		row := lines[i].row()
		if left[row] > 0 && lines[i].at.Truncate(time.Second).After(lines[0].at.Truncate(time.Second)) {
			wrong = append(wrong, "no row "+row)
		}
	}
	return wrong
}

// row is what a table has of a line.
func (r *request) row() string {
	text := r.at.Truncate(time.Second).Format(timeFormat)
	for _, tag := range []string{r.host, r.source, r.method, r.path, fmt.Sprint(r.status), r.server} {
		text += " " + tag
	}
	for _, n := range []int64{r.sent, r.body, r.length, r.ms, r.upstreamMS()} {
		text += fmt.Sprintf(" %d", n)
	}
	return text
}

// rowOf is the same of what came.
func rowOf(f *frame, i int) string {
	at, _ := f.columns[0].values[i].(time.Time)
	text := at.Truncate(time.Second).Format(timeFormat)
	for _, tag := range []string{"host", "source", "method", "path", "status", "upstream_addr"} {
		text += " "
		if c := f.column(tag); c != nil && c.values[i] != nil {
			text += fmt.Sprint(c.values[i])
		}
	}
	for _, field := range []string{"bytes_sent", "body_bytes_sent", "request_length", "request_time", "upstream_response_time"} {
		n := -1.0
		if c := f.column(field); c != nil && c.values[i] != nil {
			n, _ = c.values[i].(float64)
			if strings.HasSuffix(field, "_time") {
				n *= 1000
			}
		}
		text += fmt.Sprintf(" %.0f", n)
	}
	return text
}

// lines are the requests of the range that are chosen, newest first.
func (a asked) lines() []request {
	if a.database == monthDB {
		return nil // no points of lines there
	}
	return a.chosenOf(a.in(a.from, a.to), "host", "source", "method", "status", "status_class", "path")
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
	"Newest requests requests": func(a asked) shown { return newest{a.lines(), newestOnly} },
}
