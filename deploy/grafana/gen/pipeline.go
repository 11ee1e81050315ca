package main

import (
	"fmt"
	"strings"
)

func pipeline() *dashboard {
	d := newDashboard("tailflux-pipeline", "tailflux pipeline", "How tailflux itself is doing, from measurement tailflux: points of every 10 s (self_metrics).")
	d.Templating.List = []variable{datasourceVariable(), policyVariable(), hostVariable(), sourceVariable(), hidden(methodVariable()), hidden(classVariable()), hidden(pathVariable()), monitorVariable()}
	d.Annotations.List = []annotation{startMarks(), outageMarks(), rotationMarks()}
	d.place(
		[]*panel{
			perInterval("Lines", "Lines in a second: read, written to InfluxDB, rejected, left out on purpose. The first and the last interval are cut by the range.", linesPerSecond, ofProcess,
				"lines_read", "lines_written", "lines_rejected", "lines_filtered"),
			ofSources("Lag", "How old the newest line was that was read, of each source; 0: all is read.", seconds, "lag_seconds"),
		},
		[]*panel{
			rejects(),
			greatest("Undelivered", "How long the oldest line had waited for InfluxDB, and how long requests have failed, at most in each interval.", seconds, "undelivered_seconds", "outage_seconds"),
		},
		[]*panel{
			greatest("Lines that wait", "In memory: all that were read and are not settled, and those before the parser and before the writer. Full channels make the reader wait.", count,
				"lines_in_flight", "channel_read_lines", "channel_write_lines"),
			greatest("Memory", "Resident memory of the process, and what is in its channels.", bytesUnit, "memory_bytes", "channel_read_bytes", "channel_write_bytes"),
		},
		[]*panel{
			inInterval("Requests to InfluxDB", "Requests that InfluxDB has acknowledged, those that were sent again, and outages that are over, in each interval.", ofProcess, "requests", "retries", "outages"),
			inInterval("Cuts and starts", "Cuts of rollups, and starts of tailflux, in each interval.", ofProcess, "cuts", "started"),
		},
		[]*panel{
			inInterval("Files", "Rotations, truncations, and files that were gone before they were read to their end, of the chosen sources in each interval.", ofSource, "rotations", "truncations", "generations_lost"),
			tagsTable(),
		},
	)
	return d
}

// Points of the process have no source, those of a source no reason.
const (
	ofProcess = `"host" =~ /^$host$/ AND "source" = '' AND "tag" = ''`
	ofSource  = ofHosts + ` AND "reason" = ''`
)

// words are what series of fields are called.
var words = map[string]string{
	"lines_read": "read", "lines_written": "written", "lines_rejected": "rejected", "lines_filtered": "left out on purpose",
	"undelivered_seconds": "the oldest line has waited", "outage_seconds": "requests have failed",
	"lines_in_flight": "not settled", "channel_read_lines": "before the parser", "channel_write_lines": "before the writer",
	"memory_bytes": "of the process", "channel_read_bytes": "before the parser", "channel_write_bytes": "before the writer",
	"requests": "acknowledged", "retries": "sent again", "outages": "outages that are over",
	"cuts": "cuts of rollups", "started": "starts",
	"rotations": "rotated", "truncations": "truncated", "generations_lost": "gone, perhaps with unread lines",
}

// alarming are fields with a colour that says so.
var alarming = map[string]string{"lines_rejected": red, "outages": red, "retries": orange, "generations_lost": red}

// ownPanel has a series for each field.
func ownPanel(title, description, unit, conditions, function, behind string, fields []string) *panel {
	var selected []string
	var shown []override
	for _, f := range fields {
		selected = append(selected, fmt.Sprintf("%s(%q)%s AS %q", function, f, behind, f))
		is := []property{called(words[f])}
		if color := alarming[f]; color != "" {
			is = append(is, colored(color))
		}
		shown = append(shown, byName(f, is...))
	}
	q := fmt.Sprintf("SELECT %s\nFROM %s\nWHERE %s\nGROUP BY %s", strings.Join(selected, ",\n"), in(own), where(conditions), byInterval)
	return timeseries(title, description, unit, 8, query("own", "$col", q)).legend("max", "lastNotNull").override(shown...)
}

func perInterval(title, description, unit, conditions string, fields ...string) *panel {
	return ownPanel(title, description, unit, conditions, "sum", " * 1000.0 / $__interval_ms", fields)
}

func inInterval(title, description, conditions string, fields ...string) *panel {
	return ownPanel(title, description, count, conditions, "sum", "", fields)
}

func greatest(title, description, unit string, fields ...string) *panel {
	return ownPanel(title, description, unit, ofProcess, "max", "", fields)
}

func ofSources(title, description, unit, field string) *panel {
	q := fmt.Sprintf("SELECT max(%q)\nFROM %s\nWHERE %s\nGROUP BY %s, \"host\", \"source\"", field, in(own), where(ofSource), byInterval)
	return timeseries(title, description, unit, 8, query("sources", "$tag_host $tag_source", q)).legend("max", "lastNotNull")
}

func rejects() *panel {
	q := fmt.Sprintf("SELECT sum(\"rejected\")\nFROM %s\nWHERE %s\nGROUP BY %s, \"reason\"", in(own), where(ofHosts), byInterval)
	p := timeseries("Rejected lines by reason", "Lines that went to the reject file in each interval. No line in the graph: none did.", count, 8, query("rejects", "$tag_reason", q)).legend("sum", "max")
	p.FieldConfig.Defaults.NoValue = "none, or not observed"
	return p
}

func tagsTable() *panel {
	q := fmt.Sprintf("SELECT last(\"values\") AS \"values\", last(\"limit\") AS \"limit\", sum(\"other\") AS \"other\"\nFROM %s\nWHERE %s\nGROUP BY \"host\", \"tag\"", in(own), where(`"host" =~ /^$host$/ AND "tag" != ''`))
	p := table("Tags", "How many values each tag has had, and how many it may have (tag_limit). At the limit, new ones are written as other.", 12, 8, tableQuery("tags", q))
	p.transform(transformation{ID: "organize", Options: map[string]any{"excludeByName": map[string]any{"Time": true, "time": true}, "indexByName": map[string]any{}, "renameByName": map[string]any{}}})
	return p.override(byName("host", narrow), byName("tag", narrow), byName("values", inUnit(count), wide(80)), byName("limit", inUnit(count), wide(80)), byName("other", inUnit(count), wide(80)))
}
