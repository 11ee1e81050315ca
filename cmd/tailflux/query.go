package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/help"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/query"
	"github.com/tailflux/tailflux/internal/rollup"
)

const queryExamples = `  tailflux query rate errors p95 --since 24h
  tailflux query p95 requests --by path --top 10 --where status_class=5xx
  tailflux query requests --since 7d --every 1h --host web1
  tailflux query p95 --by host --from 2026-11-01 --to 2026-11-08 --json`

func queryCommand() *cobra.Command {
	var asked questionFlags
	var asJSON, show bool
	var q query.Question
	cmd := &cobra.Command{
		Use:   "query WHAT...",
		Short: "Ask InfluxDB's rollups for rates, sizes, errors and percentiles",
		Long: `Query prints what rollups say of a range of time: requests, rate (a second),
errors (the share of 5xx), bytes_sent, body_bytes_sent, request_length, and in
seconds of request_time sum, mean, max and percentiles such as p95, of the
upstream upstream_sum, upstream_mean, upstream_max and upstream_p95. The first orders the rows.

It asks the rollup that has the tags and the fewest points, if the range has at
least 24 of its windows. The range is made of whole windows, and ends with the
last one that has ended. There are no rows for what was not observed.

The exit code is 2 if no rollup can answer, or the server has no InfluxQL.`,
		Example: queryExamples,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("since") && asked.from != "" {
				return config.UsageError{Err: errors.New("query: --since and --from: want one of the two, each says when the range begins")}
			}
			if err := asked.parse(&q, args, time.Now()); err != nil {
				return config.UsageError{Err: fmt.Errorf("query: %w", err)}
			}
			warnOfVariables(cmd)
			files := access
			if show { // which asks nothing
				files = nil
			}
			c, err := configured(cmd, false, files)
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("host") { // the file's is that of its machine
				q.Where = append(q.Where, query.Condition{Tag: "host", Text: c.Host})
			}
			all := rollupsOf(c)
			if !show {
				all = whereRollupsAre(cmd.Context(), c, all)
			}
			plan, err := query.Ask(q, all)
			if err != nil {
				return config.UsageError{Err: fmt.Errorf("query: %w", err)}
			}
			if show {
				return plan.Show(cmd.OutOrStdout())
			}
			return answerQuery(cmd.Context(), cmd.OutOrStdout(), c, plan, asJSON)
		},
	}
	help.WantConfigFlags(cmd)
	cmd.Flags().StringVar(&asked.since, "since", "1h", "how long before --to the range begins: 30m, 24h, 7d")
	cmd.Flags().StringVar(&asked.from, "from", "", "when it begins: 2026-11-20 or 2026-11-20T10:00:00Z (UTC)")
	cmd.Flags().StringVar(&asked.to, "to", "", "when it ends (default: now)")
	cmd.Flags().StringVar(&asked.every, "every", "", "a row for each so long: 1m, 1h")
	cmd.Flags().StringSliceVar(&q.By, "by", nil, "a row for each value of these tags, such as path,status")
	cmd.Flags().StringArrayVar(&asked.where, "where", nil, "only lines with tag=value, tag!=value, tag=~regexp, tag!~regexp")
	cmd.Flags().IntVar(&q.Top, "top", 0, "only so many rows, the first ones")
	cmd.Flags().StringVar(&q.Rollup, "rollup", "", "the rollup to ask (default: the one that suits)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().BoolVar(&show, "show", false, "print the InfluxQL, and ask nothing")
	return cmd
}

// questionFlags are the flags of a question that have to be parsed.
type questionFlags struct {
	since, from, to, every string
	where                  []string
}

// parse makes the question of flags and arguments.
func (f *questionFlags) parse(q *query.Question, args []string, now time.Time) error {
	if len(args) == 0 {
		return errors.New("nothing is asked; want some of " + query.Measures())
	}
	var wrong error
	fail := func(flag string, err error) {
		if err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("--%s: %w", flag, err))
		}
	}
	for _, arg := range args {
		m, err := query.ParseMeasure(arg)
		wrong = errors.Join(wrong, err)
		q.Measures = append(q.Measures, m)
	}
	for _, s := range f.where {
		c, err := query.ParseCondition(s)
		fail("where", err)
		q.Where = append(q.Where, c)
	}
	var err error
	if f.every != "" {
		q.Every, err = query.ParseDuration(f.every)
		fail("every", err)
	}
	q.Now, q.To = now, now
	if f.to != "" {
		q.To, err = query.ParseTime(f.to)
		fail("to", err)
	}
	if f.from != "" {
		q.From, err = query.ParseTime(f.from)
		fail("from", err)
	} else {
		before, err := query.ParseDuration(f.since)
		q.From = q.To.Add(-before)
		if err == nil && q.From.Unix() < 0 {
			err = fmt.Errorf("got %q, which begins before 1970", f.since)
		}
		fail("since", err)
	}
	if wrong != nil {
		return wrong
	}
	return contradiction(q)
}

// contradiction is why no answer can fit a question, each part of which is right.
func contradiction(q *query.Question) error {
	switch now := q.Now; {
	case q.From.After(now):
		return fmt.Errorf("the range is in the future: from %s, and now it is %s", q.From.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	case !q.From.Before(q.To):
		return fmt.Errorf("the range ends before it begins: from %s to %s", q.From.UTC().Format(time.RFC3339), q.To.UTC().Format(time.RFC3339))
	case q.Top < 0:
		return fmt.Errorf("--top: got %d, want a number of rows", q.Top)
	case q.Top > 0 && q.Every > 0:
		return errors.New("--top and --every: want one of the two; --where path=/a shows the course of one")
	}
	return nil
}

// rollupsOf are the rollups, each with the retention policy that it is in.
func rollupsOf(c *config.Config) []rollup.Definition {
	all := definitions(c)
	for i := range all {
		all[i].RetentionPolicy = cmp.Or(all[i].RetentionPolicy, c.InfluxDB.RetentionPolicy)
	}
	return all
}

func answerQuery(ctx context.Context, out io.Writer, c *config.Config, plan *query.Plan, asJSON bool) error {
	const patience = time.Minute // a question over a year takes longer than a request of the daemon
	c.InfluxDB.Timeout = max(c.InfluxDB.Timeout, patience)
	client, err := openInflux(c, nil)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := readable(ctx, client, "query"); err != nil {
		return err
	}
	var answers [][]influx.Table
	for _, statement := range plan.Statements {
		tables, err := client.Select(ctx, statement)
		if err != nil {
			return fmt.Errorf("query: %w", err)
		}
		answers = append(answers, tables)
	}
	rows, err := plan.Rows(answers)
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	if asJSON {
		return plan.PrintJSON(out, rows)
	}
	return plan.Print(out, rows)
}
