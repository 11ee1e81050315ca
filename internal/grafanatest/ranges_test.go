package grafanatest

import (
	"slices"
	"testing"
	"time"
)

// views are what people look at in the known traffic.
func (w *world) views() []view {
	k := w.known
	at := func(after time.Duration) time.Time { return k.base.Add(after) }
	busyFrom, busyTo := at(113*minute), at(137*minute)
	all := []view{
		{name: "a round hour, interval 10s", from: at(60 * minute), to: at(120 * minute), points: 360},
		{name: "no multiple of the interval 10s", from: at(3*minute + 17123*time.Millisecond), to: at(71*minute + 53871*time.Millisecond), points: 500},
		{name: "interval 15s", from: at(20*minute + 10*time.Second), to: at(145*minute + 10*time.Second), points: 500},
		{name: "interval 20s, no multiple", from: at(10*minute + 13700*time.Millisecond), to: at(176*minute + 17*time.Second), points: 500},
		{name: "ends within a window", from: k.end.Add(-15 * minute), to: k.end.Add(1200 * time.Millisecond), points: 90},
		{name: "ends now", from: k.end.Add(-14 * minute), to: w.ended, points: 90},
		{name: "before all", from: at(-3 * time.Hour), to: at(-2 * time.Hour), points: 360},
		{name: "in the gap of both", from: at(91 * minute), to: at(104 * minute), points: 78},
	}
	all = append(all,
		view{name: "ends now, one host", from: k.end.Add(-14 * minute), to: w.ended, points: 90, chosen: map[string][]string{"host": {web2}}},
		view{name: "ends now, one source", from: k.end.Add(-14 * minute), to: w.ended, points: 90, chosen: map[string][]string{"source": {"web"}}})
	for _, f := range []struct {
		name, variable string
		values         []string
	}{
		{"one host", "host", []string{web1}},
		{"a host of regular expressions", "host", []string{web2}},
		{"two hosts", "host", []string{web2, web1}},
		{"a host that is none", "host", []string{"web-3.example"}},
		{"one source", "source", []string{"shop"}},
		{"a source without body_bytes_sent", "source", []string{"web"}},
		{"two sources", "source", []string{"shop", "api"}},
		{"a source of regular expressions", "source", []string{events}},
		{"two sources, one of regular expressions", "source", []string{events, "shop"}},
		{"a method", "method", []string{"POST"}},
		{"two methods", "method", []string{"POST", "HEAD"}},
		{"a method that nobody used", "method", []string{"TRACE"}},
		{"a status", "status", []string{"502"}},
		{"two statuses", "status", []string{"404", "502"}},
		{"a class of status", "status_class", []string{"5xx"}},
		{"two classes of status", "status_class", []string{"5xx", "3xx"}},
		{"a path with quotes", "path", []string{`/say/"hi"`}},
		{"a path with an apostrophe", "path", []string{"/it's"}},
		{"a path with a backslash", "path", []string{`/back\slash`}},
		{"a path of regular expressions", "path", []string{"/x.y+z(1)[2]{3}|4^5*6$host"}},
	} {
		all = append(all, view{name: f.name, from: busyFrom, to: busyTo, points: 60, chosen: map[string][]string{f.variable: f.values}})
	}
	for name, chosen := range map[string]map[string][]string{
		"a host and its sources":                 {"host": {web1}, "source": {"web", "shop"}},
		"a host and a path":                      {"host": {web2}, "path": {"/users/:id"}},
		"a host, a source, a path":               {"host": {web1}, "source": {"web"}, "path": {"/"}},
		"a path and a class":                     {"path": {"/"}, "status_class": {"5xx"}},
		"a method and a class":                   {"method": {"GET"}, "status_class": {"2xx", "3xx"}},
		"a path and a method, which nothing has": {"path": {"/"}, "method": {"GET"}},
		"a method and its statuses":              {"source": {"api", "web"}, "method": {"GET", "PUT"}, "status": {"200", "404"}},
	} {
		all = append(all, view{name: name, from: busyFrom, to: busyTo, points: 60, chosen: chosen})
	}
	return all
}

