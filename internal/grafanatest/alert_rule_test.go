package grafanatest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/tailflux/tailflux/internal/influxdtest"
)

// alertRule is the part of a provisioned rule that Grafana works with.
type alertRule struct {
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
	Data         []alertStep       `yaml:"data"`
}

type alertStep struct {
	RefID         string `yaml:"refId"`
	DatasourceUID string `yaml:"datasourceUid"`
	Range         struct {
		From, To int
	} `yaml:"relativeTimeRange"`
	Model struct {
		RefID        string `yaml:"refId"`
		Type         string `yaml:"type"`
		Query        string `yaml:"query"`
		RawQuery     bool   `yaml:"rawQuery"`
		ResultFormat string `yaml:"resultFormat"`
		IntervalMS   int    `yaml:"intervalMs"`
		Expression   string `yaml:"expression"`
		Reducer      string `yaml:"reducer"`
		Settings     struct{ Mode string }
		Conditions   []struct {
			Evaluator struct {
				Type   string
				Params []float64
			}
		}
	} `yaml:"model"`
}

const alertFile = "../../deploy/grafana/alerting.yaml"

func readAlerts(t *testing.T) (all []*alertRule) {
	t.Helper()
	text, err := os.ReadFile(alertFile)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		APIVersion int `yaml:"apiVersion"`
		Groups     []struct {
			Name, Folder, Interval string
			Rules                  []*alertRule
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatalf("%s: %v", alertFile, err)
	}
	if file.APIVersion != 1 {
		t.Errorf("%s: apiVersion is %d, want 1", alertFile, file.APIVersion)
	}
	for _, g := range file.Groups {
		if g.Name == "" || g.Folder != "tailflux" || g.Interval == "" {
			t.Errorf("group %q in folder %q every %q", g.Name, g.Folder, g.Interval)
		}
		all = append(all, g.Rules...)
	}
	return all
}

// clone can be changed.
func (r *alertRule) clone() *alertRule {
	c := *r
	c.Data = slices.Clone(r.Data)
	for i := range c.Data {
		c.Data[i].Model.Conditions = slices.Clone(c.Data[i].Model.Conditions)
	}
	return &c
}

// step is the only one of its kind: "" is the query.
func (r *alertRule) step(kind string) *alertStep {
	for i := range r.Data {
		if r.Data[i].Model.Type == kind {
			return &r.Data[i]
		}
	}
	return nil
}

// alertSeries is what a step hands on: labels as text, and values without those that are null.
type alertSeries struct {
	labels string
	values []float64
}

// asker asks one query of a database. A real one and a kept answer do.
type asker func(ctx context.Context, query string) ([]influxdtest.Series, error)

// evaluate is what Grafana does each minute, without waiting for `for`: which instances
// fire, by their labels. An instance without labels is the rule itself, without data or
// without an answer.
func (r *alertRule) evaluate(ctx context.Context, ask asker, now time.Time) (firing []string, err error) {
	results := map[string][]alertSeries{}
	for _, s := range r.Data {
		var got []alertSeries
		switch s.Model.Type {
		case "":
			answer, asked := ask(ctx, s.expand(now))
			if asked != nil {
				return r.without(r.ExecErrState), nil //nolint:nilerr // the rule says what that is worth
			}
			got, err = asSeries(answer)
		case "reduce":
			got, err = s.reduce(results[s.Model.Expression])
		case "threshold":
			got, err = s.threshold(results[s.Model.Expression])
		default:
			err = fmt.Errorf("no expression of type %q is known here", s.Model.Type)
		}
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", r.UID, s.RefID, err)
		}
		results[s.RefID] = got
	}
	instances := 0
	for _, s := range results[r.Condition] {
		if len(s.values) == 0 {
			continue // it has no data
		}
		instances++
		if s.values[0] != 0 {
			firing = append(firing, s.labels)
		}
	}
	if instances == 0 {
		return r.without(r.NoDataState), nil
	}
	slices.Sort(firing)
	return firing, nil
}

// without is what a rule does in a state that is chosen. KeepLast is what it was: nothing.
func (*alertRule) without(state string) []string {
	if state == "Alerting" {
		return []string{""}
	}
	return nil
}

// expand puts in the range, which ends now, and the interval.
func (s *alertStep) expand(now time.Time) string {
	from, to := now.Add(-time.Duration(s.Range.From)*time.Second), now.Add(-time.Duration(s.Range.To)*time.Second)
	interval := time.Duration(s.Model.IntervalMS) * time.Millisecond
	return strings.NewReplacer(
		"$timeFilter", fmt.Sprintf("time >= %dms and time <= %dms", from.UnixMilli(), to.UnixMilli()),
		"$__interval_ms", fmt.Sprint(interval.Milliseconds()),
		"$__interval", fmt.Sprintf("%ds", int(interval.Seconds())),
	).Replace(s.Model.Query)
}

// asSeries has one series for each column. Grafana refuses two with the same labels.
func asSeries(answer []influxdtest.Series) (all []alertSeries, err error) {
	seen := map[string]bool{}
	for _, a := range answer {
		var labels []string
		for _, tag := range slices.Sorted(maps.Keys(a.Tags)) {
			labels = append(labels, tag+"="+a.Tags[tag])
		}
		for i := range a.Columns {
			if i == 0 {
				continue // time
			}
			s := alertSeries{labels: strings.Join(labels, " ")}
			if seen[s.labels] {
				return nil, fmt.Errorf("two series have the labels %q", s.labels)
			}
			seen[s.labels] = true
			for _, row := range a.Values {
				if n, ok := row[i].(json.Number); ok {
					f, _ := n.Float64()
					s.values = append(s.values, f)
				}
			}
			all = append(all, s)
		}
	}
	return all, nil
}

var reducers = map[string]func([]float64) float64{
	"last": func(v []float64) float64 { return v[len(v)-1] },
	"min":  slices.Min[[]float64],
	"max":  slices.Max[[]float64],
	"mean": func(v []float64) float64 {
		sum := 0.0
		for _, f := range v {
			sum += f
		}
		return sum / float64(len(v))
	},
}

func (s *alertStep) reduce(of []alertSeries) (all []alertSeries, err error) {
	reduce := reducers[s.Model.Reducer]
	if reduce == nil || s.Model.Settings.Mode != "dropNN" {
		return nil, fmt.Errorf("reducer %q in mode %q", s.Model.Reducer, s.Model.Settings.Mode)
	}
	for _, each := range of {
		if each.values = slices.DeleteFunc(slices.Clone(each.values), math.IsNaN); len(each.values) > 0 {
			each.values = []float64{reduce(each.values)}
		}
		all = append(all, each)
	}
	return all, nil
}

func (s *alertStep) threshold(of []alertSeries) (all []alertSeries, err error) {
	if len(s.Model.Conditions) != 1 || len(s.Model.Conditions[0].Evaluator.Params) != 1 {
		return nil, errors.New("want one condition with one number")
	}
	e := s.Model.Conditions[0].Evaluator
	for _, each := range of {
		if len(each.values) > 0 {
			is := e.Type == "gt" && each.values[0] > e.Params[0] || e.Type == "lt" && each.values[0] < e.Params[0]
			each.values = []float64{map[bool]float64{true: 1}[is]}
		}
		all = append(all, each)
	}
	return all, nil
}
