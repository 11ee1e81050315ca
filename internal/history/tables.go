package history

import (
	"cmp"
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tailflux/tailflux/internal/live"
	"github.com/tailflux/tailflux/internal/query"
)

const (
	tableRows = 20 // of a table at most
	slowNeeds = 10 // requests of a path, to be one of the slowest

	// Percentiles of one path over a month take InfluxDB 0.1 s.
	percentilesUpTo = 26 * time.Hour
)

// tableTags are those that tables are by.
var tableTags = [][]string{{"path"}, {"host", "source"}, {"status"}}

// tally adds rows up to one of a table.
type tally struct {
	Row
	seconds live.Number // of all requests together
}

// fold makes the rows of a table: what name says is a row's, and what class says is the status
// of one, or its class. The values are requests, and if there are more, seconds and bytes.
func fold(rows []query.Row, name, class func(tags []string) string) []tally {
	at := map[string]int{}
	var all []tally
	for _, row := range rows {
		if row.Values[0] == nil || *row.Values[0] == 0 {
			continue
		}
		is := name(row.Tags)
		i, known := at[is]
		if !known {
			i = len(all)
			at[is] = i
			all = append(all, tally{Row: Row{Name: is, Mean: live.None(), P95: live.None()}, seconds: live.None()})
		}
		t, n := &all[i], int64(*row.Values[0])
		t.Requests += n
		switch classOf(class(row.Tags)) {
		case "4xx":
			t.ClientErrors += n
		case "5xx":
			t.ServerErrors += n
		}
		if len(row.Values) > 1 {
			t.seconds = sum(t.seconds, number(row.Values[1]))
		}
		if len(row.Values) > 2 {
			if bytes := sent(row.Values[2:]); !isNone(bytes) {
				t.Bytes += int64(bytes)
			}
		}
		t.Mean = t.seconds / live.Number(t.Requests)
	}
	return all
}

// sum is of two numbers of which any may be missing.
func sum(a, b live.Number) live.Number {
	switch {
	case isNone(a):
		return b
	case isNone(b):
		return a
	}
	return a + b
}

func isNone(n live.Number) bool { return n != n } //nolint:gocritic // NaN is not itself

// first are the rows with the most of something; rows with 0 are left out.
func first(all []tally, of func(*tally) float64) []Row {
	some := slices.DeleteFunc(slices.Clone(all), func(t tally) bool { return !(of(&t) > 0) })
	slices.SortFunc(some, func(a, b tally) int {
		return cmp.Or(cmp.Compare(of(&b), of(&a)), strings.Compare(a.Name, b.Name))
	})
	rows := []Row{}
	for _, t := range some[:min(tableRows, len(some))] {
		rows = append(rows, t.Row)
	}
	return rows
}

func byRequests(t *tally) float64 { return float64(t.Requests) }

func byErrors(t *tally) float64 { return float64(t.ServerErrors) }

// byMean is the mean time, if requests are enough. Of a log without times there is none.
func byMean(t *tally) float64 {
	if t.Requests < slowNeeds {
		return 0
	}
	return float64(t.Mean)
}

func firstTag(tags []string) string { return tags[0] }

func lastTag(tags []string) string { return tags[len(tags)-1] }

func noClass([]string) string { return "" }

// addErrors gives rows the errors of those with their names.
func addErrors(all, errs []tally) {
	of := map[string]*tally{}
	for i := range errs {
		of[errs[i].Name] = &errs[i]
	}
	for i := range all {
		if t := of[all[i].Name]; t != nil {
			all[i].ClientErrors, all[i].ServerErrors = t.ClientErrors, t.ServerErrors
		}
	}
}

