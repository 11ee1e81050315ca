package logfile

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// IsGlob reports whether a path is a pattern, as in path/filepath.Match.
func IsGlob(path string) bool { return strings.ContainsAny(path, `*?[`) }

// Wildcards is an expression with a group for each wildcard of a valid pattern.
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

// Date matches a year, month and day in a name, in either order, or seconds since
// 1970; it matches neither an address nor a port.
const Date = `[-._]?(?:(?:19|20)\d\d[-._]?\d\d[-._]?\d\d|\d\d[-._]?\d\d[-._]?(?:19|20)\d\d|1\d{9})(?:[-._T]?\d+)*`

// rotated is how logrotate calls rotated logs: access.log.1, access.log-20261122,
// access.log.2.gz.
var rotated = regexp.MustCompile(`(\.\d{1,3}|-\d{8,}|\.(gz|bz2|xz|zst|Z|old|bak))$`)

// Matches returns the paths that match a valid pattern now, without those of
// rotated logs.
func Matches(pattern string) []string {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return nil // the pattern was checked
	}
	return slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		log := RotatedFrom(path)
		return rotated.MatchString(path) || log != "" && slices.Contains(paths, log)
	})
}

// extended is how logrotate calls rotated logs when it is told to keep the
// extension: access.1.log, access-20261122.log.
var extended = regexp.MustCompile(`(?:\.\d{1,3}|` + Date + `)(\.[^./]+)$`)

// RotatedFrom is the path of the log that a file at path may have been rotated
// from, if its name keeps the extension; otherwise "".
func RotatedFrom(path string) string {
	at := extended.FindStringSubmatchIndex(path)
	if at == nil {
		return ""
	}
	return path[:at[0]] + path[at[2]:at[3]]
}
