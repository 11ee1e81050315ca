package explain

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tailflux/tailflux/internal/escape"
)

// An output prints explanations.
type output struct {
	w      io.Writer
	json   bool
	colour bool
}

const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (o output) paint(colour, text string) string {
	if !o.colour {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// head names the format, and how it can go wrong.
func (o output) head(x *explainer) string {
	var b strings.Builder
	what := "format "
	if x.short == "the regexp" {
		what = "regexp "
	}
	b.WriteString(what + o.paint(bold, plainText(x.name)))
	switch {
	case x.note != "":
		b.WriteString(", the nearest\n" + o.paint(yellow, "warning: ") + plainText(x.note))
	case x.detected:
		b.WriteString(", detected")
	}
	b.WriteByte('\n')
	for _, warning := range append(x.Warnings(x.config), x.unmet...) {
		b.WriteString(o.paint(yellow, "warning: ") + plainText(warning) + "\n")
	}
	if x.unread != "" && len(x.unmet) == 0 {
		b.WriteString("note: " + plainText(x.unread) + "\n")
	}
	return b.String()
}

// print writes one explanation at once.
func (o output) print(x *explainer, e explanation) error {
	var b bytes.Buffer
	if o.json {
		if err := encodeJSON(&b, e); err != nil {
			return err
		}
	} else {
		o.text(&b, x, e)
	}
	_, err := o.w.Write(b.Bytes())
	return err
}

func (o output) text(b *bytes.Buffer, x *explainer, e explanation) {
	var verdict []string
	switch {
	case e.Matched && e.Time == nil:
		verdict = append(verdict, o.paint(yellow, "filtered")+filteredBy(e.filtered))
	case !e.Matched:
		verdict = append(verdict, o.paint(red, "rejected: "+string(e.reason)))
	}
	if e.PathTaken != nil {
		path := "by " + x.short + " via " + *e.PathTaken
		if e.Vars != nil {
			path = o.paint(green, "matched") + " " + path
		}
		if e.why != "" {
			path += " (" + plainText(e.why) + ")"
		}
		verdict = append(verdict, path)
	}
	fmt.Fprintf(b, "\n%s: %s\n", o.paint(bold, fmt.Sprintf("line %d", e.number)), strings.Join(verdict, ", "))
	if e.Error != nil {
		line, under := escape.Around(e.line, e.Error.Column)
		fmt.Fprintf(b, "  %s\n  %s%s\n  column %d: expected %s\n", line,
			strings.Repeat(" ", under), o.paint(red, "^"), e.Error.Column, plainText(e.Error.Expected))
	}
	if e.nearest != "" {
		configured := "you configured " + strings.Replace(x.short, "the ", "a ", 1)
		if x.detected {
			configured = "other lines look like " + x.short
		}
		fmt.Fprintf(b, "  this looks like %s; %s\n", o.paint(bold, e.nearest), configured)
	}
	o.table(b, "variables", e.Vars)
	o.table(b, "tags", e.Tags)
	o.table(b, "fields", e.Fields)
	if len(e.omitted) > 0 {
		fmt.Fprintf(b, "  %s %s: the value is not the number that this is\n", o.paint(yellow, "left out:"), plainText(strings.Join(e.omitted, ", ")))
	}
	if e.Time != nil {
		fmt.Fprintf(b, "  %s\n    %s\n", o.paint(dim, "time"), e.Time.Format(time.RFC3339Nano))
	}
	if e.Point != nil {
		fmt.Fprintf(b, "  %s\n    %s\n", o.paint(dim, "point"), plainText(*e.Point))
	}
	for _, s := range e.Rollups {
		fmt.Fprintf(b, "  %s %s\n    window  %s\n", o.paint(dim, "adds to rollup"), plainText(s.Measurement), s.Window.Format(time.RFC3339))
		fmt.Fprintf(b, "    tags    %s\n    fields  %s\n", s.Tags, s.Fields)
	}
}

func filteredBy(why string) string {
	if strings.HasPrefix(why, "by ") {
		return " " + plainText(why)
	}
	return ": " + why
}

func (o output) table(b *bytes.Buffer, title string, rows pairs) {
	if len(rows) == 0 {
		return
	}
	width := 0
	for _, row := range rows {
		width = max(width, utf8.RuneCountInString(row.key))
	}
	fmt.Fprintf(b, "  %s\n", o.paint(dim, title))
	for _, row := range rows {
		text := row.text
		if text == "" {
			text = o.paint(dim, "(empty)")
		}
		fmt.Fprintf(b, "    %-*s  %s\n", width, row.key, text)
	}
}

// plainText is safe to show on a terminal.
func plainText(text string) string { return escape.Unprintable(text, escape.Hex) }
