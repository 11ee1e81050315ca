package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/shape"
	"github.com/tailflux/tailflux/internal/statedir"
)

// Exit codes.
const (
	exitFailed = 1 // while running
	exitUsage  = 2 // wrong usage or configuration
)

// execute runs the command line and returns the exit code.
func execute(args []string, stdout, stderr io.Writer) int {
	root := rootCommand(stderr)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	if err == nil {
		return 0
	}
	usage, isUsage := errors.AsType[config.UsageError](err)
	if _, list := usage.Err.(interface{ Unwrap() []error }); list {
		fmt.Fprintln(stderr, err) // mistakes in the configuration, each with its place
	} else {
		fmt.Fprintf(stderr, "tailflux: %v\n", err)
	}
	if isUsage || errors.Is(err, statedir.ErrNewer) {
		return exitUsage
	}
	return exitFailed
}

const examples = `  tailflux --config /etc/tailflux/tailflux.yaml
  tailflux --path /var/log/nginx/access.log --format combined
  tailflux run --once --path access.log.1 --format timed --influxdb-url http://db:8086
  curl http://127.0.0.1:9193/monitor`

// rootCommand is tailflux itself: without a command it runs.
func rootCommand(stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:   "tailflux",
		Short: "Follow nginx access logs, write one point per request to InfluxDB",
		Long: `Tailflux follows nginx access logs, parses every line with a pattern, and
writes one point per request to InfluxDB 1.x. Without a command it runs.

Every key of the configuration but paths and drop is a flag and a variable,
too: influxdb.url is --influxdb-url and TAILFLUX_INFLUXDB_URL. A flag wins over
a variable, a variable over the file, the file over the default.`,
		Example:       examples,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return config.UsageError{Err: err} })

	run := runCommand(stderr)
	root.AddCommand(run, checkCommand(), explainCommand(), verifyCommand(), importCommand(stderr), versionCommand())
	root.Args, root.RunE = run.Args, run.RunE
	root.Flags().AddFlagSet(run.Flags())
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd(completion)
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Example = "  tailflux help explain"
			c.Args = func(_ *cobra.Command, args []string) error {
				if of, rest, err := root.Find(args); err != nil || len(rest) > 0 {
					return noArguments(of, args)
				}
				return nil
			}
		case completion:
			c.Example = "  tailflux completion bash >/etc/bash_completion.d/tailflux"
			c.RunE = func(c *cobra.Command, args []string) error {
				return config.UsageError{Err: fmt.Errorf("%s: got %q, want one of the shells bash, fish, powershell and zsh", c.Name(), args)}
			}
			c.Args = cobra.ArbitraryArgs
			for _, shell := range c.Commands() {
				shell.Args = noArguments
			}
		}
	}
	return root
}

const completion = "completion"

// noArguments refuses what is neither a flag nor a command.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return config.UsageError{Err: fmt.Errorf("%s: unknown command or argument %q; see %s --help", cmd.Name(), args[0], cmd.CommandPath())}
	}
	return nil
}

func runCommand(stderr io.Writer) *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:     "run",
		Short:   "Follow the logs (the default)",
		Example: examples,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			if os.Getenv("GOMEMLIMIT") == "" {
				debug.SetMemoryLimit(c.MemoryLimitBytes)
			}
			return run(c, job{once: once}, newLogger(stderr))
		},
	}
	addConfigFlags(cmd)
	cmd.Flags().BoolVar(&once, "once", false, "read what is there, up to the last newline, deliver it and exit")
	return cmd
}

func checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "check",
		Short:   "Print the effective configuration, or every mistake in it",
		Example: "  tailflux check --config tailflux.yaml",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			if _, err := c.Password(); err != nil {
				return config.UsageError{Err: err}
			}
			return c.Print(cmd.OutOrStdout())
		},
	}
	addConfigFlags(cmd)
	return cmd
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  tailflux version",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "tailflux %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// addConfigFlags adds --config and a flag for every key of the configuration.
func addConfigFlags(cmd *cobra.Command) {
	cmd.Flags().String("config", "", "configuration file (default "+config.DefaultFile+" if it exists)")
	config.Flags(cmd.Flags())
}

// load reads the configuration that the flags of cmd ask for.
func load(cmd *cobra.Command) (*config.Config, error) {
	file, err := cmd.Flags().GetString("config")
	if err != nil {
		return nil, err
	}
	c, _, err := config.Load(config.Options{File: file, Flags: cmd.Flags(), Env: os.LookupEnv, Check: shape.Check, NeedSource: true})
	if err != nil {
		return nil, config.UsageError{Err: err}
	}
	return c, nil
}

// newLogger writes text on a terminal and JSON elsewhere.
func newLogger(w io.Writer) *slog.Logger {
	if isTerminal(w) {
		return slog.New(slog.NewTextHandler(w, nil))
	}
	return slog.New(slog.NewJSONHandler(w, nil))
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
