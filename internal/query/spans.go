package query

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/influx"
)

// Spans asks which time was observed, of what tailflux writes about itself: a point says
// that all lines of a source are stored between its observed_from and its own time.
type Spans struct {
	Policy, Measurement string // where those points are
	From, To            time.Time
	Every               time.Duration // of which From and To are multiples
	Where               []Condition   // on host and source
}

// Observed is what was observed of one source.
type Observed struct {
	Host, Source string
	Share        []float64 // of each Every from From on, from 0 to 1
	First, Last  time.Time // ends of its first and its last span, whatever time is asked about
}

// Statements ask for them: for the time that is asked about, and for the first and the last
// point of each source. What was observed up to the end may be told by a point that is later.
func (s Spans) Statements() (all [3]string, err error) {
	measurement := quoteName(s.Measurement)
	if s.Policy != "" {
		measurement = quoteName(s.Policy) + "." + measurement
	}
	var conditions strings.Builder
	for _, c := range s.Where {
		text, err := c.influxQL()
		if err != nil {
			return all, err
		}
		conditions.WriteString(" AND " + text)
	}
	where := conditions.String()
	all[0] = fmt.Sprintf(`SELECT sum("observed_seconds") AS "seconds", min("observed_from") AS "first" FROM %s WHERE time > '%s' AND time < '%s'%s GROUP BY time(%ds), "host", "source" fill(none)`,
		measurement, s.From.UTC().Format(time.RFC3339), s.To.Add(s.Every).UTC().Format(time.RFC3339), where, s.Every/time.Second)
	for i, function := range []string{"first", "last"} { // of each shard InfluxDB reads one point for them
		all[i+1] = fmt.Sprintf(`SELECT %s("observed_seconds") AS "seconds" FROM %s WHERE time > 0%s GROUP BY "host", "source"`,
			function, measurement, where)
	}
	return all, nil
}

// Read reads the answers. Sources that were seen at another time only have the share 0. Spans of a
// source do not overlap, so in each Every the time that was observed is the sum of spans that end
// there; what of it lies before the first of them began in an earlier one, and is of that.
func (s Spans) Read(answers [3][]influx.Table) ([]Observed, error) {
	n := int((s.To.Sub(s.From) + s.Every - 1) / s.Every)
	of := map[[2]string]*Observed{}
	for i, tables := range answers {
		for _, table := range tables {
			key := [2]string{table.Tags["source"], table.Tags["host"]}
			o := of[key]
			if o == nil {
				o = &Observed{Source: key[0], Host: key[1], Share: make([]float64, n)}
				of[key] = o
			}
			for _, values := range table.Values {
				at, named, err := numbers(table.Columns, values)
				if err != nil {
					return nil, err
				}
				switch i {
				case 0:
					s.add(o.Share, at, named)
				case 1:
					o.First = time.Unix(at, 0)
				case 2:
					o.Last = time.Unix(at, 0)
				}
			}
		}
	}
	all := make([]Observed, 0, len(of))
	for _, o := range of {
		for i := range o.Share {
			begin := s.From.Add(time.Duration(i) * s.Every)
			o.Share[i] = min(1, o.Share[i]/min(s.Every, s.To.Sub(begin)).Seconds())
		}
		all = append(all, *o)
	}
	slices.SortFunc(all, func(a, b Observed) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.Host, b.Host))
	})
	return all, nil
}

// add adds the seconds of spans that end in the window that begins at the time at.
func (s Spans) add(seconds []float64, at int64, named map[string]float64) {
	every := s.Every.Seconds()
	here := float64(at - s.From.Unix()) // of the window's begin
	first := math.Min(named["first"]/1e9-float64(s.From.Unix()), here+every)
	left := named["seconds"]
	if before := here - first; before > 0 {
		left -= before
		for i := range seconds {
			begin := float64(i) * every
			seconds[i] += math.Max(0, math.Min(begin+every, here)-math.Max(begin, first))
		}
	}
	if i := int(here / every); here >= 0 && i < len(seconds) {
		seconds[i] += math.Max(0, left)
	}
}
