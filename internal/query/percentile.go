package query

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tailflux/tailflux/internal/rollup"
)

// A percentile is worked out in four steps, each a query of the one before. With the
// buckets' numbers n_i, T of all, c_i before bucket i, w_i the whole milliseconds that
// bucket i can hold, and x_i = (q·T − c_i) / (n_i + 0.001):
//
//	sums      n_i, the longest time, the sum of times: fill(0), so that no n_i is null
//	totals    T and c_i; a row stays only if T > 0
//	walk      ⌈ Σ w_i · clamp(x_i) ⌉ − 1, where clamp(x) = (|x| − |x−1| + 1) / 2
//	bound     not more than the longest time
//
// clamp is x between 0 and 1: all milliseconds of the buckets below are passed, and of the
// one with the percentile as large a part as its times below the percentile are. Times are
// whole milliseconds, so walking and counting whole ones names a value that can be, and
// the value itself where a bucket can hold but one. The last bucket ends at the longest
// time.
//
// The small number keeps from dividing by 0. The other one, 0.005, makes up for rounding:
// where n_i is 0, x_i can be a thousand times T, and a sum of such quotients can come out a
// little too large.

// bucket is one of a time that can hold whole milliseconds.
type bucket struct {
	n     string // what its number is called
	c     string // those before it together; "" is 0
	width string // how many whole milliseconds it can hold
	field string
}

// bucketsOf are those of a time: the narrowest of the scale hold no whole millisecond.
func bucketsOf(time string) (all []bucket) {
	last := int64(-1)
	for i := range rollup.Buckets {
		b := bucket{n: "n" + strconv.Itoa(i), field: rollup.BucketField(time, i)}
		if i > 0 {
			b.c = "c" + strconv.Itoa(i)
		}
		switch ms := rollup.Upper(i) / 1000; {
		case i == rollup.Buckets-1:
			b.width = fmt.Sprintf("(m-%d)", last)
		case ms == last:
			continue
		default:
			b.width = strconv.FormatInt(ms-last, 10)
			last = ms
		}
		all = append(all, b)
	}
	return all
}

// ofBuckets is the statement for measures of one time that need its buckets.
func (p *Plan) ofBuckets(time string, measures []Measure) string {
	from := func(sums string) string {
		return fmt.Sprintf("(SELECT %s FROM %s WHERE %s GROUP BY %s fill(0))", sums, p.measurement(), p.where(), p.groupByTime())
	}
	// Which shards are looked at is for the outermost to say.
	return OfBuckets(time, measures, from, p.groupBy(), p.whereTime()+p.groupBy())
}

// bucketSums is the statement for what measures of one time are worked out from, with the names
// of fields.
func (p *Plan) bucketSums(time string) string {
	var sums []string
	for i := range rollup.Buckets {
		name := quoteName(rollup.BucketField(time, i))
		sums = append(sums, fmt.Sprintf("sum(%s) AS %s", name, name))
	}
	longest, all := quoteName(time+longestSuffix), quoteName(time+sumSuffix)
	sums = append(sums, fmt.Sprintf("max(%s) AS %s", longest, longest), fmt.Sprintf("sum(%s) AS %s", all, all))
	return fmt.Sprintf("SELECT %s FROM %s WHERE %s%s", strings.Join(sums, ", "), p.measurement(), p.where(), p.grouped())
}

// ofSums works measures of times out that were asked for as [Plan.bucketSums].
func (p *Plan) ofSums(named map[string]float64) {
	for _, m := range p.Measures {
		if !m.isOfBuckets() {
			continue
		}
		var numbers [rollup.Buckets]int64
		total := 0.0
		for i := range numbers {
			n := named[rollup.BucketField(m.field, i)]
			numbers[i] = int64(n)
			total += n
		}
		if total == 0 {
			continue
		}
		if m.kind == mean {
			named[m.Name] = named[m.field+sumSuffix] / total / 1000
			continue
		}
		var ms [1]float64
		rollup.Percentiles(&numbers, int64(named[m.field+longestSuffix]), []float64{m.quantile}, ms[:])
		named[m.Name] = ms[0] / 1000
	}
}

// What fields of times end with.
const (
	sumSuffix     = "_ms"
	longestSuffix = "_ms_max"
)

// OfBuckets is the statement for percentiles and means of one time. Its innermost part is
// made by from, of what is to be selected there: (SELECT sums FROM … GROUP BY time(…) fill(0)),
// or several such with commas. Between it and the outermost part rows are grouped as in by,
// such as ` GROUP BY "host"`; outermost is what follows the last WHERE.
func OfBuckets(time string, measures []Measure, from func(sums string) string, by, outermost string) string {
	buckets := bucketsOf(time)
	var sums, numbers, before, ns []string
	for _, b := range buckets {
		sums = append(sums, fmt.Sprintf("sum(%s) AS %s", quoteName(b.field), b.n))
		if b.c != "" {
			before = append(before, strings.Join(ns, "+")+" AS "+b.c)
		}
		ns = append(ns, b.n)
	}
	numbers = append(numbers, ns...)
	sums = append(sums, fmt.Sprintf("max(%s) AS m", quoteName(time+longestSuffix)), fmt.Sprintf("sum(%s) AS s", quoteName(time+sumSuffix)))
	numbers = append(append(numbers, before...), strings.Join(ns, "+")+" AS t", "m", "s")

	walked, bound := []string{"m", "s", "t"}, []string{}
	for i, m := range measures {
		if m.kind == mean {
			bound = append(bound, "s/t/1000 AS "+quoteName(m.Name))
			continue
		}
		at := "p" + strconv.Itoa(i)
		walked = append(walked, walk(buckets, m.quantile)+" AS "+at)
		bound = append(bound, fmt.Sprintf("(%s+m-abs(%s-m))/2000 AS %s", at, at, quoteName(m.Name)))
	}
	statement := fmt.Sprintf("SELECT %s FROM %s%s", strings.Join(numbers, ", "), from(strings.Join(sums, ", ")), by)
	statement = fmt.Sprintf("SELECT %s FROM (%s) WHERE t > 0%s", strings.Join(walked, ", "), statement, by)
	return fmt.Sprintf("SELECT %s FROM (%s) WHERE %s", strings.Join(bound, ", "), statement, outermost)
}

// walk is the quantile in milliseconds.
func walk(buckets []bucket, quantile float64) string {
	q := strconv.FormatFloat(quantile, 'f', -1, 64)
	var sum []string
	for _, b := range buckets {
		rest := q + "*t"
		if b.c != "" {
			rest += "-" + b.c
		}
		x := fmt.Sprintf("(%s)/(%s+0.001)", rest, b.n)
		sum = append(sum, fmt.Sprintf("%s*(abs(%s)-abs(%s-1)+1)/2", b.width, x, x))
	}
	return "ceil(" + strings.Join(sum, "+") + "-0.005)-1"
}
