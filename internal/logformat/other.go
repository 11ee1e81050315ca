package logformat

import (
	"bytes"
	"regexp"
)

// others are logs that lie beside access logs, and how their lines begin. A record of
// some has more lines than the one that is recognised.
var others = []struct {
	name  string
	begin *regexp.Regexp
}{
	{"nginx's error log", regexp.MustCompile(`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(?:debug|info|notice|warn|error|crit|alert|emerg)\] \d+#\d+: `)},
	{"php-fpm's slow log", regexp.MustCompile(`^` + phpTime + `\s+\[pool [^]]+\] pid \d+|^script_filename = |^\[0x[0-9a-f]+\] \S+\(`)},
	{"php-fpm's log", regexp.MustCompile(`^` + phpTime + ` (?:ALERT|ERROR|WARNING|NOTICE|DEBUG): `)},
	{"PHP's error log", regexp.MustCompile(`^` + phpTime + ` `)},
	{"a program's own log", regexp.MustCompile(`^\{.*"(?i:level|severity)": ?"[A-Za-z]+".*"(?:msg|message)": ?"`)},
	{"Apache's error log", regexp.MustCompile(`^\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9]\d \d\d:\d\d:\d\d(?:\.\d+)? \d{4}\] \[`)},
}

const phpTime = `\[\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d(?:\.\d+)?(?: [^]]+)?\]`

// Other returns what the line is of, if it is of a log without requests that is often
// found beside access logs.
func Other(line []byte) (name string, ok bool) {
	for _, of := range objects {
		if bytes.Contains(line, []byte(of.mark)) {
			return "", false
		}
	}
	for i := range others {
		if others[i].begin.Match(line) {
			return others[i].name, true
		}
	}
	return "", false
}
