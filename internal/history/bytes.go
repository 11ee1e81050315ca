package history

import (
	"context"
	"slices"

	"github.com/tailflux/tailflux/internal/live"
	"github.com/tailflux/tailflux/internal/query"
)

// sizes are the measures of which sent makes one: a log has one of them, or both.
const sizes = "bytes_sent body_bytes_sent"

// sent is how much a log has sent: with headers if it says that, else without. So it is the
// greater sum.
func sent(values []*float64) live.Number {
	most := number(values[0])
	if body := number(values[1]); isNone(most) || body > most {
		most = body
	}
	return most
}

// place is who writes a log.
type place struct{ host, source string }

// isMixed reports whether rows have both sizes, from a place on in their values: they may be
// of logs that have one and of logs that have the other. Then sent would be that of the
// greater part of them alone, and each log must be asked about.
func isMixed(rows []query.Row, from int) bool {
	has := func(size int) bool {
		return slices.ContainsFunc(rows, func(r query.Row) bool { return number(r.Values[from+size]) > 0 })
	}
	return has(0) && has(1)
}

// byLog asks for the sizes of each log, and hands out what each row of it sent.
func (a *asking) byLog(ctx context.Context, part string, q query.Question, each func(query.Row, place, live.Number)) error {
	q.Measures = a.question(sizes).Measures
	q.By = append(slices.Clone(q.By), "host", "source")
	rows, err := a.rows(ctx, part, q)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if bytes := sent(row.Values); !isNone(bytes) {
			n := len(row.Tags)
			each(row, place{row.Tags[n-2], row.Tags[n-1]}, bytes)
		}
	}
	return nil
}

// bytesByLog are those of a course, added up of what each log sent in each bucket, and what
// each sent in all.
func (a *asking) bytesByLog(ctx context.Context, part string, q query.Question, s *Series, total *live.Total) (map[place]int64, error) {
	for i := range s.Bytes {
		s.Bytes[i] = live.None()
	}
	total.Bytes = 0
	all := map[place]int64{}
	return all, a.byLog(ctx, part, q, func(row query.Row, of place, bytes live.Number) {
		if i := int(row.From.Sub(q.From) / a.every); i >= 0 && i < len(s.Time) {
			s.Bytes[i] = sum(s.Bytes[i], bytes)
			total.Bytes += int64(bytes)
			all[of] += int64(bytes)
		}
	})
}

// agree gives hosts and sources the bytes that the total is the sum of, where logs are mixed.
func (a *asking) agree() {
	if a.logs == nil {
		return
	}
	for part, name := range map[string]func(place) string{
		partHosts:   func(p place) string { return p.host },
		partSources: func(p place) string { return p.source },
	} {
		table := a.answer.Tables[part]
		for i := range table {
			table[i].Bytes = 0
			for of, bytes := range a.logs {
				if name(of) == table[i].Name {
					table[i].Bytes += bytes
				}
			}
		}
	}
}
