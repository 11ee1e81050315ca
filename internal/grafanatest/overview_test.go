package grafanatest

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
)

// ofOverview is what overview.json shows.
var ofOverview = expectations{
	"$policy": policies,
	"$host":   hosts,
	"$source": sources,
	"$method": func(a asked) shown {
		return distinct(a.chosenOf(a.requests, "host", "source"), func(r *request) string { return r.method })
	},
	"$path": func(a asked) shown {
		return distinct(a.chosenOf(a.requests, "host", "source"), func(r *request) string { return r.path })
	},
	"Requests now requests": func(a asked) shown {
		return a.rates(map[string]amount{"requests": one})
	},
	"Sent now sent": func(a asked) shown {
		return a.rates(map[string]amount{"with headers": sentBytes})
	},
	"Sent now bodies": func(a asked) shown {
		return a.rates(map[string]amount{"bodies": bodyBytes})
	},
	"Sent sent": func(a asked) shown {
		return a.rates(map[string]amount{"with headers": sentBytes, "bodies": bodyBytes})
	},
	"Requests by class of status classes": func(a asked) shown {
		amounts := map[string]amount{}
		for _, class := range []string{"1xx", "2xx", "3xx", "4xx", "5xx"} {
			amounts[class] = func(r *request) int64 { return count(r.class() == class) }
		}
		return a.rates(amounts)
	},
	"Server errors share": func(a asked) shown {
		all := a.rolled()
		if len(all) == 0 {
			return series{}
		}
		failed := 0.0
		for _, r := range all {
			failed += float64(count(r.class() == "5xx"))
		}
		return lone{"share", failed / float64(len(all)), rounding}
	},
	"Apdex apdex": func(a asked) shown {
		score, all := 0.0, times(a.rolled())
		for _, ms := range all {
			switch {
			case ms <= 491:
				score++
			case ms <= 2113:
				score += 0.5
			}
		}
		if len(all) == 0 {
			return series{}
		}
		return lone{"apdex", score / float64(len(all)), rounding}
	},
	"Request time, p95 p95": func(a asked) shown {
		all := times(a.rolled())
		if len(all) == 0 {
			return series{}
		}
		return lone{"p95", quantile(all, 0.95) / 1000, withinBucket}
	},
	"Request time times":      func(a asked) shown { return a.percentiles(times) },
	"Upstream time times":     func(a asked) shown { return a.percentiles(upstreamTimes) },
	"Request times":           func(a asked) shown { return a.heat() },
	"Errors by status errors": func(a asked) shown { return a.errors() },
	"Requests, a day and a week ago": func(a asked) shown {
		s := a.rates(map[string]amount{"now": one})
		for name, ago := range map[string]time.Duration{"yesterday": day, "a week ago": 7 * day} {
			then := a
			then.from, then.to = a.from.Add(-ago), a.to.Add(-ago)
			s[name] = points{}
			for at, v := range then.rates(map[string]amount{name: one})[name] {
				s[name][at.Add(ago)] = v
			}
		}
		return s
	},
	"Observed observed": func(a asked) shown {
		s := series{}
		for _, span := range a.spansOf() {
			name := span.host + " " + span.source
			if s[name] == nil {
				s[name] = points{}
			}
			for last, seconds := range minutes(span) {
				if at := last.Add(time.Second - 1); !at.Before(a.from) && !at.After(a.to) {
					s[name][at.Truncate(a.interval)] += seconds
				}
			}
		}
		return s
	},
	"Newest lines": func(a asked) shown {
		newest := map[[2]any]time.Time{}
		for _, r := range a.chosenOf(a.in(a.to.Add(-30*day), wholeUp(a.to, 10*time.Second)), "host", "source") {
			newest[[2]any{r.host, r.source}] = r.at.Truncate(10 * time.Second)
		}
		want := rows{head: []string{"host", "source", "newest line"}, late: 10 * time.Second}
		for of, at := range newest {
			want.rows = append(want.rows, []any{of[0], of[1], at})
		}
		return want
	},
	"Top paths": func(a asked) shown {
		want := rows{head: []string{"requests", "path", "mean time", "slowest"}, sorted: "requests", most: 20}
		for path, p := range a.paths() {
			want.rows = append(want.rows, []any{p.requests, path, p.mean(), p.slowest()})
		}
		return want
	},
	"Slowest paths": func(a asked) shown {
		want := rows{head: []string{"mean time", "path", "slowest", "requests"}, sorted: "mean time", most: 20}
		for path, p := range a.paths() {
			if p.requests >= 10 && p.mean() != nil {
				want.rows = append(want.rows, []any{p.mean(), path, p.slowest(), p.requests})
			}
		}
		return want
	},
	"Failing paths": func(a asked) shown {
		want := rows{head: []string{"errors", "path", "share", "requests"}, sorted: "errors", most: 20}
		for path, p := range a.paths() {
			if p.failed > 0 {
				want.rows = append(want.rows, []any{p.failed, path, p.failed / p.requests, p.requests})
			}
		}
		return want
	},
	"@Starts of tailflux":  func(a asked) shown { return a.marks("started", "tailflux started") },
	"@Outages of InfluxDB": func(a asked) shown { return a.marks("outages", "outages that were over") },
	"@Rotations":           func(a asked) shown { return a.marks("rotations", "log was rotated") },
}

