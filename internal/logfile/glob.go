package logfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Pattern is a glob, as in [filepath.Match], that can name what it matches.
type Pattern struct {
	glob    string
	expr    *regexp.Regexp // with a group for each wildcard
	stars   int
	exclude []string
}

// CompilePattern returns the pattern for a glob that [filepath.Match] accepts and
// that is UTF-8. What one of exclude matches, such globs too, does not match: with a
// slash in it that is the whole path, without one the name of the file.
func CompilePattern(glob string, exclude ...string) Pattern {
	p := Pattern{glob: glob, exclude: exclude}
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
//
// Of a date in what the wildcards match, which is returned in digits, there is a star in
// the label, or nothing if it ends the name of the file but for its extension, or is all
// that there is: paths that differ in their dates only have one label, and the dates sort
// as their digits do.
func (p Pattern) Label(path string) (label, date string) {
	m := p.match(path)
	if m == nil {
		return path, ""
	}
	parts := m.labels()
	if p.stars > 1 && slices.ContainsFunc(parts, func(m string) bool { return strings.Contains(m, ",") }) {
		for i, m := range parts {
			if strings.ContainsAny(m, `,"`) {
				parts[i] = `"` + strings.ReplaceAll(m, `"`, `""`) + `"`
			}
		}
	}
	label, date = strings.Join(parts, ","), m.digits()
	if label == "*" && date != "" {
		label = ""
	}
	return label, date
}

// Log is a path that matches, with a star for each date in what the wildcards match: the
// same for all days of a log.
func (p Pattern) Log(path string) string {
	if m := p.match(path); m != nil && len(m.dates) > 0 {
		return m.log()
	}
	return path
}

// Matches reports whether a path does.
func (p Pattern) Matches(path string) bool { return p.expr.MatchString(path) && !p.excludes(path) }

// excludes reports whether one of exclude matches a path.
func (p Pattern) excludes(path string) bool {
	return slices.ContainsFunc(p.exclude, func(glob string) bool {
		name := path
		if !strings.Contains(glob, "/") {
			name = filepath.Base(path)
		}
		ok, err := filepath.Match(glob, name)
		return ok && err == nil // the globs were checked
	})
}

// Paths returns the paths that match now, without those of logs that were rotated, and
// without known ones.
func (p Pattern) Paths(known map[string]bool) []string {
	paths, err := filepath.Glob(p.glob)
	if err != nil {
		return nil // the glob was checked
	}
	return slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		if known[path] || p.excludes(path) {
			return true
		}
		log := RotatedFrom(path)
		return IsRotated(path) && !p.isDay(path) || log != "" && slices.Contains(paths, log)
	})
}

// isDay reports whether a path is called like a rotated one because of a date in what
// the wildcards match, and the log that it would have been rotated from is not there.
func (p Pattern) isDay(path string) bool {
	log := p.Undated(path)
	if log == path {
		return false
	}
	_, err := os.Lstat(log)
	return errors.Is(err, fs.ErrNotExist)
}

// Undated is the path of a log whose rotated files are called so, with a date behind
// them; the path itself if it is not called so, or if the date is none in what the
// wildcards match.
func (p Pattern) Undated(path string) string {
	m := p.match(path)
	if m == nil || len(m.dates) == 0 {
		return path
	}
	last := m.dates[len(m.dates)-1]
	if last.end < len(path) || strings.HasSuffix(path[:last.begin], "/") {
		return path
	}
	return strings.TrimRight(path[:last.begin], "-._")
}

// Root is the directory that the glob names before its first wildcard.
func (p Pattern) Root() string {
	root := p.glob
	for strings.ContainsAny(root, `*?[\`) {
		root = filepath.Dir(root)
	}
	return root
}

// NoMatch is why [Pattern.Paths] may have nothing for a glob that was meant to match:
// what does is excluded, or only rotated logs do, or nothing that can be followed, or a
// directory cannot be read. It is nil when there is just no file yet.
func (p Pattern) NoMatch() error {
	all, err := filepath.Glob(p.glob)
	if err != nil {
		return nil //nolint:nilerr // the glob was checked
	}
	paths := slices.DeleteFunc(slices.Clone(all), p.excludes)
	if len(paths) == 0 && len(all) > 0 {
		return fmt.Errorf("exclude leaves out all that match (%s)", strings.Join(all, ", "))
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
	dir, err := os.Open(filepath.Dir(p.glob))
	if err == nil {
		dir.Close()
	} else if !strings.ContainsAny(filepath.Dir(p.glob), `*?[\`) {
		return err
	}
	return nil
}

// logOf is the path of the log that a path is called like a rotated file of, or the
// path itself.
func logOf(path string) string {
	for IsRotated(path) {
		path = path[:rotatedName().FindStringIndex(path)[0]]
	}
	return path
}
