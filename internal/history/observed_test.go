package history_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/history"
	"github.com/tailflux/tailflux/internal/influxdtest"
)

// A time that was observed and had no request is 0; one that was not is null, and a gap, for
// each kind of it.
func TestSilenceIsToldFromGaps(t *testing.T) {
	db := influxdtest.New(t, influxdtest.Options{})
	at := func(clock string) time.Time {
		t.Helper()
		is, err := time.Parse("15:04:05", clock)
		if err != nil {
			t.Fatal(err)
		}
		return time.Date(2026, 11, 24, is.Hour(), is.Minute(), is.Second(), is.Nanosecond(), time.UTC)
	}
	const query = "from=2026-11-24T08:00:00&to=2026-11-24T09:00:00"
	type seen struct{ host, source, from, to string }
	for i, tt := range []struct {
		name  string
		spans []seen
		each  time.Duration // the longest span
		query string
		gaps  string
	}{
		{"all of it", []seen{{"a", "s", "07:00:00", "09:30:00"}}, time.Minute, query, ""},
		{"one long span", []seen{{"a", "s", "07:00:00", "09:00:30"}}, 24 * time.Hour, query, ""},
		{"a hole", []seen{{"a", "s", "07:00:00", "08:10:00"}, {"a", "s", "08:20:00", "09:30:00"}}, time.Minute, query, "08:10-08:20 0.00 "},
		{"a hole after which one span has hours", []seen{{"a", "s", "07:00:00", "08:10:00"}, {"a", "s", "08:20:00", "09:00:20"}}, 24 * time.Hour, query, "08:10-08:20 0.00 "},
		{"half a minute", []seen{{"a", "s", "07:00:00", "08:10:30"}, {"a", "s", "08:11:00", "09:30:00"}}, 10 * time.Second, query, "08:10-08:11 0.50 "},
		{"it began late", []seen{{"a", "s", "08:15:00", "09:30:00"}}, time.Minute, query, "08:00-08:15 0.00 "},
		{"it ended early", []seen{{"a", "s", "07:00:00", "08:45:00"}}, time.Minute, query, "08:45-09:00 0.00 "},
		{"one of two", []seen{{"a", "s", "07:00:00", "09:30:00"}, {"b", "s", "07:00:00", "08:30:00"}}, time.Minute, query, "08:30-09:00 0.50 "},
		{"a new one is not missed before", []seen{{"a", "s", "07:00:00", "09:30:00"}, {"a", "new", "08:30:00", "09:30:00"}}, time.Minute, query, ""},
		{"the other host", []seen{{"a", "s", "07:00:00", "08:30:00"}, {"it's", "s", "07:00:00", "09:30:00"}}, time.Minute, query + "&" + parameters("host", "it's"), ""},
		{"the other source", []seen{{"a", "s", "07:00:00", "09:30:00"}, {"a", `x "y`, "07:00:00", "08:30:00"}}, time.Minute, query + "&" + parameters("source", `x "y`), "08:30-09:00 0.00 "},
		{"down since before", []seen{{"a", "s", "07:00:00", "09:30:00"}, {"b", "s", "07:00:00", "07:40:00"}, {"b", "s", "08:20:00", "09:30:00"}}, time.Minute, query, "08:00-08:20 0.50 "},
		{"down for all of it", []seen{{"a", "s", "07:00:00", "09:30:00"}, {"b", "s", "07:00:00", "07:40:00"}}, time.Minute, query, "08:00-09:00 0.50 "},
		{"to come later", []seen{{"a", "s", "07:00:00", "09:30:00"}, {"b", "s", "09:10:00", "09:30:00"}}, time.Minute, query, ""},
		{"nearly all of it", []seen{{"a", "s", "07:00:00", "08:10:00"}, {"a", "s", "08:10:00.2", "09:30:00"}}, time.Minute, query, ""},
		{"what comes yet is no gap", []seen{{"a", "s", "07:00:00", "10:04:00"}}, time.Minute, "range=1h", ""},
		{"what came no more is one", []seen{{"a", "s", "07:00:00", "09:50:00"}}, time.Minute, "range=1h", "09:50-10:02 0.00 "},
	} {
		b := newBed(t, db, fmt.Sprint("gaps", i))
		b.add([]line{{at: at("08:05:07"), host: "a", source: "s", path: "/", status: "200", method: "GET", ms: 5, bytes: 1}})
		for _, s := range tt.spans {
			b.saw(s.host, s.source, at(s.from), at(s.to), tt.each)
		}
		a := b.ask(tt.query)
		got := ""
		for _, g := range a.Gaps {
			got += fmt.Sprintf("%s-%s %.2f ", time.Unix(g.From, 0).UTC().Format("15:04"), time.Unix(g.To, 0).UTC().Format("15:04"), g.Observed)
		}
		if got != tt.gaps || a.Missing["observed"] != "" {
			t.Errorf("%s: gaps %q, want %q; missing %q", tt.name, got, tt.gaps, a.Missing)
		}
		for _, wrong := range silence(a) {
			t.Errorf("%s: %s", tt.name, wrong)
		}
	}
}

