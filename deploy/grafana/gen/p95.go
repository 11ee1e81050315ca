package main

import (
	"fmt"

	"github.com/tailflux/tailflux/internal/accesslog"
	asking "github.com/tailflux/tailflux/internal/query"
)

// wholeRange has one row for a range, whatever it is: windows of a hundred years. Buckets
// that were never met are 0 there, which they are not without GROUP BY time.
const wholeRange = "time(36500d)"

// p95Query is the p95 of each host and source with 100 requests or more.
func p95Query() string {
	p95, err := asking.ParseMeasure("p95")
	if err != nil {
		panic(err)
	}
	const by = `"host", "source"`
	from := func(sums string) string {
		return fmt.Sprintf("(SELECT %s FROM %s\n  WHERE $timeFilter GROUP BY %s, %s fill(0))", sums, alertSite, wholeRange, by)
	}
	return asking.OfBuckets(accesslog.Times[0], []asking.Measure{p95}, from, " GROUP BY "+by, "$timeFilter AND t >= 100\nGROUP BY "+by)
}
