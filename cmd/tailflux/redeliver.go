package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/help"
	"github.com/tailflux/tailflux/internal/parse"
	"github.com/tailflux/tailflux/internal/redeliver"
	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/rollup"
	"github.com/tailflux/tailflux/internal/shape"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/write"
)

const redeliverExamples = `  systemctl stop tailflux
  runuser -u tailflux -g tailflux -- tailflux redeliver --source web
  systemctl start tailflux`

func redeliverCommand(stderr io.Writer) *cobra.Command {
	var source string
	cmd := &cobra.Command{
		Use:   "redeliver",
		Short: "Deliver rejected lines that match their format now",
		Long: `Redeliver reads the reject file, rejects.jsonl and its predecessor, with the
formats as they are configured now, and delivers the lines that match. Each
keeps the number that it had: it becomes the point that it would have been,
and takes the place of no other.

Lines that could not be read are added up in rollups, too, exactly once; refused
points of rollups are delivered as they are.

Each line that is delivered gets an entry of the kind redelivered, and is not
delivered again. Lines that still do not match stay as they are. To continue
after an interruption, run the same command again.

Entries of older versions that were cut, or may have held other bytes than
those that are shown, do not have their lines: they are left, and counted.

The state directory belongs to one process and one user: stop tailflux first,
and run redeliver as the user that it runs as.`,
		Example: redeliverExamples,
		Args:    help.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load(cmd, secrets)
			if err != nil {
				return err
			}
			if err := ownState("redeliver", c.StateDir); err != nil {
				return err
			}
			done, err := redeliverTo(c, source, newLogger(stderr))
			if err == nil || done.begun {
				fmt.Fprint(cmd.OutOrStdout(), done)
			}
			return err
		},
	}
	help.WantConfigFlags(cmd)
	cmd.Flags().StringVar(&source, "source", "", "source whose lines are redelivered (default: all that are configured)")
	return cmd
}

// redelivered says what became of the lines.
type redelivered struct {
	redeliver.Outcome
	begun                     bool // some may have been delivered
	points, filtered, foreign int64
	deltas                    int64 // points of rollups
}

func (d redelivered) String() string {
	text := fmt.Sprintf("%d lines redelivered\n", d.points)
	row := func(n int64, format string, more ...any) {
		if n > 0 {
			text += fmt.Sprintf(format+"\n", append([]any{n}, more...)...)
		}
	}
	row(d.deltas, "%d points of rollups redelivered")
	row(d.filtered, "%d lines filtered (drop, or pieces of a line)")
	rejected, why := reasons(d.Rejected)
	row(rejected, "%d lines are still rejected (%s): tailflux explain shows why", why)
	row(int64(d.Partial), "%d lines are left: their entries do not hold them as they were")
	row(int64(d.Points), "%d lines are left: their points were refused, and there are none of lines now (raw: false)")
	row(int64(d.Gone), "%d points of rollups are left: these rollups are not configured")
	row(d.foreign, "%d lines are left: their sources are not configured")
	return text
}

// reasons are so many of something and why, the most frequent reason first: "no match", or
// of several "3 no match, 1 empty".
func reasons(of map[flow.Reason]int) (n int64, text string) {
	all := slices.SortedFunc(maps.Keys(of), func(a, b flow.Reason) int { return cmp.Or(cmp.Compare(of[b], of[a]), cmp.Compare(a, b)) })
	var parts []string
	for _, reason := range all {
		n += int64(of[reason])
		parts = append(parts, fmt.Sprintf("%d %s", of[reason], reason))
	}
	if len(all) == 1 {
		return n, string(all[0])
	}
	return n, strings.Join(parts, ", ")
}