// monthViews are of long ranges, in which nobody keeps points of lines.
func monthViews(s *site) []view {
	first := s.requests[0].at
	return []view{
		{name: "a month", from: first.Add(-time.Hour), to: first.Add(30 * day), points: 240},
		{name: "a method, of which no long window knows", from: first.Add(day), to: first.Add(day + 13*time.Hour), points: 120, chosen: map[string][]string{"method": {"GET"}}},
		{name: "a class over days", from: first.Add(3 * day), to: first.Add(5 * day), points: 120, chosen: map[string][]string{"status_class": {"5xx"}}},
		{name: "ten days of it", from: first.Add(5*day + 7*time.Minute), to: first.Add(15*day + 31*time.Minute), points: 120},
	}
}

// fewViews have requests in two of all buckets only. One begins behind the point that has
// all of them.
func fewViews(s *site) []view {
	first := s.requests[0].at
	return []view{
		{name: "most buckets are never met", from: first.Add(11 * time.Minute), to: first.Add(41*time.Minute + 3*time.Second), points: 30},
		{name: "most buckets are never met, and hours are empty", from: first.Add(-90 * time.Minute), to: first.Add(3 * time.Hour), points: 90},
	}
}

// expected are the expectations of each dashboard, by its file.
var expected = map[string]expectations{
	"overview": ofOverview,
	"explore":  ofExplore,
	"pipeline": ofPipeline,
}

// Every query of every panel, variable and annotation shows what was in the logs.
func TestDashboards(t *testing.T) {
	w := filled(t)
	k := &site{knownDB, &w.known.record}
	for name, d := range dashboards(t) {
		t.Run(name, func(t *testing.T) {
			if expected[name] == nil {
				t.Fatal("nobody has written down what it shows: expected needs it")
			}
			c := &checker{db: w.db, d: d, expect: expected[name], seen: map[string]bool{}, known: w.known.answers}
			for _, v := range w.views() {
				if !d.hasAll(v.chosen) {
					continue
				}
				c.check(t.Context(), k, v)
			}
			month := w.month(t)
			for _, v := range monthViews(month) {
				if !d.hasAll(v.chosen) {
					continue
				}
				c.check(t.Context(), month, v)
			}
			few := w.few(t)
			for _, v := range fewViews(few) {
				c.check(t.Context(), few, v)
			}
			for _, wrong := range c.wrong {
				t.Error(wrong)
			}
			c.unused(t)
		})
	}
}

// hasAll tells whether these variables are in the dashboard, and may have as many values.
func (d *dashboard) hasAll(chosen map[string][]string) bool {
	for name, values := range chosen {
		if !slices.ContainsFunc(d.Templating.List, func(v *variable) bool { return v.Name == name && (v.Multi || len(values) == 1) }) {
			return false
		}
	}
	return true
}

// unused finds expectations of nothing, and of what is not there.
func (c *checker) unused(t *testing.T) {
	t.Helper()
	asked := map[string]bool{}
	for _, v := range c.d.Templating.List {
		asked["$"+v.Name] = true
	}
	for _, a := range c.d.Annotations.List {
		asked["@"+a.Name] = true
	}
	for _, p := range c.d.Panels {
		asked[p.Title] = true
		for _, q := range p.Targets {
			asked[p.Title+" "+q.RefID] = true
		}
	}
	for name := range c.expect {
		switch {
		case !asked[name]:
			t.Errorf("%s is expected, and nothing in the dashboard is called so", name)
		case !c.seen[name] && !slices.Contains(alwaysEmpty, name):
			t.Errorf("%s: nothing is expected of it in any range", name)
		}
	}
}

// alwaysEmpty may have no answer to any question.
var alwaysEmpty = []string{}
