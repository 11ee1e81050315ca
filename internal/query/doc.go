// Package query asks rollups what an operator wants to know: how many requests, how fast,
// which paths. It makes InfluxQL of a [Question], and rows of what InfluxDB answers; it
// sends nothing, and has no clock.
//
//	Question ──Ask──► Plan.Statements ──► InfluxDB ──► Plan.Rows
//
// Deltas of rollups are added up by sum(), so any range, filter and grouping is exact,
// and percentiles are right to a bucket over hosts, paths and months. There are rows only
// for windows in which something was observed, never rows of zeros.
//
//	question.go    what can be asked; when.go of which time
//	condition.go   which lines count
//	choose.go      which rollup answers
//	plan.go        the statements
//	percentile.go  percentiles from buckets, in InfluxQL
//	quote.go       names, texts and patterns for InfluxQL
//	rows.go        answers put together
//	spans.go       which time was observed
//	print.go       rows for people and programs
//
// The statements are those that dashboards use, too. docs/query.md has the numbers' meaning.
package query
