package main

import (
	"fmt"
	"strings"
)

// ofPaths has the conditions of tables of paths, which are of the range whatever its length.
// With a method they have no answer, as nobody knows it.
func ofPaths(conditions ...string) string {
	return where(append([]string{ofHosts, `"path" =~ /^$path$/`, ofClasses}, conditions...)...) + "\nAND " + isAll("method")
}

// topOf is the 20 paths with the most of something. Between top() and what is counted
// stands a query that adds up once more: top() has null for some of it otherwise.
func topOf(most, others, sums, from, condition string) string {
	return fmt.Sprintf("SELECT top(%q, 20) AS %q, \"path\", %s FROM (\nSELECT %s FROM\n%s\nWHERE $timeFilter GROUP BY \"path\")\nWHERE $timeFilter%s", most, most, others, sums, from, condition)
}

func pathTable(title, description string, q string) *panel {
	p := table(title, description+" Empty with a method: paths are not kept by method. Click a path for this dashboard, or Explore, of it alone.", 12, 10, tableQuery("paths", q))
	p.FieldConfig.Defaults.NoValue = "not observed, or not kept by method"
	p.transform(transformation{ID: "organize", Options: map[string]any{"excludeByName": map[string]any{"Time": true, "time": true}, "indexByName": map[string]any{}, "renameByName": map[string]any{}}})
	keep := "${datasource:queryparam}&${policy:queryparam}&${host:queryparam}&${source:queryparam}&${method:queryparam}&${status_class:queryparam}&var-path=${__data.fields.path:percentencode}&${monitor:queryparam}&${__url_time_range}"
	p.override(
		byName("path", property{"custom.minWidth", 160}, property{"noValue", "(no path)"}, property{"links", []link{
			{Title: "This path alone", URL: "/d/tailflux-nginx?" + keep},
			{Title: "Explore its requests", URL: "/d/tailflux-explore?" + keep},
		}}),
		byName("requests", inUnit(count), wide(85)), byName("errors", inUnit(count), wide(75)), byName("share", inUnit(percent), wide(75)),
		byName("mean time", inUnit(seconds), wide(90)), byName("slowest", inUnit(seconds), wide(85)), byName("sent", inUnit(bytesUnit), wide(85)),
	)
	return p
}

// pathSum is a subquery with one column, as those of rates have: something of each path.
func pathSum(column string, conditions ...string) string {
	return fmt.Sprintf("(SELECT %s\nFROM %s\nWHERE %s\nGROUP BY \"path\")", column, in(paths), ofPaths(conditions...))
}

// pathSums are several. The first has all columns and no row.
func pathSums(columns, all []string) string {
	none := fmt.Sprintf("(SELECT %s FROM %s WHERE 1 = 0 GROUP BY \"path\")", strings.Join(columns, ", "), in(paths))
	return strings.Join(append([]string{none}, all...), ",\n")
}

const (
	pathRequests = `sum("requests") * 1.0 AS "n"`
	pathErrors   = `sum("requests") * 1.0 AS "e"`
	pathTimed    = `sum("requests") * 1.0 AS "t"`
	pathTime     = `sum("request_time_ms") * 1.0 AS "s"`
	pathLongest  = `max("request_time_ms_max") AS "m"`

	meanOfPath    = `sum("s") / sum("t") / 1000.0 AS "mean time"`
	longestOfPath = `max("m") / 1000.0 AS "slowest"`
)

func failingPaths() *panel {
	from := pathSums([]string{pathRequests, pathErrors}, []string{pathSum(pathRequests), pathSum(pathErrors, byClass("5"))})
	return pathTable("Failing paths", "Paths with the most answers 5xx in the range, and their share in the requests of the path.",
		topOf("errors", `"share", "requests"`, `sum("e") AS "errors", sum("e") / sum("n") AS "share", sum("n") AS "requests"`, from, ""))
}

func topPaths() *panel {
	return pathTable("Top paths", "Paths with the most requests in the range."+ofTimes, topOf("requests", `"mean time", "slowest"`,
		`sum("n") AS "requests", `+meanOfPath+", "+longestOfPath, timesOfPaths(), ""))
}

func slowestPaths() *panel {
	return pathTable("Slowest paths", "Paths whose requests took longest on average, if there were at least 10 in the range."+ofTimes, topOf("mean time", `"slowest", "requests"`,
		meanOfPath+", "+longestOfPath+`, sum("n") AS "requests"`, timesOfPaths(), ` AND "requests" >= 10`))
}

const ofTimes = " Tunnels (101) have no time. A source whose log has no $request_time makes the mean time of its paths too low, as its requests count."

// timesOfPaths does not count tunnels where times are divided: they have none.
func timesOfPaths() string {
	return pathSums([]string{pathRequests, pathTimed, pathTime, pathLongest},
		[]string{pathSum(pathRequests), pathSum(pathTimed, `"status_class" != '1xx'`), pathSum(pathTime), pathSum(pathLongest)})
}

// narrow is a column that may be so, on a phone.
var narrow = property{"custom.minWidth", 70}

// newestLines is of 30 days, so that a source that is silent has a row.
func newestLines() *panel {
	q := fmt.Sprintf("SELECT last(\"requests\") AS \"requests\"\nFROM %s\nWHERE time > ${__to}ms - 30d AND time <= ${__to}ms AND \"source\" != 'tailflux'\nAND %s\nGROUP BY \"host\", \"source\"", in(site), ofHosts)
	p := table("Newest lines", "When each source had its newest line that is stored, to ten seconds, in the 30 days before the end of the range.", 12, 8, tableQuery("newest", q))
	p.transform(transformation{ID: "organize", Options: map[string]any{
		"excludeByName": map[string]any{"requests": true}, "indexByName": map[string]any{"host": 0, "source": 1, "Time": 2}, "renameByName": map[string]any{"Time": "newest line"},
	}})
	return p.override(byName("newest line", inUnit(fromNow), property{"custom.minWidth", 140}), byName("host", narrow), byName("source", narrow))
}

// observedStates is of what tailflux says about itself: spans of log time that are complete.
func observedStates() *panel {
	q := fmt.Sprintf("SELECT sum(\"observed_seconds\") AS \"observed\"\nFROM %s\nWHERE %s\nGROUP BY %s, \"host\", \"source\"", in(own), where(ofHosts), byInterval)
	p := states("Observed", "Where a source is green, all lines of its log are stored: no requests there are no traffic. Where it is empty, nobody looked, or has not caught up. In steps of a minute or more, and up to 5 minutes late.", 12, 8,
		query("observed", "$tag_host $tag_source", q))
	p.Interval, p.MaxDataPoints = "1m", 200    // spans are cut at minutes
	p.FieldConfig.Defaults.Color = fixed(grey) // of thresholds the legend has bounds and not the words below
	p.FieldConfig.Defaults.Mappings = []mapping{
		{"range", map[string]any{"from": 0.001, "to": nil, "result": map[string]any{"text": "observed", "color": green, "index": 0}}},
		{"special", map[string]any{"match": "null", "result": map[string]any{"text": notObserved, "color": grey, "index": 1}}},
	}
	return p
}
