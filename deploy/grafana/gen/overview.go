package main

import (
	"fmt"
	"strings"

	"github.com/tailflux/tailflux/internal/accesslog"
)

func overview() *dashboard {
	d := newDashboard("tailflux-nginx", "nginx traffic", "What nginx served, from rollups of its access logs, for any range up to years. "+
		"Where nothing was observed there is no number, and no zero.")
	d.Templating.List = []variable{datasourceVariable(), policyVariable(), hostVariable(), sourceVariable(), methodVariable(), classVariable(), pathVariable(), monitorVariable()}
	d.Annotations.List = []annotation{startMarks(), outageMarks(), rotationMarks()}
	d.place(
		[]*panel{statRequests(), statErrors(), statP95(), statApdex(), statBytes()},
		[]*panel{statusClasses(), compared()},
		[]*panel{requestTimes(), heatmap()},
		[]*panel{errorsByStatus(), sent()},
		[]*panel{observedStates(), newestLines()},
		[]*panel{failingPaths(), topPaths()},
		[]*panel{slowestPaths(), upstreamTimes()},
	)
	return d
}

// newDashboard has what is the same in all.
func newDashboard(uid, title, description string) *dashboard {
	return &dashboard{
		UID: uid, Title: title, Description: description, Tags: []string{"nginx", "tailflux"}, SchemaVersion: 39, Version: 1, Editable: true,
		GraphTooltip: 1, Timezone: "browser", Refresh: "30s", Time: timeRange{"now-1h", "now"}, Links: toOthers(),
		Annotations: annotations{List: []annotation{}},
	}
}

const gap = " A gap is a time in which there was no request, or nobody saw it: \"Observed\" tells which."

func statRequests() *panel {
	return stat("Requests now", "Requests in a second, in the last whole interval of the graphs.", perSecond, 5, query("requests", "$col", rates(0, amount{"requests", "requests", ""})))
}

func statErrors() *panel {
	p := stat("Server errors", "Of the requests that are chosen, the share that was answered with 5xx.", percent, 5, query("share", "$col", shareOf("5")))
	p.FieldConfig.Defaults.Thresholds = steps(from(0, green), from(0.01, orange), from(0.05, red))
	return p
}

func statP95() *panel {
	return stat("Request time, p95", "95 % of the requests of the range took no longer, as nginx saw them. It is of the right bucket: at most a fifth away. Tunnels (101) do not count.", seconds, 5,
		query("p95", "$col", percentiles(accesslog.Times[0], wholeRange, "p95")))
}

func statBytes() *panel {
	p := stat("Sent now", "Bytes sent in a second, in the last whole interval: with headers (bytes_sent), and bodies alone (body_bytes_sent), where logs have them.", bytesPerSecond, 4,
		query("sent", "$col", known("with headers", "bytes_sent")), query("bodies", "$col", known("bodies", "body_bytes_sent")))
	p.Options["textMode"], p.Options["orientation"] = "auto", "horizontal" // says which, if there are both
	return p
}

// known is a rate without rows that have no value, so that what no log has is not there.
func known(name, field string) string {
	return fmt.Sprintf("SELECT %q FROM (\n%s)\nWHERE %q >= 0\nAND $timeFilter", name, rates(0, amount{name, field, ""}), name)
}

func statusClasses() *panel {
	var amounts []amount
	for _, c := range classes {
		amounts = append(amounts, amount{c.name, "requests", c.name[:1]})
	}
	p := timeseries("Requests by class of status", "Requests in a second, by the first digit of their status. 5xx is at the bottom, so that few of them are seen, too."+gap,
		perSecond, 9, query("classes", "$col", rates(0, amounts...))).stacked().legend("max", "lastNotNull")
	for _, c := range classes {
		p.override(byName(c.name, colored(c.color)))
	}
	return p
}

