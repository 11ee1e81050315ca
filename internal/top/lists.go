package top

import (
	"fmt"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/live"
)

// Lists stand side by side where each has so much room.
const (
	listWidth  = 66
	listHeight = 8
)

// lists draws the chosen one, or all of top where there is room.
func (v *view) lists(c *canvas, y, h int) {
	if lists[v.list].rows == nil {
		v.tabs(c, y)
		v.rejected(c, y+1, h-1)
		return
	}
	if v.whole {
		v.tabs(c, y)
		if v.whole = v.detail(c, y+1, h-1); v.whole {
			return
		}
	}
	tops := len(lists) - 1
	across := min(3, c.w/listWidth)
	if across < 2 || h < (tops+across-1)/across*listHeight {
		v.tabs(c, y)
		v.table(c, box{0, y + 1, c.w, h - 1}, v.list, lists[v.list].of, title)
		return
	}
	down := (tops + across - 1) / across
	w, each := c.w/across, h/down
	for i := range tops {
		s := title
		if i == v.list {
			s = chosen
		}
		v.table(c, box{i % across * w, y + i/across*each, w, each - 1}, i, lists[i].name, s)
	}
}

// box is a part of a canvas.
type box struct{ x, y, w, h int }

func (v *view) tabs(c *canvas, y int) {
	x := 1
	for i, l := range lists {
		s := title
		if i == v.list {
			s = chosen
		}
		x = c.text(x, y, c.w, " "+l.name+" ", s)
	}
}

// column is a figure of a row.
type column struct {
	name  string
	width int
	value func(r *live.Row, all int64) string
	style style
}

// columnsOf are the figures of a list, the most important first.
func columnsOf(name string) []column {
	all := []column{
		{"requests", 10, func(r *live.Row, _ int64) string { return count(r.Requests) }, bold},
		{"5xx", 8, func(r *live.Row, _ int64) string { return count(r.ServerErrors) }, bad},
		{"p95", 9, func(r *live.Row, _ int64) string { return took(r.P95) }, normal},
		{"4xx", 8, func(r *live.Row, _ int64) string { return count(r.ClientErrors) }, warn},
		{"bytes", 9, func(r *live.Row, _ int64) string { return size(float64(r.Bytes)) }, normal},
		{"share", 8, func(r *live.Row, all int64) string { return share(r.Requests, all) }, normal},
		{"mean", 9, func(r *live.Row, _ int64) string { return took(r.Mean) }, normal},
	}
	switch name {
	case "slowest":
		all[1], all[2] = all[2], all[1]
	case "clients", "agents", "bots": // of which no percentiles are kept
		all[2] = all[len(all)-1]
		all = all[:len(all)-1]
	}
	return all
}

// leastName is the room that a name has at least: figures that take more are left out.
const leastName = 30

// table draws the rows of a list below a heading.
func (v *view) table(c *canvas, at box, i int, heading string, s style) {
	l := lists[i]
	shown, name := columnsOf(l.name), at.w-2
	for n, column := range shown {
		if name-column.width < leastName {
			shown = shown[:n]
			break
		}
		name -= column.width
	}
	if t := v.figures().Top; t.Sampled > 1 {
		heading += fmt.Sprintf(" (of one line in %s)", count(t.Sampled))
	}
	c.text(at.x+1, at.y, name, heading, s)
	x := at.x + 1 + name
	for _, column := range shown {
		x += column.width
		c.right(x, at.y, column.width, column.name, title)
	}
	rows, room := v.matching(l), at.h-1
	first := 0
	if i == v.list {
		v.scroll(len(rows), room)
		first = v.first
	}
	if len(rows) == 0 {
		c.text(at.x+1, at.y+1, at.w-2, v.empty(), dim)
	}
	all := v.figures().Total.Requests
	for n, r := range rows[min(first, len(rows)):min(len(rows), first+max(0, room))] {
		y := at.y + 1 + n
		c.text(at.x+1, y, name-1, r.Name, normal)
		x := at.x + 1 + name
		for _, column := range shown {
			x += column.width
			value, s := column.value(&r, all), column.style
			if value == "0" {
				s = dim
			}
			c.right(x, y, column.width, value, s)
		}
		if i == v.list && first+n == v.row {
			c.fill(at.x, y, at.w, chosen)
		}
	}
}

// empty is why a list has no rows.
func (v *view) empty() string {
	switch {
	case v.shown == nil || v.shown.Live == nil:
		return "no figures of requests"
	case v.filter != "":
		return "none with " + v.filter
	}
	return "none"
}

// rejected draws the last rejected lines, the newest first, and all of the chosen one.
func (v *view) rejected(c *canvas, y, h int) {
	all := v.rejects()
	slices.SortStableFunc(all, func(a, b Reject) int { return b.Time.Compare(a.Time) })
	if len(all) == 0 {
		c.text(1, y, c.w-2, "no rejected lines", dim)
		return
	}
	const detail = 3 // rows
	room := max(1, h-detail)
	v.scroll(len(all), room)
	for n, r := range all[v.first:min(len(all), v.first+room)] {
		head := fmt.Sprintf("%s %s:%d %s: ", r.Time.In(v.at.Location()).Format(time.TimeOnly), r.Source, r.Number, r.Reason)
		x := c.text(1, y+n, c.w/2, head, warn)
		c.text(x, y+n, c.w-1-x, r.Line, normal)
		if v.first+n == v.row {
			c.fill(0, y+n, c.w, chosen)
		}
	}
	is := all[v.row]
	c.text(1, y+h-3, c.w-2, is.Line, bold)
	if before := []rune(is.Line); is.Caret >= 0 && is.Caret <= len(before) {
		c.set(1+columns(plain(string(before[:is.Caret]), c.w)), y+h-2, '^', bad)
	}
	c.text(1, y+h-1, c.w-2, is.Why, dim)
}

// detail draws all of the chosen row, and reports whether there is one.
func (v *view) detail(c *canvas, y, h int) bool {
	l, rows := lists[v.list], v.matching(lists[v.list])
	v.scroll(len(rows), 1)
	if len(rows) == 0 {
		return false
	}
	r, end := rows[v.row], y+h
	for rest := plain(r.Name, longest); rest != "" && y < end; y++ {
		row := []rune(rest)
		for columns(string(row)) > c.w-2 {
			row = row[:len(row)-1]
		}
		c.put(1, y, string(row), bold)
		rest = rest[len(string(row)):]
	}
	for _, column := range columnsOf(l.name) {
		if y++; y >= end {
			break
		}
		c.text(1, y, 10, column.name, title)
		c.text(11, y, 20, column.value(&r, v.figures().Total.Requests), column.style)
	}
	return true
}
