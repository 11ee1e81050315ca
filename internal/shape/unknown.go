package shape

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
)

// Unmet says what lines of a JSON log, the first ones it has, do not have: anything that
// is known, so that they become points without content; or else what is configured.
// Each is a sentence without a full stop.
func (l *Lines) Unmet(c *config.Config, lines [][]byte) []string {
	if l.Format.Kind() != "json" {
		return nil
	}
	if why := l.unknown(lines); why != "" {
		return []string{why}
	}
	if names := l.Format.Filled(lines); names != nil {
		return l.missing(c, names, "the lines have nothing for")
	}
	return nil
}

// unknown says that points have no content, and how to change that; it is "" when they
// have.
func (l *Lines) unknown(lines [][]byte) string {
	keys := l.Format.Unknown(lines)
	if len(keys) == 0 {
		return ""
	}
	example := keys[0]
	if i := slices.IndexFunc(keys, func(key string) bool { return strings.Contains(strings.ToLower(key), "status") }); i >= 0 {
		example = keys[i]
	}
	const most = 20
	more := ""
	if len(keys) > most {
		keys, more = keys[:most], ", …"
	}
	return fmt.Sprintf("none of the keys in the lines is the name of a variable, so points have nothing but a time: %s%s; "+
		"say what they are, such as rename: {%s: status}", strings.Join(keys, ", "), more, example)
}

// unmetIn is Unmet of the first of some lines with their newlines.
func (l *Lines) unmetIn(c *config.Config, read []byte) []string {
	if l.Format.Kind() != "json" {
		return nil
	}
	var lines [][]byte
	for line := range bytes.Lines(read) {
		if len(lines) == sampleLines {
			break
		}
		lines = append(lines, flow.TrimCR(bytes.TrimSuffix(line, []byte{'\n'})))
	}
	return l.Unmet(c, lines)
}

// unmetAtStart is Unmet of the first log of a source that has lines at the start.
func (l *Lines) unmetAtStart(c *config.Config, source config.Source) []string {
	if l.Format.Kind() != "json" {
		return nil
	}
	for _, path := range pathsOf(c, source) {
		lines, err := logfile.FirstLines(path, sampleLines)
		if err != nil {
			continue // the reader waits for the file, and says so
		}
		if unmet := l.Unmet(c, lines); unmet != nil {
			return unmet
		}
	}
	return nil
}
