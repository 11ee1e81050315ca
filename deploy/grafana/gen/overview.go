package main

import "fmt"

func overview() *dashboard {
	d := newDashboard("tailflux-nginx", "nginx traffic", "What nginx served, from rollups of its access logs: any range up to years. "+
		"Where nothing was observed there is no number, and no zero.")
	d.Templating.List = []variable{datasourceVariable(), policyVariable(), hostVariable(), sourceVariable(), monitorVariable()}
	d.place(
		[]*panel{statusClasses()},
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

func statusClasses() *panel {
	var targets []target
	for _, c := range classes {
		targets = append(targets, query(c.name, c.name, fmt.Sprintf("SELECT sum(\"requests\") * 1000.0 / $__interval_ms\nFROM %s WHERE %s\nGROUP BY time($__interval)",
			in(site), where(ofHosts, is("status", c.pattern)))))
	}
	p := timeseries("Requests by class of status", "Requests in a second, by the first digit of their status. 5xx is at the bottom, so that few of them are seen, too.",
		perSecond, 24, 9, targets...).stacked()
	for _, c := range classes {
		p.override(byName(c.name, colored(c.color)))
	}
	return p
}
