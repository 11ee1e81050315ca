package top

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/tailflux/tailflux/internal/live"
)

// Of a list, so many rows are printed, with names of at most so many columns.
const (
	printedRows = 10
	printedName = 200
)

// print writes all of it as plain text; names come last, so that the rest is aligned.
func (v *view) print(out io.Writer) error {
	var b strings.Builder
	line := func(format string, values ...any) {
		b.WriteString(strings.TrimRight(fmt.Sprintf(format, values...), " "))
		b.WriteByte('\n')
	}
	sentence, _ := v.words()
	line("%s", sentence)
	f := v.figures()
	line("%s, %s, %s", plain(v.name, printedName), v.at.Format(time.RFC3339), f.minutes())
	if f.Top.Sampled > 1 {
		line("lists are of one line in %s, multiplied", count(f.Top.Sampled))
	}
	line("")
	line("%-9s %10s %14s", "", "now", "in all")
	line("%-9s %10s %14s", "requests", perSecond(f.requests()), count(f.Total.Requests))
	for _, class := range classes {
		line("%-9s %10s %14s", class.name, perSecond(f.class(class.name)), f.sum(class.name))
	}
	line("%-9s %10s %14s", "bytes", bytesPerSecond(f.bytes()), size(float64(f.Total.Bytes)))
	for _, p := range []struct {
		name string
		took live.Number
	}{{"p50", f.Total.P50}, {"p95", f.Total.P95}, {"p99", f.Total.P99}} {
		line("%-9s %10s %14s", p.name, "", took(p.took))
	}
	v.printPipeline(line)
	for _, l := range lists {
		if l.rows != nil {
			v.printList(l, line)
		}
	}
	for _, r := range v.rejects() {
		text := fmt.Sprintf("rejected: %s %s:%d %s", r.Time.Format(time.RFC3339), r.Source, r.Number, r.Reason)
		if r.Line != "" {
			text += ": " + r.Line
		}
		if r.Why != "" {
			text += " (" + r.Why + ")"
		}
		line("%s", plain(text, printedName))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// printable is the same JSON, in which no character of a text can change a terminal.
func printable(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r >= 0x7f && (!unicode.IsPrint(r) || unicode.Is(unicode.M, r) || r == utf8.RuneError) { // which are in strings alone
			for _, unit := range utf16.AppendRune(nil, r) {
				out = fmt.Appendf(out, `\u%04x`, unit)
			}
		} else {
			out = append(out, text[:size]...)
		}
		text = text[size:]
	}
	return out
}

// sum is how many requests a class had, or that nobody knows.
func (f figures) sum(name string) string {
	if len(f.Slots.Time) == 0 {
		return unknown
	}
	sum := int64(0)
	for _, n := range f.Slots.Classes[name] {
		sum += n
	}
	return count(sum)
}

func (v *view) printPipeline(line func(string, ...any)) {
	p := v.shown.Pipeline
	if p == nil {
		return
	}
	bytes, late := p.lag()
	line("")
	line("read %s lines (%s), %s behind (%s)", count(p.Lines.Read), perSecond(p.Throughput.Lines.Over10s), size(float64(bytes)), span(seconds(late)))
	line("rejected %s, filtered %s", count(p.Lines.Rejected), count(p.Lines.Filtered))
	if v.alone {
		return
	}
	state, _ := p.influxdb()
	line("written %s, in flight %s (%s)", count(p.Lines.Written), count(p.Lines.InFlight), span(seconds(p.Undelivered)))
	line("channels: read %d of %d, write %d of %d",
		p.Channels.Read.Length, p.Channels.Read.Capacity, p.Channels.Write.Length, p.Channels.Write.Capacity)
	line("%s", plain(state, printedName))
}

func (v *view) printList(l list, line func(string, ...any)) {
	line("")
	figures := columnsOf(l.name)
	var head strings.Builder
	for _, column := range figures {
		fmt.Fprintf(&head, "%*s", column.width, column.name)
	}
	line("%s  %s", head.String(), l.name)
	rows := v.matching(l)
	for _, r := range rows[:min(len(rows), printedRows)] {
		var text strings.Builder
		for _, column := range figures {
			fmt.Fprintf(&text, "%*s", column.width, column.value(&r, v.figures().Total.Requests))
		}
		line("%s  %s", text.String(), plain(r.Name, printedName))
	}
	if len(rows) == 0 {
		line("%s", "none")
	}
}
