package grafanatest

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
)

// frame is what a panel draws: columns of equal length. A series over time is one with
// the columns Time and its name.
type frame struct {
	ref     string
	table   bool
	columns []column
}

// column has texts, float64s, or nil for what is null.
type column struct {
	name   string
	labels map[string]string
	values []any
}

const timeColumn = "Time"

// frames are what Grafana makes of an answer: of time_series one for each series and
// column, of table one for all.
func frames(q *target, series []influxdtest.Series) (all []*frame) {
	if q.ResultFormat == "table" {
		return []*frame{tableOf(q, series)}
	}
	for _, s := range series {
		for i, name := range s.Columns {
			if name == "time" {
				continue
			}
			f := &frame{ref: q.RefID, columns: []column{{name: timeColumn}, {name: displayed(q.Alias, &s, name), labels: s.Tags}}}
			for _, row := range s.Values {
				f.columns[0].values = append(f.columns[0].values, cell(row[0], true))
				f.columns[1].values = append(f.columns[1].values, cell(row[i], false))
			}
			all = append(all, f)
		}
	}
	return all
}

// tableOf has the tags between the time and the other columns.
func tableOf(q *target, series []influxdtest.Series) *frame {
	f := &frame{ref: q.RefID, table: true}
	for n, s := range series {
		tags := slices.Sorted(maps.Keys(s.Tags))
		if n == 0 {
			f.columns = append(f.columns, column{name: timeColumn})
			for _, tag := range tags {
				f.columns = append(f.columns, column{name: tag})
			}
			for _, name := range s.Columns[1:] {
				f.columns = append(f.columns, column{name: name})
			}
		}
		for _, row := range s.Values {
			cells := []any{cell(row[0], true)}
			for _, tag := range tags {
				cells = append(cells, s.Tags[tag])
			}
			for _, v := range row[1:] {
				cells = append(cells, cell(v, false))
			}
			for i, c := range cells {
				f.columns[i].values = append(f.columns[i].values, c)
			}
		}
	}
	return f
}

// cell is a value as Grafana has it: numbers are floats, times milliseconds.
func cell(v any, isTime bool) any {
	n, isNumber := v.(json.Number)
	if !isNumber {
		return v
	}
	if isTime {
		ns, _ := n.Int64()
		return time.UnixMilli(ns / 1e6).UTC()
	}
	f, _ := n.Float64()
	return f
}

var aliases = regexp.MustCompile(`\$(\w+)|\[\[(\w+)\]\]`)

// displayed is the name of a series.
func displayed(alias string, s *influxdtest.Series, column string) string {
	if alias == "" {
		name := s.Name + "." + column
		var tags []string
		for _, tag := range slices.Sorted(maps.Keys(s.Tags)) {
			tags = append(tags, tag+": "+s.Tags[tag])
		}
		if len(tags) > 0 {
			name += " {" + strings.Join(tags, ", ") + "}"
		}
		return name
	}
	return aliases.ReplaceAllStringFunc(alias, func(found string) string {
		m := aliases.FindStringSubmatch(found)
		switch name := m[1] + m[2]; {
		case name == "m" || name == "measurement":
			return s.Name
		case name == "col":
			return column
		case strings.HasPrefix(name, "tag_"):
			return s.Tags[strings.TrimPrefix(name, "tag_")]
		}
		return found
	})
}

func (f *frame) rows() int {
	if len(f.columns) == 0 {
		return 0
	}
	return len(f.columns[0].values)
}

// column is that with a name.
func (f *frame) column(name string) *column {
	for i := range f.columns {
		if f.columns[i].name == name {
			return &f.columns[i]
		}
	}
	return nil
}

// String is a frame for messages.
func (f *frame) String() string {
	var b strings.Builder
	for _, c := range f.columns {
		fmt.Fprintf(&b, "%s: %v\n", c.name, c.values)
	}
	return b.String()
}

func TestFrames(t *testing.T) {
	series := []influxdtest.Series{
		{Name: "m", Tags: map[string]string{"status": "200"}, Columns: []string{"time", "a", "b"}, Values: [][]any{{json.Number("1000"), json.Number("2"), nil}}},
		{Name: "m", Tags: map[string]string{"status": "404"}, Columns: []string{"time", "a", "b"}, Values: [][]any{{json.Number("1000"), json.Number("3"), "x"}}},
	}
	all := frames(&target{RefID: "A", ResultFormat: "time_series", Alias: "$tag_status $col"}, series)
	var names []string
	for _, f := range all {
		names = append(names, f.columns[1].name)
	}
	if got := strings.Join(names, ", "); got != "200 a, 200 b, 404 a, 404 b" {
		t.Errorf("series %s", got)
	}
	if got := displayed("", &series[0], "a"); got != "m.a {status: 200}" {
		t.Errorf("without an alias: %s", got)
	}
	table := frames(&target{RefID: "A", ResultFormat: "table"}, series)[0]
	if got := table.column("a").values; table.rows() != 2 || got[1] != 3.0 || table.column("status").values[0] != "200" {
		t.Errorf("table %s", table)
	}
}
