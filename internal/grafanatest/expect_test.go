package grafanatest

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// expectations say what queries show, by "panel refId", "panel" as it is drawn after its
// transformations, "$variable" or "@annotation". A query needs one of the first two.
//
//	var overview = expectations{
//		"Requests/s now": func(a asked) shown {
//			return series{"now": a.each(func(at, to time.Time) float64 { … })}
//		},
//	}
type expectations map[string]func(a asked) shown

// asked is what an expectation is worked out from.
type asked struct {
	*site
	view
	interval time.Duration // $__interval of the panel
}

// site is a database and the record of what tailflux read into it.
type site struct {
	database string
	*record
}

// shown is what is expected. It says what is wrong with what came.
type shown interface {
	differs(came []*frame) []string
	empty() bool
}

// points are values by time. Where there is none, nothing may be drawn.
type points map[time.Time]float64

// series are lines by their names in the legend. They are exact, but for rounding.
type series map[string]points

// near are series that may be off by a share of the value, and by a least difference.
type near struct {
	series
	within, least float64
}

// lone is one value, whatever its time.
type lone struct {
	name   string
	value  float64
	within float64
}

// heat are cells of a heatmap, by time and row. Zeros are not drawn.
type heat struct{ cells map[time.Time][]float64 }

// rows are those of a table, without a column of times unless head has it. Numbers are
// float64s.
type rows struct {
	head   []string
	rows   [][]any
	sorted string        // this column falls from row to row
	most   int           // the first of these by sorted, if there are more; 0: all
	within float64       // numbers may be off by this share
	late   time.Duration // times may be later by less than that
}

// options are those of a variable.
type options []string

// nothing is of a query that only feeds another one, or that has no answer here.
type nothing struct{}

func (s series) empty() bool {
	for _, p := range s {
		if len(p) > 0 {
			return false
		}
	}
	return true
}
func (r rows) empty() bool    { return len(r.rows) == 0 }
func (o options) empty() bool { return len(o) == 0 }
func (nothing) empty() bool   { return true }

func (lone) empty() bool   { return false }
func (h heat) empty() bool { return len(h.cells) == 0 }

const rounding = 1e-9

func (s lone) differs(came []*frame) []string {
	if len(came) != 1 || len(came[0].columns) != 2 || came[0].rows() != 1 || came[0].columns[1].name != s.name {
		return []string{fmt.Sprintf("%v, want one value of %s, %v", came, s.name, s.value)}
	}
	if got, _ := came[0].columns[1].values[0].(float64); !isNear(got, s.value, s.within) {
		return []string{fmt.Sprintf("%q is %v, want %v", s.name, got, s.value)}
	}
	return nil
}

func (h heat) differs(came []*frame) (wrong []string) {
	left := maps.Clone(h.cells)
	for _, f := range came {
		for n := range f.rows() {
			at, _ := f.columns[0].values[n].(time.Time)
			got, some := []float64{}, false
			for _, c := range f.columns[1:] {
				v, _ := c.values[n].(float64)
				got, some = append(got, v), some || v != 0
			}
			if want, is := left[at]; some && !slices.Equal(got, want) || is && !some {
				wrong = append(wrong, fmt.Sprintf("at %s: %v, want %v", at.Format(timeFormat), got, want))
			}
			delete(left, at)
		}
	}
	for at := range left {
		wrong = append(wrong, fmt.Sprintf("at %s is nothing, want %v", at.Format(timeFormat), left[at]))
	}
	return wrong
}

func (s series) differs(came []*frame) []string { return near{s, rounding, 0}.differs(came) }

func (n near) differs(came []*frame) (wrong []string) {
	seen := map[string]bool{}
	for _, f := range came {
		if f.table {
			return []string{"a table, want series"}
		}
		for _, c := range f.columns {
			if c.name == timeColumn {
				continue
			}
			if seen[c.name] {
				wrong = append(wrong, fmt.Sprintf("two series are called %q", c.name))
			}
			seen[c.name] = true
			wrong = append(wrong, n.line(f, &c)...)
		}
	}
	for name, p := range n.series {
		if !seen[name] && len(p) > 0 {
			wrong = append(wrong, fmt.Sprintf("no series %q, want one with %d values", name, len(p)))
		}
	}
	return wrong
}

// line compares one.
func (n near) line(f *frame, c *column) (wrong []string) {
	left := maps.Clone(n.series[c.name])
	for i, v := range c.values {
		if v == nil {
			continue
		}
		at, _ := f.column(timeColumn).values[i].(time.Time)
		want, is := left[at]
		delete(left, at)
		got, isNumber := v.(float64)
		switch {
		case !is:
			wrong = append(wrong, fmt.Sprintf("%q at %s is %v, want no value", c.name, at.Format(timeFormat), v))
		case !isNumber || !isNear(got, want, n.within) && math.Abs(got-want) > n.least:
			wrong = append(wrong, fmt.Sprintf("%q at %s is %v, want %v", c.name, at.Format(timeFormat), v, want))
		}
	}
	for _, at := range slices.SortedFunc(maps.Keys(left), time.Time.Compare) {
		wrong = append(wrong, fmt.Sprintf("%q at %s is nothing, want %v", c.name, at.Format(timeFormat), left[at]))
	}
	return wrong
}

const timeFormat = "2006-01-02T15:04:05.999Z"

func isNear(got, want, within float64) bool {
	return math.Abs(got-want) <= within*max(math.Abs(want), math.Abs(got)) || math.Abs(got-want) < 1e-12
}

