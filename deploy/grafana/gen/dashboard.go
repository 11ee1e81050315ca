package main

import (
	"bytes"
	"encoding/json"
)

// The types are the part of Grafana's JSON that is used here, by its names.

type dashboard struct {
	UID           string      `json:"uid"`
	Title         string      `json:"title"`
	Description   string      `json:"description"`
	Tags          []string    `json:"tags"`
	SchemaVersion int         `json:"schemaVersion"`
	Version       int         `json:"version"`
	Editable      bool        `json:"editable"`
	GraphTooltip  int         `json:"graphTooltip"`
	Timezone      string      `json:"timezone"`
	Refresh       string      `json:"refresh"`
	Time          timeRange   `json:"time"`
	Timepicker    struct{}    `json:"timepicker"`
	Links         []link      `json:"links"`
	Annotations   annotations `json:"annotations"`
	Templating    templating  `json:"templating"`
	Panels        []*panel    `json:"panels"`
}

type timeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type annotations struct {
	List []annotation `json:"list"`
}

type annotation struct {
	Name       string         `json:"name"`
	Datasource source         `json:"datasource"`
	Enable     bool           `json:"enable"`
	IconColor  string         `json:"iconColor"`
	RawQuery   bool           `json:"rawQuery"`
	Query      string         `json:"query"`
	Target     target         `json:"target"`
	TextColumn string         `json:"textColumn,omitempty"`
	Mappings   map[string]any `json:"mappings,omitempty"`
	TagsColumn string         `json:"tagsColumn,omitempty"`
}

type templating struct {
	List []variable `json:"list"`
}

type source struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type variable struct {
	Name        string   `json:"name"`
	Label       string   `json:"label,omitempty"`
	Description string   `json:"description,omitempty"`
	Type        string   `json:"type"`
	Datasource  *source  `json:"datasource,omitempty"`
	Query       string   `json:"query"`
	Definition  string   `json:"definition,omitempty"`
	Regex       string   `json:"regex,omitempty"`
	Refresh     int      `json:"refresh,omitempty"` // 1: with the dashboard, 2: with the time range, too
	Sort        int      `json:"sort,omitempty"`
	Hide        int      `json:"hide,omitempty"` // 2: the variable
	Multi       bool     `json:"multi"`
	IncludeAll  bool     `json:"includeAll"`
	AllValue    string   `json:"allValue,omitempty"`
	Current     *option  `json:"current,omitempty"`
	Options     []option `json:"options,omitempty"`
}

type option struct {
	Text     any  `json:"text"`
	Value    any  `json:"value"`
	Selected bool `json:"selected"`
}

type link struct {
	Title       string   `json:"title"`
	Type        string   `json:"type,omitempty"`
	Icon        string   `json:"icon,omitempty"`
	URL         string   `json:"url"`
	Tags        []string `json:"tags,omitempty"`
	Tooltip     string   `json:"tooltip,omitempty"`
	AsDropdown  bool     `json:"asDropdown,omitempty"`
	IncludeVars bool     `json:"includeVars,omitempty"`
	KeepTime    bool     `json:"keepTime,omitempty"`
	TargetBlank bool     `json:"targetBlank"`
}

type gridPos struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

type panel struct {
	ID              int              `json:"id"`
	Type            string           `json:"type"`
	Title           string           `json:"title"`
	Description     string           `json:"description,omitempty"`
	GridPos         gridPos          `json:"gridPos"`
	Datasource      *source          `json:"datasource,omitempty"`
	Interval        string           `json:"interval,omitempty"` // of $__interval, the least
	MaxDataPoints   int              `json:"maxDataPoints,omitempty"`
	TimeFrom        string           `json:"timeFrom,omitempty"`
	TimeShift       string           `json:"timeShift,omitempty"`
	Targets         []target         `json:"targets,omitempty"`
	Transformations []transformation `json:"transformations,omitempty"`
	FieldConfig     *fieldConfig     `json:"fieldConfig,omitempty"`
	Options         map[string]any   `json:"options,omitempty"`
	Links           []link           `json:"links,omitempty"`
	Collapsed       bool             `json:"collapsed,omitempty"` // of a row
}

type target struct {
	RefID        string `json:"refId"`
	Datasource   source `json:"datasource"`
	RawQuery     bool   `json:"rawQuery"`
	Query        string `json:"query"`
	ResultFormat string `json:"resultFormat"`
	Alias        string `json:"alias,omitempty"`
	Hide         bool   `json:"hide,omitempty"`
}

type transformation struct {
	ID      string         `json:"id"`
	Filter  map[string]any `json:"filter,omitempty"` // of the frames that it is for
	Options map[string]any `json:"options"`
}

type fieldConfig struct {
	Defaults  field      `json:"defaults"`
	Overrides []override `json:"overrides"`
}

type field struct {
	Unit       string         `json:"unit,omitempty"`
	Decimals   *int           `json:"decimals,omitempty"`
	Min        *float64       `json:"min,omitempty"`
	Max        *float64       `json:"max,omitempty"`
	NoValue    string         `json:"noValue,omitempty"`
	Color      *color         `json:"color,omitempty"`
	Mappings   []mapping      `json:"mappings,omitempty"`
	Thresholds *thresholds    `json:"thresholds,omitempty"`
	Links      []link         `json:"links,omitempty"`
	Custom     map[string]any `json:"custom,omitempty"`
}

type color struct {
	Mode       string `json:"mode"`
	FixedColor string `json:"fixedColor,omitempty"`
}

type mapping struct {
	Type    string `json:"type"`
	Options any    `json:"options"`
}

type thresholds struct {
	Mode  string `json:"mode"`
	Steps []step `json:"steps"`
}

// step has the colour of values from Value on; null is the least there is.
type step struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

type override struct {
	Matcher    matcher    `json:"matcher"`
	Properties []property `json:"properties"`
}

type matcher struct {
	ID      string `json:"id"`
	Options any    `json:"options"`
}

type property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

// influxdb is the data source that was chosen.
var influxdb = source{Type: "influxdb", UID: "${datasource}"}

// place puts panels into the dashboard, in rows from left to right, of 24 columns. A panel
// says how wide and how high it is.
func (d *dashboard) place(rows ...[]*panel) {
	y := 0
	for _, row := range rows {
		x, high := 0, 0
		for _, p := range row {
			p.ID = len(d.Panels) + 1
			p.GridPos.X, p.GridPos.Y = x, y
			x += p.GridPos.W
			high = max(high, p.GridPos.H)
			d.Panels = append(d.Panels, p)
		}
		y += high
	}
}

// encode is what is committed. Grafana's queries are full of < and >.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}
