package config

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Print writes the configuration as YAML that [Load] reads back to the same
// Config. No password is ever part of it.
func (c *Config) Print(w io.Writer) error {
	var b bytes.Buffer
	if len(c.Sources) == 0 {
		b.WriteString("sources: []\n")
	} else {
		b.WriteString("sources:\n")
	}
	for i := range c.Sources {
		dash := "- "
		for _, row := range sourceSettings {
			s := &c.Sources[i]
			v := row.get(s)
			if v.text == "" || row.key == "format" && v.text == defaultSource().Format && !s.Anew {
				continue // a source has a format or a regexp; and auto says more in so many words
			}
			fmt.Fprintf(&b, "  %s%s: %s\n", dash, row.key, v.yaml())
			dash = "  "
		}
	}
	for _, row := range c.rows(func(string) bool { return true }) {
		b.WriteString(row)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// PrintGiven writes, as YAML, the keys that were given as flags, and those that are
// named, without the sources.
func (c *Config) PrintGiven(w io.Writer, flags *pflag.FlagSet, named ...string) error {
	_, err := io.WriteString(w, strings.Join(c.rows(func(key string) bool {
		return slices.Contains(named, key) || flags.Changed(flagName(key))
	}), ""))
	return err
}

// rows are the lines of the keys that are wanted, and those of their sections.
func (c *Config) rows(wanted func(key string) bool) (lines []string) {
	section := ""
	for _, row := range settings {
		if !wanted(row.key) {
			continue
		}
		name, indent := row.key, ""
		if before, after, ok := strings.Cut(row.key, "."); ok {
			if before != section {
				lines = append(lines, before+":\n")
			}
			section, name, indent = before, after, "  "
		}
		lines = append(lines, fmt.Sprintf("%s%s: %s\n", indent, name, row.get(c).yaml()))
	}
	return lines
}
