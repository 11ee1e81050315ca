package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/help"
	"github.com/tailflux/tailflux/internal/verify"
)

const verifyExamples = `  tailflux verify /var/log/nginx/access.log.1
  tailflux verify --source web /var/log/nginx/access.log.*.gz
  tailflux verify --json access.log.1 | jq .missing`

func verifyCommand() *cobra.Command {
	var source string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify FILE...",
		Short: "Compare the lines of a log with the points in InfluxDB",
		Long: `Verify reads a log, plain or compressed with gzip or zstd, works out the
timestamp of each line's point, and looks for it in InfluxDB. It prints how
many lines there are, how many were filtered or rejected, how many points are
expected and found, and the minutes in which points are missing. It also adds
the lines up, and compares that with the rollups, window by window.

The line numbers, which are part of the timestamps, are known for the files
that are being followed, for the last 64 before them, and for imported files.
For any other file, verify counts the points of each minute, including those
of the files before and after it: the result is called approximate.

Verify writes nothing; tailflux may run meanwhile. The exit code is 1 if
points are missing, if a rollup differs, if no line matches the format, or if a file cannot be
read; the others are compared all the same. It is 2 if nothing can be
compared: no file can be read, InfluxDB does not answer or has no such
database, or is VictoriaMetrics, which has no InfluxQL.`,
		Example: verifyExamples,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return config.UsageError{Err: errors.New("verify: no file given; see tailflux verify --help")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := load(cmd, access)
			if err != nil {
				return err
			}
			compared, err := verifyFiles(cmd.Context(), cmd.OutOrStdout(), c, source, args, asJSON)
			if _, isUsage := errors.AsType[config.UsageError](err); err != nil && compared == 0 && !isUsage {
				return config.UsageError{Err: fmt.Errorf("nothing could be compared: %w", err)}
			}
			return err
		},
	}
	help.WantConfigFlags(cmd)
	cmd.Flags().StringVar(&source, "source", "", "source that the files belong to (default: detected by content)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object per file")
	return cmd
}

// verifyFiles also returns how many files were compared.
func verifyFiles(ctx context.Context, out io.Writer, c *config.Config, source string, files []string, asJSON bool) (compared int, err error) {
	client, err := openInflux(c, nil)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	if err := readable(ctx, client, "verify"); err != nil {
		return 0, err
	}
	v, err := verify.Open(c, client, definitions(c))
	if err != nil {
		return 0, err
	}
	var unread error
	missing, differ, foreign, odd := 0, 0, 0, ""
	for _, file := range files {
		verdict, err := v.Verify(ctx, file, source)
		if broken, ok := errors.AsType[verify.FileError](err); ok {
			unread = errors.Join(unread, fmt.Errorf("verify: %w", broken))
			continue
		}
		if err != nil {
			return compared, errors.Join(unread, fmt.Errorf("verify %s: %w", file, err))
		}
		compared++
		if verdict.Differ() {
			differ++
		}
		switch {
		case verdict.Missing > 0:
			missing++
		case verdict.NoneMatches():
			foreign++
			odd = cmp.Or(odd, file)
		}
		if asJSON {
			err = json.NewEncoder(out).Encode(verdict)
		} else {
			err = verdict.Print(out)
		}
		if err != nil {
			return compared, err
		}
	}
	switch {
	case foreign > 0:
		err = fmt.Errorf("verify: in %d of %d files no line matches the format: try tailflux explain --file %s", foreign, len(files), odd)
	case missing > 0:
		err = fmt.Errorf("verify: points are missing for %d of %d files", missing, len(files))
	}
	if differ > 0 {
		err = errors.Join(err, fmt.Errorf("verify: rollups are not what the lines add up to for %d of %d files", differ, len(files)))
	}
	return compared, errors.Join(unread, err)
}
