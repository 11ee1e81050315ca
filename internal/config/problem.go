package config

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strings"
)

// A problem is one mistake and where it was made.
type problem struct {
	at   position
	text string
}

func (p problem) Error() string {
	if at := p.at.String(); at != "" {
		return at + ": " + p.text
	}
	return p.text
}

// fail notes a value that is not what it should be.
func (l *loader) fail(at position, key, got, want string) {
	l.add(at, key, "got "+got+", want "+want)
}

// add notes a mistake. The name of a flag or variable says which key is meant.
func (l *loader) add(at position, key, text string) {
	if key != "" && (at.line > 0 || at.name == "") {
		text = key + ": " + text
	}
	l.problems = append(l.problems, problem{at, text})
}

// err joins what was found: first what is in the file, from top to bottom.
func (l *loader) err() error {
	line := func(p problem) int {
		if p.at.line == 0 {
			return math.MaxInt
		}
		return p.at.line
	}
	slices.SortStableFunc(l.problems, func(a, b problem) int {
		return cmp.Or(cmp.Compare(line(a), line(b)), cmp.Compare(a.at.column, b.at.column))
	})
	all := l.other
	for _, p := range l.problems {
		all = append(all, p)
	}
	return errors.Join(all...)
}

// unknown notes a key that is in no table. Its value is not repeated: it may be
// a password.
func (l *loader) unknown(at position, shown, prefix, key string) {
	if !isName().MatchString(key) {
		key = shorten(key)
	}
	text := "unknown key, want one of " + keysHere(shown, prefix)
	if key == "password" {
		text = "unknown key, want the password in a file, and the path of that file in influxdb.password_file"
	} else if known := nearest(shown, prefix, key); known != "" {
		text = "unknown key, did you mean " + known + "?"
		if known == key {
			text = "unknown key here; " + known + " is a key of its own, in the first column"
		}
	}
	l.add(at, shown+prefix+key, text)
}

// keysOf lists the last words of the keys that begin with prefix.
func keysOf[T any](rows []setting[T], prefix string) string {
	var all []string
	for _, row := range rows {
		rest, ok := strings.CutPrefix(row.key, prefix)
		first, _, _ := strings.Cut(rest, ".")
		if ok && !slices.Contains(all, first) {
			all = append(all, first)
		}
	}
	return strings.Join(all, ", ")
}

func keysHere(shown, prefix string) string {
	switch {
	case shown != "":
		return keysOf(sourceSettings, "")
	case prefix == "":
		return "sources, " + keysOf(settings, "")
	default:
		return keysOf(settings, prefix)
	}
}

// nearest returns the key that was probably meant, or nothing.
func nearest(shown, prefix, key string) string {
	best, least := "", math.MaxInt
	try := func(section, name string) {
		d, ok := distance(strings.ToLower(key), name)
		if section != shown+prefix {
			d++ // the same section first
		}
		if ok && d < least {
			best, least = section+name, d
		}
	}
	for _, row := range sourceSettings {
		section := "sources[]."
		if shown != "" {
			section = shown
		}
		try(section, row.key)
	}
	try("", "sources")
	for _, row := range settings {
		dot := strings.LastIndex(row.key, ".") + 1
		try(row.key[:dot], row.key[dot:])
		if dot > 0 {
			try("", row.key[:dot-1])
		}
	}
	return best
}

// distance counts the letters to add, drop, change or swap between a and b, and
// says whether they are few enough for a slip. One inside the other is one too.
func distance(a, b string) (int, bool) {
	if len(a) >= 4 && a != b && strings.Contains(b, a) {
		return 1, true
	}
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	d := row[len(b)]
	return d, d <= max(1, len(b)/3)
}
