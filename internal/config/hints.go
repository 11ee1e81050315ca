package config

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tailflux/tailflux/internal/lazyregexp"
)

// Hints are what is wanted in place of values that people try, to be read after
// "want"; "" of others.

func textHint(s string) string {
	if strings.Contains(s, "${") {
		return "the name itself: ${…} is not replaced here, set a TAILFLUX_… environment variable instead"
	}
	return ""
}

var inPath = lazyregexp.New(`\$(?:[A-Za-z_]|\{)`)

var braces = lazyregexp.New(`\{[^{}]*,[^{}]*\}`)

func globHint(s string) string {
	fields := strings.Fields(strings.TrimSuffix(s, ";"))
	switch {
	case slices.Contains([]string{"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"}, s):
		return "a file: standard input has no place to go on from; pipe it into tailflux import -, or into tailflux explain"
	case strings.HasPrefix(s, "~"):
		return "the full path: ~ is not expanded here"
	case strings.HasPrefix(s, "syslog:"):
		return "a file: syslog is not received, let nginx write to a file"
	case strings.HasPrefix(s, "memory:"):
		return "a file: nginx keeps this log in its memory, let it write to a file"
	case strings.HasPrefix(s, "file://"):
		return strconv.Quote(strings.TrimPrefix(s, "file://"))
	case inPath().MatchString(s):
		return "the path as it is on the disk: variables are not replaced here; where nginx replaces one, such as $host, write *"
	case len(fields) > 1 && fields[0] == "access_log":
		return strconv.Quote(fields[1])
	case strings.HasSuffix(s, ";"):
		return strconv.Quote(strings.TrimSuffix(s, ";"))
	case len(s) > 1 && strings.HasSuffix(s, "/"):
		return "a file; for all logs in this directory: " + strconv.Quote(s+"*.log")
	case strings.Contains(s, "**"):
		return "a glob without **: each * stays within one directory, as in /logs/*/*.log"
	case braces().MatchString(s):
		return "one source for each: {a,b} is not expanded here"
	}
	if _, err := filepath.Match(s, ""); err != nil {
		if at := strings.LastIndexByte(s, '['); at >= 0 {
			return "a glob in which the [ at character " + strconv.Itoa(at+1) + " is closed by a ]"
		}
		return "a glob that does not end in a backslash"
	}
	return ""
}

// inQuery are credentials as InfluxDB takes them in a URL.
var inQuery = lazyregexp.New(`[?&](u|p|username|password|token)=`)

func urlHint(s string) string {
	s = strings.TrimRight(s, "/")
	bare, rest := strings.CutSuffix(s, "/write")
	switch {
	case strings.HasPrefix(s, "unix:"):
		return "unix: and the full path of the socket, such as unix:/run/influxdb/influxdb.sock"
	case strings.Contains(s, "@"), inQuery().MatchString(s):
		return "http[s]://HOST[:PORT][/PATH] without credentials, which belong in influxdb.username and influxdb.password_file"
	case rest:
		return strconv.Quote(bare) + ": leave /write off, tailflux adds it"
	case s != "" && !strings.Contains(s, ":/") && !strings.HasPrefix(s, "http") && !strings.ContainsAny(s, " ?#"):
		return strconv.Quote("http://" + s)
	}
	return ""
}

// These are how people try to write a log_format in YAML.
var (
	twoParts    = lazyregexp.New(`\b(format|regexp):\s*('[^']*'\s+'|"[^"]*"\s+")`)
	nextPart    = lazyregexp.New(`^\s+('[^']*'|"[^"]*")\s*$`)
	doubleQuote = lazyregexp.New(`\b(format|regexp):\s*"`)
)

// syntaxHint says what to do about a line that is not YAML.
func syntaxHint(message, line string) string {
	switch {
	case twoParts().MatchString(line), nextPart().MatchString(line):
		return `; write "format: >-" and below it, indented, the whole log_format as it is in nginx.conf`
	case doubleQuote().MatchString(line):
		return "; put the format between single quotes"
	case strings.Contains(message, "is not allowed in this context"):
		return "; is it indented like the line above?"
	}
	return ""
}
