package main

// newPanel has what all panels of queries have: the chosen data source, a description, and
// a text where nothing is known.
func newPanel(kind, title, description string, w, h int, targets ...target) *panel {
	return &panel{
		Type: kind, Title: title, Description: description, Datasource: &influxdb, GridPos: gridPos{W: w, H: h}, Targets: targets,
		Interval: leastInterval, MaxDataPoints: maxPoints,
		FieldConfig: &fieldConfig{Defaults: field{NoValue: notObserved}, Overrides: []override{}},
	}
}

// leastInterval is that of the finest rollup.
const leastInterval = "10s"

// query is a target, by a name that tests know it by, and the name of its series.
func query(refID, alias, influxQL string) target {
	return target{RefID: refID, Datasource: influxdb, RawQuery: true, Query: influxQL, ResultFormat: "time_series", Alias: alias}
}

// tableQuery is a target with a column for each that is selected.
func tableQuery(refID, influxQL string) target {
	return target{RefID: refID, Datasource: influxdb, RawQuery: true, Query: influxQL, ResultFormat: "table"}
}

// joined are gaps that are no gaps, in milliseconds: between windows of a minute, when
// $__interval is shorter.
const joined = 90_000

// timeseries draws lines, over half of the width. Where there is no value there is none: gaps stay
// open.
func timeseries(title, description, unit string, h int, targets ...target) *panel {
	p := newPanel("timeseries", title, description, 12, h, targets...)
	p.FieldConfig.Defaults.Unit = unit
	p.FieldConfig.Defaults.Min = new(0.0)
	p.FieldConfig.Defaults.Color = &color{Mode: "palette-classic"}
	p.FieldConfig.Defaults.Custom = map[string]any{
		"drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1, "fillOpacity": 10, "showPoints": "auto", "pointSize": 4,
		"spanNulls": joined, "stacking": map[string]any{"mode": "none", "group": "A"}, "axisSoftMin": 0,
	}
	p.Options = map[string]any{
		"legend":  map[string]any{"showLegend": true, "displayMode": "list", "placement": "bottom", "calcs": []string{}},
		"tooltip": map[string]any{"mode": "multi", "sort": "none"},
	}
	return p
}

// legend says which figures of a series stand in the legend, such as max and lastNotNull. It
// is a list, of which more has room than of a table.
func (p *panel) legend(calcs ...string) *panel {
	p.Options["legend"] = map[string]any{"showLegend": true, "displayMode": "list", "placement": "bottom", "calcs": calcs}
	return p
}

// lastFirst is a legend whose rows are sorted by name, the last first.
func (p *panel) lastFirst(calcs ...string) *panel {
	p.Options["legend"] = map[string]any{"showLegend": true, "displayMode": "table", "placement": "bottom", "calcs": calcs, "sortBy": "Name", "sortDesc": true}
	return p
}

// stacked draws series on top of each other, the first at the bottom.
func (p *panel) stacked() *panel {
	p.FieldConfig.Defaults.Custom["stacking"] = map[string]any{"mode": "normal", "group": "A"}
	p.FieldConfig.Defaults.Custom["fillOpacity"] = 70
	return p
}

// logarithmic has a step of the scale for each power of ten: it has no 0.
func (p *panel) logarithmic() *panel {
	p.FieldConfig.Defaults.Custom["scaleDistribution"] = map[string]any{"type": "log", "log": 10}
	p.FieldConfig.Defaults.Min = nil
	delete(p.FieldConfig.Defaults.Custom, "axisSoftMin")
	return p
}

// nearlyLogarithmic has a 0 all the same: it is linear up to a millisecond.
func (p *panel) nearlyLogarithmic() *panel {
	p.FieldConfig.Defaults.Custom["scaleDistribution"] = map[string]any{"type": "symlog", "log": 10, "linearThreshold": 0.001}
	return p
}

// stat shows one number, without a line through it.
func stat(title, description, unit string, w int, targets ...target) *panel {
	p := newPanel("stat", title, description, w, 4, targets...)
	p.FieldConfig.Defaults.Unit = unit
	p.FieldConfig.Defaults.Color = &color{Mode: "thresholds"}
	p.FieldConfig.Defaults.Thresholds = steps(from(0, blue))
	p.Options = map[string]any{
		"reduceOptions": map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
		"graphMode":     "none", "colorMode": "value", "textMode": "value", "justifyMode": "center", "orientation": "auto",
	}
	return p
}

// table has a row for each of a query's. Its columns have widths, so that none is cut.
func table(title, description string, w, h int, targets ...target) *panel {
	p := newPanel("table", title, description, w, h, targets...)
	p.FieldConfig.Defaults.Custom = map[string]any{"align": "auto", "cellOptions": map[string]any{"type": "auto"}, "filterable": false}
	p.Options = map[string]any{"showHeader": true, "cellHeight": "sm"}
	return p
}

// states draws which state each series is in.
func states(title, description string, w, h int, targets ...target) *panel {
	p := newPanel("state-timeline", title, description, w, h, targets...)
	p.FieldConfig.Defaults.Custom = map[string]any{"fillOpacity": 70, "lineWidth": 0}
	p.Options = map[string]any{
		"mergeValues": true, "showValue": "never", "alignValue": "left", "rowHeight": 0.9,
		"legend":  map[string]any{"showLegend": true, "displayMode": "list", "placement": "bottom"},
		"tooltip": map[string]any{"mode": "single"},
	}
	return p
}

// override adds overrides to those there are.
func (p *panel) override(all ...override) *panel {
	p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, all...)
	return p
}

// transform adds transformations.
func (p *panel) transform(all ...transformation) *panel {
	p.Transformations = append(p.Transformations, all...)
	return p
}
