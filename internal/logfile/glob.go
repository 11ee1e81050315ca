package logfile

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Wildcards is an expression with a group for each wildcard of the pattern.
func Wildcards(pattern string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`^`)
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '*':
			b.WriteString(`([^/]*)`)
		case '?':
			b.WriteString(`([^/])`)
		case '[':
			// The pattern was checked: there is an end, and not at once.
			end := i + 2 + strings.IndexByte(pattern[i+2:], ']')
			b.WriteString(`([^/])`)
			i = end
		case '\\':
			i++
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	b.WriteString(`$`)
	return regexp.MustCompile(b.String())
}

// Matches returns the paths that match a pattern now, without those of logs that
// were rotated.
func Matches(pattern string) []string {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return nil // the pattern was checked
	}
	return slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		log := RotatedFrom(path)
		return IsRotated(path) || log != "" && slices.Contains(paths, log)
	})
}
