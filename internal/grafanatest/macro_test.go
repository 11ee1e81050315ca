package grafanatest

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// view is what somebody looks at: a time range, and what they have chosen. Of a variable
// that is not in chosen they have what the dashboard begins with.
type view struct {
	name     string
	from, to time.Time
	points   int // for which a panel has room
	chosen   map[string][]string
}

// value is that of a variable: one text, or several.
type value struct {
	texts []string
	multi bool // the variable may have several
	all   bool // as the dashboard says it, and not to be escaped
}

// expander puts the values of variables, then macros, into queries.
type expander struct {
	view
	values map[string]value
}

// A variable is written $name, ${name}, ${name:format} or [[name]].
var variables = regexp.MustCompile(`\$(\w+)|\$\{(\w+)(?::(\w+))?\}|\[\[(\w+)(?::(\w+))?\]\]`)

// expand does what Grafana does to a query: variables in the browser, then macros in its
// backend.
func (e expander) expand(query string, interval time.Duration) (string, error) {
	var unknown error
	expanded := variables.ReplaceAllStringFunc(query, func(found string) string {
		m := variables.FindStringSubmatch(found)
		name, format := m[1]+m[2]+m[4], m[3]+m[5]
		switch name {
		case "__from":
			return strconv.FormatInt(e.from.UnixMilli(), 10)
		case "__to":
			return strconv.FormatInt(e.to.UnixMilli(), 10)
		case "__range_ms":
			return strconv.FormatInt(e.to.Sub(e.from).Milliseconds(), 10)
		case "__range_s":
			return strconv.FormatInt(int64(e.to.Sub(e.from).Seconds()), 10)
		}
		v, is := e.values[name]
		if !is {
			return found
		}
		text, err := v.in(name, format, query)
		unknown = cmp.Or(unknown, err)
		return text
	})
	for _, macro := range []string{"__interval_ms", "__interval"} { // the browser fills in what it is called
		if inRegexp(macro, query) {
			expanded = regexp.MustCompile(`\$`+macro+`\b`).ReplaceAllString(expanded, `\$$`+macro)
		}
	}
	expanded = strings.NewReplacer(
		"$timeFilter", fmt.Sprintf("time >= %dms and time <= %dms", e.from.UnixMilli(), e.to.UnixMilli()),
		"$__interval_ms", strconv.FormatInt(interval.Milliseconds(), 10),
		"$__interval", influxDuration(interval),
		"$interval", influxDuration(interval),
	).Replace(expanded)
	if left := variables.FindString(expanded); left != "" && !e.has(left) {
		unknown = fmt.Errorf("nobody knows %s in %s", left, query)
	}
	return expanded, unknown
}

// has tells whether a text that looks like a variable is in a value: of a path, say.
func (e expander) has(text string) bool {
	for _, v := range e.values {
		for _, each := range v.texts {
			if strings.Contains(each, text) {
				return true
			}
		}
	}
	return false
}

// in is a value as it stands in a query.
func (v value) in(name, format, query string) (string, error) {
	if v.all {
		return v.texts[0], nil
	}
	switch format {
	case "":
		// One that may have several values, or stands in a regular expression, is escaped.
		if v.multi || inRegexp(name, query) {
			return v.regexp(true), nil
		}
		return strings.Join(v.texts, ","), nil
	case "regex":
		return v.regexp(false), nil
	case "raw":
		return strings.Join(v.texts, ","), nil
	case "percentencode":
		return strings.ReplaceAll(url.QueryEscape(strings.Join(v.texts, ",")), "+", "%20"), nil
	case "sqlstring":
		var quoted []string
		for _, text := range v.texts {
			quoted = append(quoted, "'"+strings.ReplaceAll(text, "'", "''")+"'")
		}
		return strings.Join(quoted, ","), nil
	}
	return "", fmt.Errorf("variable %s: nobody knows the format %q", name, format)
}

