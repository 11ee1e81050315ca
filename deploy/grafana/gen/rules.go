package main

import (
	"bytes"
	"fmt"
	"time"

	"github.com/goccy/go-yaml"
)

// The types are the part of Grafana's file of alert rules that is used here, by its names.

type ruleFile struct {
	APIVersion int         `yaml:"apiVersion"`
	Groups     []ruleGroup `yaml:"groups"`
}

type ruleGroup struct {
	OrgID    int    `yaml:"orgId"`
	Name     string `yaml:"name"`
	Folder   string `yaml:"folder"`
	Interval string `yaml:"interval"`
	Rules    []rule `yaml:"rules"`
}

type rule struct {
	UID          string            `yaml:"uid"`
	Title        string            `yaml:"title"`
	Condition    string            `yaml:"condition"`
	For          string            `yaml:"for"`
	NoDataState  string            `yaml:"noDataState"`
	ExecErrState string            `yaml:"execErrState"`
	DashboardUID string            `yaml:"dashboardUid"`
	PanelID      int               `yaml:"panelId"`
	Labels       map[string]string `yaml:"labels"`
	Annotations  map[string]string `yaml:"annotations"`
	Data         []ruleStep        `yaml:"data"`
}

// ruleStep is a query of InfluxDB, or an expression that Grafana works out.
type ruleStep struct {
	RefID             string    `yaml:"refId"`
	DatasourceUID     string    `yaml:"datasourceUid"`
	RelativeTimeRange ruleRange `yaml:"relativeTimeRange"`
	Model             any       `yaml:"model"`
}

// ruleRange has seconds before now.
type ruleRange struct {
	From int `yaml:"from"`
	To   int `yaml:"to"`
}

type ruleSource struct {
	Type string `yaml:"type"`
	UID  string `yaml:"uid"`
}

type ruleQuery struct {
	RefID         string     `yaml:"refId"`
	Datasource    ruleSource `yaml:"datasource"`
	RawQuery      bool       `yaml:"rawQuery"`
	ResultFormat  string     `yaml:"resultFormat"`
	IntervalMS    int        `yaml:"intervalMs"`
	MaxDataPoints int        `yaml:"maxDataPoints"`
	Query         string     `yaml:"query"`
}

type ruleReduce struct {
	RefID      string            `yaml:"refId"`
	Datasource ruleSource        `yaml:"datasource"`
	Type       string            `yaml:"type"`
	Expression string            `yaml:"expression"`
	Reducer    string            `yaml:"reducer"`
	Settings   map[string]string `yaml:"settings"`
}

type ruleThreshold struct {
	RefID      string          `yaml:"refId"`
	Datasource ruleSource      `yaml:"datasource"`
	Type       string          `yaml:"type"`
	Expression string          `yaml:"expression"`
	Conditions []ruleCondition `yaml:"conditions"`
}

type ruleCondition struct {
	Type      string        `yaml:"type"`
	Evaluator ruleEvaluator `yaml:"evaluator"`
}

type ruleEvaluator struct {
	Type   string    `yaml:"type"`
	Params []float64 `yaml:"params"`
}

// alert is what a rule says, in the order in which it is worked out.
type alert struct {
	uid, title string
	severity   string // critical: somebody should get up; warning: it has time until the morning
	panel      panelRef

	query  string        // A
	over   time.Duration // before now
	reduce string        // B: last, min or max of what a series has
	is     string        // C: gt or lt
	than   float64
	lasts  time.Duration // before somebody is told

	// What it is worth if there is no row, and if InfluxDB does not answer: OK, Alerting, or
	// KeepLast, which is as before.
	noData, noAnswer string

	summary, description string
}

// panelRef is the panel that shows what an alert is about.
type panelRef struct {
	dashboard *dashboard
	title     string
}

func (p panelRef) id() (int, error) {
	for _, panel := range p.dashboard.Panels {
		if panel.Title == p.title {
			return panel.ID, nil
		}
	}
	return 0, fmt.Errorf("dashboard %s has no panel %q", p.dashboard.UID, p.title)
}

// repository is where the runbook is.
const repository = "https://github.com/tailflux/tailflux"

// rule is the alert as Grafana has it.
func (a *alert) rule() (rule, error) {
	panel, err := a.panel.id()
	if err != nil {
		return rule{}, fmt.Errorf("alert %s: %w", a.uid, err)
	}
	database, expression := ruleSource{"influxdb", "tailflux"}, ruleSource{"__expr__", "__expr__"}
	over := ruleRange{From: int(a.over / time.Second)}
	return rule{
		UID: a.uid, Title: a.title, Condition: "C", For: minutes(a.lasts), NoDataState: a.noData, ExecErrState: a.noAnswer,
		DashboardUID: a.panel.dashboard.UID, PanelID: panel,
		Labels: map[string]string{"severity": a.severity},
		Annotations: map[string]string{
			"summary": a.summary, "description": a.description,
			"runbook_url":      repository + "/blob/main/docs/alerts.md#" + a.uid,
			"__dashboardUid__": a.panel.dashboard.UID, "__panelId__": fmt.Sprint(panel),
		},
		Data: []ruleStep{
			{"A", database.UID, over, ruleQuery{"A", database, true, "time_series", 60000, 43200, a.query}},
			{"B", expression.UID, over, ruleReduce{"B", expression, "reduce", "A", a.reduce, map[string]string{"mode": "dropNN"}}},
			{"C", expression.UID, over, ruleThreshold{
				"C", expression, "threshold", "B",
				[]ruleCondition{{"query", ruleEvaluator{a.is, []float64{a.than}}}},
			}},
		},
	}, nil
}

func minutes(d time.Duration) string { return fmt.Sprintf("%dm", d/time.Minute) }

// alertingYAML is the file for /etc/grafana/provisioning/alerting.
func alertingYAML() ([]byte, error) {
	file := ruleFile{APIVersion: 1}
	for _, g := range alerts() {
		group := ruleGroup{OrgID: 1, Name: g.name, Folder: "tailflux", Interval: "1m"}
		for _, a := range g.alerts {
			r, err := a.rule()
			if err != nil {
				return nil, err
			}
			group.Rules = append(group.Rules, r)
		}
		file.Groups = append(file.Groups, group)
	}
	text, err := yaml.MarshalWithOptions(file, yaml.IndentSequence(true), yaml.UseLiteralStyleIfMultiline(true))
	return append(bytes.Clone([]byte(alertingHead)), text...), err
}

const alertingHead = `# Alert rules, for /etc/grafana/provisioning/alerting. docs/alerts.md has what each of them
# means and what to do then. They read rollups from the retention policy tailflux_rollups; if
# yours are in the default one:  sed -i 's/"tailflux_rollups"\.//g' alerting.yaml
# Written by deploy/grafana/gen.
`
