package main

import (
	"fmt"
	"strings"
)

// A dashboard has these variables, in this order, so that links from one to another keep
// what is chosen.

// Without a value Grafana would take the first InfluxDB by its name.
func datasourceVariable() variable {
	return variable{Name: "datasource", Label: "Data source", Type: "datasource", Query: "influxdb", Refresh: 1, Current: &option{Text: "tailflux", Value: "tailflux", Selected: true}}
}

// policyVariable is the retention policy of rollups and of measurement tailflux: the one
// that tailflux makes for them, if there is one, else nothing, which is the default one.
// InfluxQL has "".measurement for that.
func policyVariable() variable {
	v := asked("policy", "Policy of rollups", "SHOW RETENTION POLICIES")
	v.Description = "tailflux_rollups where tailflux made it (retention.rollups), else nothing: the default policy. Type another name if your rollups are elsewhere."
	v.Regex = "/^tailflux_rollups$/"
	v.Refresh = 1
	return v
}

// asked is a variable whose values a query has.
func asked(name, label, influxQL string) variable {
	return variable{
		Name: name, Label: label, Type: "query", Datasource: &influxdb, Query: influxQL, Definition: influxQL,
		Refresh: 2, Sort: 1,
	}
}

// chosen may have several values, and has all at first.
func chosen(v variable) variable {
	v.Multi, v.IncludeAll, v.AllValue = true, true, ".*"
	v.Current = &option{Text: []string{"All"}, Value: []string{"$__all"}, Selected: true}
	return v
}

// tagVariable has the values of a tag of a rollup.
func tagVariable(name, label, measurement, where string) variable {
	query := fmt.Sprintf(`SHOW TAG VALUES FROM %s WITH KEY = %q`, in(measurement), name)
	if where != "" {
		query += " WHERE " + where
	}
	return chosen(asked(name, label, query))
}

func hostVariable() variable {
	return tagVariable("host", "Host", site, "")
}

// The zero points of rollups have a source of their own.
func sourceVariable() variable {
	v := tagVariable("source", "Source", site, `"host" =~ /^$host$/ AND "source" != 'tailflux'`)
	return v
}

// methodVariable has methods. Rollups of paths have none.
func methodVariable() variable {
	v := tagVariable("method", "Method", site, ofHosts)
	v.Description = "Is not kept by path: with a method, tables of paths are empty, and with a path, too, all is."
	return v
}

// classVariable has classes of statuses, by their first digit: with it begin statuses and
// classes.
func classVariable() variable {
	var all []string
	for _, c := range classes {
		all = append(all, c.name+" : "+c.name[:1])
	}
	return chosen(variable{Name: "status_class", Label: "Class", Type: "custom", Query: strings.Join(all, ",")})
}

// hidden is a variable for links that keep it.
func hidden(v variable) variable {
	v.Hide = 2
	return v
}

// textVariable is one that is typed.
func textVariable(name, label, description string) variable {
	return variable{Name: name, Label: label, Description: description, Type: "textbox", Current: &option{Text: "", Value: ""}}
}

// monitorVariable is where /monitor is, for the link to it.
func monitorVariable() variable {
	return textVariable("monitor", "/monitor", "Address of tailflux for the link to /monitor, as your browser reaches it, such as http://web-1:9193")
}

// toOthers are the links on top of each dashboard. They keep the time range and what was chosen.
func toOthers() []link {
	return []link{
		{Title: "tailflux", Type: "dashboards", Icon: "external link", Tags: []string{"tailflux"}, IncludeVars: true, KeepTime: true},
		{Title: "/monitor", Type: "link", Icon: "info", URL: "${monitor}/monitor", TargetBlank: true, Tooltip: "Lag, lines in flight, rejects: as tailflux itself says it, at the address in the field /monitor"},
	}
}

// pathVariable has one path, or all.
func pathVariable() variable {
	v := tagVariable("path", "Path", paths, ofHosts)
	v.Multi = false
	v.Current = &option{Text: "All", Value: "$__all", Selected: true}
	return v
}
