package history

import (
	"context"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/live"
	"github.com/tailflux/tailflux/internal/query"
)

const (
	wholly    = 0.995 // the share from which a time counts as observed: it is 1 for who reads the answer
	stripRows = 50    // sources at most
)

// notYet is how long spans come later than their time, beside the interval of the rollup with
// the longest: they are written every ten seconds, and wait for a second that has passed.
const notYet = 30 * time.Second

// observed asks which time was.
func (a *asking) observed(ctx context.Context) error {
	if a.store.Own == "" {
		return unanswerable{errNoOwn}
	}
	every := max(a.every, time.Minute)
	asked := query.Spans{Measurement: a.store.Own, Every: every, From: query.Begin(a.from, every), To: a.to}
	policy, err := a.store.Client.PolicyOf(ctx, a.store.Policy)
	if err != nil {
		return err
	}
	asked.Policy = policy
	for _, f := range a.filters() {
		if f.name == "host" || f.name == "source" {
			asked.Where = append(asked.Where, query.Condition{Tag: f.tag, Text: f.Text})
		}
	}
	statements, err := asked.Statements()
	if err != nil {
		return err
	}
	var answers [3][]influx.Table
	for i, statement := range statements {
		if answers[i], err = a.ask(ctx, statement); err != nil {
			return err
		}
	}
	all, err := asked.Read(answers)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(o query.Observed) bool { return !wasThere(asked, &o) })
	if len(all) == 0 && a.isYoung(a.late()+every) {
		a.markSoon()
		return unanswerable{errNotKnown}
	}
	if len(all) == 0 {
		return unanswerable{errNoSpans}
	}
	a.look(asked, all)
	return nil
}

// look fills in what was observed.
func (a *asking) look(asked query.Spans, all []query.Observed) {
	a.mu.Lock()
	defer a.mu.Unlock()
	mean := together(asked, all)
	known := len(mean) // what comes later may still be told
	for known > 0 && mean[known-1] < wholly && a.now.Sub(asked.From.Add(time.Duration(known-1)*asked.Every)) < a.late()+asked.Every {
		known--
	}
	s := &a.answer.Series
	at := func(i int) (window int, ok bool) {
		window = int((s.Time[i] - asked.From.Unix()) / int64(asked.Every/time.Second))
		return window, window < known
	}
	for i := range s.Time {
		if w, ok := at(i); ok {
			s.Observed[i] = shown(mean[w])
		}
	}
	a.answer.Logs = len(all)
	for _, o := range all[:min(stripRows, len(all))] {
		strip := Source{Host: o.Host, Source: o.Source}
		for i := range s.Time {
			share := live.None()
			if w, ok := at(i); ok {
				share = shown(o.Share[w])
			}
			strip.Share = append(strip.Share, share)
		}
		a.answer.Observed = append(a.answer.Observed, strip)
	}
	a.answer.Gaps = gaps(asked, mean[:known])
}

func shown(share float64) live.Number {
	if share >= wholly {
		return 1
	}
	return live.Number(share)
}

// gone is how long after its last span a source counts as taken away, and is not missed.
const gone = day

// isThere reports whether a source is missed where nothing of it was observed in a window: not
// before its first span, nor for ever after its last one. That does not depend on what time
// is asked about.
func isThere(of query.Spans, o *query.Observed, window int) bool {
	begin := of.From.Add(time.Duration(window) * of.Every)
	return o.Share[window] > 0 || o.First.Before(begin.Add(of.Every)) && begin.Before(o.Last.Add(gone))
}

// wasThere reports whether it was in any window.
func wasThere(of query.Spans, o *query.Observed) bool {
	for i := range o.Share {
		if isThere(of, o, i) {
			return true
		}
	}
	return false
}

// together is the share of all sources that are there.
func together(of query.Spans, all []query.Observed) []float64 {
	mean := make([]float64, len(all[0].Share))
	there := make([]float64, len(mean))
	for _, o := range all {
		for i, share := range o.Share {
			if isThere(of, &o, i) {
				mean[i] += share
				there[i]++
			}
		}
	}
	for i := range mean {
		mean[i] /= max(there[i], 1)
	}
	return mean
}

// late is how late spans may be.
func (a *asking) late() time.Duration {
	late := notYet
	for _, d := range a.rollups {
		late = max(late, notYet+d.Interval)
	}
	return late
}

// gaps are the times that were not observed, without a border between those of one kind.
func gaps(of query.Spans, mean []float64) []Gap {
	all := []Gap{}
	for i, share := range mean {
		if share >= wholly {
			continue
		}
		begin := of.From.Add(time.Duration(i) * of.Every)
		end := begin.Add(of.Every)
		if end.After(of.To) {
			end = of.To
		}
		if last := len(all) - 1; last >= 0 && all[last].To == begin.Unix() && (all[last].Observed == 0) == (share == 0) {
			g := &all[last]
			was, is := float64(g.To-g.From), end.Sub(begin).Seconds()
			g.Observed = (g.Observed*was + share*is) / (was + is)
			g.To = end.Unix()
			continue
		}
		all = append(all, Gap{begin.Unix(), end.Unix(), share})
	}
	return all
}
