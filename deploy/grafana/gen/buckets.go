package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/rollup"
)

// Requests are well up to the end of the first bucket, and tolerable up to that of the
// second: the bounds next to half a second, and to four times as long.
const (
	satisfied = 34
	tolerated = 42
)

// upper is the bound of a bucket, in seconds.
func upper(bucket int) string {
	return strconv.FormatFloat(float64(rollup.Upper(bucket))/1e6, 'f', 6, 64)
}

// sumOf adds up what is in buckets, from the first to the last.
func sumOf(first, last int) string {
	var all []string
	for i := first; i <= last; i++ {
		all = append(all, fmt.Sprintf("sum(%q)", rollup.BucketField(accesslog.Times[0], i)))
	}
	return strings.Join(all, " + ")
}

func statApdex() *panel {
	sums := fmt.Sprintf(`%s AS "good", %s AS "fair", %s AS "rest"`, sumOf(0, satisfied), sumOf(satisfied+1, tolerated), sumOf(tolerated+1, rollup.Buckets-1))
	var parts []string
	for _, r := range anyRolled {
		parts = append(parts, r.part(0, sums, "", wholeRange+" fill(0)"))
	}
	q := fmt.Sprintf("SELECT (\"good\" + \"fair\" * 0.5) / (\"good\" + \"fair\" + \"rest\") AS \"apdex\" FROM\n%s\nWHERE \"good\" + \"fair\" + \"rest\" > 0 AND $timeFilter", strings.Join(parts, ",\n"))
	p := stat("Apdex", fmt.Sprintf("Satisfaction from 0 to 1: the share of requests that took at most %s s, and half of that up to %s s. Both are bounds of buckets, so it is exact.",
		upper(satisfied)[:5], upper(tolerated)[:5]), "none", 5, query("apdex", "$col", q))
	p.FieldConfig.Defaults.Thresholds = steps(from(0, red), from(0.7, orange), from(0.85, green))
	p.FieldConfig.Defaults.Decimals = new(2)
	return p
}

// heatRows are buckets with which rows of the heatmap end: below 3.6 ms some can hold no
// whole millisecond.
func heatRows() (last []int) {
	for i := 7; i < rollup.Buckets-1; i += 2 {
		last = append(last, i)
	}
	return append(last, rollup.Buckets-1)
}

func heatmap() *panel {
	var columns []string
	first := 0
	for _, last := range heatRows() {
		name := upper(last)
		if last == rollup.Buckets-1 {
			name = "120" // its bound is the longest time
		}
		columns = append(columns, fmt.Sprintf("%s AS %q", sumOf(first, last), name))
		first = last + 1
	}
	var targets []target
	for _, r := range anyRolled { // one of them has an answer
		q := r.part(0, strings.Join(columns, ", "), "", byInterval+" fill(0)")
		targets = append(targets, tableQuery(r.name, strings.TrimSuffix(strings.TrimPrefix(q, "("), ")")))
	}
	p := newPanel("heatmap", "Request times", "How many requests took how long: each row is a span of times, up to the number at it. Above 67.5 s there is one row.", 12, 9, targets...)
	p.Options = map[string]any{
		"calculate": false, "rowsFrame": map[string]any{"layout": "le", "value": "requests"}, "yAxis": map[string]any{"unit": seconds, "axisPlacement": "left"},
		"color":        map[string]any{"mode": "scheme", "scheme": "Oranges", "scale": "exponential", "exponent": 0.5, "steps": 64},
		"filterValues": map[string]any{"le": 1e-9}, "cellGap": 1, "legend": map[string]any{"show": true},
		"tooltip": map[string]any{"mode": "single", "yHistogram": false}, "showValue": "never",
	}
	return p
}
