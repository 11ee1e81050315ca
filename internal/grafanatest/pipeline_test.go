package grafanatest

import (
	"fmt"
	"maps"
	"slices"
)

// totals are sums of all values of each series, times a factor, between two bounds. Where
// nothing is in the range there are none.
type totals struct {
	of     map[string][2]float64
	factor float64
}

func (s totals) empty() bool { return len(s.of) == 0 }

func (s totals) differs(came []*frame) (wrong []string) {
	left := maps.Clone(s.of)
	for _, f := range came {
		for _, c := range f.columns[min(1, len(f.columns)):] {
			sum, known := 0.0, false
			for _, v := range c.values {
				if n, is := v.(float64); is {
					sum, known = sum+n*s.factor, true
				}
			}
			if !known {
				continue
			}
			want, is := left[c.name]
			delete(left, c.name)
			if !is || sum < want[0]-1e-6 || sum > want[1]+1e-6 {
				wrong = append(wrong, fmt.Sprintf("values of %q add up to %v, want %v (known: %t)", c.name, sum, want, is))
			}
		}
	}
	for name, want := range left {
		wrong = append(wrong, fmt.Sprintf("no values of %q, want %v", name, want))
	}
	return wrong
}

func exactly(n int) [2]float64 { return [2]float64{float64(n), float64(n)} }

var some = [2]float64{1, 1e12}

// ran is how often tailflux was started on a host in the range, and so wrote points about
// itself: twice or never.
func (a asked) ran(host string) (n int) {
	for _, e := range a.happened("started") {
		if e.host == host {
			n += int(e.value)
		}
	}
	return n
}

// happened are the events of a kind in the range, of what is chosen.
func (a asked) happened(field string) (all []event) {
	for _, e := range a.events {
		if e.field == field && !e.at.Before(a.from) && !e.at.After(a.to) && a.keeps(&request{host: e.host}, "host") &&
			(e.source == "" || a.keeps(&request{source: e.source}, "source")) {
			all = append(all, e)
		}
	}
	return all
}

// runs are those of all hosts that are chosen.
func (a asked) runs() int { return a.ran(web1) + a.ran(web2) }

// counted adds up what the logs of the hosts that ran have.
func (a asked) counted() (written, rejected, filtered int) {
	for _, o := range origins {
		if a.ran(o.host) == 0 {
			continue
		}
		for _, r := range a.requests {
			if r.source == o.source {
				written++
			}
		}
		for _, n := range a.rejected[o.source] {
			rejected += n
		}
		filtered += a.filtered[o.source]
	}
	return written, rejected, filtered
}

// add puts the events of a kind to what is expected, if there are any, or if tailflux ran.
func (a asked) add(to map[string][2]float64, fields ...string) {
	for _, field := range fields {
		n, known := 0, a.runs() > 0
		for _, e := range a.happened(field) {
			n, known = n+int(e.value), true
		}
		if known {
			to[field] = exactly(n)
		}
	}
}

// whenRun are these totals if tailflux ran in the range.
func whenRun(of map[string][2]float64) func(a asked) shown {
	return func(a asked) shown {
		if a.runs() == 0 {
			return totals{nil, 1}
		}
		return totals{of, 1}
	}
}

// ofPipeline is what pipeline.json shows: what the logs have, as tailflux counted it.
var ofPipeline = expectations{
	"$policy":              policies,
	"$host":                hosts,
	"$source":              sources,
	"$path":                ofOverview["$path"],
	"@Starts of tailflux":  ofOverview["@Starts of tailflux"],
	"@Outages of InfluxDB": ofOverview["@Outages of InfluxDB"],
	"@Rotations":           ofOverview["@Rotations"],
	"Lines own": func(a asked) shown {
		if a.runs() == 0 {
			return totals{nil, 1}
		}
		written, rejected, filtered := a.counted()
		return totals{map[string][2]float64{
			"lines_read": exactly(written + rejected + filtered), "lines_written": exactly(written), "lines_rejected": exactly(rejected), "lines_filtered": exactly(filtered),
		}, a.interval.Seconds()}
	},
	"Lag sources": func(a asked) shown {
		of := map[string][2]float64{}
		for _, o := range origins {
			if a.ran(o.host) > 0 && a.keeps(&request{source: o.source}, "source") {
				of[o.host+" "+o.source] = exactly(0)
			}
		}
		return totals{of, 1}
	},
	"Rejected lines by reason rejects": func(a asked) shown {
		of := map[string][2]float64{}
		for _, o := range origins {
			for reason, n := range a.rejected[o.source] {
				if a.ran(o.host) > 0 && a.keeps(&request{source: o.source}, "source") {
					of[reason] = exactly(n + int(of[reason][0]))
				}
			}
		}
		return totals{of, 1}
	},
	"Undelivered own":     whenRun(map[string][2]float64{"undelivered_seconds": exactly(0), "outage_seconds": exactly(0)}),
	"Lines that wait own": whenRun(map[string][2]float64{"lines_in_flight": exactly(0), "channel_read_lines": exactly(0), "channel_write_lines": exactly(0)}),
	"Memory own":          whenRun(map[string][2]float64{"memory_bytes": {1 << 20, 1 << 40}, "channel_read_bytes": exactly(0), "channel_write_bytes": exactly(0)}),
	"Requests to InfluxDB own": func(a asked) shown {
		of := map[string][2]float64{}
		a.add(of, "outages")
		if a.runs() > 0 {
			of["requests"], of["retries"] = some, exactly(0)
		}
		return totals{of, 1}
	},
	"Cuts and starts own": func(a asked) shown {
		if a.runs() == 0 {
			return totals{nil, 1}
		}
		return totals{map[string][2]float64{"cuts": some, "started": exactly(a.runs())}, 1}
	},
	"Files own": func(a asked) shown {
		of := map[string][2]float64{}
		a.add(of, "rotations", "truncations", "generations_lost")
		return totals{of, 1}
	},
	"Tags": func(a asked) shown {
		want := rows{head: []string{"host", "tag", "values", "limit", "other"}}
		for _, host := range []string{web1, web2} {
			if a.ran(host) == 0 {
				continue
			}
			for tag, of := range map[string]func(r *request) string{
				"method": func(r *request) string { return r.method }, "path": func(r *request) string { return r.path },
				"status": func(r *request) string { return fmt.Sprint(r.status) }, "upstream_addr": func(r *request) string { return r.server },
				"scheme":       func(r *request) string { return map[string]string{"web": "https"}[r.source] }, // of the format timed
				"status_class": func(*request) string { return "" },                                            // of rollups, which make it of the status
			} {
				kept := slices.DeleteFunc(slices.Clone(a.requests), func(r request) bool { return r.host != host })
				want.rows = append(want.rows, []any{host, tag, float64(len(distinct(kept, of))), 10_000.0, 0.0})
			}
		}
		return want
	},
}
