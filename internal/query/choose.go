package query

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/rollup"
)

// fewest is how many windows a range has at least, so that it is not much widened by being
// made of whole ones.
const fewest = 24

// always are tags of every point.
var always = []string{"host", "source"}

// values is about how many values a tag has; others have many.
var values = map[string]int64{"method": 5, "scheme": 2, statusTag: 20, classTag: 5}

const many = 300

// points is about how many points a rollup has of a range.
func points(d rollup.Definition, of time.Duration) int64 {
	n := int64(of/d.Interval) + 1
	for _, tag := range d.Tags {
		n *= cmp.Or(values[tag], many)
	}
	return n
}

// choose returns the rollup that answers a question. It has the tags that are asked for,
// and a whole number of its windows are a row's. Of those, it is
//
//   - the one with the fewest points to read, as far as its windows and tags tell, if the
//     range has at least 24 windows of it;
//   - else, the range being short, the one with the shortest windows.
func choose(q Question, all []rollup.Definition) (rollup.Definition, error) {
	if len(all) == 0 {
		return rollup.Definition{}, errors.New("no rollups are configured (rollups: []); --rollups=default are those that tailflux has by itself")
	}
	var with, fit []rollup.Definition
	for _, d := range all {
		if q.Rollup != "" && q.Rollup != d.Measurement {
			continue
		}
		if len(lacking(q, d)) == 0 {
			with = append(with, d)
			if q.Every%d.Interval == 0 {
				fit = append(fit, d)
			}
		}
	}
	switch {
	case len(with) == 0:
		return rollup.Definition{}, noRollup(q, all)
	case len(fit) == 0:
		finest := slices.MinFunc(with, func(a, b rollup.Definition) int { return cmp.Compare(a.Interval, b.Interval) })
		return rollup.Definition{}, fmt.Errorf("a row for each %s: want whole windows of %s, which are %s long",
			q.Every, finest.Measurement, finest.Interval)
	}
	span := q.To.Sub(q.From)
	long := slices.DeleteFunc(slices.Clone(fit), func(d rollup.Definition) bool { return span < fewest*d.Interval })
	if len(long) > 0 {
		return slices.MinFunc(long, func(a, b rollup.Definition) int { return cmp.Compare(points(a, span), points(b, span)) }), nil
	}
	return slices.MinFunc(fit, func(a, b rollup.Definition) int {
		return cmp.Or(cmp.Compare(a.Interval, b.Interval), cmp.Compare(points(a, span), points(b, span)))
	}), nil
}

// lacking are tags that a question is about and a rollup has not.
func lacking(q Question, d rollup.Definition) (tags []string) {
	has := slices.Concat(always, d.Tags)
	lacks := func(tag string) {
		if !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	for _, tag := range q.By {
		if !slices.Contains(has, tag) {
			lacks(tag)
		}
	}
	for _, c := range q.Where {
		if _, ok := c.in(has); !ok {
			lacks(c.Tag)
		}
	}
	for _, m := range q.Measures {
		if m.kind == share {
			if _, ok := serverErrors.in(has); !ok {
				lacks(classTag)
			}
		}
	}
	return tags
}

// noRollup says what there is, and what to do.
func noRollup(q Question, all []rollup.Definition) error {
	want := lacking(q, rollup.Definition{})
	if err := noTag(want); err != nil {
		return err
	}
	var are []string
	for _, d := range all {
		if d.Measurement == q.Rollup {
			return fmt.Errorf("%s has no tag %s: %s", d.Measurement, strings.Join(lacking(q, d), ", "), described(d))
		}
		are = append(are, described(d))
	}
	there := strings.Join(are, "; ")
	if q.Rollup != "" {
		return fmt.Errorf("there is no rollup %q; there are %s", q.Rollup, there)
	}
	return fmt.Errorf("no rollup has the tags %s together; there are %s; all of them have %s. A rollup that has them can be added to the configuration, "+
		"and counts what comes from then on: rollups: [{measurement: nginx_by_%s, interval: 1h, tags: [%s]}, …]",
		strings.Join(want, ", "), there, strings.Join(always, " and "), strings.Join(want, "_"), strings.Join(want, ", "))
}

// noTag says of the first of some names that no rollup can have it as a tag; nil if one can
// have all of them.
func noTag(names []string) error {
	for _, name := range names {
		switch {
		case name == "time":
			return errors.New("time is no tag: --every 1h has a row for each hour, and --from and --to say of which time")
		case !config.IsTag(name):
			return fmt.Errorf("%q can be no tag of a rollup: want the name of a variable (a-z, 0-9 and _), such as path", name)
		}
	}
	return nil
}

func described(d rollup.Definition) string {
	return fmt.Sprintf("%s (%s; %s)", d.Measurement, short(d.Interval), strings.Join(d.Tags, ", "))
}

// short is a duration without what is 0 of it.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}
