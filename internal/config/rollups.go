package config

import (
	"fmt"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/lazyregexp"
)

// Rollup is a measurement in which lines are added up, in windows of their own time.
type Rollup struct {
	Measurement string        // never empty; of each rollup another one
	Interval    time.Duration // whole seconds
	Tags        []string      // beside host and source; may be empty

	RetentionPolicy string // of its own; empty leaves it to [Config.PolicyOf]
}

// DefaultRollups are those of the site and of its paths, and one with few points for months.
func DefaultRollups() []Rollup {
	return []Rollup{
		{Measurement: "nginx_site", Interval: 10 * time.Second, Tags: []string{"method", "status"}},
		{Measurement: "nginx_paths", Interval: time.Minute, Tags: []string{"path", "status_class"}},
		{Measurement: "nginx_site_5m", Interval: 5 * time.Minute, Tags: []string{"status_class"}},
	}
}

const wantRollups = "a list such as [{measurement: nginx_site, interval: 10s, tags: [method, status]}]"

// rollups is a list of mappings, or from a flag default or none.
func rollups() kind[[]Rollup] {
	keys := "measurement, interval, tags and retention_policy"
	name, policy, tags := measurement(), optional(text()), names("a list of variables such as [method, status]")
	interval := duration(time.Second, 24*time.Hour)
	k := rules(wantRollups, func(v value) (r Rollup, faults []fault) {
		for _, e := range v.entries {
			var wrong []fault
			switch e.key.text {
			case "measurement":
				r.Measurement, wrong = name.parse(e.val)
			case "interval":
				r.Interval, wrong = interval.parse(e.val)
				if wrong == nil && (r.Interval%time.Second != 0 || (24*time.Hour)%r.Interval != 0) {
					wrong = []fault{{e.val.at, "", e.val.got(), "whole seconds of which a day has a whole number, such as 10s, 1m or 1h"}}
				}
			case "retention_policy":
				r.RetentionPolicy, wrong = policy.parse(e.val)
			case "tags":
				r.Tags, wrong = tags.parse(e.val)
				wrong = append(wrong, fieldsOfRollups(r.Tags, e.val)...)
			default:
				faults = append(faults, fault{e.key.at, "." + e.keyName(), "an unknown key", keys})
			}
			faults = append(faults, inside("."+e.keyName(), wrong)...)
		}
		for _, key := range []string{"measurement", "interval"} {
			if !slices.ContainsFunc(v.entries, func(e entry) bool { return e.key.text == key }) {
				faults = append(faults, fault{v.at, "", "no " + key, keys})
			}
		}
		return r, faults
	}, func(r Rollup) value {
		v := value{shape: yamlMapping, entries: []entry{
			wordEntry("measurement", r.Measurement),
			{key: value{shape: yamlString, text: "interval"}, val: value{shape: yamlNumber, text: durationText(r.Interval)}},
			{key: value{shape: yamlString, text: "tags"}, val: tags.value(r.Tags)},
		}}
		if r.RetentionPolicy != "" {
			v.entries = append(v.entries, wordEntry("retention_policy", r.RetentionPolicy))
		}
		return v
	})
	k.deep = false
	parse := k.parse
	k.parse = func(v value) ([]Rollup, []fault) {
		if v.shape != untyped {
			return parse(v)
		}
		switch v.text {
		case "default":
			return DefaultRollups(), nil
		case "none":
			return nil, nil
		}
		return nil, []fault{{at: v.at, got: v.got(), want: "default or none"}}
	}
	return k
}

// isFieldOfRollups is a field that rollups write themselves: docs/rollups.md.
var isFieldOfRollups = lazyregexp.New(`^(requests|bytes_sent|body_bytes_sent|request_length|upstream_tries|(request_time|upstream_response_time)_(ms|ms_max|b\d\d))$`)

// fieldsOfRollups are the tags that are fields of a rollup already.
func fieldsOfRollups(tags []string, list value) (faults []fault) {
	for i, tag := range tags {
		if isFieldOfRollups().MatchString(tag) {
			faults = append(faults, fault{
				list.items[i].at, fmt.Sprintf("[%d]", i), shorten(tag) + ", which is a field of every rollup",
				"another variable; if the log has one of that name, rename gives it another",
			})
		}
	}
	return faults
}

// ofTailflux is the measurement of the points that tailflux writes about itself.
const ofTailflux = "tailflux"

// validateMeasurement refuses one of which some points are not those of lines.
func (l *loader) validateMeasurement() {
	if c := &l.config; c.Measurement == ofTailflux && c.SelfMetrics {
		l.fail(l.at["measurement"], "measurement", shorten(c.Measurement)+", which is the measurement of tailflux itself",
			"a measurement of its own for the points of lines; or self_metrics: false, tailflux writes no points about itself")
	}
}

// validateRollups checks rollups together: each has a measurement of its own, and something
// is written.
func (l *loader) validateRollups() {
	c := &l.config
	taken := map[string]string{c.Measurement: "the measurement of the points of lines", ofTailflux: "the measurement of tailflux itself"}
	for i, r := range c.Rollups {
		key := fmt.Sprintf("rollups[%d]", i)
		at, given := l.at[key]
		switch of := taken[r.Measurement]; {
		case of == "" || r.Measurement == "":
		case !given: // it is a standard one
			l.fail(l.at["measurement"], "measurement", shorten(r.Measurement)+", which is that of a rollup (rollups)",
				"another name, or other rollups")
		default:
			l.fail(at, key+".measurement", shorten(r.Measurement)+", which is "+of, "a measurement of its own for each rollup")
		}
		taken[r.Measurement] = "that of another rollup"
	}
	if _, given := l.at["raw"]; !c.Raw && len(c.Rollups) == 0 {
		at := l.at["raw"]
		if !given {
			at = l.at["rollups"]
		}
		l.fail(at, "raw", "false without rollups, so that nothing would be written", "true, or rollups")
	}
}
