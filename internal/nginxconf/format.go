package nginxconf

import "strings"

// A Format is a log_format.
type Format struct {
	Name   string
	Escape string // "" for nginx's default, or default, json, none
	Text   string // of its words, joined, without quotes and backslashes
	Pasted string // as it may be pasted: log_format NAME '…' '…';
	Bare   bool   // a word of it has no quotes, so nginx joins it to the one before it, without a blank
	Known  bool   // there is such a log_format
}

// combinedName is the format that nginx has by itself.
const combinedName = "combined"

var combined = Format{
	Name: combinedName, Known: true,
	Text: `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"`,
}

// formats are the log_formats of a block.
func formats(block statement) map[string]Format {
	all := map[string]Format{}
	for _, s := range block.block {
		if s.name != "log_format" || len(s.args) < 2 {
			continue
		}
		f := Format{Name: s.arg(0), Known: true}
		words := s.args[1:]
		if escape, ok := strings.CutPrefix(words[0].text, "escape="); ok {
			f.Escape, words = escape, words[1:]
		}
		for _, word := range words {
			f.Text += word.text
			f.Bare = f.Bare || !word.quoted
		}
		f.Pasted = pasted(f, words)
		all[f.Name] = f
	}
	return all
}

// pasted writes a log_format as people do.
func pasted(f Format, words []word) string {
	name := f.Name
	switch {
	case strings.ContainsAny(name, "\"'\\\n"):
		name = "x" // it is only a name
	case strings.ContainsAny(name, " \t;{}#$"):
		name = "'" + name + "'"
	}
	head := "log_format " + name + " "
	if f.Escape != "" {
		head += "escape=" + f.Escape + " "
	}
	var b strings.Builder
	b.WriteString(head)
	for i, w := range words {
		if i > 0 {
			b.WriteString("\n" + strings.Repeat(" ", len(head)))
		}
		b.WriteString("'" + singleQuoted(w.raw) + "'")
	}
	b.WriteByte(';')
	return b.String()
}

// singleQuoted is the raw text of a word as it stands between single quotes.
func singleQuoted(raw string) string {
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '\\' && i+1 < len(raw):
			b.WriteString(raw[i : i+2])
			i++
		case c == '\'':
			b.WriteString(`\'`)
		case c == '\t':
			b.WriteString(`\t`)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