// paths are the tables of paths. Bytes and percentiles are asked for those alone that are
// shown, which costs a fraction of it; and classes where they are errors, which few of the
// points are: to group a month by path and class takes InfluxDB twice as long as by path.
func (a *asking) paths(ctx context.Context) error {
	classed, err := a.byClass(a.question("requests", "path"))
	if err != nil {
		return err
	}
	class := query.Condition{Tag: classed.By[len(classed.By)-1], Match: true, Text: "^[45]"}
	classed.Where = append(classed.Where, class)
	every := a.question("requests sum", "path")
	every.Rollup = classed.Rollup
	var rows, errs []query.Row
	g, both := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		rows, err = a.rows(both, partPaths, every)
		return err
	})
	g.Go(func() (err error) {
		errs, err = a.rows(both, partPaths, classed)
		return err
	})
	if err := g.Wait(); err != nil {
		return err
	}
	all := fold(rows, firstTag, noClass)
	addErrors(all, fold(errs, firstTag, lastTag))
	tables := map[string][]Row{partPaths: first(all, byRequests), partFailing: first(all, byErrors), partSlowest: first(all, byMean)}
	if err := a.details(ctx, slices.Collect(maps.Values(tables))); err != nil {
		return err
	}
	for part, rows := range tables {
		a.table(part, rows)
	}
	return nil
}

// details fills in what else is shown of paths.
func (a *asking) details(ctx context.Context, tables [][]Row) error {
	var quoted []string
	for _, table := range tables {
		for _, row := range table {
			quoted = append(quoted, regexp.QuoteMeta(row.Name))
		}
	}
	if len(quoted) == 0 {
		return nil
	}
	slices.Sort(quoted)
	these := query.Condition{Tag: "path", Match: true, Text: "^(?:" + strings.Join(slices.Compact(quoted), "|") + ")$"}
	q := a.question(sizes, "path")
	q.Where = append(q.Where, these)
	rows, err := a.rows(ctx, partPaths, q)
	if err != nil {
		return err
	}
	if isMixed(rows, 0) {
		err = a.byLog(ctx, partPaths, q, func(row query.Row, _ place, bytes live.Number) {
			fillIn([]query.Row{row}, tables, func(r *Row, _ []*float64) { r.Bytes += int64(bytes) })
		})
		if err != nil {
			return err
		}
	} else {
		fillIn(rows, tables, func(r *Row, values []*float64) {
			if bytes := sent(values); !isNone(bytes) {
				r.Bytes = int64(bytes)
			}
		})
	}
	if a.to.Sub(a.from) > percentilesUpTo && !a.Path.Set {
		return nil
	}
	return a.percentiles(ctx, partPaths, "path", these, tables...)
}

// fillIn hands out the values of each row to those of tables with its name.
func fillIn(rows []query.Row, tables [][]Row, in func(*Row, []*float64)) {
	for _, row := range rows {
		for _, table := range tables {
			for i := range table {
				if table[i].Name == row.Tags[0] {
					in(&table[i], row.Values)
				}
			}
		}
	}
}

// percentiles fills in those of rows, which have values of the tag as their names.
func (a *asking) percentiles(ctx context.Context, part, tag string, of query.Condition, tables ...[]Row) error {
	q := a.question("p95", tag)
	if of.Tag != "" {
		q.Where = append(q.Where, of)
	}
	rows, err := a.rows(ctx, part, q)
	if err != nil {
		return err
	}
	fillIn(rows, tables, func(r *Row, values []*float64) { r.P95 = number(values[0]) })
	return nil
}

// places are the tables of hosts and sources.
func (a *asking) places(ctx context.Context) error {
	classed, err := a.byClass(a.question("requests sum "+sizes, "host", "source"))
	if err != nil {
		return err
	}
	rows, err := a.rows(ctx, partHosts, classed)
	if err != nil {
		return err
	}
	for i, part := range []string{partHosts, partSources} {
		table := first(fold(rows, func(tags []string) string { return tags[i] }, lastTag), byRequests)
		if len(table) > 1 { // the times of one are those of all
			if err := a.percentiles(ctx, part, []string{"host", "source"}[i], query.Condition{}, table); err != nil {
				return err
			}
		}
		a.table(part, table)
	}
	return nil
}

// statuses is a table of requests alone.
func (a *asking) statuses(ctx context.Context) error {
	rows, err := a.rows(ctx, partStatuses, a.question("requests", "status"))
	if err == nil {
		a.table(partStatuses, first(fold(rows, firstTag, lastTag), byRequests))
	}
	return err
}

func (a *asking) table(part string, rows []Row) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer.Tables[part] = rows
}