// marks are what annotations of a kind say, of the hosts that are chosen, and the sources
// if they are of one.
func (a asked) marks(field, text string) shown {
	want := rows{head: []string{text}}
	for _, m := range a.events {
		if m.field == field && !m.at.Before(a.from) && !m.at.After(a.to) && a.keeps(&request{host: m.host, source: m.source}, "host") &&
			(m.source == "" || a.keeps(&request{source: m.source}, "source")) {
			want.rows = append(want.rows, []any{m.value})
		}
	}
	return want
}

// ofPath is what is known of one.
type ofPath struct{ requests, tunnels, failed, ms, longest float64 }

// mean is of all requests but tunnels, as rollups do not tell how many others have a time.
func (p *ofPath) mean() any {
	if p.longest < 0 {
		return nil
	}
	return p.ms / (p.requests - p.tunnels) / 1000
}

func (p *ofPath) slowest() any {
	if p.longest < 0 {
		return nil
	}
	return p.longest / 1000
}

// paths are those of windows of a minute.
func (a asked) paths() map[any]*ofPath {
	all := map[any]*ofPath{}
	if a.chosen["method"] != nil {
		return all // nobody knows it
	}
	for _, r := range a.chosenOf(a.windows(time.Minute), "host", "source", "path", "status_class") {
		if all[r.path] == nil {
			all[r.path] = &ofPath{longest: -1}
		}
		p := all[r.path]
		p.requests++
		p.tunnels += float64(count(r.class() == "1xx"))
		p.failed += float64(count(r.class() == "5xx"))
		if r.ms >= 0 && !r.tunnel() {
			p.ms += float64(r.ms)
			p.longest = max(p.longest, float64(r.ms))
		}
	}
	return all
}

// errors are rates by status, or by class where the rollup has no status. There are no
// zeros: a bucket without such requests may be one that nobody saw.
func (a asked) errors() series {
	amounts := map[string]amount{}
	name := func(r *request) string {
		if a.window() == 10*time.Second {
			return strconv.Itoa(r.status)
		}
		return r.class()
	}
	for _, r := range a.rolled() {
		if r.status >= 400 {
			of := name(&r)
			amounts[of] = func(r *request) int64 { return count(name(r) == of) }
		}
	}
	s := a.rates(amounts)
	for _, p := range s {
		maps.DeleteFunc(p, func(_ time.Time, v float64) bool { return v == 0 })
	}
	return s
}

// heatBounds are the upper ends of rows in milliseconds: every second bound of
// docs/rollups.md, each of which is a fifth above the one before, cut to microseconds.
func heatBounds() (bounds []float64) {
	micros := 1000
	for i := range 62 {
		if i >= 7 && i%2 == 1 {
			bounds = append(bounds, float64(micros)/1000)
		}
		micros = micros * 6 / 5
	}
	return append(bounds, math.Inf(1))
}

