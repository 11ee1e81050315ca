// Package grafanatest proves what the dashboards show. Its tests let tailflux read logs of
// known traffic into a real influxd, ask each query of each panel, variable and annotation as
// Grafana would, and compare each value with one that is counted from a record of the
// requests, by plain loops.
//
//	traffic_test.go     the known traffic, and its record
//	formats_test.go     how four sources write it into their logs
//	fill_test.go        tailflux reads it
//	dashboard_test.go   deploy/grafana/dashboards
//	interval_test.go    $__interval
//	macro_test.go       variables and macros
//	answer_test.go      what InfluxDB answers, as series and tables
//	transform_test.go   transformations of panels
//	expect_test.go      how an expectation is written, and compared
//	asked_test.go       what an expectation is worked out from
//	check_test.go       asks all queries of a dashboard
//	overview_test.go    what the overview shows
//	ranges_test.go      the time ranges and choices for which each is asked
//	more_test.go        a month, a day of 12 requests/s, a handful of requests
//	own_test.go         points about tailflux that the test writes
//	monitor_test.go     a tailflux with an outage and a restart, and its /monitor
//	mutants_test.go     mistakes in the dashboards that must be found
//	speed_test.go       each query within a second
//
// How Grafana expands a query was learnt from its documentation and by looking at it. Only
// what the dashboards use is done here; anything else fails the test.
package grafanatest