// redeliverTo redelivers the lines of a source, "" is all.
func redeliverTo(c *config.Config, source string, log *slog.Logger) (done redelivered, err error) {
	if _, ok := shape.Configured(c, source); source != "" && !ok {
		return done, config.UsageError{Err: fmt.Errorf("redeliver: no source %q is configured; use --source with one of %s",
			source, shape.Names(c, nil))}
	}
	st := stats.New(time.Now())
	kept, err := openState(c, job{mode: redelivering}, st, log)
	if err != nil {
		return done, err
	}
	defer kept.close()
	sources, foreign, err := kept.rejectedSources(c, source, st)
	if err != nil {
		return done, err
	}
	done.foreign = foreign
	pending, err := rejects.ReadPending(c.StateDir, func(name string) bool { return sources[name] != nil })
	if err != nil || pending.Len() == 0 {
		return done, err
	}
	to, err := openSink(kept, log)
	if err != nil {
		return done, err
	}
	defer to.close()
	if err := readable(context.Background(), to.client(), "redeliver"); err != nil {
		return done, err
	}
	if err := kept.begin(); err != nil {
		return done, err
	}

	lines, points := pools(c)
	redelivery := redeliver.New(redeliver.Config{
		Pending: pending, Sources: sources, MaxLine: int(c.MaxLineBytes), Pool: lines, Stats: st, Rollups: definitions(c), Raw: c.Raw,
		Shape: func(s *flow.Source) (*shape.Lines, error) {
			return kept.shaper.Look(s.Config, s.Name, s.Path, kept.values)
		},
	})
	parser := parse.New(redelivery, int(c.MaxLineBytes), points, st, log)
	addUpAlone(redelivery, parser, c, kept.host)
	settings := writeConfig(c) // nothing is held: they are in the reject file
	settings.Cuts, settings.Policy = redelivery, func(name string) write.Sink { return inPolicy{to, name} }
	reading, stopReading := context.WithCancel(context.Background())
	g, running := errgroup.WithContext(context.Background())
	running, stopRunning := context.WithCancel(running)
	defer stopRunning()
	defer onSignal(nil, stopReading, stopRunning, nil, st, log)()
	defer context.AfterFunc(running, stopReading)()
	chunks, batches, deltas := make(chan flow.Chunk, channelItems), make(chan flow.Batch, channelItems), make(chan flow.Batch, channelItems)
	g.Go(func() error { return redelivery.Run(reading, chunks) })
	g.Go(func() error { return parser.Run(running, chunks, batches) })
	g.Go(func() error {
		if err := write.New(settings, to, redelivery, redelivery, st, log).Run(running, batches); err != nil {
			return err
		}
		// Then the refused points of rollups, which are no lines.
		g.Go(func() error { return redelivery.RunDeltas(reading, deltas) })
		return write.New(settings, to, redelivery, redelivery, st, log).Run(running, deltas)
	})
	done.begun = true
	err = kept.end(g.Wait(), false, st, log)
	if err == nil && !redelivery.Outcome.Complete {
		err = errors.New("redeliver: interrupted; run the same command again to continue")
	}
	if note := done.note(kept, redelivery.Outcome); note != nil {
		err = errors.Join(err, note)
	}
	return done, err
}

// note counts what became of the lines, and notes it in the reject file.
func (d *redelivered) note(kept *state, outcome redeliver.Outcome) error {
	now := time.Now()
	books := kept.stats.Snapshot(now).Books
	d.Outcome, d.points, d.filtered = outcome, books.Written, books.Filtered
	entries := slices.Concat(outcome.Refused, outcome.Settled)
	for i := range entries {
		if entries[i].Kind == rejects.Redelivered && entries[i].Rollup != "" {
			d.deltas++
		}
		entries[i].Time = now
	}
	if _, err := kept.rejects.Append(entries); err != nil {
		return fmt.Errorf("redeliver: lines were delivered, and this cannot be noted; they become the same points when you run it again: %w", err)
	}
	return nil
}

// addUpAlone has redelivered lines added up, too.
func addUpAlone(r *redeliver.Redelivery, p *parse.Parser, c *config.Config, host string) {
	if len(r.Rollups) == 0 {
		return
	}
	of := &parse.Rollups{Sums: r.Sums(host), Book: rollup.NewBook(nil, nil), Raw: c.Raw, Last: -1, From: r.From}
	for _, d := range r.Rollups {
		of.Keys = append(of.Keys, d.Key())
	}
	if !c.Raw {
		of.Last = len(of.Keys) - 1
	}
	p.AddUp(of)
}

// rejectedSources are the sources of rejected lines, by name: the one that is asked for, or
// all that are configured. foreign counts the lines of others.
func (s *state) rejectedSources(c *config.Config, only string, st *stats.Stats) (sources map[string]*flow.Source, foreign int64, err error) {
	known, err := checkpoint.Read(c.StateDir)
	if err != nil {
		return nil, 0, err
	}
	rejected, err := rejects.Read(c.StateDir)
	if err != nil {
		return nil, 0, err
	}
	sources = map[string]*flow.Source{}
	for name, lines := range rejected.BySource() {
		if only != "" && only != name {
			continue
		}
		of, ok := shape.Configured(c, name)
		if !ok {
			foreign += lines
			continue
		}
		path := of.Path
		if known[name] != nil && known[name].Path != "" {
			path = known[name].Path
		}
		place := slices.IndexFunc(c.Sources, func(s config.Source) bool { return s.Name == of.Name })
		if shaped, err := s.shaper.Look(place, name, path, nil); err != nil || shaped == nil {
			return nil, 0, errors.Join(err, config.UsageError{Err: fmt.Errorf("redeliver: source %s has the format auto, and none was detected yet: use --format",
				name)})
		}
		sources[name] = &flow.Source{Index: st.AddSource(name, path), Config: place, Name: name, Path: path}
	}
	return sources, foreign, nil
}
