package grafanatest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// transform does what a panel does to answers before it draws them.
func transform(p *panel, all []*frame) ([]*frame, error) {
	for _, t := range p.Transformations {
		if t.Disabled {
			continue
		}
		do := transformations[t.ID]
		if do == nil || t.Filter != nil && t.Filter.ID != "byRefId" {
			return nil, fmt.Errorf("nobody knows the transformation %s", t.ID)
		}
		var some, others []*frame
		for _, f := range all {
			if t.Filter == nil || t.Filter.Options == f.ref {
				some = append(some, f)
			} else {
				others = append(others, f)
			}
		}
		some, err := do(t.Options, some)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.ID, err)
		}
		all = slices.Concat(others, some)
	}
	return all, nil
}

var transformations = map[string]func(options json.RawMessage, all []*frame) ([]*frame, error){
	"organize":         organize,
	"sortBy":           sortBy,
	"convertFieldType": convertFieldType,
	"calculateField":   calculateField,
}

// organize leaves out, orders and renames columns.
func organize(raw json.RawMessage, all []*frame) ([]*frame, error) {
	var o struct {
		ExcludeByName map[string]bool
		IndexByName   map[string]int
		RenameByName  map[string]string
	}
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, err
	}
	var out []*frame
	for _, f := range all {
		g := &frame{ref: f.ref, table: f.table}
		for _, c := range f.columns {
			if !o.ExcludeByName[c.name] {
				g.columns = append(g.columns, c)
			}
		}
		if len(o.IndexByName) > 0 {
			place := func(c column) int {
				if i, is := o.IndexByName[c.name]; is {
					return i
				}
				return len(f.columns) + len(o.IndexByName)
			}
			slices.SortStableFunc(g.columns, func(a, b column) int { return place(a) - place(b) })
		}
		for i := range g.columns {
			if name := o.RenameByName[g.columns[i].name]; name != "" {
				g.columns[i].name = name
			}
		}
		out = append(out, g)
	}
	return out, nil
}

// sortBy orders the rows of tables by a column.
func sortBy(raw json.RawMessage, all []*frame) ([]*frame, error) {
	var o struct {
		Sort []struct {
			Field string
			Desc  bool
		}
	}
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, err
	}
	if len(o.Sort) != 1 {
		return nil, fmt.Errorf("want one column to sort by: %s", raw)
	}
	var out []*frame
	for _, f := range all {
		by := f.column(o.Sort[0].Field)
		if by == nil {
			out = append(out, f)
			continue
		}
		order := make([]int, f.rows())
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int {
			if o.Sort[0].Desc {
				a, b = b, a
			}
			return compareCells(by.values[a], by.values[b])
		})
		g := &frame{ref: f.ref, table: f.table}
		for _, c := range f.columns {
			sorted := column{name: c.name, labels: c.labels}
			for _, i := range order {
				sorted.values = append(sorted.values, c.values[i])
			}
			g.columns = append(g.columns, sorted)
		}
		out = append(out, g)
	}
	return out, nil
}

// compareCells has what is null first.
func compareCells(a, b any) int {
	switch x := a.(type) {
	case float64:
		if y, is := b.(float64); is {
			return cmp.Compare(x, y)
		}
		return 1
	case string:
		if y, is := b.(string); is {
			return cmp.Compare(x, y)
		}
		return 1
	case time.Time:
		if y, is := b.(time.Time); is {
			return x.Compare(y)
		}
		return 1
	}
	if b == nil {
		return 0
	}
	return -1
}

// convertFieldType makes numbers of times, and times of numbers.
func convertFieldType(raw json.RawMessage, all []*frame) ([]*frame, error) {
	var o struct {
		Conversions []struct{ TargetField, DestinationType string }
	}
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, err
	}
	for _, f := range all {
		for _, to := range o.Conversions {
			c := f.column(to.TargetField)
			if c == nil {
				continue
			}
			c.values = slices.Clone(c.values)
			for i, v := range c.values {
				switch v := v.(type) {
				case time.Time:
					c.values[i] = float64(v.UnixMilli())
				case float64:
					c.values[i] = time.UnixMilli(int64(v)).UTC()
				}
			}
			if to.DestinationType != "number" && to.DestinationType != "time" {
				return nil, fmt.Errorf("nobody knows the type %s", to.DestinationType)
			}
		}
	}
	return all, nil
}

// calculateField adds a column that is another one and a constant.
func calculateField(raw json.RawMessage, all []*frame) ([]*frame, error) {
	var o struct {
		Mode, Alias string
		Binary      struct{ Left, Operator, Right string }
	}
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, err
	}
	right, err := strconv.ParseFloat(o.Binary.Right, 64)
	if err != nil || o.Mode != "binary" || o.Binary.Operator != "+" {
		return nil, fmt.Errorf("nobody knows %s", raw)
	}
	for _, f := range all {
		left := f.column(o.Binary.Left)
		if left == nil {
			continue
		}
		sum := column{name: o.Alias}
		for _, v := range left.values {
			n, _ := v.(float64)
			sum.values = append(sum.values, n+right)
		}
		f.columns = append(f.columns, sum)
	}
	return all, nil
}
