package main

import (
	"fmt"
	"strings"

	asking "github.com/tailflux/tailflux/internal/query"
)

// rolled is a rollup that may answer. Which one does is told by conditions of constants,
// which Grafana fills in: InfluxDB reads nothing where they do not hold.
type rolled struct {
	name    string
	seconds int // of a window
	when    string
	class   func(digit string) string // the condition of a class of statuses
}

func byStatus(digit string) string { return fmt.Sprintf(`"status" =~ /^%s/`, digit) }

func byClass(digit string) string { return fmt.Sprintf(`"status_class" = '%sxx'`, digit) }

// Ranges of more than twelve hours are of long windows. A chosen path is in one rollup only,
// and so is a method.
// With at most 144 points, $__interval has whole windows of 5 minutes then.
const (
	longest   = "43200000"
	maxPoints = 144
)

// isAll tells of a variable whether all is chosen. Whether Grafana encodes what stands for
// that, too, depends on its version.
func isAll(name string) string {
	is := "'${" + name + ":percentencode}' = "
	return "(" + is + "'.*' OR " + is + "'.%2A' OR " + is + "'%24__all')"
}

func isChosen(name string) string {
	is := "'${" + name + ":percentencode}' != "
	return "(" + is + "'.*' AND " + is + "'.%2A' AND " + is + "'%24__all')"
}

var (
	ofSite   = rolled{site, 10, isAll("path") + "\nAND (" + isChosen("method") + " OR ${__to} - ${__from} <= " + longest + ")\nAND " + ofMethods + "\nAND " + ofStatuses, byStatus}
	ofSite5m = rolled{site5m, 300, isAll("path") + "\nAND " + isAll("method") + " AND ${__to} - ${__from} > " + longest + "\nAND " + ofClasses, byClass}
	ofPath   = rolled{paths, 60, isChosen("path") + "\nAND " + isAll("method") + "\nAND \"path\" =~ /^$path$/\nAND " + ofClasses, byClass}

	anyRolled = []rolled{ofSite, ofSite5m, ofPath}
)

// shift is how many days before the range somebody looks.
type shift int

func (s shift) text() string {
	if s == 0 {
		return ""
	}
	return fmt.Sprintf(" - %dd", s)
}

// filter is that of the range.
func (s shift) filter() string {
	if s == 0 {
		return "$timeFilter"
	}
	return fmt.Sprintf("time >= ${__from}ms%s AND time <= ${__to}ms%s", s.text(), s.text())
}

// windows are those that begin in the range, and that are in InfluxDB, as they are some
// seconds after their end. So there is no window that is empty because it is not there yet.
func (s shift) windows(seconds int) string {
	length := 1000 * seconds
	up := fmt.Sprintf("(${__from} - %d + %d)", int(s)*86_400_000, length-1)
	return fmt.Sprintf("time >= (%s - %s %% %d) * 1000000\nAND time < ${__to}ms%s\nAND time < now() - %ds", up, up, length, s.text(), seconds+5)
}

// part is a subquery of one rollup. Grafana takes what is between two slashes of a line for a
// regular expression and escapes variables there, so those have lines of their own.
func (r rolled) part(s shift, selected, condition, by string) string {
	if condition != "" {
		condition = "\nAND " + condition
	}
	if by != "" {
		by = "\nGROUP BY " + by
	}
	return fmt.Sprintf("(SELECT %s\nFROM %s\nWHERE %s\nAND %s\nAND %s%s%s)", selected, in(r.name), s.windows(r.seconds), r.when, ofHosts, condition, by)
}

// amount is something that is counted in a second.
type amount struct {
	name, field string
	digit       string // of a class of statuses; "" is all
}

const byInterval = "time($__interval)"

// rates are amounts in a second: what windows have in a bucket, divided by their number and
// length. So it is exact however much of the first and the last bucket is in the range.
// There is no value where there was no request, and 0 of a class where there were others.
//
// InfluxDB answers the subqueries anew for each sum that asks for a column of theirs, all
// columns each time. So each has one, and there is one query around them. The first one has
// all columns and no row: what it has not, InfluxDB does not look for in the others.
func rates(s shift, amounts ...amount) string {
	columns := []string{`sum("requests") * 1.0 AS "windows"`}
	var divided, parts []string
	for i, a := range amounts {
		columns = append(columns, fmt.Sprintf(`sum("requests") * 1.0 AS "a%d"`, i))
		divided = append(divided, fmt.Sprintf(`sum("a%d") / sum("windows") AS %q`, i, a.name))
	}
	parts = append(parts, fmt.Sprintf("(SELECT %s FROM %s WHERE 1 = 0)", strings.Join(columns, ", "), in(site)))
	for _, r := range anyRolled {
		parts = append(parts, r.part(s, `sum("requests") * 0.0 + 1.0 AS "windows"`, "", fmt.Sprintf("time(%ds) fill(0)", r.seconds)))
		for i, a := range amounts {
			one, condition := fmt.Sprintf(`sum(%q) / %d.0 AS "a%d"`, a.field, r.seconds, i), ""
			if a.digit != "" {
				parts = append(parts, r.part(s, fmt.Sprintf(`sum("requests") * 0.0 AS "a%d"`, i), "", byInterval+" fill(none)"))
				condition = r.class(a.digit)
			}
			parts = append(parts, r.part(s, one, condition, byInterval+" fill(none)"))
		}
	}
	return fmt.Sprintf("SELECT %s FROM\n%s\nWHERE %s\nGROUP BY %s", strings.Join(divided, ", "), strings.Join(parts, ",\n"), s.filter(), byInterval)
}

// shareOf is the share of a class of statuses in all requests of the range.
func shareOf(digit string) string {
	var parts []string
	for _, r := range anyRolled {
		parts = append(parts, r.part(0, `sum("requests") * 1.0 AS "n", sum("requests") * 0.0 AS "e"`, "", ""), r.part(0, `sum("requests") * 1.0 AS "e"`, r.class(digit), ""))
	}
	return fmt.Sprintf("SELECT sum(\"e\") / sum(\"n\") AS \"share\" FROM\n%s\nWHERE $timeFilter", strings.Join(parts, ",\n"))
}

// percentiles are of request times, by $__interval or of the whole range.
func percentiles(field, by string, names ...string) string {
	var measures []asking.Measure
	for _, name := range names {
		m, err := asking.ParseMeasure(name)
		if err != nil {
			panic(err)
		}
		measures = append(measures, m)
	}
	from := func(sums string) string {
		var parts []string
		for _, r := range anyRolled {
			parts = append(parts, r.part(0, sums, "", by+" fill(0)"))
		}
		return strings.Join(parts, ",\n") + "\n"
	}
	statement := asking.OfBuckets(field, measures, from, "", "$timeFilter")
	if by != byInterval {
		return statement
	}
	// An open row for each bucket without one, so that no line is drawn over it. What stands
	// beside a selector comes with it; each further function would ask all of it once more.
	shown := []string{fmt.Sprintf("first(%q) AS %q", names[0], names[0])}
	for _, name := range names[1:] {
		shown = append(shown, fmt.Sprintf("%q", name))
	}
	return fmt.Sprintf("SELECT %s FROM (\n%s)\nWHERE $timeFilter\nGROUP BY %s", strings.Join(shown, ", "), statement, byInterval)
}
