package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/rejects"
)

const verifyExamples = `  tailflux verify /var/log/nginx/access.log.1
  tailflux verify --config tailflux.yaml --source web /var/log/nginx/access.log.*.gz
  tailflux verify --json access.log.1 | jq .missing`

func verifyCommand() *cobra.Command {
	var source string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify FILE...",
		Short: "Compare the lines of a log with the points in InfluxDB",
		Long: `Verify reads a log, plain or compressed (.gz, .zst), works out the timestamp of
each line's point, and looks for it in InfluxDB. It prints how many lines there
are, how many were filtered or rejected, how many points there should be and
are, and, when these differ, in which minutes.

Which numbers the lines have is known from the state directory, for the files
that are being followed and for the last few dozen before them. Without that,
points are only counted, those of the file before and after in the same minutes
too: the result is called approximate.

Nothing is written, and tailflux may run meanwhile. The exit code is 1 if points
are missing.`,
		Example: verifyExamples,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return config.UsageError{Err: errors.New("verify: which file? See tailflux verify --help")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			return verify(cmd.OutOrStdout(), c, source, args, asJSON)
		},
	}
	addConfigFlags(cmd)
	cmd.Flags().StringVar(&source, "source", "", "the source whose log it is (default: found by what is in the file)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a file")
	return cmd
}

func verify(out io.Writer, c *config.Config, source string, files []string, asJSON bool) error {
	known, err := checkpoint.Read(c.StateDir)
	if err != nil {
		return err
	}
	rejected, err := rejects.Read(c.StateDir)
	if err != nil {
		return err
	}
	client, err := openInflux(c, nil)
	if err != nil {
		return err
	}
	defer client.Close()
	v := verifier{config: c, known: known, rejected: rejected, client: client, host: c.Host}
	if v.host == "" {
		if v.host, err = keptHost(c); err != nil {
			return err
		}
	}
	missing := 0
	for _, file := range files {
		verdict, err := v.verify(file, source)
		if err != nil {
			return fmt.Errorf("verify %s: %w", file, err)
		}
		if verdict.Missing > 0 {
			missing++
		}
		if asJSON {
			err = json.NewEncoder(out).Encode(verdict)
		} else {
			err = verdict.print(out)
		}
		if err != nil {
			return err
		}
	}
	if missing > 0 {
		return fmt.Errorf("verify: points are missing of %d of %d files", missing, len(files))
	}
	return nil
}

// A verdict is what was found of a file. Its JSON is documented in
// docs/old-logs.md.
type verdict struct {
	File        string   `json:"file"`
	Source      string   `json:"source"`
	Generation  int64    `json:"generation"` // 0: not known
	Approximate bool     `json:"approximate"`
	Lines       int64    `json:"lines"`
	Earlier     int64    `json:"earlier"` // were there at the very first start
	Pending     int64    `json:"pending"` // are still to be delivered
	Filtered    int64    `json:"filtered"`
	Rejected    int64    `json:"rejected"`
	Expected    int64    `json:"expected"` // points
	Found       int64    `json:"found"`
	Missing     int64    `json:"missing"`
	Minutes     []minute `json:"minutes"` // in which points are missing
}

type minute struct {
	Time     time.Time `json:"time"`
	Expected int64     `json:"expected"`
	Found    int64     `json:"found"`
}

func (v *verdict) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: source %s", v.File, v.Source)
	if v.Approximate {
		b.WriteString(", not known to the state directory: approximate\n")
	} else {
		fmt.Fprintf(&b, ", generation %d\n", v.Generation)
	}
	row := func(what string, n int64, always bool) {
		if n != 0 || always {
			fmt.Fprintf(&b, "  %-34s %12d\n", what, n)
		}
	}
	row("lines", v.Lines, true)
	row("- there before the first start", v.Earlier, false)
	row("- still to be delivered", v.Pending, false)
	row("- filtered", v.Filtered, false)
	row("- rejected", v.Rejected, false)
	row("= points that there should be", v.Expected, true)
	row("points in InfluxDB", v.Found, true)
	row("missing", v.Missing, true)
	for _, m := range v.Minutes {
		fmt.Fprintf(&b, "  %s  %d of %d points\n", m.Time.Format("2006-01-02T15:04Z"), m.Found, m.Expected)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
