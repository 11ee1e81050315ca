package grafanatest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// dashboard is the part of Grafana's JSON that decides what is asked.
type dashboard struct {
	UID, Title  string
	Panels      []*panel
	Templating  struct{ List []*variable }
	Annotations struct{ List []*annotation }

	file string // overview
}

type variable struct {
	Name, Type, Regex    string
	Query                any // a text, or an object that has it
	Multi, IncludeAll    bool
	AllValue             string
	Current              option
	Options              []option
	RefreshOnRangeChange bool `json:"-"`
}

type option struct{ Text, Value any }

type panel struct {
	Type, Title     string
	Interval        string
	MaxDataPoints   int
	TimeFrom        string
	TimeShift       string
	GridPos         struct{ W int }
	Targets         []*target
	Transformations []transformation
	Panels          []*panel // of a row that is folded
}

type target struct {
	RefID        string `json:"refId"`
	Datasource   source
	RawQuery     bool
	Query        string
	ResultFormat string
	Alias        string
	Type         string // of an expression
	Expression   string
	Hide         bool
}

type source struct{ Type, UID string }

type transformation struct {
	ID       string
	Disabled bool
	Filter   *struct{ ID, Options string }
	Options  json.RawMessage
}

type annotation struct {
	Name       string
	Datasource source
	BuiltIn    int
	Query      string
	Target     struct{ Query string }
}

// text is the query of a variable.
func (v *variable) text() string {
	switch q := v.Query.(type) {
	case string:
		return q
	case map[string]any:
		text, _ := q["query"].(string)
		return text
	}
	return ""
}

// text is the query of an annotation.
func (a *annotation) text() string {
	if a.Query != "" {
		return a.Query
	}
	return a.Target.Query
}

const dashboardDir = "../../deploy/grafana/dashboards"

// dashboards are those in the repository, by file name.
func dashboards(t *testing.T) map[string]*dashboard {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dashboardDir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards in %s: %v", dashboardDir, err)
	}
	all := map[string]*dashboard{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d := parseDashboard(t, text)
		d.file = strings.TrimSuffix(filepath.Base(file), ".json")
		all[d.file] = d
	}
	return all
}

// parseDashboard reads one, and takes panels out of rows that are folded.
func parseDashboard(t *testing.T, text []byte) *dashboard {
	t.Helper()
	d := &dashboard{}
	if err := json.Unmarshal(text, d); err != nil {
		t.Fatal(err)
	}
	for _, p := range slices.Clone(d.Panels) {
		d.Panels = append(d.Panels, p.Panels...)
	}
	d.Panels = slices.DeleteFunc(d.Panels, func(p *panel) bool { return len(p.Targets) == 0 })
	return d
}

// A panel is known by its title, and a query by its refId.
func TestPanelsAreToldApart(t *testing.T) {
	for name, d := range dashboards(t) {
		seen := map[string]bool{}
		for _, p := range d.Panels {
			if seen[p.Title] {
				t.Errorf("%s: two panels are called %q", name, p.Title)
			}
			seen[p.Title] = true
			refs := map[string]bool{}
			for _, q := range p.Targets {
				if refs[q.RefID] || q.RefID == "" {
					t.Errorf("%s: %s: two queries %q", name, p.Title, q.RefID)
				}
				refs[q.RefID] = true
				if q.Datasource.UID != "${datasource}" || !q.RawQuery || q.Query == "" {
					t.Errorf("%s: %s %s: want raw InfluxQL for ${datasource}: %+v", name, p.Title, q.RefID, q)
				}
				if q.ResultFormat != "time_series" && q.ResultFormat != "table" {
					t.Errorf("%s: %s %s: format %q", name, p.Title, q.RefID, q.ResultFormat)
				}
			}
		}
	}
}
