package history

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/live"
	"github.com/tailflux/tailflux/internal/query"
	"github.com/tailflux/tailflux/internal/rollup"
)

// Store is who is asked. It does not change.
type Store struct {
	Client  *influx.Client
	Rollups []rollup.Definition
	Own     string // measurement of the points about tailflux itself; "": there are none
	Policy  string // its retention policy
}

// asking is a question that is being answered.
type asking struct {
	Request
	span

	store      *Store
	rollups    []rollup.Definition // with the policies they are in
	statements chan struct{}       // holds one for each that InfluxDB is asked just now
	now, began time.Time
	logs       map[place]int64 // bytes that each sent, where logs are mixed; of the course

	mu     sync.Mutex // guards what follows
	answer *Answer
}

// unanswerable is why rollups cannot tell; the operator can mend it.
type unanswerable struct{ error }

// where says in which policies rollups are: a database that tailflux did not make may have
// none for them.
func (a *asking) where(ctx context.Context) error {
	a.rollups = append(a.rollups[:0], a.store.Rollups...)
	for i := range a.rollups {
		policy, err := a.store.Client.PolicyOf(ctx, a.rollups[i].RetentionPolicy)
		if err != nil {
			return err
		}
		a.rollups[i].RetentionPolicy = policy
	}
	return nil
}

// question is one about the lines that are asked for.
func (a *asking) question(measures string, by ...string) query.Question {
	q := query.Question{From: a.From, To: a.To, Now: a.now, By: by, Where: a.Request.where(), Sums: true}
	if a.every > 0 { // the span is known
		q.From, q.To = a.from, a.to
	}
	for name := range strings.FieldsSeq(measures) {
		m, err := query.ParseMeasure(name)
		if err != nil {
			panic(err) // of a name that is written in this package
		}
		q.Measures = append(q.Measures, m)
	}
	return q
}

// plan plans it; the error is [unanswerable].
func (a *asking) plan(q query.Question) (*query.Plan, error) {
	plan, err := query.Ask(q, a.rollups)
	if err != nil {
		return nil, unanswerable{err}
	}
	return plan, nil
}

// rows asks. It notes who answers a part.
func (a *asking) rows(ctx context.Context, part string, q query.Question) ([]query.Row, error) {
	plan, err := a.plan(q)
	if err != nil {
		return nil, err
	}
	var answers [][]influx.Table
	for _, statement := range plan.Statements {
		tables, err := a.ask(ctx, statement)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part, err)
		}
		answers = append(answers, tables)
	}
	a.mu.Lock()
	a.answer.Rollups[part] = plan.Rollup.Measurement
	a.mu.Unlock()
	return plan.Rows(answers)
}

// ask waits until few enough are asked.
func (a *asking) ask(ctx context.Context, statement string) ([]influx.Table, error) {
	select {
	case a.statements <- struct{}{}:
		defer func() { <-a.statements }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return a.store.Client.Select(ctx, statement)
}

// part works out a part of the answer. Without it there is an answer all the same, if
// rollups cannot tell or it takes too long.
func (a *asking) part(ctx context.Context, names []string, work func(context.Context) error) error {
	err := work(ctx)
	var why string
	late := false
	var cannot unanswerable
	switch {
	case errors.As(err, &cannot):
		why = cannot.Error()
	case err != nil && isUp(ctx):
		late = true
		why = fmt.Sprintf("InfluxDB needed more than %s: ask for a shorter time, or for one path", Patience)
	case errors.Is(err, influx.ErrTooMuch):
		why = "there are too many of them to be looked through; ask for one host, source or path"
	default:
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer.late = a.answer.late || late
	for _, name := range names {
		a.answer.Missing[name] = why
	}
	return nil
}

// isUp reports whether the time for a question is up. That InfluxDB does not answer what it
// is, which it is given less time for, is another thing: it is away.
func isUp(ctx context.Context) bool { return errors.Is(ctx.Err(), context.DeadlineExceeded) }

// number is a value of a row.
func number(v *float64) live.Number {
	if v == nil {
		return live.None()
	}
	return live.Number(*v)
}

// byClass makes a question one of each class of statuses, too: by the tag that the rollup
// which suits best has, the class or the status.
func (a *asking) byClass(q query.Question) (query.Question, error) {
	probe := q
	probe.Measures = a.question("errors").Measures // which want such a tag
	plan, err := a.plan(probe)
	if err != nil {
		return q, err
	}
	tag := "status"
	for _, has := range plan.Rollup.Tags {
		if has == "status_class" {
			tag = has
		}
	}
	q.Rollup, q.By = plan.Rollup.Measurement, append(q.By[:len(q.By):len(q.By)], tag)
	return q, nil
}

// classOf is the class of a status, or of a class of them.
func classOf(status string) string {
	if status != "" && status[0] >= '1' && status[0] <= '5' {
		return status[:1] + "xx"
	}
	return "other"
}
