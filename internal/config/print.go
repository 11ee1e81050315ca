package config

import (
	"bytes"
	"fmt"
	"io"
	"strings"
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
	section := ""
	for _, row := range settings {
		name, indent := row.key, ""
		if before, after, ok := strings.Cut(row.key, "."); ok {
			if before != section {
				fmt.Fprintf(&b, "%s:\n", before)
			}
			section, name, indent = before, after, "  "
		}
		fmt.Fprintf(&b, "%s%s: %s\n", indent, name, row.get(c).yaml())
	}
	_, err := w.Write(b.Bytes())
	return err
}
