package query_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/query"
	"github.com/tailflux/tailflux/internal/rollup"
)

var (
	site   = rollup.Definition{Measurement: "site", Interval: 10 * time.Second, Tags: []string{"method", "status"}}
	coarse = rollup.Definition{Measurement: "coarse", Interval: 5 * time.Minute, Tags: []string{"status_class"}}
	paths  = rollup.Definition{Measurement: "paths", Interval: time.Minute, Tags: []string{"path", "status_class"}}
	hourly = rollup.Definition{Measurement: "hourly", Interval: time.Hour, Tags: []string{"path", "status_class"}}
)

// A question is answered by the rollup that has its tags and the fewest points, if the
// range is long enough for its windows.
func TestTheRollupThatAnswers(t *testing.T) {
	all := []rollup.Definition{site, coarse, paths, hourly}
	for _, tt := range []struct {
		span, every time.Duration
		measure, by string
		where       string
		want        string
	}{
		{span: time.Hour, want: "site"},
		{span: 2 * time.Hour, want: "coarse"},
		{span: 30 * 24 * time.Hour, want: "coarse"},
		{span: 30 * 24 * time.Hour, every: time.Minute, want: "site"},
		{span: 30 * 24 * time.Hour, every: 3 * time.Hour, want: "coarse"},
		{span: 30 * 24 * time.Hour, where: "method=GET", want: "site"},
		{span: 30 * 24 * time.Hour, where: "status_class=5xx", want: "coarse"},
		{span: time.Hour, where: "status_class=5xx", want: "site"},
		{span: time.Hour, where: "status_class!=2xx", want: "site"},
		{span: time.Hour, where: "status_class=~^[45]", want: "paths"},
		{span: time.Hour, by: "status_class", want: "paths"},
		{span: time.Hour, by: "host", want: "site"},
		{span: time.Hour, measure: "errors", want: "site"},
		{span: time.Hour, by: "path", want: "paths"},
		{span: time.Minute, by: "path", want: "paths"},
		{span: 12 * time.Hour, by: "path", want: "paths"},
		{span: 24 * time.Hour, by: "path", want: "hourly"},
		{span: 24 * time.Hour, by: "path", every: time.Minute, want: "paths"},
	} {
		measure := tt.measure
		if measure == "" {
			measure = "p95"
		}
		q := query.Question{Measures: measures(t, measure), From: monday, To: monday.Add(tt.span), Now: monday.Add(1e6 * time.Hour), Every: tt.every}
		if tt.by != "" {
			q.By = []string{tt.by}
		}
		if tt.where != "" {
			q.Where = conditions(t, tt.where)
		}
		plan, err := query.Ask(q, all)
		if err != nil || plan.Rollup.Measurement != tt.want {
			t.Errorf("%+v: %v answers, %v; want %s", tt, plan, err, tt.want)
		}
	}
}

// What is proposed to be added to the configuration is what the configuration takes; of
// what is no tag it is said what to write.
func TestARollupIsProposedThatCanBe(t *testing.T) {
	const proposed = "rollups: [{measurement: nginx_by_"
	for _, tt := range []struct{ by, where, want string }{
		{"vhost", "", proposed + "vhost, interval: 1h, tags: [vhost]}"},
		{"method", "httpRequest.latency=1", proposed + "method_httpRequest.latency, interval: 1h, tags: [method, httpRequest.latency]}"},
		{"time", "", "time is no tag: --every 1h has a row for each hour, and --from and --to"},
		{"", "time=1", "time is no tag"},
		{"path", "time=1", "time is no tag"},
		{"status class", "", `"status class" can be no tag of a rollup: want the name of a variable (a-z, 0-9 and _), such as path`},
		{"", "http-host=a", `"http-host" can be no tag`},
		{"1st", "", `"1st" can be no tag`},
	} {
		q := query.Question{Measures: measures(t, "requests"), From: monday, To: monday.Add(time.Hour), Now: monday.Add(time.Hour)}
		if tt.by != "" {
			q.By = []string{tt.by}
		}
		if tt.where != "" {
			q.Where = conditions(t, tt.where)
		}
		_, err := query.Ask(q, []rollup.Definition{site})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Fatalf("by %q where %q: %v, want %q", tt.by, tt.where, err, tt.want)
		}
		for name := range strings.SplitSeq(tt.by+","+strings.Split(tt.where, "=")[0], ",") {
			if refused := name != "" && !config.IsTag(name); refused && strings.Contains(err.Error(), proposed) {
				t.Errorf("by %q where %q: %v, but the configuration refuses %q", tt.by, tt.where, err, name)
			}
		}
	}
}

// The range is of whole windows that have ended.
func TestTheRange(t *testing.T) {
	at := func(s string) time.Time {
		t.Helper()
		is, err := query.ParseTime("2026-11-20 " + s)
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
	for _, tt := range []struct {
		from, to, now string
		every         time.Duration
		want          string
	}{
		{"10:00:03", "10:00:57", "12:00:00", 0, "10:00:00 10:01:00"},
		{"10:00:03", "12:00:00", "12:00:00", 0, "10:00:00 11:59:50"}, // that of 11:59:50 is on its way
		{"10:00:03", "12:00:05", "12:00:05", 0, "10:00:00 12:00:00"},
		{"10:20:03", "23:00:00", "12:00:05", time.Hour, "10:00:00 12:00:00"},
		{"10:20:03", "10:30:00", "12:00:05", 7 * time.Minute, "10:18:00 10:30:00"}, // 1970 began with a whole one
		{"10:20:03", "10:30:00", "12:00:05", 7 * time.Hour, "04:00:00 10:30:00"},
		{"10:20:03", "10:30:00", "12:00:05", 70 * time.Second, "10:19:10 10:30:00"},
		{"11:59:59", "12:00:05", "12:00:05", 0, "11:59:50 12:00:00"},
		{"12:00:01", "12:00:05", "12:00:05", 0, ""},
	} {
		plan, err := query.Ask(query.Question{Measures: measures(t, "p95"), From: at(tt.from), To: at(tt.to), Now: at(tt.now), Every: tt.every}, []rollup.Definition{site})
		got := ""
		if err == nil {
			got = plan.From.Format(time.TimeOnly) + " " + plan.To.Format(time.TimeOnly)
		}
		if got != tt.want || err != nil && !strings.Contains(err.Error(), "no window of site has ended") {
			t.Errorf("%+v: %s, %v", tt, got, err)
		}
	}
}

// Rows begin where InfluxDB's time() has them begin: weeks with a Thursday, as 1970 did.
func TestRowsBeginWithWholeOnes(t *testing.T) {
	for every, want := range map[string]string{
		"1w": "2026-11-19", "2w": "2026-11-19", "4w": "2026-11-19", "7d": "2026-11-19", "5d": "2026-11-23", "1d": "2026-11-24",
	} {
		long, err := query.ParseDuration(every)
		if err != nil {
			t.Fatal(err)
		}
		q := query.Question{Measures: measures(t, "requests"), From: monday.Add(36 * time.Hour), To: monday.Add(72 * time.Hour), Now: monday.Add(96 * time.Hour), Every: long}
		plan, err := query.Ask(q, []rollup.Definition{site})
		if err != nil {
			t.Fatal(err)
		}
		if got := plan.From.Format(time.DateOnly); got != want || plan.From.Unix()%int64(long/time.Second) != 0 {
			t.Errorf("every %s: the first row begins with %s, want %s", every, plan.From, want)
		}
	}
}