func (o options) differs(came []*frame) (wrong []string) {
	var got []string
	for _, v := range came[0].columns[0].values {
		got = append(got, fmt.Sprint(v))
	}
	want := slices.Clone(o)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		wrong = append(wrong, fmt.Sprintf("options %q, want %q", got, want))
	}
	return wrong
}

func (nothing) differs(came []*frame) (wrong []string) {
	for _, f := range came {
		for _, c := range f.columns {
			for _, v := range c.values {
				if c.name != timeColumn && v != nil {
					return []string{fmt.Sprintf("%q is %v, want nothing", c.name, v)}
				}
			}
		}
	}
	return nil
}

func (r rows) differs(came []*frame) (wrong []string) {
	if len(came) != 1 || !came[0].table {
		return []string{fmt.Sprintf("%d frames, want one table", len(came))}
	}
	f := came[0]
	var head []string
	for _, c := range f.columns {
		if c.name != timeColumn || slices.Contains(r.head, timeColumn) {
			head = append(head, c.name)
		}
	}
	if f.rows() > 0 && !slices.Equal(head, r.head) {
		return []string{fmt.Sprintf("columns %q, want %q", head, r.head)}
	}
	left := slices.Clone(r.rows)
	last := math.Inf(1)
	for n := range f.rows() {
		var row []any
		for _, name := range head {
			row = append(row, f.column(name).values[n])
		}
		i := slices.IndexFunc(left, func(want []any) bool { return r.same(row, want) })
		if i < 0 {
			wrong = append(wrong, fmt.Sprintf("row %v is none of what is wanted, such as %v", row, nearest(row, r.rows)))
			continue
		}
		left = slices.Delete(left, i, i+1)
		if r.sorted != "" {
			v, _ := f.column(r.sorted).values[n].(float64)
			if v > last {
				wrong = append(wrong, fmt.Sprintf("row %v is not in the order of %s", row, r.sorted))
			}
			last = v
		}
	}
	for _, row := range left {
		if r.most > 0 && f.rows() == r.most && r.sorted != "" {
			if v, _ := row[slices.Index(r.head, r.sorted)].(float64); v <= last*(1+r.within)+rounding {
				continue
			}
		}
		wrong = append(wrong, fmt.Sprintf("no row %v", row))
	}
	return wrong
}

func (r rows) same(got, want []any) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if at, is := want[i].(time.Time); is {
			got, _ := got[i].(time.Time)
			if got.Before(at) || got.Sub(at) > r.late {
				return false
			}
			continue
		}
		g, isNumber := got[i].(float64)
		w, wantNumber := want[i].(float64)
		switch {
		case isNumber && wantNumber:
			if !isNear(g, w, max(r.within, rounding)) {
				return false
			}
		case got[i] != want[i]:
			return false
		}
	}
	return true
}

// nearest is the row with the most equal texts, for a message.
func nearest(row []any, all [][]any) (best []any) {
	most := -1
	for _, each := range all {
		n := 0
		for i := range min(len(row), len(each)) {
			if row[i] == each[i] {
				n++
			}
		}
		if n > most {
			most, best = n, each
		}
	}
	return best
}

// An expectation that is met says nothing, and one that is not says what is wrong.
func TestExpectationsAreCompared(t *testing.T) {
	at := time.Unix(1795168800, 0).UTC()
	line := []*frame{{columns: []column{{name: timeColumn, values: []any{at, at.Add(time.Second)}}, {name: "a", values: []any{2.0, nil}}}}}
	table := []*frame{{table: true, columns: []column{{name: timeColumn, values: []any{at, at}}, {name: "path", values: []any{"/", "/x"}}, {name: "n", values: []any{5.0, 3.0}}}}}
	head := []string{"path", "n"}
	for _, tt := range []struct {
		name  string
		want  shown
		came  []*frame
		wrong string
	}{
		{"equal", series{"a": {at: 2}}, line, ""},
		{"another value", series{"a": {at: 2.001}}, line, "want 2.001"},
		{"a value too many", series{"a": {}}, line, "want no value"},
		{"a value too few", series{"a": {at: 2, at.Add(time.Second): 1}}, line, "is nothing"},
		{"no series", series{"a": {at: 2}, "b": {at: 1}}, line, `no series "b"`},
		{"near", near{series{"a": {at: 2.2}}, 0.1, 0}, line, ""},
		{"not near", near{series{"a": {at: 2.3}}, 0.1, 0}, line, "want 2.3"},
		{"nothing", nothing{}, line, "want nothing"},
		{"rows", rows{head: head, rows: [][]any{{"/x", 3.0}, {"/", 5.0}}, sorted: "n"}, table, ""},
		{"first rows", rows{head: head, rows: [][]any{{"/x", 3.0}, {"/", 5.0}, {"/y", 2.0}}, sorted: "n", most: 2}, table, ""},
		{"not the first rows", rows{head: head, rows: [][]any{{"/x", 3.0}, {"/", 5.0}, {"/y", 4.0}}, sorted: "n", most: 2}, table, "no row [/y 4]"},
		{"a row too many", rows{head: head, rows: [][]any{{"/", 5.0}}}, table, "row [/x 3] is none"},
		{"another column", rows{head: []string{"path", "N"}, rows: [][]any{{"/", 5.0}}}, table, "columns"},
		{"options", options{"/x", "/"}, []*frame{{columns: table[0].columns[1:]}}, ""},
		{"an option too few", options{"/x"}, []*frame{{columns: table[0].columns[1:]}}, "want"},
	} {
		got := strings.Join(tt.want.differs(tt.came), "; ")
		if (got == "") != (tt.wrong == "") || !strings.Contains(got, tt.wrong) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.wrong)
		}
	}
}
