package grafanatest

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// handmade is a dashboard as somebody writes one in ten minutes.
const handmade = `{
  "title": "Hand-made",
  "templating": {"list": [
    {"name": "datasource", "type": "datasource", "query": "influxdb"},
    {"name": "host", "type": "query", "query": "SHOW TAG VALUES FROM nginx_access WITH KEY = host", "multi": true, "includeAll": true,
     "allValue": ".*", "current": {"text": ["All"], "value": ["$__all"]}},
    {"name": "path", "type": "query", "query": "SHOW TAG VALUES FROM nginx_access WITH KEY = path", "multi": true, "includeAll": true,
     "allValue": ".*", "current": {"text": ["All"], "value": ["$__all"]}}
  ]},
  "annotations": {"list": [
    {"name": "Failures", "query": "SELECT status, source FROM (SELECT request_time, source FROM nginx_access WHERE $timeFilter AND status = '504' AND source = 'api' AND host =~ /^$host$/ AND path =~ /^$path$/ GROUP BY status)"}
  ]},
  "panels": [
    {"title": "Requests", "interval": "10s", "targets": [
      {"refId": "all", "datasource": {"uid": "${datasource}"}, "rawQuery": true, "resultFormat": "time_series", "alias": "$tag_host",
       "query": "SELECT count(request_time) FROM nginx_access WHERE $timeFilter AND host =~ /^$host$/ AND path =~ /^$path$/ GROUP BY time($__interval), host fill(none)"}]},
    {"title": "Slowest", "interval": "10s", "targets": [
      {"refId": "all", "datasource": {"uid": "${datasource}"}, "rawQuery": true, "resultFormat": "table",
       "query": "SELECT max(request_time) AS slowest FROM nginx_access WHERE $timeFilter AND status != '101' AND host =~ /^$host$/ AND path =~ /^$path$/ GROUP BY path"}],
     "transformations": [
       {"id": "organize", "options": {"excludeByName": {"Time": true}, "renameByName": {"slowest": "s"}, "indexByName": {"slowest": 1, "path": 0}}},
       {"id": "sortBy", "options": {"sort": [{"field": "s", "desc": true}]}}]}
  ]
}`

var ofHandmade = expectations{
	"$host": func(asked) shown { return options{web1, web2} },
	"$path": func(a asked) shown {
		var all options
		for _, r := range a.requests {
			if r.path != "" && !slices.Contains(all, r.path) {
				all = append(all, r.path)
			}
		}
		return all
	},
	"Requests all": func(a asked) shown {
		s := series{web1: {}, web2: {}}
		for _, r := range a.chosenOf(a.in(a.from, a.to), "host", "path") {
			if r.ms >= 0 {
				s[r.host][r.at.Truncate(a.interval)]++
			}
		}
		return s
	},
	"Slowest": func(a asked) shown {
		slowest := map[string]float64{}
		for _, r := range a.chosenOf(a.in(a.from, a.to), "host", "path") {
			if r.ms >= 0 && !r.tunnel() {
				slowest[r.path] = max(slowest[r.path], float64(r.ms)/1000)
			}
		}
		want := rows{head: []string{"path", "s"}, sorted: "s"}
		for path, s := range slowest {
			want.rows = append(want.rows, []any{path, s})
		}
		return want
	},
	"@Failures": func(a asked) shown {
		want := rows{head: []string{"status", "source"}}
		for _, r := range a.chosenOf(a.in(a.from, a.to), "host", "path") {
			if r.status == 504 && r.source == "api" {
				want.rows = append(want.rows, []any{"504", "api"})
			}
		}
		return want
	},
}

// wrongIn is what is wrong in a dashboard.
func wrongIn(t *testing.T, text string, expect expectations, views ...view) []string {
	t.Helper()
	w := filled(t)
	c := &checker{db: w.db, d: parseDashboard(t, []byte(text)), expect: expect}
	for _, v := range views {
		c.check(t.Context(), &site{knownDB, &w.known.record}, v)
	}
	return c.wrong
}

// The frame itself, shown on queries that are easy to understand: as they are they show
// what was in the logs, and with a mistake in them they do not.
func TestHandmadeDashboard(t *testing.T) {
	w := filled(t)
	var views []view
	for _, v := range w.views() {
		if v.chosen == nil || v.chosen["host"] != nil || v.chosen["path"] != nil {
			views = append(views, v)
		}
	}
	for _, wrong := range wrongIn(t, handmade, ofHandmade, views...) {
		t.Error(wrong)
	}
	for _, m := range []struct{ name, old, mistake string }{
		{"no time range", "count(request_time) FROM nginx_access WHERE $timeFilter AND", "count(request_time) FROM nginx_access WHERE"},
		{"no host", "$timeFilter AND status != '101' AND host =~ /^$host$/", "$timeFilter AND status != '101'"},
		{"another measure", "max(request_time)", "mean(request_time)"},
		{"tunnels", "status != '101' AND ", ""},
		{"every zero", "host fill(none)", "host fill(0)"},
		{"the wrong order", `"desc": true`, `"desc": false`},
		{"a transformation less", `"renameByName": {"slowest": "s"}, `, ""},
		{"a query that is none", "fill(none)", "fill(nothing)"},
		{"a variable that is none", "$host$/ AND path =~ /^$path$/ GROUP BY time", "$hosts$/ AND path =~ /^$path$/ GROUP BY time"},
		{"a path that is not escaped", "GROUP BY time", "AND path =~ /^${path:raw}$/ GROUP BY time"},
		{"a panel without an expectation", `"Slowest"`, `"The slowest"`},
		{"an annotation without an expectation", `"Failures"`, `"Faults"`},
		{"a variable without an expectation", `"name": "path"`, `"name": "paths"`},
	} {
		text := strings.Replace(handmade, m.old, m.mistake, 1)
		if text == handmade {
			t.Errorf("%s: the dashboard has no %s", m.name, m.old)
		}
		if len(wrongIn(t, text, ofHandmade, views...)) == 0 {
			t.Errorf("%s: nobody saw it", m.name)
		}
	}
}

// What asked has of a record.
func TestAsked(t *testing.T) {
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	s := func(n int) time.Time { return at.Add(time.Duration(n) * time.Second) }
	rec := &record{spans: []span{{web1, "a", s(0), s(30)}, {web2, "b", s(20), s(50)}, {web1, "a", s(70), s(80)}}}
	for n := range 90 {
		rec.requests = append(rec.requests, request{at: s(n), host: web1, source: "a", status: 200, ms: int64(n)})
	}
	a := asked{&site{"x", rec}, view{from: s(5), to: s(65).Add(time.Millisecond)}, 20 * time.Second}
	if got := len(a.windows(10 * time.Second)); got != 60 { // from 10 to 69
		t.Errorf("%d requests in windows", got)
	}
	if got := a.buckets(); len(got) != 4 || !got[0].Equal(at) {
		t.Errorf("buckets %v", got)
	}
	if got := a.observed(s(0), s(100)); got != 60 {
		t.Errorf("%v s observed", got)
	}
	if got := a.byBucket(rec.requests, 10*time.Second); len(got) != 5 || len(got[s(20)]) != 20 {
		t.Errorf("%d buckets", len(got))
	}
	a.chosen = map[string][]string{"host": {web1}}
	if got := a.observed(s(25), s(75)); got != 10 {
		t.Errorf("%v s of a host observed", got)
	}
	if got := quantile(times(rec.requests), 0.95); got != 85 {
		t.Errorf("p95 %v", got)
	}
}