// Whether a minute was observed does not depend on what is asked about beside it. A log that
// was taken away two days before is not missed.
func TestObservedWhereverTheTimeBegins(t *testing.T) {
	b := newBed(t, influxdtest.New(t, influxdtest.Options{}), "h")
	at := func(minute, second int) time.Time { return time.Date(2026, 11, 24, 8, minute, second, 0, time.UTC) }
	for _, host := range []string{"a", "b", "c", "d"} {
		b.add([]line{{at: at(1, 0), host: host, source: "s", path: "/", status: "200", method: "GET", ms: 5, bytes: 1}})
		if host != "d" {
			b.saw(host, "s", at(0, 0), at(59, 0), time.Minute)
		}
	}
	b.saw("old", "s", at(0, 0).Add(-48*time.Hour), at(59, 0).Add(-48*time.Hour), time.Minute)
	b.saw("d", "s", at(0, 0), at(38, 39), 10*time.Second)
	b.saw("d", "s", at(40, 49), at(59, 0), 10*time.Second)
	for begin := 30; begin < 40; begin++ {
		a := b.ask(fmt.Sprintf("from=2026-11-24T08:%d:00&to=2026-11-24T08:50:00", begin))
		for i, time := range a.Series.Time {
			if got := a.Series.Observed[i]; time >= at(39, 0).Unix() && time < at(40, 0).Unix() && got != 0.75 {
				t.Errorf("from 08:%d: of 08:39 %v was observed, want 0.75", begin, got)
			}
		}
		if len(a.Observed) != 4 {
			t.Errorf("from 08:%d: %d logs, want 4", begin, len(a.Observed))
		}
	}
}

// Of very many logs the first have a strip, and how many there are is said.
func TestManyLogs(t *testing.T) {
	b := newBed(t, influxdtest.New(t, influxdtest.Options{}), "h")
	at := func(minute int) time.Time { return time.Date(2026, 11, 24, 8, minute, 0, 0, time.UTC) }
	b.add([]line{{at: at(31), host: "h", source: "s01", path: "/", status: "200", method: "GET", ms: 5, bytes: 1}})
	for i := range 52 {
		b.saw("h", fmt.Sprintf("s%02d", i), at(30), at(40), time.Minute)
	}
	if a := b.ask("from=2026-11-24T08:30:00&to=2026-11-24T08:40:00"); len(a.Observed) != 50 || a.Logs != 52 {
		t.Errorf("%d strips of %d logs, want 50 of 52", len(a.Observed), a.Logs)
	}
}

// silence says where an answer has 0 for what was not observed, or nothing for what was.
func silence(a *history.Answer) (wrong []string) {
	for i, at := range a.Series.Time {
		n := float64(a.Series.Requests[i])
		inGap := false
		for _, g := range a.Gaps {
			inGap = inGap || at >= g.From && at < g.To
		}
		unknown := math.IsNaN(float64(a.Series.Observed[i]))
		if !(n > 0) && math.IsNaN(n) != (inGap || unknown) {
			wrong = append(wrong, fmt.Sprintf("%s has %v requests, observed: %v", time.Unix(at, 0).UTC().Format(time.TimeOnly), n, a.Series.Observed[i]))
		}
	}
	return wrong
}
