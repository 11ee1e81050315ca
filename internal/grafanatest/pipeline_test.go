package grafanatest

import (
	"fmt"
	"maps"
	"slices"
)

// totals are sums of all values of each series, times a factor, between two bounds. A
// series without values in the range has no total.
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
	for _, e := range a.events {
		if e.run && e.host == host && !e.at.Before(a.from) && !e.at.After(a.to) && a.keeps(&request{host: host}, "host") {
			n += int(e.value)
		}
	}
	return n
}

// runs are those of all hosts that are chosen.
func (a asked) runs() int { return a.ran(web1) + a.ran(web2) }

// ranSource are the runs that had a source, if it is chosen.
func (a asked) ranSource(o *origin) int {
	if !a.keeps(&request{source: o.source}, "source") {
		return 0
	}
	return a.ran(o.host)
}

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

// greatest are the greatest values of fields of the process, and what runs have of them.
func greatest(runs map[string][2]float64) func(a asked) shown {
	return func(a asked) shown {
		s := a.fieldsOver(ofProcess, greater, slices.Collect(maps.Keys(runs))...)
		if a.runs() == 0 {
			return s
		}
		return a.withRuns(s, runs)
	}
}

// summed are the sums of fields, and what runs have of them.
func summed(is func(p *ownPoint) bool, runs func(a asked) map[string][2]float64, fields ...string) func(a asked) shown {
	return func(a asked) shown { return a.withRuns(a.fieldsOver(is, plus, fields...), runs(a)) }
}

// ofPipeline is what pipeline.json shows: what the logs have, as tailflux counted it.
var ofPipeline = expectations{
	"$policy":              policies,
	"$host":                hosts,
	"$source":              sources,
	"$path":                ofOverview["$path"],
	"$method":              ofOverview["$method"],
	"@Starts of tailflux":  ofOverview["@Starts of tailflux"],
	"@Outages of InfluxDB": ofOverview["@Outages of InfluxDB"],
	"@Rotations":           ofOverview["@Rotations"],
	"Lines own": func(a asked) shown {
		s := a.fieldsOver(ofProcess, plus, "lines_read", "lines_written", "lines_rejected", "lines_filtered")
		if a.runs() == 0 {
			for _, p := range s {
				for at := range p {
					p[at] /= a.interval.Seconds()
				}
			}
			return s
		}
		written, rejected, filtered := a.counted()
		all, _ := a.withRuns(s, map[string][2]float64{
			"lines_read": exactly(written + rejected + filtered), "lines_written": exactly(written), "lines_rejected": exactly(rejected), "lines_filtered": exactly(filtered),
		}).(totals)
		all.factor = a.interval.Seconds()
		return all
	},
	"Lag sources": func(a asked) shown {
		of, s := map[string][2]float64{}, series{}
		for _, o := range origins {
			if a.ranSource(&o) > 0 {
				of[o.host+" "+o.source] = exactly(0)
			}
		}
		a.over(s, a.ownPoints(ofSource), "lag_seconds", greater, func(p *ownPoint) string { return p.host + " " + p.source })
		return a.withRuns(s, of)
	},
	"Rejected lines by reason rejects": func(a asked) shown {
		of, s := map[string][2]float64{}, series{}
		for _, o := range origins {
			for reason, n := range a.rejected[o.source] {
				if a.ranSource(&o) > 0 {
					of[reason] = exactly(n + int(of[reason][0]))
				}
			}
		}
		a.over(s, a.ownPoints(ofReason), "rejected", plus, func(p *ownPoint) string { return p.reason })
		return a.withRuns(s, of)
	},
	"Undelivered own":     greatest(map[string][2]float64{"undelivered_seconds": exactly(0), "outage_seconds": exactly(0)}),
	"Lines that wait own": greatest(map[string][2]float64{"lines_in_flight": exactly(0), "channel_read_lines": exactly(0), "channel_write_lines": exactly(0)}),
	"Memory own":          greatest(map[string][2]float64{"memory_bytes": {1 << 20, 1 << 40}, "channel_read_bytes": exactly(0), "channel_write_bytes": exactly(0)}),
	"Requests to InfluxDB own": summed(ofProcess, func(a asked) map[string][2]float64 {
		if a.runs() == 0 {
			return nil
		}
		return map[string][2]float64{"outages": exactly(0), "requests": some, "retries": exactly(0)}
	}, "requests", "retries", "outages"),
	"Cuts and starts own": summed(ofProcess, func(a asked) map[string][2]float64 {
		if a.runs() == 0 {
			return nil
		}
		return map[string][2]float64{"cuts": some, "started": exactly(a.runs())}
	}, "cuts", "started"),
	"Files own": summed(ofSource, func(a asked) map[string][2]float64 {
		for _, o := range origins {
			if a.ranSource(&o) > 0 {
				return map[string][2]float64{"rotations": exactly(0), "truncations": exactly(0), "generations_lost": exactly(0)}
			}
		}
		return nil
	}, "rotations", "truncations", "generations_lost"),
	"Tags": func(a asked) shown { return a.tags() },
}

// tags are how many values each has: as the newest point says it.
func (a asked) tags() rows {
	type of struct{ host, tag string }
	have := map[of][3]float64{}
	for _, p := range a.ownPoints(ofTag) {
		have[of{p.host, p.tag}] = [3]float64{p.fields["values"], p.fields["limit"], have[of{p.host, p.tag}][2] + p.fields["other"]}
	}
	for _, host := range []string{web1, web2} {
		if a.ran(host) == 0 {
			continue
		}
		for tag, value := range map[string]func(r *request) string{
			"method": func(r *request) string { return r.method }, "path": func(r *request) string { return r.path },
			"status": func(r *request) string { return fmt.Sprint(r.status) }, "upstream_addr": func(r *request) string { return r.server },
			"scheme":       func(r *request) string { return map[string]string{"web": "https"}[r.source] }, // of the format timed
			"status_class": func(*request) string { return "" },                                            // of rollups, which make it of the status
		} {
			kept := slices.DeleteFunc(slices.Clone(a.requests), func(r request) bool { return r.host != host })
			have[of{host, tag}] = [3]float64{float64(len(distinct(kept, value))), 10_000, have[of{host, tag}][2]}
		}
	}
	want := rows{head: []string{"host", "tag", "values", "limit", "other"}}
	for key, n := range have {
		want.rows = append(want.rows, []any{key.host, key.tag, n[0], n[1], n[2]})
	}
	return want
}
