package main

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/help"
	"github.com/tailflux/tailflux/internal/page"
	"github.com/tailflux/tailflux/internal/report"
	"github.com/tailflux/tailflux/internal/tail"
)

const reportExamples = `  tailflux report /var/log/nginx/access.log* >report.html
  zcat access.log.*.gz | tailflux report - >report.html
  tailflux report --format timed --full-addresses access.log >report.html
  tailflux report --json access.log | jq .total`

func reportCommand(stderr io.Writer) *cobra.Command {
	var full, asJSON bool
	cmd := &cobra.Command{
		Use:   "report FILE...",
		Short: "Make a page of what logs say, with nothing else",
		Long: `Report reads logs and prints one page of HTML with charts and tables of what
they say. The page is a single file that asks for nothing on the network. It
needs no daemon and no InfluxDB, and keeps nothing.

The files may be plain or compressed with gzip or zstd, whatever their names
are. A file that is called - is standard input.

The format is that of --format or --regexp; otherwise that of the
configuration, if there is one; otherwise it is detected for each file. What
the configuration says of lines, such as drop, paths and mask, is done.

Of the addresses of clients only the network is shown, unless
--full-addresses is given.

The exit code is 1 if a file cannot be read to its end or is in no known
format; the page is of the others.`,
		Example: reportExamples,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return config.UsageError{Err: errors.New("report: no file given; see tailflux report --help")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, files []string) error {
			c, source, _, err := explainConfig(cmd, files[0])
			if err != nil {
				return err
			}
			shown := newProgress(stderr)
			defer shown.end()
			r, err := report.Read(report.Options{
				Config: c, Source: source, Files: files, Stdin: cmd.InOrStdin(), FullAddresses: full,
				Progress: func(at report.Progress) {
					shown.show(tail.Progress{Done: at.Done, Total: at.Total, Lines: at.Lines, File: at.File})
				},
			})
			shown.end()
			if r == nil {
				return err
			}
			if asJSON {
				return errors.Join(err, r.WriteJSON(cmd.OutOrStdout()))
			}
			return errors.Join(err, r.WritePage(cmd.OutOrStdout(), page.Files(), version, full))
		},
	}
	help.WantConfigFlags(cmd)
	cmd.Flags().BoolVar(&full, "full-addresses", false, "show the whole addresses of clients")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object with the same numbers")
	return cmd
}
