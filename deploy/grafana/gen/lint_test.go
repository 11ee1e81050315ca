package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// all are the dashboards that are written.
func all(t *testing.T) map[string]*dashboard {
	t.Helper()
	is := map[string]*dashboard{}
	for _, f := range files() {
		if !strings.HasSuffix(f.name, ".json") {
			continue
		}
		text, err := f.make()
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("%s: %v", f.name, err)
		}
		is[f.name] = &d
	}
	return is
}

// Between two slashes of a line Grafana escapes a variable as for a regular expression,
// unless it may have several values.
var betweenSlashes = regexp.MustCompile(`/.*(\$__interval|\$timeFilter|\$policy|\$\{policy|\$\{__from|\$\{__to|\$\{path).*/`)

func TestQueries(t *testing.T) {
	for name, d := range all(t) {
		check := func(where string, q target) {
			if !strings.Contains(q.Query, "$timeFilter") && !strings.Contains(q.Query, "${__to}") {
				t.Errorf("%s: %s %s: no time range", name, where, q.RefID)
			}
			for line := range strings.Lines(q.Query) {
				if found := betweenSlashes.FindString(line); found != "" {
					t.Errorf("%s: %s %s: Grafana would escape what is between slashes: %s", name, where, q.RefID, found)
				}
			}
			if q.Datasource != influxdb || !q.RawQuery {
				t.Errorf("%s: %s %s: of the data source %v", name, where, q.RefID, q.Datasource)
			}
		}
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				check(p.Title, q)
			}
		}
		for _, a := range d.Annotations.List {
			check(a.Name, a.Target)
		}
	}
}

func TestPanels(t *testing.T) {
	for name, d := range all(t) {
		titles, ids, at := map[string]bool{}, map[int]bool{}, map[[2]int]string{}
		for _, p := range d.Panels {
			if p.Title == "" || titles[p.Title] || ids[p.ID] {
				t.Errorf("%s: another panel is %q, or has the id %d", name, p.Title, p.ID)
			}
			titles[p.Title], ids[p.ID] = true, true
			for x := range p.GridPos.W {
				for y := range p.GridPos.H {
					cell := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
					if at[cell] != "" || cell[0] >= 24 {
						t.Fatalf("%s: %s lies on %q, or beyond the page", name, p.Title, at[cell])
					}
					at[cell] = p.Title
				}
			}
			if p.Type == "row" || p.Type == "text" {
				continue
			}
			if p.Description == "" || len(p.Targets) == 0 || p.Interval == "" {
				t.Errorf("%s: %s: no description, query or least interval", name, p.Title)
			}
			known := p.FieldConfig.Defaults
			if text := strings.ToLower(known.NoValue); text == "" || text == "none" || text == "0" {
				t.Errorf("%s: %s: %q where nothing is known", name, p.Title, known.NoValue)
			}
			if known.Decimals != nil && *known.Decimals == 1 {
				t.Errorf("%s: %s: one decimal makes 0.0 of a few", name, p.Title)
			}
			if legend, ok := p.Options["legend"].(map[string]any); ok && strings.Contains(p.Targets[0].Query, "abs(") {
				calcs, _ := legend["calcs"].([]any)
				for _, c := range calcs {
					if c == "mean" || c == "sum" {
						t.Errorf("%s: %s: the %s of percentiles says nothing", name, p.Title, c)
					}
				}
			}
		}
	}
}

// One family of units, one red for 5xx, no address of this machine.
func TestAsText(t *testing.T) {
	for name, d := range all(t) {
		text, err := encode(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range []string{"127.0.0.1", "localhost", `"decbytes"`, `"Bps"`, `"decimals": 1,`} {
			if strings.Contains(string(text), wrong) {
				t.Errorf("%s: %s", name, wrong)
			}
		}
		if d.Refresh != "30s" || d.UID == "" {
			t.Errorf("%s: %q, refreshed each %s", name, d.UID, d.Refresh)
		}
		for _, p := range d.Panels {
			if p.FieldConfig == nil {
				continue
			}
			for _, o := range p.FieldConfig.Overrides {
				if of, _ := o.Matcher.Options.(string); strings.Contains(of, "5xx") || of == "/^5/" {
					c, _ := json.Marshal(o.Properties)
					if !strings.Contains(string(c), red) {
						t.Errorf("%s: %s: 5xx is not red: %s", name, p.Title, c)
					}
				}
			}
		}
	}
}
