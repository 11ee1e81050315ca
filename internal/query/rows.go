package query

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/influx"
)

// Row is what was observed in one window of time and one group of tags.
type Row struct {
	From, To time.Time
	Tags     []string   // the values of Question.By; "" is lines without the tag
	Values   []*float64 // of Question.Measures; nil: no line had it

	named map[string]float64
}

// Rows puts the answers to the statements together.
func (p *Plan) Rows(answers [][]influx.Table) ([]Row, error) {
	at := map[string]int{}
	var rows []Row
	for _, tables := range answers {
		for _, table := range tables {
			tags := make([]string, len(p.By))
			for i, tag := range p.By {
				tags[i] = table.Tags[tag]
			}
			for _, values := range table.Values {
				from, named, err := p.read(table.Columns, values)
				if err != nil {
					return nil, err
				}
				if len(named) == 0 {
					continue
				}
				key := fmt.Sprintf("%d %q", from.Unix(), tags)
				i, known := at[key]
				if !known {
					i = len(rows)
					at[key] = i
					rows = append(rows, Row{From: from, To: p.end(from), Tags: tags, named: map[string]float64{}})
				}
				maps.Copy(rows[i].named, named)
			}
		}
	}
	for i := range rows {
		p.fill(&rows[i])
	}
	rows = slices.DeleteFunc(rows, p.isNone)
	slices.SortFunc(rows, p.compare)
	if p.Top > 0 && len(rows) > p.Top {
		rows = rows[:p.Top]
	}
	return rows, nil
}

// end is where the window of a row ends.
func (p *Plan) end(from time.Time) time.Time {
	if to := from.Add(p.Every); p.Every > 0 && to.Before(p.To) {
		return to
	}
	return p.To
}

// read reads a row of an answer.
func (p *Plan) read(columns []string, values []any) (from time.Time, named map[string]float64, err error) {
	at, named, err := numbers(columns, values)
	if from = p.From; p.Every > 0 {
		from = time.Unix(at, 0).UTC()
	}
	return from, named, err
}

// numbers reads a row of an answer: its time, in seconds since 1970, and what else is not
// null.
func numbers(columns []string, values []any) (at int64, named map[string]float64, err error) {
	named = map[string]float64{}
	for i, value := range values[:min(len(values), len(columns))] {
		if value == nil {
			continue
		}
		number, _ := value.(json.Number)
		n, err := number.Float64()
		switch {
		case err != nil:
			return at, nil, fmt.Errorf("InfluxDB answered %s %v, want a number", columns[i], value)
		case columns[i] == "time":
			at = int64(n)
		default:
			named[columns[i]] = n
		}
	}
	return at, named, nil
}

// fill works out the values of a row.
func (p *Plan) fill(r *Row) {
	if p.Sums {
		p.ofSums(r.named)
	}
	for _, m := range p.Measures {
		name, per := m.Name, 1.0
		if m.kind == rate {
			name, per = "requests", r.To.Sub(r.From).Seconds()
		}
		var value *float64
		if n, ok := r.named[name]; ok {
			n /= per
			value = &n
		}
		r.Values = append(r.Values, value)
	}
}

// isNone reports whether a row is of sums of which none was of a line with a time.
func (p *Plan) isNone(r Row) bool {
	_, counted := r.named["requests"]
	return p.Sums && !counted && !slices.ContainsFunc(r.Values, func(v *float64) bool { return v != nil })
}

// compare sorts by time, then the greatest of the first measure comes first.
func (p *Plan) compare(a, b Row) int {
	return cmp.Or(a.From.Compare(b.From), compareValues(b.Values[0], a.Values[0]), slices.CompareFunc(a.Tags, b.Tags, strings.Compare))
}

func compareValues(a, b *float64) int {
	switch {
	case a != nil && b != nil:
		return cmp.Compare(*a, *b)
	case a != nil:
		return 1
	case b != nil:
		return -1
	}
	return 0
}
