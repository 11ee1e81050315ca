package history

import (
	"context"
	"time"

	"github.com/tailflux/tailflux/internal/live"
)

// classes are the keys of Series.Classes, as live has them.
var classes = []string{"1xx", "2xx", "3xx", "4xx", "5xx", "other"}

// newSeries has the buckets of the span, and nothing in them.
func (a *asking) newSeries(earlier time.Duration) Series {
	n := int((a.to.Sub(a.from) + a.every - 1) / a.every)
	s := Series{Slots: live.Slots{Step: int64(a.every / time.Second), Classes: map[string][]int64{}}}
	for i := range n {
		begin := a.from.Add(time.Duration(i) * a.every)
		s.Time = append(s.Time, begin.Add(-earlier).Unix())
		s.Seconds = append(s.Seconds, int64(min(a.every, a.to.Sub(begin))/time.Second))
	}
	for _, column := range []*[]live.Number{&s.Requests, &s.Bytes, &s.P50, &s.P95, &s.P99, &s.Errors, &s.Observed} {
		*column = make([]live.Number, n)
		for i := range *column {
			(*column)[i] = live.None()
		}
	}
	return s
}

// course asks what there was in each bucket, and in all of them together.
func (a *asking) course(ctx context.Context, part string, earlier time.Duration, s *Series, total *live.Total) error {
	ask := a.question("requests " + sizes)
	ask.From, ask.To, ask.Every = a.from.Add(-earlier), a.to.Add(-earlier), a.every
	q, err := a.byClass(ask)
	classed := err == nil
	if !classed {
		a.lacks("classes", err)
		q = ask
	}
	rows, err := a.rows(ctx, part, q)
	if err != nil {
		return err
	}
	if classed {
		for _, name := range classes {
			s.Classes[name] = make([]int64, len(s.Time))
		}
	}
	for _, row := range rows {
		i := int(row.From.Sub(ask.From) / a.every)
		if row.Values[0] == nil || *row.Values[0] == 0 || i < 0 || i >= len(s.Time) {
			continue
		}
		n, bytes := number(row.Values[0]), sent(row.Values[1:])
		s.Requests[i] = sum(s.Requests[i], n)
		s.Bytes[i] = sum(s.Bytes[i], bytes)
		total.Requests += int64(n)
		if !isNone(bytes) {
			total.Bytes += int64(bytes)
		}
		if classed {
			count(total, s, i, classOf(row.Tags[0]), int64(n))
		}
	}
	if isMixed(rows, 1) {
		ask.Rollup = q.Rollup
		logs, err := a.bytesByLog(ctx, part, ask, s, total)
		if err != nil {
			return err
		}
		if part == partSeries {
			a.logs = logs
		}
	}
	for i, n := range s.Requests {
		if n > 0 && classed {
			s.Errors[i] = live.Number(s.Classes["5xx"][i]) / n
		}
	}
	return nil
}

func count(total *live.Total, s *Series, i int, class string, n int64) {
	s.Classes[class][i] += n
	switch class {
	case "4xx":
		total.ClientErrors += n
	case "5xx":
		total.ServerErrors += n
	}
}

// times asks for percentiles of each bucket, and of all of them together.
func (a *asking) times(ctx context.Context, part string, earlier time.Duration, s *Series, total *live.Total) error {
	q := a.question("p50 p95 p99")
	q.From, q.To = a.from.Add(-earlier), a.to.Add(-earlier)
	rows, err := a.rows(ctx, part, q)
	if err != nil {
		return err
	}
	for _, row := range rows {
		total.P50, total.P95, total.P99 = number(row.Values[0]), number(row.Values[1]), number(row.Values[2])
	}
	q.Every = a.every
	if rows, err = a.rows(ctx, part, q); err != nil {
		return err
	}
	for _, row := range rows {
		if i := int(row.From.Sub(q.From) / a.every); i >= 0 && i < len(s.Time) {
			s.P50[i], s.P95[i], s.P99[i] = number(row.Values[0]), number(row.Values[1]), number(row.Values[2])
		}
	}
	return nil
}

// lacks notes what a rollup cannot tell.
func (a *asking) lacks(part string, why error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer.Missing[part] = why.Error()
}
