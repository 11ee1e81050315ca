package report

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/escape"
)

// A view is what stands in the page, as text: the template knows of no numbers. Whatever
// comes from a log goes through plain.
type view struct {
	Title, Version string
	Policy         template.HTML
	Style          template.CSS
	Script, Data   template.JS
	At, From, To   time.Time
	Tiles          []tile
	Notes          []string
	Charts         []chart
	Slots          *figures
	Tables         []table
	Rejects        []reject
	RejectsNote    string
	Files          []fileRow
	Clients        string
}

type tile struct{ Figure, Name, Text, More, Tone string }

type chart struct{ ID, Title string }

// figures are those of the charts.
type figures struct {
	Heads []string
	Rows  []figuresOf
}

type figuresOf struct {
	Time  time.Time
	Cells []string
}

type table struct {
	ID, Title, Note string
	Wide, Timed     bool
	Heads           []head
	Rows            []row
}

type head struct{ Text, Class string }

type row struct {
	Name, Share string
	Cells       []cell
}

type cell struct {
	Text, Tone string
	Bar        bool // it has the share of the row behind it
}

type reject struct {
	Source, Reason, Line, Under, Why string
	LineNumber                       int64
}

type fileRow struct {
	Name, Format string
	Cells        []string
}

// plain is text of a log for the page: what cannot be seen, or would change how the text
// around it is read, is escaped. It is bounded.
func plain(text string) string {
	const most = 300 // characters
	text = escape.Unprintable(text, escape.Hex)
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// title names the files.
func (r *Report) title() string {
	switch n := len(r.Files); n {
	case 0:
		return "tailflux report"
	case 1:
		return plain(base(r.Files[0].Name))
	default:
		return fmt.Sprintf("%s and %d more", plain(base(r.Files[n-1].Name)), n-1)
	}
}

func base(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// isTimed reports whether requests had times.
func (r *Report) isTimed() bool { return !isNone(r.Total.P50) }

func (r *Report) tiles() []tile {
	t := r.Total
	all := []tile{
		{Figure: "requests", Name: "Requests", Text: count(t.Requests)},
		{Figure: "server_errors", Name: "Server errors (5xx)", Text: count(t.ServerErrors), More: percent(t.ServerErrors, t.Requests), Tone: tone(t.ServerErrors, "5xx")},
		{Figure: "client_errors", Name: "Client errors (4xx)", Text: count(t.ClientErrors), More: percent(t.ClientErrors, t.Requests), Tone: tone(t.ClientErrors, "4xx")},
		{Figure: "bytes", Name: "Sent", Text: size(t.Bytes)},
	}
	if long := r.To.Sub(r.From); long > 0 {
		all[0].More = digits(float64(t.Requests)/max(1, long.Seconds())) + " a second"
		all = append(all, tile{Figure: "span", Name: "Time", Text: span(long)})
	}
	if r.isTimed() {
		all = append(all,
			tile{Figure: "p50", Name: "Half are faster than", Text: took(t.P50)},
			tile{Figure: "p95", Name: "95 % are faster than", Text: took(t.P95)},
			tile{Figure: "p99", Name: "99 % are faster than", Text: took(t.P99)})
	}
	all = append(all, tile{Figure: "read", Name: "Lines", Text: count(r.Lines.Read)})
	if n := r.Lines.Filtered; n > 0 {
		all = append(all, tile{Figure: "filtered", Name: "Filtered", Text: count(n), More: percent(n, r.Lines.Read)})
	}
	return append(all, tile{
		Figure: "rejected", Name: "Not matched", Text: count(r.Lines.Rejected),
		More: percent(r.Lines.Rejected, r.Lines.Read), Tone: tone(r.Lines.Rejected, "warn"),
	})
}

func tone(n int64, of string) string {
	if n == 0 {
		return ""
	}
	return of
}

func (r *Report) notes() (all []string) {
	for _, f := range r.Files {
		if f.Error != "" {
			all = append(all, "Not all of "+plain(f.Name)+" was read: "+plain(f.Error))
		}
	}
	if n := r.Total.Older + r.Total.Ahead; n > 0 {
		all = append(all, fmt.Sprintf("%s requests have a time that is in no chart.", count(n)))
	}
	return all
}

func (r *Report) fileRows() (all []fileRow) {
	for _, f := range r.Files {
		all = append(all, fileRow{
			Name: plain(f.Name), Format: plain(strings.Join(f.Formats, ", ")),
			Cells: []string{size(f.Bytes), count(f.Lines.Read), count(f.Lines.Requests), count(f.Lines.Filtered), count(f.Lines.Rejected)},
		})
	}
	return all
}

func (r *Report) rejectRows() (all []reject) {
	for _, rejected := range r.Rejects {
		one := reject{
			Source: plain(rejected.Source), LineNumber: rejected.LineNumber, Reason: rejected.Reason,
			Line: rejected.Line, Under: strings.Repeat(" ", rejected.Caret),
		}
		if rejected.Why != "" {
			one.Why = fmt.Sprintf("column %d: expected %s", rejected.Column, plain(rejected.Why))
		}
		all = append(all, one)
	}
	return all
}

func (r *Report) rejectsNote() string {
	var why []string
	for reason, n := range r.Reasons {
		why = append(why, count(n)+" "+reason)
	}
	slices.Sort(why)
	note := strings.Join(why, ", ") + "."
	if int64(len(r.Rejects)) < r.Lines.Rejected {
		note += fmt.Sprintf(" The first %d are shown.", len(r.Rejects))
	}
	return note
}