// heat are numbers of requests by time and row; no cell is drawn where there is none.
func (a asked) heat() shown {
	cells := map[time.Time][]float64{}
	bounds := heatBounds()
	for at, all := range a.byBucket(a.rolled(), a.window()) {
		for _, ms := range times(all) {
			if cells[at] == nil {
				cells[at] = make([]float64, len(bounds))
			}
			i, _ := slices.BinarySearch(bounds, float64(ms))
			cells[at][i]++
		}
	}
	return heat{cells}
}

// withinBucket is how far a percentile may be off: the bounds of buckets are a fifth apart.
// Where times are below some milliseconds, one of them more or less is more than that.
const withinBucket = 0.2

// amount is what a request has of something; -1 is that its log does not say.
type amount func(r *request) int64

func one(*request) int64         { return 1 }
func sentBytes(r *request) int64 { return r.sent }
func bodyBytes(r *request) int64 { return r.body }

func count(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

func upstreamTimes(all []request) (ms []int64) {
	for _, r := range all {
		if r.upstreamMS() >= 0 && !r.tunnel() {
			ms = append(ms, r.upstreamMS())
		}
	}
	return ms
}

// window is that of the rollup that answers: of a path, of a long range, or the finest,
// which alone has methods.
func (a asked) window() time.Duration {
	switch {
	case a.chosen["path"] != nil:
		return time.Minute
	case a.to.Sub(a.from) > 12*time.Hour && a.chosen["method"] == nil:
		return 5 * time.Minute
	}
	return 10 * time.Second
}

// rolled are the requests in its windows that are chosen.
func (a asked) rolled() []request {
	if a.chosen["path"] != nil && a.chosen["method"] != nil {
		return nil // no rollup has both
	}
	return a.chosenOf(a.windows(a.window()), "host", "source", "path", "method", "status_class")
}

// rates are amounts in a second, of the windows of each bucket that begin in the range.
// A bucket has no rate if it has no request, or none whose log has the amount.
func (a asked) rates(amounts map[string]amount) series {
	seconds := map[time.Time]float64{}
	for at := wholeUp(a.from, a.window()); at.Before(a.to); at = at.Add(a.window()) {
		seconds[at.Truncate(a.interval)] += a.window().Seconds()
	}
	s := series{}
	for name, of := range amounts {
		if !slices.ContainsFunc(a.requests, func(r request) bool { return of(&r) >= 0 }) {
			continue // InfluxDB has never heard of it
		}
		s[name] = points{}
		for at, all := range a.byBucket(a.rolled(), a.window()) {
			sum, known := 0.0, false
			for _, r := range all {
				if v := of(&r); v >= 0 {
					sum, known = sum+float64(v), true
				}
			}
			if known {
				s[name][at] = sum / seconds[at]
			}
		}
	}
	return s
}

// percentiles are those of each bucket that has times.
func (a asked) percentiles(of func(all []request) []int64) shown {
	s := series{"p50": {}, "p95": {}, "p99": {}}
	for at, all := range a.byBucket(a.rolled(), a.window()) {
		ms := of(all)
		for name, q := range map[string]float64{"p50": 0.5, "p95": 0.95, "p99": 0.99} {
			if v := quantile(ms, q); !math.IsNaN(v) {
				s[name][at] = v / 1000
			}
		}
	}
	return near{s, withinBucket, 0.001}
}

// policies are the choices where rollups have one of their own.
func policies(a asked) shown {
	if a.database == knownDB {
		return options{"tailflux_rollups"}
	}
	return options{}
}

func hosts(a asked) shown {
	return distinct(a.requests, func(r *request) string { return r.host })
}

// sources are those of the chosen hosts.
func sources(a asked) shown {
	return distinct(a.chosenOf(a.requests, "host"), func(r *request) string { return r.source })
}

// distinct are the texts of requests, each once, and no empty one.
func distinct(all []request, of func(r *request) string) (texts options) {
	for i := range all {
		if text := of(&all[i]); text != "" && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return texts
}
