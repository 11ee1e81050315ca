package grafanatest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/tailflux/tailflux/internal/lineproto"
)

const (
	runbookFile = "../../docs/alerts.md"
	runbookURL  = "https://github.com/tailflux/tailflux/blob/main/docs/alerts.md#"
)

// Whoever is woken by an alert finds what it says, its panel and its runbook.
func TestAlertRules(t *testing.T) {
	runbook, err := os.ReadFile(runbookFile)
	if err != nil {
		t.Fatal(err)
	}
	panels := panelIDs(t)
	seen := map[string]bool{}
	for _, r := range readAlerts(t) {
		if r.UID == "" || seen[r.UID] || seen[r.Title] || len(r.UID) > 40 {
			t.Errorf("uid %q, title %q: want both, of no other rule, and at most 40 characters", r.UID, r.Title)
		}
		seen[r.UID], seen[r.Title] = true, true
		for _, wrong := range r.faults(string(runbook), panels) {
			t.Errorf("%s: %s", r.UID, wrong)
		}
	}
}

func panelIDs(t *testing.T) map[string][]int {
	t.Helper()
	files, err := filepath.Glob("../../deploy/grafana/dashboards/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards: %v", err)
	}
	all := map[string][]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d struct {
			UID    string
			Panels []struct{ ID int }
		}
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, p := range d.Panels {
			all[d.UID] = append(all[d.UID], p.ID)
		}
	}
	return all
}

// alertVariables are what begins with a dollar.
var alertVariables = regexp.MustCompile(`\$\w+|\$\{`)

func (r *alertRule) faults(runbook string, panels map[string][]int) (wrong []string) {
	bad := func(is bool, what string) {
		if is {
			wrong = append(wrong, what)
		}
	}
	lasts, err := time.ParseDuration(r.For)
	bad(err != nil || lasts <= 0, "for "+r.For)
	bad(r.Labels["severity"] != "critical" && r.Labels["severity"] != "warning", "severity "+r.Labels["severity"])
	bad(!slices.Contains([]string{"OK", "Alerting"}, r.NoDataState), "noDataState "+r.NoDataState)
	bad(!slices.Contains([]string{"KeepLast", "Alerting"}, r.ExecErrState), "execErrState "+r.ExecErrState)
	bad(!slices.Contains(panels[r.DashboardUID], r.PanelID), "its panel is in no dashboard")
	bad(r.Annotations["__dashboardUid__"] != r.DashboardUID, "annotation __dashboardUid__")
	bad(r.Annotations["runbook_url"] != runbookURL+r.UID, "runbook_url "+r.Annotations["runbook_url"])
	bad(!strings.Contains(runbook, "\n## "+r.UID+"\n"), "docs/alerts.md has no heading with its uid")
	bad(!strings.Contains(runbook, "| [`"+r.UID+"`](#"+r.UID+") | "+r.Title+" | "+r.Labels["severity"]+" |"), "docs/alerts.md has no row of it, with its title and severity")
	for name, text := range r.Annotations {
		bad(strings.Contains(text, "$"), name+" has a $, which Grafana takes for a variable of its environment")
	}
	var kinds []string
	for _, s := range r.Data {
		kinds = append(kinds, s.RefID+" "+s.Model.Type)
		bad(s.RefID != s.Model.RefID, "step "+s.RefID+" is called "+s.Model.RefID+" in its model")
		bad(s.DatasourceUID != map[bool]string{true: "tailflux", false: "__expr__"}[s.Model.Type == ""], "data source of "+s.RefID)
	}
	bad(strings.Join(kinds, ", ") != "A , B reduce, C threshold" || r.Condition != "C", "steps "+strings.Join(kinds, ", "))
	q := r.step("")
	bad(!q.Model.RawQuery || q.Model.ResultFormat != "time_series", "the format of its query")
	for _, v := range alertVariables.FindAllString(q.Model.Query, -1) {
		bad(v != "$timeFilter" && v != "$__interval", "a variable "+v+", which alerts do not have")
	}
	rest := strings.ReplaceAll(q.Model.Query, `"tailflux_rollups".`, "")
	bad(strings.Contains(rest, "tailflux_rollups") || rest == q.Model.Query, "its measurements are not all in the policy of rollups")
	return append(wrong, r.summaryFaults()...)
}

