package query

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/docker/go-units"

	"github.com/tailflux/tailflux/internal/escape"
)

// Print writes rows for people: which windows were asked, and a table.
func (p *Plan) Print(w io.Writer, rows []Row) error {
	var head []string
	if p.Every > 0 {
		head = append(head, "time")
	}
	head = append(head, p.By...)
	texts := len(head)
	for _, m := range p.Measures {
		head = append(head, m.Name)
	}
	table := [][]string{head}
	for _, r := range rows {
		var line []string
		if p.Every > 0 {
			line = append(line, r.From.Format("2006-01-02T15:04:05Z"))
		}
		for _, tag := range r.Tags {
			line = append(line, shown(tag))
		}
		for i, m := range p.Measures {
			line = append(line, m.text(r.Values[i]))
		}
		table = append(table, line)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s, windows of %s, from %s to %s\n", p.Rollup.Measurement, short(p.Rollup.Interval),
		p.From.Format(time.RFC3339), p.To.Format(time.RFC3339))
	if len(rows) == 0 {
		b.WriteString(p.nothing() + "\n")
	} else {
		align(&b, table, texts)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// nothing says that there are no rows. Whether nobody came or nobody looked is not known.
func (p *Plan) nothing() string {
	text := "no lines"
	if !slices.ContainsFunc(p.Measures, func(m Measure) bool { return !m.isOfBuckets() }) {
		text += " with a time" // those without have no row either
	}
	text += " in this range"
	if len(p.Where) > 0 {
		text += " with these filters"
	}
	return text
}

// align writes a table whose first columns are texts.
func align(b *strings.Builder, table [][]string, texts int) {
	widths := make([]int, len(table[0]))
	for _, line := range table {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, line := range table {
		var cells []string
		for i, cell := range line {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i < texts {
				cells = append(cells, cell+pad)
			} else {
				cells = append(cells, pad+cell)
			}
		}
		b.WriteString(strings.TrimRight(strings.Join(cells, "  "), " ") + "\n")
	}
}

// shown is a value of a tag on a terminal.
func shown(tag string) string {
	const most = 80
	if tag == "" {
		return "-"
	}
	tag = escape.Unprintable(tag, escape.Hex)
	if runes := []rune(tag); len(runes) > most {
		tag = string(runes[:most-1]) + "…"
	}
	return tag
}

func (m Measure) text(value *float64) string {
	switch {
	case value == nil:
		return "-"
	case m.kind == count:
		return strconv.FormatFloat(*value, 'f', 0, 64)
	case m.kind == size:
		return units.HumanSizeWithPrecision(*value, 4)
	case m.kind == share:
		return strconv.FormatFloat(*value*100, 'f', 3, 64) + "%"
	}
	return strconv.FormatFloat(*value, 'f', 3, 64) // seconds, or in a second
}

// answer is the JSON, which docs/query.md documents.
type answer struct {
	Measurement  string `json:"measurement"`
	Window       int64  `json:"window_seconds"`
	From         string `json:"from"`
	To           string `json:"to"`
	EverySeconds int64  `json:"every_seconds"` // 0: each row is the whole range
	Rows         []row  `json:"rows"`
}

type row struct {
	From   string              `json:"from"`
	To     string              `json:"to"`
	Tags   map[string]string   `json:"tags"`
	Values map[string]*float64 `json:"values"` // null: no line had it
}

// PrintJSON writes rows as one JSON object.
func (p *Plan) PrintJSON(w io.Writer, rows []Row) error {
	a := answer{
		Measurement: p.Rollup.Measurement, Window: int64(p.Rollup.Interval / time.Second), EverySeconds: int64(p.Every / time.Second),
		From: p.From.Format(time.RFC3339), To: p.To.Format(time.RFC3339), Rows: []row{},
	}
	for _, r := range rows {
		as := row{From: r.From.Format(time.RFC3339), To: r.To.Format(time.RFC3339), Tags: map[string]string{}, Values: map[string]*float64{}}
		for i, tag := range p.By {
			as.Tags[tag] = r.Tags[i]
		}
		for i, m := range p.Measures {
			as.Values[m.Name] = r.Values[i]
		}
		a.Rows = append(a.Rows, as)
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(a)
}

// Show writes the statements, as they can be pasted into influx or Grafana.
func (p *Plan) Show(w io.Writer) error {
	_, err := io.WriteString(w, strings.Join(slices.Clone(p.Statements), "\n\n")+"\n")
	return err
}
