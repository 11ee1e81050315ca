package grafanatest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// ownPoint is one of measurement tailflux that the test writes, as a tailflux would have that
// ran all the time. It is of the process, or of a source, a reason of one, or a tag.
type ownPoint struct {
	at                        time.Time
	host, source, reason, tag string
	fields                    map[string]float64
}

// Fields of a process and of a source. Those that end so are floats, the others integers.
var (
	processFields = []string{
		"lines_read", "lines_written", "lines_rejected", "lines_filtered", "lines_in_flight", "memory_bytes", "undelivered_seconds", "outage_seconds",
		"channel_read_lines", "channel_read_bytes", "channel_write_lines", "channel_write_bytes", "requests", "retries", "outages", "cuts", "started",
	}
	sourceFields = []string{"lines_read", "lines_written", "lines_rejected", "lines_filtered", "lag_seconds", "rotations", "truncations", "generations_lost"}
)

// ownPoints are some of each kind. No two have the same value of a field.
func (k *known) ownPoints() (all []ownPoint) {
	n := 0.0
	add := func(p ownPoint, fields ...string) {
		p.fields = map[string]float64{}
		for _, f := range fields {
			n++
			p.fields[f] = n
		}
		all = append(all, p)
	}
	for _, after := range []time.Duration{63 * minute, 63*minute + 4*time.Second, 70 * minute, 117 * minute, 117*minute + 3*time.Second, 131 * minute} {
		at := k.at(after).Add(123 * time.Millisecond)
		for _, host := range []string{web1, web2} {
			add(ownPoint{at: at, host: host}, processFields...)
			add(ownPoint{at: at, host: host, tag: "path"}, "values", "limit", "other")
			add(ownPoint{at: at, host: host, tag: "status"}, "values", "limit", "other")
		}
		for _, o := range origins {
			add(ownPoint{at: at, host: o.host, source: o.source}, sourceFields...)
			add(ownPoint{at: at, host: o.host, source: o.source, reason: "no match"}, "rejected")
			add(ownPoint{at: at, host: o.host, source: o.source, reason: "no time"}, "rejected")
		}
	}
	return all
}

// line is the point in InfluxDB's line protocol.
func (p *ownPoint) line() string {
	text := "tailflux"
	for _, tag := range [][2]string{{"host", p.host}, {"source", p.source}, {"reason", p.reason}, {"tag", p.tag}} {
		if tag[1] != "" {
			text += "," + tag[0] + "=" + strings.ReplaceAll(tag[1], " ", `\ `)
		}
	}
	var fields []string
	for _, f := range slices.Sorted(maps.Keys(p.fields)) {
		kind := "i"
		if strings.HasSuffix(f, "_seconds") {
			kind = ""
		}
		fields = append(fields, fmt.Sprintf("%s=%d%s", f, int(p.fields[f]), kind))
	}
	return fmt.Sprintf("%s %s %d", text, strings.Join(fields, ","), p.at.UnixNano())
}

// events are those that annotations and Files show.
func (p *ownPoint) events() (all []event) {
	for _, f := range []string{"started", "outages", "rotations", "truncations", "generations_lost"} {
		if v := p.fields[f]; v > 0 {
			all = append(all, event{p.at, p.host, p.source, f, v, false})
		}
	}
	return all
}

// ownPoints are those in the range of what is chosen. Points of a process have no source.
func (a asked) ownPoints(is func(p *ownPoint) bool) (all []ownPoint) {
	for _, p := range a.own {
		if is(&p) && !p.at.Before(a.from) && !p.at.After(a.to) && a.keeps(&request{host: p.host}, "host") &&
			(p.source == "" || a.keeps(&request{source: p.source}, "source")) {
			all = append(all, p)
		}
	}
	return all
}

func ofProcess(p *ownPoint) bool { return p.source == "" && p.tag == "" }
func ofSource(p *ownPoint) bool  { return p.source != "" && p.reason == "" }
func ofReason(p *ownPoint) bool  { return p.reason != "" }
func ofTag(p *ownPoint) bool     { return p.tag != "" }

func plus(a, b float64) float64    { return a + b }
func greater(a, b float64) float64 { return max(a, b) }

// over puts a field of points into buckets.
func (a asked) over(s series, all []ownPoint, field string, together func(a, b float64) float64, name func(p *ownPoint) string) {
	for _, p := range all {
		if s[name(&p)] == nil {
			s[name(&p)] = points{}
		}
		at := p.at.Truncate(a.interval)
		s[name(&p)][at] = together(s[name(&p)][at], p.fields[field])
	}
}

// fieldsOver are fields of points over time, each a series.
func (a asked) fieldsOver(is func(p *ownPoint) bool, together func(a, b float64) float64, fields ...string) series {
	s := series{}
	for _, f := range fields {
		a.over(s, a.ownPoints(is), f, together, func(*ownPoint) string { return f })
	}
	return s
}

// withRuns is what is expected of the points that the test wrote, and of the runs of
// tailflux there were: of these only the sum of all buckets is known.
func (a asked) withRuns(s series, runs map[string][2]float64) shown {
	if len(runs) == 0 {
		return s
	}
	of := maps.Clone(runs)
	for name, p := range s {
		sum := of[name]
		for _, v := range p {
			sum[0], sum[1] = sum[0]+v, sum[1]+v
		}
		of[name] = sum
	}
	return totals{of, 1}
}

// ownDay are the points that a tailflux on each of the two hosts, with two sources each,
// writes in a day: some every ten seconds.
func ownDay(end time.Time) (lines []string) {
	zeros := func(fields ...string) map[string]float64 {
		all := map[string]float64{}
		for _, f := range fields {
			all[f] = 0
		}
		return all
	}
	process, source, reason, tag := zeros(processFields...), zeros(sourceFields...), zeros("rejected"), zeros("values", "limit", "other")
	for at := end.Add(-day); at.Before(end); at = at.Add(10 * time.Second) {
		process["lines_read"], source["lines_read"], reason["rejected"] = 120, 60, float64(at.Minute()%2)
		add := func(p ownPoint) { lines = append(lines, p.line()) }
		for _, host := range []string{web1, web2} {
			add(ownPoint{at: at, host: host, fields: process})
			for _, name := range []string{"method", "status", "path"} {
				add(ownPoint{at: at, host: host, tag: name, fields: tag})
			}
		}
		for _, o := range origins {
			add(ownPoint{at: at, host: o.host, source: o.source, fields: source})
			if at.Second() == 0 {
				add(ownPoint{at: at, host: o.host, source: o.source, reason: "no match", fields: reason})
			}
		}
	}
	return lines
}
