package query

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
)

// Question is what is asked of rollups.
type Question struct {
	Measures []Measure // at least one; rows are in the order of the first
	From, To time.Time // widened to whole windows, of which the last ended before Now
	Now      time.Time
	Every    time.Duration // a row for each; 0: one for the whole range
	By       []string      // tags: a row for each of their values
	Where    []Condition   // lines count that fit all
	Top      int           // rows at most; 0: all
	Rollup   string        // measurement of the one to ask; "": the one that suits

	// Percentiles and means of times are worked out by Rows, from what is in the buckets. To
	// work them out itself takes InfluxDB three times as long, and 0.2 s where there is nothing.
	Sums bool
}

// Measure is something that can be asked.
type Measure struct {
	Name string

	kind     kind
	field    string  // of a size: its name; of a time: the beginning of its fields' names
	quantile float64 // of a percentile
}

type kind int

const (
	count   kind = iota // lines
	rate                // lines in a second
	share               // of lines that are errors of the server
	size                // bytes
	longest             // time in seconds, as those below
	total
	mean
	percentile
)

// upstreamPrefix is before the names of measures of the time that upstream servers took.
const upstreamPrefix = "upstream_"

// Measures names what can be asked, for messages.
func Measures() string {
	return "requests, rate, errors, " + strings.Join(accesslog.Sizes[:], ", ") + ", sum, mean, max, p50, p90, p95, p99 (any from p1 to p99.99), and of the upstream " +
		upstreamPrefix + "sum, " + upstreamPrefix + "mean, " + upstreamPrefix + "max, " + upstreamPrefix + "p95"
}

// ParseMeasure reads the name of a measure.
func ParseMeasure(name string) (Measure, error) {
	m := Measure{Name: name, field: accesslog.Times[0]}
	of := name
	switch {
	case name == "requests":
		m.kind = count
		return m, nil
	case name == "rate":
		m.kind = rate
		return m, nil
	case name == "errors":
		m.kind = share
		return m, nil
	case slices.Contains(accesslog.Sizes[:], name):
		m.kind, m.field = size, name
		return m, nil
	case strings.HasPrefix(name, upstreamPrefix):
		m.field, of = accesslog.Times[1], name[len(upstreamPrefix):]
	}
	switch digits, isPercentile := strings.CutPrefix(of, "p"); {
	case of == "mean":
		m.kind = mean
		return m, nil
	case of == "sum":
		m.kind = total
		return m, nil
	case of == "max":
		m.kind = longest
		return m, nil
	case isPercentile && strings.Trim(digits, "0123456789.") == "":
		if p, err := strconv.ParseFloat(digits, 64); err == nil && p >= 1 && p <= 99.99 {
			m.kind, m.quantile = percentile, p/100
			return m, nil
		}
	}
	return m, fmt.Errorf("nothing is called %q; want some of %s", name, Measures())
}

// isOfBuckets reports whether the measure is worked out from the buckets of a time.
func (m Measure) isOfBuckets() bool { return m.kind == mean || m.kind == percentile }
