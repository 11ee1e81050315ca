package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/explain"
	"github.com/tailflux/tailflux/internal/help"
	"github.com/tailflux/tailflux/internal/shape"
)

const explainExamples = `  tailflux explain --file /var/log/nginx/access.log
  tail -n 3 access.log | tailflux explain --format timed
  tailflux explain --format '$msec $status' '1520171392.123 200'
  tailflux explain --name web --json <access.log | jq .error`

func explainCommand() *cobra.Command {
	var file string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain [LINE...]",
		Short: "Show how lines are parsed, or where they stop matching",
		Long: `Explain prints what each line becomes: its variables, the tags and fields, the
point in line protocol, and what it adds to rollups; or the column where the
line stops matching, and what was expected there. The lines are its arguments,
those of a file, or standard input, which may be called -.

The format is that of --format or --regexp; otherwise that of the
configuration, if there is one (if it has several sources, choose one with
--name, or read its log with --file); otherwise it is detected from the first
100 lines. Explain needs neither a state directory nor InfluxDB. The exit code
is 1 if a line would be rejected.`,
		Example: explainExamples,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] == standardInput {
				args = nil
			}
			if len(args) > 0 && file != "" {
				return config.UsageError{Err: errors.New("explain: got lines and --file, want one of the two")}
			}
			for _, arg := range args {
				if info, err := os.Stat(arg); err == nil && info.Mode().IsRegular() {
					return config.UsageError{Err: fmt.Errorf("explain: %s is a file, and arguments are lines: use --file %s", arg, arg)}
				}
			}
			return explainLines(cmd, args, file, asJSON)
		},
	}
	help.WantConfigFlags(cmd)
	cmd.Flags().StringVar(&file, "file", "", "read the lines from this file; - is standard input")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object per line")
	return cmd
}

func explainLines(cmd *cobra.Command, args []string, file string, asJSON bool) error {
	c, source, detect, err := explainConfig(cmd, file)
	if err != nil {
		return err
	}
	input, err := explainInput(cmd, args, file)
	if err != nil {
		return err
	}
	defer input.Close()
	all, rejected, err := explain.Run(explain.Options{
		Config: c, Source: source, Detect: detect, JSON: asJSON, Rollups: definitions(c),
		Out: cmd.OutOrStdout(), Notes: cmd.ErrOrStderr(),
		Colour: isTerminal(cmd.OutOrStdout()) && os.Getenv("NO_COLOR") == "",
	}, input)
	switch {
	case err != nil:
		return err
	case all == 0:
		fmt.Fprintln(cmd.ErrOrStderr(), "no lines to explain")
	case rejected > 0:
		return fmt.Errorf("explain: %d of %d lines would be rejected", rejected, all)
	}
	return nil
}

// explainConfig loads the configuration and chooses the source. detect reports
// whether its format must be detected from the lines.
func explainConfig(cmd *cobra.Command, input string) (c *config.Config, source config.Source, detect bool, err error) {
	file, err := cmd.Flags().GetString("config")
	if err != nil {
		return nil, source, false, err
	}
	options := config.Options{File: file, Flags: cmd.Flags(), Env: os.LookupEnv, Check: shape.Check}
	var unread error
	if file == "" { // the daemon's file is no reason to fail for somebody who may not read it
		if f, err := os.Open(config.DefaultFile); err == nil {
			f.Close()
		} else {
			options.NoFile, unread = true, err
		}
	}
	warnOfVariables(cmd)
	if c, source, err = config.Load(options); err != nil {
		return nil, source, false, config.UsageError{Err: err}
	}
	if unread != nil && !errors.Is(unread, os.ErrNotExist) && source.Path+source.Format+source.Regexp == "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "note: %v; continuing without it\n", unread)
	}
	source, err = explain.Source(c.Sources, source, input)
	return c, source, source.Regexp == "" && source.Format == shape.Auto, err
}

func explainInput(cmd *cobra.Command, args []string, file string) (io.ReadCloser, error) {
	switch {
	case len(args) > 0:
		return io.NopCloser(strings.NewReader(strings.Join(args, "\n") + "\n")), nil
	case file != "" && file != "-":
		in, err := explain.Open(file)
		if err != nil {
			return nil, fmt.Errorf("explain: %w", err)
		}
		return in, nil
	}
	in := cmd.InOrStdin()
	if isTerminal(in) {
		fmt.Fprintln(cmd.ErrOrStderr(), "reading lines from standard input; Ctrl-D ends them")
	}
	return io.NopCloser(in), nil
}
