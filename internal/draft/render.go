package draft

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/nginxconf"
)

// width of the comments.
const width = 100

// render writes the configuration.
func (d *Draft) render(found *nginxconf.Found, o Options) string {
	var b strings.Builder
	comment(&b, "", fmt.Sprintf("The access logs of nginx, as tailflux init found them in %s. What is not here has its default: "+
		"tailflux check --print shows all of it, tailflux check what is wrong.", o.Origin))
	for _, trouble := range found.Troubles {
		comment(&b, "", "NOT READ: "+trouble)
	}
	b.WriteString("\nsources:\n")
	for i, s := range d.Sources {
		if i > 0 {
			b.WriteByte('\n')
		}
		comment(&b, "  ", strings.TrimPrefix(some(s.Servers, 6)+"; "+some(places(s.At), 4), "; "))
		for _, note := range s.Notes {
			comment(&b, "  ", note)
		}
		fmt.Fprintf(&b, "  - name: %s\n    path: %s\n", config.Quote(s.Name), config.Quote(s.Path))
		if head, rest, several := strings.Cut(s.Format, "\n"); several || strings.HasPrefix(head, "log_format ") {
			b.WriteString("    format: |\n      " + head + "\n")
			for line := range strings.Lines(rest) {
				b.WriteString("      " + strings.TrimSuffix(line, "\n") + "\n")
			}
		} else {
			fmt.Fprintf(&b, "    format: %s\n", config.Quote(s.Format))
		}
		if o.Start != "" {
			fmt.Fprintf(&b, "    start: %s\n", config.Quote(o.Start))
		}
	}
	if len(d.Left) > 0 {
		b.WriteString("\n  # Left out:\n")
		for _, left := range d.Left {
			item(&b, left.Log+": "+left.Why)
		}
	}
	b.WriteByte('\n')
	if !o.Flags.Changed("influxdb-username") && !o.Flags.Changed("influxdb-token-file") {
		comment(&b, "", "If InfluxDB asks for a password: username, and password_file with the path of a file.")
	}
	b.WriteString(d.rest(found, o))
	return b.String()
}

// rest is what is not about the sources.
func (d *Draft) rest(found *nginxconf.Found, o Options) string {
	c, named := *o.Config, []string{"influxdb.url", "influxdb.database"}
	c.Exclude = slices.Clone(c.Exclude)
	for _, s := range d.Sources {
		for _, file := range found.ErrorLogs {
			if match, err := filepath.Match(s.Path, filepath.Clean(file)); s.glob && match && err == nil && !slices.Contains(c.Exclude, file) {
				c.Exclude = append(c.Exclude, file)
				named = append(named, "exclude")
			}
		}
	}
	var b bytes.Buffer
	_ = c.PrintGiven(&b, o.Flags, named...) // to memory
	return b.String()
}

func places(at []nginxconf.Place) (all []string) {
	for _, place := range at {
		all = append(all, place.String())
	}
	return all
}

// comment writes a text as comments, in lines that are not too long.
func comment(b *strings.Builder, indent, text string) {
	lines(b, indent+"# ", indent+"# ", text)
}

// item writes a text as an item of a list in a comment.
func item(b *strings.Builder, text string) { lines(b, "  # - ", "  #   ", text) }

func lines(b *strings.Builder, first, next, text string) {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	line := first
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
			line += word
		case len(line)+1+len(word) > width:
			b.WriteString(line + "\n")
			line = next + word
		default:
			line += " " + word
		}
	}
	b.WriteString(line + "\n")
}