// compared draws days before over the range. InfluxQL cannot move times, Grafana can.
func compared() *panel {
	p := timeseries("Requests, a day and a week ago", "Requests in a second, and 24 and 168 hours before: the same time yesterday and a week ago, but for an hour when clocks were changed in between."+gap, perSecond, 9,
		query("now", "$col", rates(0, amount{"now", "requests", ""})),
		query("yesterday", "$col", rates(1, amount{"yesterday", "requests", ""})),
		query("week", "$col", rates(7, amount{"a week ago", "requests", ""}))).legend("max", "lastNotNull")
	p.transform(later("yesterday", 1)...).transform(later("week", 7)...)
	p.override(byName("now", colored(blue), property{"custom.lineWidth", 2}), byName("yesterday", colored(grey)), byName("a week ago", colored(purple)))
	return p
}

// later moves a query's times by days.
func later(refID string, days int) []transformation {
	filter := map[string]any{"id": "byRefId", "options": refID}
	convert := func(to string) transformation {
		return transformation{ID: "convertFieldType", Filter: filter, Options: map[string]any{
			"conversions": []any{map[string]any{"targetField": "Time", "destinationType": to}}, "fields": map[string]any{},
		}}
	}
	return []transformation{
		convert("number"),
		{ID: "calculateField", Filter: filter, Options: map[string]any{
			"mode": "binary", "alias": "later", "replaceFields": false,
			"binary": map[string]any{"left": "Time", "operator": "+", "right": fmt.Sprint(86_400_000 * days)},
		}},
		{ID: "organize", Filter: filter, Options: map[string]any{
			"excludeByName": map[string]any{"Time": true}, "indexByName": map[string]any{}, "renameByName": map[string]any{"later": "Time"},
		}},
		convert("time"),
	}
}

func requestTimes() *panel {
	return times("Request time", "Half, 95 % and 99 % of the requests took no longer, of all hosts and sources that are chosen together. The scale is logarithmic.", accesslog.Times[0], 9)
}

func upstreamTimes() *panel {
	return times("Upstream time", "As request time, for what nginx waited for the servers behind it. Not observed: no request went there, or the log has no $upstream_response_time.", accesslog.Times[1], 10)
}

func times(title, description, field string, h int) *panel {
	p := timeseries(title, description, seconds, h, query("times", "$col", percentiles(field, byInterval, "p50", "p95", "p99"))).logarithmic().legend("max", "lastNotNull")
	return p.override(byName("p50", colored(green)), byName("p95", colored(orange)), byName("p99", colored(purple)))
}

func errorsByStatus() *panel {
	p := timeseries("Errors by status", "Requests in a second with a status of 4xx or 5xx, each status for itself. Ranges of more than twelve hours, unless a method is chosen, and a chosen path have classes of statuses only: 4xx, 5xx.",
		perSecond, 9, query("errors", "$tag_status$tag_status_class", byErrorStatus())).lastFirst("max", "lastNotNull")
	return p.override(byRegexp("^5", colored(red)), byRegexp("^4", colored(orange)))
}

// byErrorStatus has a series for each status, where there were any.
func byErrorStatus() string {
	var parts []string
	for _, r := range anyRolled {
		tag, errors := "status", `"status" =~ /^[45]/`
		if r.name != site {
			tag, errors = "status_class", `"status_class" =~ /^[45]/`
		}
		parts = append(parts, r.part(0, fmt.Sprintf(`sum("requests") / %d.0 AS "r"`, r.seconds), errors, fmt.Sprintf("time(%ds), %q fill(0)", r.seconds, tag)))
	}
	return fmt.Sprintf("SELECT \"r\" FROM (\nSELECT mean(\"r\") AS \"r\" FROM\n%s\nWHERE $timeFilter\nGROUP BY %s, \"status\", \"status_class\")\nWHERE \"r\" > 0 AND $timeFilter\nGROUP BY \"status\", \"status_class\"", strings.Join(parts, ",\n"), byInterval)
}

func sent() *panel {
	p := timeseries("Sent", "Bytes sent in a second: all of them (bytes_sent), and bodies alone (body_bytes_sent). A source whose log has only one of them counts only there."+gap, bytesPerSecond, 9,
		query("sent", "$col", rates(0, amount{"with headers", "bytes_sent", ""}, amount{"bodies", "body_bytes_sent", ""}))).legend("max", "lastNotNull")
	return p.override(byName("with headers", colored(blue)), byName("bodies", colored(purple)))
}
