package logfile

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Pattern is a glob, as in [filepath.Match], that can name what it matches.
type Pattern struct {
	expr  *regexp.Regexp // with a group for each wildcard
	stars int
}

// CompilePattern returns the pattern for a glob that [filepath.Match] accepts and
// that is UTF-8.
func CompilePattern(glob string) Pattern {
	var p Pattern
	var b strings.Builder
	b.WriteString(`^`)
	for len(glob) > 0 {
		_, n := utf8.DecodeRuneInString(glob)
		switch glob[0] {
		case '*':
			p.stars++
			b.WriteString(`([^/]*)`)
		case '?':
			b.WriteString(`([^/])`)
		case '[':
			b.WriteString(`([^/])`)
			n = classLength(glob)
		case '\\':
			_, escaped := utf8.DecodeRuneInString(glob[1:])
			n += escaped
			b.WriteString(regexp.QuoteMeta(glob[1:n]))
		default:
			b.WriteString(regexp.QuoteMeta(glob[:n]))
		}
		glob = glob[n:]
	}
	b.WriteString(`$`)
	p.expr = regexp.MustCompile(b.String())
	return p
}

// classLength is the length of the [class] that a glob begins with.
func classLength(glob string) int {
	for i := 1; i < len(glob); i++ {
		switch glob[i] {
		case '\\':
			i++
		case ']':
			return i + 1
		}
	}
	return len(glob)
}

// Label is what stands in a path for the wildcards, with commas between them. No two
// paths that match have the same: where the commas do not show what each wildcard
// stands for, because there are several stars, a match with a comma in it is in
// double quotes, as in CSV.
func (p Pattern) Label(path string) string {
	matched := p.expr.FindStringSubmatch(path)
	if matched == nil {
		return path
	}
	matched = matched[1:]
	if p.stars > 1 && slices.ContainsFunc(matched, func(m string) bool { return strings.Contains(m, ",") }) {
		for i, m := range matched {
			if strings.ContainsAny(m, `,"`) {
				matched[i] = `"` + strings.ReplaceAll(m, `"`, `""`) + `"`
			}
		}
	}
	return strings.Join(matched, ",")
}

// Matches returns the paths that match a glob now, without those of logs that
// were rotated.
func Matches(glob string) []string {
	paths, err := filepath.Glob(glob)
	if err != nil {
		return nil // the glob was checked
	}
	return slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		log := RotatedFrom(path)
		return IsRotated(path) || log != "" && slices.Contains(paths, log)
	})
}

// NoMatch is why [Matches] may have nothing for a glob that was meant to match: only
// rotated logs do, or nothing that can be followed, or a directory cannot be read. It
// is nil when there is just no file yet.
func NoMatch(glob string) error {
	paths, err := filepath.Glob(glob)
	if err != nil {
		return nil //nolint:nilerr // the glob was checked
	}
	for _, path := range paths {
		if log := logOf(path); log != path {
			return fmt.Errorf("%s is taken for a rotated file of %s: write path: %s to follow that log through its rotations; "+
				"if %s is a log of its own, write its path, without a wildcard", path, log, log, path)
		}
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err == nil {
			err = RegularFile(path, info.Mode())
		}
		if err != nil {
			return err
		}
	}
	dir, err := os.Open(filepath.Dir(glob))
	if err == nil {
		dir.Close()
	} else if !strings.ContainsAny(filepath.Dir(glob), `*?[\`) {
		return err
	}
	return nil
}

// logOf is the path of the log that a path is called like a rotated file of, or the
// path itself.
func logOf(path string) string {
	for IsRotated(path) {
		path = path[:rotatedName.FindStringIndex(path)[0]]
	}
	return path
}
