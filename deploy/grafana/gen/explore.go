package main

import "fmt"

// raw are the points of lines, in the default policy.
const raw = "nginx_access"

func explore() *dashboard {
	d := newDashboard("tailflux-explore", "nginx requests", "Requests one by one, from the points of lines: only where these are kept (raw: true, retention.raw). For minutes, not for days.")
	d.Time = timeRange{"now-15m", "now"}
	tag := func(name, label string) variable {
		return chosen(asked(name, label, fmt.Sprintf("SHOW TAG VALUES FROM %q WITH KEY = %q", raw, name)))
	}
	path := tag("path", "Path")
	path.Multi, path.Current = false, &option{Text: "All", Value: "$__all", Selected: true}
	d.Templating.List = []variable{datasourceVariable(), hidden(policyVariable()), tag("host", "Host"), tag("source", "Source"), tag("method", "Method"), classVariable(), tag("status", "Status"), path, monitorVariable()}
	d.place(
		[]*panel{eachRequest("Request times", "How long each of the newest 500 requests of each status took, as nginx saw it.", "request_time"), eachRequest("Upstream times", "What nginx waited for the servers behind it, for each of the newest 500 requests of each status.", "upstream_response_time")},
		[]*panel{newestRequests()},
	)
	return d
}

var ofRequests = where(ofHosts, ofMethods, is("status", "^$status$"), ofStatuses, is("path", "^$path$"))

func eachRequest(title, description, field string) *panel {
	q := fmt.Sprintf("SELECT %q\nFROM %q\nWHERE %s\nGROUP BY \"status\" ORDER BY time DESC LIMIT 500", field, raw, ofRequests)
	p := timeseries(title, description+" Each status is a series. The scale is logarithmic from a millisecond on.", seconds, 10, query("requests", "$tag_status", q)).nearlyLogarithmic()
	p.FieldConfig.Defaults.Custom["drawStyle"] = "points"
	return p.override(byRegexp("^5", colored(red)), byRegexp("^4", colored(orange)), byRegexp("^3", colored(blue)), byRegexp("^2", colored(green)), byRegexp("^1", colored(purple)))
}

func newestRequests() *panel {
	q := fmt.Sprintf("SELECT *\nFROM %q\nWHERE %s\nORDER BY time DESC LIMIT 500", raw, ofRequests)
	p := table("Newest requests", "The newest 500 requests of the range with all that their points have.", 24, 14, tableQuery("requests", q))
	p.FieldConfig.Defaults.NoValue = "-" // what a log has not
	p.FieldConfig.Defaults.Custom["minWidth"] = 120
	return p.override(byName("Time", property{"custom.minWidth", 205}), byName("path", property{"custom.minWidth", 240}), byName("request_time", inUnit(seconds)), byName("upstream_response_time", inUnit(seconds)),
		byName("bytes_sent", inUnit(bytesUnit)), byName("body_bytes_sent", inUnit(bytesUnit)), byName("request_length", inUnit(bytesUnit)))
}
