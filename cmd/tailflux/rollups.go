package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/parse"
	"github.com/tailflux/tailflux/internal/rollup"
	"github.com/tailflux/tailflux/internal/write"
)

// cellBytes is the memory of what is added up and not yet cut.
const cellBytes = 16 << 20

// rollups is what lines are added up to, and what of it survives a restart.
type rollups struct {
	checkpoint *checkpoint.Checkpoint
	book       *rollup.Book
	sums       *rollup.Sums
	keys       []string
	last       int // the one with the longest interval
	log        *slog.Logger
}

// openBook opens the intents, if there are or were rollups. What is redelivered cuts nothing.
func (s *state) openBook(c *config.Config) (err error) {
	if s.book == nil && s.mode != redelivering && (len(c.Rollups) > 0 || s.checkpoint.HasDestinations()) {
		s.book, err = rollup.OpenBook(s.dir, s.checkpoint.HasDestinations(), s.log)
	}
	return err
}

// newRollups says which destinations lines have from now on. It returns nil if lines have
// points alone, as always.
func newRollups(s *state) *rollups {
	s.rollups.saved() // before their destinations are gone
	s.stats.NewRollups()
	if s.book == nil {
		return nil
	}
	c := s.config
	r := &rollups{checkpoint: s.checkpoint, book: s.book, log: s.log}
	all := definitions(c)
	for i, definition := range all {
		r.keys = append(r.keys, definition.Key())
		s.stats.AddRollup(definition.Key(), definition.Measurement)
		if definition.Interval >= all[r.last].Interval {
			r.last = i
		}
	}
	r.sums = rollup.New(all, s.host, cellBytes)
	destinations := []string{checkpoint.Lines}
	if c.Raw {
		destinations = append(destinations, checkpoint.Raw)
	}
	// Before the checkpoint forgets what those got.
	r.giveUp(func(i rollup.Intent) bool { return !slices.Contains(r.keys, i.Rollup) })
	for _, gone := range s.checkpoint.Deliver(slices.Concat(destinations, r.keys)) {
		s.log.Warn("lines were not delivered to a measurement that is configured no more, or in another way: tailflux was not stopped cleanly before that",
			"source", gone.Source, "measurement", rollup.Measurement(gone.Destination), "from_line", gone.From, "lines", gone.To-gone.From)
	}
	r.saved()
	for _, i := range r.book.All() {
		r.checkpoint.Expect(i.Source, i.Generation, i.First)
	}
	r.book.Compact()
	if err := r.book.Sync(context.Background()); err != nil {
		s.log.Error("cannot clean the intents of rollups; nothing is sent before that", "err", err)
	}
	return r
}

// definitions are the rollups that are configured.
func definitions(c *config.Config) (all []rollup.Definition) {
	for _, r := range c.Rollups {
		all = append(all, rollup.Definition{Measurement: r.Measurement, Interval: r.Interval, Tags: r.Tags, RetentionPolicy: c.PolicyOf(r)})
	}
	return all
}

// giveUp removes intents of rollups that are no longer configured, or differently, and logs
// those that were not carried out. The file of the intents has many that were, so it is not
// rewritten for each.
func (r *rollups) giveUp(gone func(rollup.Intent) bool) {
	for _, i := range r.remove(gone) {
		if !r.checkpoint.Owes(i.Source, i.Generation, i.Rollup, i.End) {
			continue
		}
		r.log.Warn("what was on the way to InfluxDB is given up", "reason", "a rollup that is configured no more, or in another way",
			"source", i.Source, "measurement", rollup.Measurement(i.Rollup), "from_line", i.Begin, "lines", i.End-i.Begin)
	}
}

// saved removes the intents that both saves of the checkpoint have passed, and those of logs
// that are not known any more. Those of a lost log stay as long as it is known: it may turn up,
// and what was sent of it is cut as before.
func (r *rollups) saved() {
	if r == nil {
		return
	}
	r.remove(func(i rollup.Intent) bool {
		return r.checkpoint.Forgotten(i.Source, i.Generation) || r.checkpoint.Passed(i.Source, i.Generation, i.Rollup, i.End)
	})
}

func (r *rollups) remove(is func(rollup.Intent) bool) []rollup.Intent {
	removed, err := r.book.Remove(is)
	if err != nil {
		r.log.Error("cannot clean the intents of rollups; the next start reads more of them than it needs", "err", err)
	}
	return removed
}

func (r *rollups) addUp(p *parse.Parser, raw bool) {
	if r == nil {
		return
	}
	last := -1
	if !raw {
		last = r.last
	}
	p.AddUp(&parse.Rollups{Keys: r.keys, Sums: r.sums, Book: r.book, Raw: raw, Last: last, From: r.checkpoint.From})
}

// sentTo says where deltas go from now on.
func (r *rollups) sentTo(client *influx.Client) {
	if r != nil {
		r.book.KeepsMilliseconds(client.Known().IsVictoria())
	}
}

func (r *rollups) sync(ctx context.Context) error {
	if r == nil {
		return nil
	}
	return r.book.Sync(ctx)
}

// undelivered is the error when lines are not in their rollups for good: their deltas were not
// acknowledged, or they wait for the end of a cut that was begun before a crash. again says
// who reads them again.
func (r *rollups) undelivered(again string) error {
	if r == nil {
		return nil
	}
	if lines := r.sums.Missing(r.checkpoint.Missing); lines > 0 {
		return fmt.Errorf("%d lines are not in their rollups yet; %s", lines, again)
	}
	return nil
}

// cuts is where the write stage says which cuts it begins and has delivered.
type cuts struct {
	*rollup.Book
	trail *trail
}

func (c cuts) AcknowledgeCut(cut *flow.Cut) { c.trail.add(promise{cut: cut}) }

// cuts is nil without rollups.
func (s *state) cuts() write.Cuts {
	if s.rollups == nil {
		return nil
	}
	return cuts{s.rollups.book, s.trail}
}
