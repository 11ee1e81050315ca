package shape

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/logtime"
	"github.com/tailflux/tailflux/internal/nginxvar"
)

// Unmet says what lines of a log, the first ones it has, do not have: a time that can be
// read; in JSON, anything that is known, so that they become points without content; or
// else what is configured. Each is a sentence without a full stop.
func (l *Lines) Unmet(c *config.Config, lines [][]byte) []string {
	if why := l.untimed(lines); why != "" {
		return []string{why}
	}
	if own := l.ownRequests(lines); own != "" {
		return []string{own}
	}
	if l.Format.Kind() != "json" {
		return nil
	}
	h := has{nothing: "the lines have nothing for", keys: true, names: l.Format.Filled(lines), own: l.Format.Strange(lines)}
	var all []string
	if advice, _ := l.Format.NoTime(lines); advice != "" {
		all = []string{"no line has a time that is known, so none becomes a point: " + advice}
	} else if why := l.unknown(lines); why != "" {
		all = []string{why}
	} else if h.names != nil {
		all = l.missing(c, h)
	} else {
		return nil // none of them matches
	}
	return append(all, l.misnamed(c, h, l.Format.Keys(lines))...)
}

// untimed says that lines of the format become no points, because their times are written
// in another way, and what is missing; it is "" when they do. (One that does not exist, such
// as 31 February, is the mistake of its line.)
func (l *Lines) untimed(lines [][]byte) string {
	matched, untimed, wants := 0, 0, ""
	for _, line := range lines {
		captures, ok := l.Matcher.Match(line)
		if !ok {
			continue
		}
		matched++
		_, text := l.Time(captures)
		if _, ok := logtime.Parse(text, l.Schema.Zone); ok || text == nil {
			continue
		}
		if untimed++; untimed == 1 {
			wants = logtime.Wants(text, l.Schema.Zone)
		}
	}
	switch {
	case strings.Contains(wants, "timezone"):
		wants = "they have no zone: set timezone, such as timezone: Europe/Berlin"
	case strings.Contains(wants, "a zone"), strings.Contains(wants, "1970"):
		wants = "want " + wants
	default:
		return ""
	}
	return fmt.Sprintf("%d of %d lines become no points, because their times cannot be read; %s", untimed, matched, wants)
}

// Time is the time of a line, by its captures, and the variable that it is of; nothing if
// there is none.
func (l *Lines) Time(captures [][]byte) (variable string, text []byte) {
	names := l.Format.Names()
	for _, name := range nginxvar.Times {
		if i := slices.Index(names, name); i >= 0 && len(captures[i]) > 0 && string(captures[i]) != "-" {
			return name, captures[i]
		}
	}
	return "", nil
}

// unknown says that points have no content, and how to change that; it is "" when they
// have.
func (l *Lines) unknown(lines [][]byte) string {
	keys := l.Format.Unknown(lines)
	if len(keys) == 0 {
		return ""
	}
	var renames []string
	for _, variable := range []string{"status", "method", "path", "request"} {
		of := has{own: keys}.called(variable)
		if variable == "status" {
			of = statusOf(keys)
		}
		if of != "" {
			renames = append(renames, of+": "+variable)
		}
	}
	if renames == nil {
		renames = []string{"KEY: status"}
	}
	return fmt.Sprintf("none of the keys in the lines is the name of a variable, so points have nothing but a time: %s; "+
		"say what they are, such as rename: {%s}", some(keys), strings.Join(renames, ", "))
}

// statusOf is the one of some keys that is called as if it were the status.
func statusOf(keys []string) string {
	for _, word := range []string{"status", "code", "response"} {
		if i := slices.IndexFunc(keys, func(key string) bool { return strings.Contains(strings.ToLower(key), word) }); i >= 0 {
			return keys[i]
		}
	}
	return ""
}

// unmetIn is Unmet of the first of some lines with their newlines.
func (l *Lines) unmetIn(c *config.Config, read []byte) []string {
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
	for _, path := range Paths(c, source) {
		if unmet := l.unmetOf(c, path); unmet != nil {
			return unmet
		}
	}
	return nil
}

// unmetOf is Unmet of the first lines of a log.
func (l *Lines) unmetOf(c *config.Config, path string) []string {
	lines, err := logfile.FirstLines(path, sampleLines)
	if err != nil {
		return nil // the reader waits for the file, and says so
	}
	return l.Unmet(c, lines)
}

// BadTime finds the time for which a line that matches is rejected: its column, in bytes
// from 1, and what was expected there.
func (l *Lines) BadTime(line []byte, captures [][]byte) (column int, expected string) {
	if variable, text := l.Time(captures); text != nil {
		return max(1, bytes.Index(line, text)+1), logtime.Wants(text, l.Schema.Zone) + " for $" + variable
	}
	advice, key := l.Format.NoTime([][]byte{line})
	if advice == "" {
		return len(line) + 1, "a time"
	}
	last := key[strings.LastIndexByte(key, '.')+1:]
	if at := bytes.Index(line, []byte(`"`+last+`"`)); key != "" && at >= 0 {
		return at + 1, "a time: " + advice
	}
	return len(line) + 1, "a time: " + advice
}
