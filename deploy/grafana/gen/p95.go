package main

import (
	"regexp"
	"strings"
	"time"

	asking "github.com/tailflux/tailflux/internal/query"
	"github.com/tailflux/tailflux/internal/rollup"
)

// wholeRange has one row for a range, whatever it is: windows of a hundred years. Buckets
// that were never met are 0 there, which they are not without GROUP BY time.
const wholeRange = "time(36500d)"

var oneWindow = regexp.MustCompile(`time\(\d+s, \d+s\)`)

// p95Query is the statement of tailflux query, for any range, if there were 100 requests.
func p95Query() string {
	to := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	measure, err := asking.ParseMeasure("p95")
	if err != nil {
		panic(err)
	}
	plan, err := asking.Ask(
		asking.Question{Measures: []asking.Measure{measure}, By: []string{"host", "source"}, From: to.Add(-time.Hour), To: to, Now: to.Add(time.Hour)},
		[]rollup.Definition{{Measurement: site, RetentionPolicy: "tailflux_rollups", Interval: 10 * time.Second, Tags: []string{"method", "status"}}})
	if err != nil {
		panic(err)
	}
	statement := strings.ReplaceAll(plan.Statements[0], "time >= '2026-01-01T23:00:00Z' AND time < '2026-01-02T00:00:00Z'", "$timeFilter")
	statement = oneWindow.ReplaceAllString(statement, wholeRange)
	return strings.Replace(statement, "WHERE t > 0", "WHERE t >= 100", 1)
}
