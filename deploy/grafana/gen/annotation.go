package main

import "fmt"

// marked is an annotation for each point of measurement tailflux of which something happened.
func marked(name, color, field, by, text string) annotation {
	q := fmt.Sprintf("SELECT %q AS %q\nFROM %s\nWHERE %s AND %q > 0", field, text, in(own), where(`"host" =~ /^$host$/`, by), field)
	t := query(name, "", q)
	t.ResultFormat = "table"
	return annotation{Name: name, Datasource: influxdb, Enable: true, IconColor: color, RawQuery: true, Query: q, Target: t, TextColumn: text, Mappings: map[string]any{
		"time": map[string]any{"source": "field", "value": "Time"}, "text": map[string]any{"source": "text", "value": name},
	}}
}

func startMarks() annotation {
	return marked("Starts of tailflux", blue, "started", `"source" = ''`, "tailflux started")
}

func outageMarks() annotation {
	return marked("Outages of InfluxDB", red, "outages", `"source" = ''`, "outages that were over")
}

func rotationMarks() annotation {
	return marked("Rotations", grey, "rotations", `"source" =~ /^$source$/`, "log was rotated")
}
