// Mock writes an nginx access log of an imagined web site: for demonstrations,
// benchmarks and tests. See its --help.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/tailflux/tailflux/mock/feed"
	"github.com/tailflux/tailflux/mock/nginxlog"
)

const usage = `Mock writes an nginx access log of an imagined web site.

Usage:
  go run ./mock [flags]

Two kinds of bad lines can be mixed in:

  --garbage  What nginx really logs of scanners: TLS hellos on port 80
             ("\x16\x03\x01..." 400), empty requests ("" or "-", 400 or 408),
             probes (444). Well-formed lines: they MATCH the format, and
             tailflux makes points of them.
  --torn     What no nginx means to write: a line cut short, a cut line glued
             to the next, an empty line, binary bytes. They match NO format, and
             tailflux rejects them.

The log has a clock: the wall clock, or with --start an imagined one, with which
the same flags give the same bytes. Every duration below is measured on it.

When done, or stopped by SIGINT or SIGTERM, it prints one line about what it has
written to standard error.

Examples:
  # 100 lines a second on standard output, until Ctrl-C
  go run ./mock

  # a busy site with some scanners, rotated every 30 s; 5 old files are kept
  go run ./mock --rate 5000 --garbage 0.01 --output access.log --rotate-every 30s

  # a million lines over ten minutes, the same every time, as fast as possible
  go run ./mock --rate 0 --lines 1000000 --start 2026-11-22T10:00:00Z --step 600us >corpus.log

  # a day in 24 files, each rotated at the full hour of the log
  go run ./mock --rate 0 --start 2026-11-22T00:00:00Z --step 50ms --duration 24h \
      --output access.log --rotate-every 1h --rotate-keep 0

  # one's own log_format
  go run ./mock --format '$remote_addr [$time_local] "$request" $status $request_time'

Flags:
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal kills
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run returns the exit code: 0 fine, 1 failed while writing, 2 wrong usage.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	options, asJSON, err := parse(args, stdout)
	if errors.Is(err, pflag.ErrHelp) {
		return 0
	}
	var f *feed.Feed
	if err == nil {
		f, err = feed.New(options)
	}
	if err != nil {
		fmt.Fprintf(stderr, "mock: %v\nSee --help.\n", err)
		return 2
	}
	err = f.Run(ctx)
	if err != nil {
		fmt.Fprintf(stderr, "mock: %v\n", err)
	}
	report(stderr, f.Summary(), asJSON)
	if err != nil {
		return 1
	}
	return 0
}

// parse prints the help itself.
func parse(args []string, stdout io.Writer) (o feed.Options, asJSON bool, err error) {
	flags := pflag.NewFlagSet("mock", pflag.ContinueOnError)
	flags.SortFlags = false
	flags.Usage = func() { fmt.Fprint(stdout, usage, flags.FlagUsagesWrapped(90)) }

	flags.StringVar(&o.Log.Format, "format", nginxlog.Names()[0],
		"`format`: "+strings.Join(nginxlog.Names(), ", ")+", or a log_format string, before which escape=json may stand")
	flags.Float64Var(&o.Rate, "rate", 100, "`lines` a second; 0: as fast as possible")
	flags.Int64Var(&o.Lines, "lines", 0, "`number` of lines to write; 0: until stopped")
	flags.DurationVar(&o.Duration, "duration", 0, "`time` to write lines of; 0: until stopped")
	flags.Uint64Var(&o.Log.Traffic.Seed, "seed", 1, "`number` that decides who requests what")
	flags.Float64Var(&o.Log.Garbage, "garbage", 0, "`share` of scanner noise from 0 to 1; matches the format")
	flags.Float64Var(&o.Log.Torn, "torn", 0, "`share` of torn lines from 0 to 1; match no format")
	flags.StringVar(&o.Path, "output", "", "`file` to append to, instead of standard output")
	every := flags.String("rotate-every", "", "rotate the file after a `time` (30s) or a number of lines (50000), but not before --rotate-lag is over")
	flags.IntVar(&o.Rotation.Keep, "rotate-keep", 5, "`number` of rotated files to keep; 0: all")
	flags.DurationVar(&o.Rotation.Lag, "rotate-lag", 50*time.Millisecond,
		"`time` for which the renamed file is still written to, as until nginx gets USR1")
	start := flags.String("start", "", "imagined `time` of the first line, as 2026-11-22T10:00:00Z")
	flags.DurationVar(&o.Step, "step", 0, "with --start: `time` between two lines; 0: as --rate says, or 1ms at rate 0")
	flags.IntVar(&o.WriteBytes, "write-bytes", 0, "write in pieces of `n` bytes, in the middle of lines; 0: whole lines")
	flags.BoolVar(&asJSON, "json", false, "print the final line as JSON")
	if err := flags.Parse(args); err != nil {
		return o, asJSON, err
	}
	if flags.NArg() > 0 {
		return o, asJSON, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if *start != "" {
		if o.Start, err = time.Parse(time.RFC3339, *start); err != nil {
			return o, asJSON, fmt.Errorf("--start %q: want a time such as 2026-11-22T10:00:00Z", *start)
		}
	}
	if *every != "" {
		if o.Rotation.Every, o.Rotation.Lines, err = parseEvery(*every); err != nil {
			return o, asJSON, err
		}
	}
	if o.Path == "" {
		o.Output = stdout
	}
	return o, asJSON, nil
}

// parseEvery reads a number of lines, or a time.
func parseEvery(s string) (every time.Duration, lines int64, err error) {
	lines, err = strconv.ParseInt(s, 10, 64)
	if err != nil {
		every, err = time.ParseDuration(s)
	}
	if err != nil || every <= 0 && lines <= 0 {
		return 0, 0, fmt.Errorf("--rotate-every %q: want a time such as 30s, or a number of lines", s)
	}
	return every, lines, nil
}

func report(w io.Writer, s feed.Summary, asJSON bool) {
	if asJSON {
		// A struct of numbers can be marshalled, and standard error is the last
		// place to complain to.
		_ = json.NewEncoder(w).Encode(s)
		return
	}
	fmt.Fprintf(w, "mock: %d lines, of which %d torn and %d garbage; %d bytes, %d rotations\n",
		s.Lines, s.Torn, s.Garbage, s.Bytes, s.Rotations)
}
