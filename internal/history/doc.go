// Package history is the page's look at hours to years, from rollups in InfluxDB: GET
// /history. What is asked is fixed, and made by package query; a browser only says of which
// time and of which lines.
//
//	GET /history ──Parse──► Request ──► flights ──► questions ──► InfluxDB
//	                                       one for all who ask the same
//
//	request.go    what can be asked
//	handler.go    HTTP: JSON and CSV
//	flight.go     few questions at once, each once for all who ask it
//	answer.go     what is answered
//	asking.go     how rows are asked for
//	plan.go       which time, and how wide a bucket is
//	series.go     columns over time
//	tables.go     paths, hosts, sources and statuses
//	observed.go   where nobody looked
//	early.go      what comes soon
//	sheet.go      the same as a table of rows
//	bytes.go      which size is what was sent
//
// Nothing of the pipeline waits for it: it has connections of its own. What InfluxDB says
// in an error is logged, and not shown.
package history
