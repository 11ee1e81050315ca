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

// Unknown says that lines of a JSON log, the first ones it has, become points without
// content, and how to change that; it is "" when they do not.
func (l *Lines) Unknown(lines [][]byte) string {
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

// unknownIn is Unknown of the first of some lines with their newlines.
func (l *Lines) unknownIn(read []byte) string {
	if l.Format.Kind() != "json" {
		return ""
	}
	var lines [][]byte
	for line := range bytes.Lines(read) {
		if len(lines) == sampleLines {
			break
		}
		lines = append(lines, flow.TrimCR(bytes.TrimSuffix(line, []byte{'\n'})))
	}
	return l.Unknown(lines)
}

// unknownAtStart is Unknown of the lines that the logs of a source have at the start.
func (l *Lines) unknownAtStart(c *config.Config, source config.Source) string {
	if l.Format.Kind() != "json" {
		return ""
	}
	for _, path := range pathsOf(c, source) {
		lines, err := logfile.FirstLines(path, sampleLines)
		if err != nil {
			continue // the reader waits for the file, and says so
		}
		if why := l.Unknown(lines); why != "" {
			return path + ": " + why
		}
	}
	return ""
}
