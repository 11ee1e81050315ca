package grafanatest

import (
	"strings"
	"testing"
)

// inDefaultPolicy is a rule as the head of the file says to change it.
func inDefaultPolicy(r *alertRule) *alertRule {
	c := r.clone()
	q := c.step("")
	q.Model.Query = strings.ReplaceAll(q.Model.Query, `"tailflux_rollups".`, "")
	return c
}

// alertMutants changes each rule in ways that somebody may, and finds that a scene tells.
func alertMutants(t *testing.T, store *alertStore, rules []*alertRule, scenes []alertScene) {
	t.Helper()
	mutants := []struct {
		name  string
		apply func(*alertRule) bool // false: there is nothing to change
	}{
		{"threshold turned round", func(r *alertRule) bool {
			e := &r.step("threshold").Model.Conditions[0].Evaluator
			e.Type = map[string]string{"gt": "lt", "lt": "gt"}[e.Type]
			return true
		}},
		{"ten times the threshold", scaled(10)},
		{"a tenth of the threshold", scaled(0.1)},
		{"mean in place of last, min or max", func(r *alertRule) bool {
			r.step("reduce").Model.Reducer = "mean"
			return strings.Contains(r.step("").Model.Query, "GROUP BY time(1m), ") && !strings.Contains(r.step("").Model.Query, "fill(0)")
		}},
		{"hosts together", inQuery(`"host", "source"`, `"source"`, `time(1m), "host"`, `time(1m)`, `"host", "tag"`, `"tag"`, ` GROUP BY "host"`, ``)},
		{"sources together", inQuery(`"host", "source"`, `"host"`)},
		{"nothing is no alarm, or one", func(r *alertRule) bool {
			r.NoDataState = map[string]string{"OK": "Alerting", "Alerting": "OK"}[r.NoDataState]
			return true
		}},
		{"no answer is no alarm, or one", func(r *alertRule) bool {
			r.ExecErrState = map[string]string{"KeepLast": "Alerting", "Alerting": "KeepLast"}[r.ExecErrState]
			return true
		}},
		{"few requests count as many do", inQuery(`(("all" + 100 + abs("all" - 100.0)) / 2)`, `"all"`, `(("read" + 1000 + abs("read" - 1000.0)) / 2)`, `"read"`, "t >= 100", "t > 0")},
		{"not observed is no traffic", inQuery(` AND "observed" > 40`, ``)},
		{"an import is a host", inQuery(` AND "most" > 2`, ``, ` AND "points" > 12`, ``)},
		{"another time range", func(r *alertRule) bool {
			r.step("").Range.From /= 10
			return true
		}},
	}
	for _, m := range mutants {
		applied := false
		for _, r := range rules {
			c := r.clone()
			if !m.apply(c) {
				continue
			}
			applied = true
			if store.differs(t.Context(), c, scenes) == "" {
				t.Errorf("%s: %s, and no scene tells", r.UID, m.name)
			}
		}
		if !applied {
			t.Errorf("%s: no rule could be changed so", m.name)
		}
	}
}

func scaled(by float64) func(*alertRule) bool {
	return func(r *alertRule) bool {
		e := &r.step("threshold").Model.Conditions[0].Evaluator
		e.Params = []float64{e.Params[0] * by}
		return e.Params[0] != 0
	}
}

// inQuery replaces texts of the query.
func inQuery(oldnew ...string) func(*alertRule) bool {
	return func(r *alertRule) bool {
		q := r.step("")
		before := q.Model.Query
		q.Model.Query = strings.NewReplacer(oldnew...).Replace(before)
		return q.Model.Query != before
	}
}
