package query

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/rollup"
)

// Plan is how a question is answered.
type Plan struct {
	Question                     // From and To are those of whole windows
	Rollup     rollup.Definition // that answers
	Statements []string          // whose answers [Plan.Rows] wants, in this order

	conditions []string // InfluxQL
}

// delivered is how long after its end a window is in InfluxDB, as a rule: lines may come 2 s
// late, and wait a second for their request.
const delivered = 5 * time.Second

// serverErrors are lines whose share the errors are.
var serverErrors = Condition{Tag: classTag, Text: "5xx"}

// Ask plans how rollups answer a question. The error is the asker's to mend.
func Ask(q Question, all []rollup.Definition) (*Plan, error) {
	q.By = slices.Clone(q.By)
	d, err := choose(q, all)
	if err != nil {
		return nil, err
	}
	p := &Plan{Question: q, Rollup: d}
	p.From = Begin(p.From, max(d.Interval, q.Every))
	p.To = Begin(p.To.Add(d.Interval-1), d.Interval)
	if ended := Begin(p.Now.Add(-delivered), d.Interval); p.To.After(ended) {
		p.To = ended
	}
	if !p.From.Before(p.To) {
		return nil, fmt.Errorf("from %s to %s no window of %s has ended, which are %s long",
			q.From.UTC().Format(time.RFC3339), q.To.UTC().Format(time.RFC3339),
			d.Measurement, short(d.Interval))
	}
	for _, c := range q.Where {
		as, _ := c.in(slices.Concat(always, d.Tags))
		text, err := as.influxQL()
		if err != nil {
			return nil, err
		}
		p.conditions = append(p.conditions, text)
	}
	if sums := p.sums(); len(sums) > 0 {
		p.Statements = append(p.Statements, fmt.Sprintf("SELECT %s FROM %s WHERE %s%s",
			strings.Join(sums, ", "), p.measurement(), p.where(), p.grouped()))
	}
	for _, m := range p.Measures {
		if m.kind == share {
			p.Statements = append(p.Statements, p.errors(m))
			break
		}
	}
	for _, time := range accesslog.Times {
		var of []Measure
		for _, m := range p.Measures {
			if m.isOfBuckets() && m.field == time {
				of = append(of, m)
			}
		}
		switch {
		case len(of) == 0:
		case p.Sums:
			p.Statements = append(p.Statements, p.bucketSums(time))
		default:
			p.Statements = append(p.Statements, p.ofBuckets(time, of))
		}
	}
	return p, nil
}

// sums are those that need no buckets. With any of them the lines are counted: a row is
// there if there were any.
func (p *Plan) sums() (all []string) {
	const lines = `sum("requests") AS "requests"`
	for _, m := range p.Measures {
		text := lines
		switch m.kind {
		case count, rate:
		case size:
			text = fmt.Sprintf("sum(%s) AS %s", quoteName(m.field), quoteName(m.Name))
		case total:
			text = fmt.Sprintf("sum(%s)/1000 AS %s", quoteName(m.field+sumSuffix), quoteName(m.Name))
		case longest:
			text = fmt.Sprintf("max(%s)/1000 AS %s", quoteName(m.field+longestSuffix), quoteName(m.Name))
		default:
			continue
		}
		for _, text := range []string{lines, text} {
			if !slices.Contains(all, text) {
				all = append(all, text)
			}
		}
	}
	return all
}

// errors is the share of errors. Lines count 0 in one part, so that it is 0 and not nothing
// where there are no errors.
func (p *Plan) errors(m Measure) string {
	only, _ := serverErrors.in(slices.Concat(always, p.Rollup.Tags))
	condition, _ := only.influxQL()
	return fmt.Sprintf(`SELECT sum("e")/sum("n") AS %s FROM (SELECT "requests" AS "n", "requests"*0 AS "e" FROM %s WHERE %s), (SELECT "requests" AS "e" FROM %s WHERE %s AND %s) WHERE %s%s`,
		quoteName(m.Name), p.measurement(), p.where(), p.measurement(), p.where(), condition, p.whereTime(), p.grouped())
}

func (p *Plan) measurement() string {
	name := quoteName(p.Rollup.Measurement)
	if rp := p.Rollup.RetentionPolicy; rp != "" {
		name = quoteName(rp) + "." + name
	}
	return name
}

func (p *Plan) whereTime() string {
	return fmt.Sprintf("time >= '%s' AND time < '%s'", p.From.Format(time.RFC3339), p.To.Format(time.RFC3339))
}

func (p *Plan) where() string {
	return strings.Join(append([]string{p.whereTime()}, p.conditions...), " AND ")
}

// groupBy has the tags alone.
func (p *Plan) groupBy() string {
	if len(p.By) == 0 {
		return ""
	}
	return " GROUP BY " + p.tags()
}

func (p *Plan) tags() string {
	var names []string
	for _, tag := range p.By {
		names = append(names, quoteName(tag))
	}
	return strings.Join(names, ", ")
}

// groupByTime has the tags and time, even of one row for the whole range: fill needs it.
func (p *Plan) groupByTime() string {
	by := fmt.Sprintf("time(%ds)", p.Every/time.Second)
	if p.Every == 0 {
		whole := int64(p.To.Sub(p.From) / time.Second)
		by = fmt.Sprintf("time(%ds, %ds)", whole, p.From.Unix()%whole)
	}
	if len(p.By) > 0 {
		by += ", " + p.tags()
	}
	return by
}

// grouped is for sums: without anything to add up there is no row.
func (p *Plan) grouped() string {
	if p.Every == 0 {
		return p.groupBy()
	}
	return " GROUP BY " + p.groupByTime() + " fill(none)"
}
