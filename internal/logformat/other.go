package logformat

import (
	"bytes"
	"regexp"
	"slices"

	"github.com/tailflux/tailflux/internal/lazyregexp"
)

// others are logs that lie beside access logs, and how their lines begin. A record of
// some has more lines than the one that is recognised.
var others = []struct {
	name  string
	forms []string // see hasForm: each such line has one, which takes less than begin to find out
	begin func() *regexp.Regexp
}{
	{"nginx's error log", []string{"0000/00/00 00:00:00 ["}, lazyregexp.New(`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(?:debug|info|notice|warn|error|crit|alert|emerg)\] \d+#\d+: `)},
	{"php-fpm's slow log", []string{"[00-", "script_filename = ", "[0x"}, lazyregexp.New(`^` + phpTime + `\s+\[pool [^]]+\] pid \d+|^script_filename = |^\[0x[0-9a-f]+\] \S+\(`)},
	{"php-fpm's log", []string{"[00-"}, lazyregexp.New(`^` + phpTime + ` (?:ALERT|ERROR|WARNING|NOTICE|DEBUG): `)},
	{"PHP's error log", []string{"[00-"}, lazyregexp.New(`^` + phpTime + ` `)},
	{"a program's own log", []string{"{"}, lazyregexp.New(`^\{.*"(?i:level|severity)": ?"[A-Za-z]+".*"(?:msg|message)": ?"`)},
	{"Apache's error log", []string{"["}, lazyregexp.New(`^\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9]\d \d\d:\d\d:\d\d(?:\.\d+)? \d{4}\] \[`)},
}

const phpTime = `\[\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d(?:\.\d+)?(?: [^]]+)?\]`

// Other returns what the line is of, if it is of a log without requests that is often
// found beside access logs.
func Other(line []byte) (name string, ok bool) {
	for i := range others {
		of := &others[i]
		if slices.ContainsFunc(of.forms, func(form string) bool { return hasForm(line, form) }) && of.begin().Match(line) {
			if isOfObject(line) {
				break
			}
			return of.name, true
		}
	}
	return "", false
}

// isOfObject reports whether a line is of a kind of JSON that has a name.
func isOfObject(line []byte) bool {
	for _, object := range objects {
		if bytes.Contains(line, []byte(object.mark)) {
			return true
		}
	}
	return false
}

// hasForm reports whether a line begins with a form, in which 0 stands for any digit.
func hasForm(line []byte, form string) bool {
	if len(line) < len(form) {
		return false
	}
	for i := range form {
		if form[i] == '0' && (line[i] < '0' || line[i] > '9') || form[i] != '0' && line[i] != form[i] {
			return false
		}
	}
	return true
}