// inRegexp tells whether a variable stands between two slashes of one line, of whatever
// they are: of a division, or the end of one regular expression and the begin of the next.
// Grafana takes it for a part of a regular expression then.
func inRegexp(name, query string) bool {
	return regexp.MustCompile(`/\^?.*\$\{?` + name + `\}?.*\$?/`).MatchString(query)
}

// special are the characters that mean something in a regular expression, and the slash
// that ends it.
var special = regexp.MustCompile(`[\\^$*+?.()|\[\]{}/]`)

// regexp matches the texts. InfluxDB's own interpolation leaves what begins with a number
// as it is, and has parentheses around a list even of one.
func (v value) regexp(byInfluxDB bool) string {
	var escaped []string
	for _, text := range v.texts {
		if byInfluxDB && (len(v.texts) == 1 && startsWithNumber.MatchString(text)) {
			escaped = append(escaped, text)
			continue
		}
		escaped = append(escaped, special.ReplaceAllString(text, `\$0`))
	}
	if len(escaped) == 1 && (!byInfluxDB || !v.multi) {
		return escaped[0]
	}
	return "(" + strings.Join(escaped, "|") + ")"
}

var startsWithNumber = regexp.MustCompile(`^[+-]?(\d|\.\d)`)

func TestExpand(t *testing.T) {
	from := time.UnixMilli(1795168800123)
	e := expander{
		view: view{from: from, to: from.Add(time.Hour)},
		values: map[string]value{
			"all":    {texts: []string{".*"}, multi: true, all: true},
			"host":   {texts: []string{"web-1.example"}, multi: true},
			"source": {texts: []string{"a/b", "c d"}, multi: true},
			"path":   {texts: []string{`/it's "so"?`}},
			"empty":  {texts: []string{""}},
			"status": {texts: []string{"404"}},
		},
	}
	for _, tt := range []struct{ give, want string }{
		{"WHERE $timeFilter", "WHERE time >= 1795168800123ms and time <= 1795172400123ms"},
		{"time($__interval), time($interval), $__interval_ms", "time(15s), time(15s), 15000"},
		{"${__from} $__to", "1795168800123 1795172400123"},
		{"/^$all$/ /^${all:regex}$/", "/^.*$/ /^.*$/"},
		{"/^$host$/ /^${host:regex}$/", `/^(web-1\.example)$/ /^web-1\.example$/`},
		{"/^$source$/ [[source]]", `/^(a\/b|c d)$/ (a\/b|c d)`},
		{"= '${path:raw}' =~ /^${path:regex}$/", `= '/it's "so"?' =~ /^\/it's "so"\?$/`},
		{"'$path'", `'/it's "so"?'`},
		{`"$empty".nginx_site`, `"".nginx_site`},
		{"=~ /^$status/", "=~ /^404/"},
		{"r / $__interval_ms\nWHERE a =~ /b/ GROUP BY time($__interval)", "r / 15000\nWHERE a =~ /b/ GROUP BY time(15s)"},
		{"r / $__interval_ms WHERE a =~ /b/ GROUP BY time($__interval)", `r / \15000 WHERE a =~ /b/ GROUP BY time(\15s)`},
		{"(WHERE a =~ /b/ GROUP BY time($__interval)) WHERE c =~ /d/", `(WHERE a =~ /b/ GROUP BY time(\15s)) WHERE c =~ /d/`},
		{"'${path:percentencode}'", `'%2Fit%27s%20%22so%22%3F'`},
		{"${path:sqlstring}", `'/it''s "so"?'`},
	} {
		if got, err := e.expand(tt.give, 15*time.Second); err != nil || got != tt.want {
			t.Errorf("%s: %s, %v, want %s", tt.give, got, err, tt.want)
		}
	}
	for _, unknown := range []string{"$nothing", "${__interval_ms}", "${host:glob}"} {
		if got, err := e.expand(unknown, time.Second); err == nil {
			t.Errorf("%s became %s", unknown, got)
		}
	}
}