// summaryFaults are those of its text, with and without what Grafana knows then.
func (r *alertRule) summaryFaults() (wrong []string) {
	type value struct{ Value float64 }
	type known struct {
		Labels map[string]string
		Values map[string]value
	}
	full := known{map[string]string{"host": "web-1", "source": "shop", "tag": "path"}, map[string]value{"A": {}, "B": {12.345}, "C": {1}}}
	for name, text := range r.Annotations {
		tmpl, err := template.New(name).Parse(text)
		if err != nil {
			wrong = append(wrong, err.Error())
			continue
		}
		cases := []known{full}
		if r.NoDataState == "Alerting" || r.ExecErrState == "Alerting" {
			cases = append(cases, known{}) // the rule itself
		}
		for _, k := range cases {
			var b strings.Builder
			if err := tmpl.Execute(&b, k); err != nil || strings.Contains(b.String(), "no value") {
				wrong = append(wrong, name+": "+b.String())
			}
		}
	}
	return wrong
}

// The rules for Prometheus are YAML, and of figures that there are.
func TestAlertsOfPrometheus(t *testing.T) {
	figures, err := os.ReadFile("../../docs/monitor.md")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For string
				Labels           map[string]string
			}
		}
	}
	if err := yaml.UnmarshalWithOptions([]byte(rulesOfPrometheus(t)), &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if len(file.Groups) != 1 || len(file.Groups[0].Rules) == 0 {
		t.Fatalf("%d groups", len(file.Groups))
	}
	figure := regexp.MustCompile(`\btailflux_(\w+)`)
	for _, r := range file.Groups[0].Rules {
		names := figure.FindAllStringSubmatch(r.Expr, -1)
		if r.Alert == "" || r.Labels["severity"] == "" || len(names) == 0 && !strings.HasPrefix(r.Expr, "up{") {
			t.Errorf("%+v", r)
		}
		for _, name := range names {
			if !regexp.MustCompile("[`]" + name[1] + "[`{]").Match(figures) {
				t.Errorf("%s: docs/monitor.md has no tailflux_%s", r.Alert, name[1])
			}
		}
		for brackets := range strings.SplitSeq("() {} []", " ") {
			if strings.Count(r.Expr, brackets[:1]) != strings.Count(r.Expr, brackets[1:]) {
				t.Errorf("%s: brackets in %s", r.Alert, r.Expr)
			}
		}
	}
}

// The points of the scenes have fields that tailflux writes, of the same type.
func TestAlertScenesAreTrue(t *testing.T) {
	writes := map[string]string{}
	for _, file := range []string{"own.go", "ownspan.go"} {
		source, err := os.ReadFile("../write/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`p\.(integer|seconds)\("(\w+)"`).FindAllStringSubmatch(string(source), -1) {
			writes[m[2]] = m[1]
		}
	}
	if len(writes) < 20 {
		t.Fatalf("internal/write/own*.go write %d fields", len(writes))
	}
	full := watched{source: "shop", requests: single("200", 1, 2), rejected: []float64{1}}
	m := well("web-1", full)
	for line := range strings.Lines(m.points()) {
		if !strings.HasPrefix(line, "tailflux,") {
			continue
		}
		_, fields, ok := lineproto.Split(strings.TrimSpace(line))
		if !ok {
			t.Fatalf("no point: %q", line)
		}
		for _, f := range fields {
			kind := "seconds"
			if strings.HasSuffix(f.Value, "i") {
				kind = "integer"
			}
			if writes[f.Key] != kind {
				t.Fatalf("field %s is of type %s in a scene, and tailflux writes it as %q", f.Key, kind, writes[f.Key])
			}
		}
	}
}
