package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/help"
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
	root := rootCommand(stderr, args)
	out := &output{Writer: stdout}
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(stderr)
	err := cmp.Or(root.Execute(), out.err)
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

// output is where commands print. A failed write makes them fail, even those that do not
// check, such as help.
type output struct {
	io.Writer
	err error // the first; nil: all was written
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	o.err = cmp.Or(o.err, err)
	return n, err
}

// rootCommand is tailflux itself, to be called with args: without a command it runs.
func rootCommand(stderr io.Writer, args []string) *cobra.Command {
	run := runCommand(stderr)
	root := &cobra.Command{
		Use:   "tailflux",
		Short: "Follow nginx access logs and write one point per request to InfluxDB",
		Long: `Tailflux follows nginx access logs, parses every line, and writes one point per
request to InfluxDB 1.x. Without a command, it does what
tailflux run does.`,
		Example:       run.Example,
		Args:          run.Args,
		RunE:          run.RunE,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.Flags().AddFlagSet(run.Flags())
	root.AddCommand(run, initCommand(), checkCommand(), explainCommand(), verifyCommand(), queryCommand(),
		reportCommand(stderr), importCommand(stderr), redeliverCommand(stderr), healthcheckCommand(), topCommand(),
		versionCommand())
	if more := extra(root); more != nil {
		root.AddCommand(more)
	}
	help.Setup(root)
	help.AddWanted(root, args)
	return root
}

// load reads the configuration that the flags of cmd ask for, and warns of environment
// variables that look like its own, but are not. files reads the files that it names and
// that are needed.
func load(cmd *cobra.Command, files func(*config.Config) error) (*config.Config, error) {
	warnOfVariables(cmd)
	return configured(cmd, true, files)
}

// configured does the same without warnings. needSource is false for a command that can do
// without a source.
func configured(cmd *cobra.Command, needSource bool, files func(*config.Config) error) (*config.Config, error) {
	file, err := cmd.Flags().GetString("config")
	if err != nil {
		return nil, err
	}
	c, _, err := config.Load(config.Options{
		File: file, Flags: cmd.Flags(), Env: os.LookupEnv, Check: shape.Check, NeedSource: needSource, Files: files,
	})
	if err != nil {
		return nil, config.UsageError{Err: err}
	}
	return c, nil
}

// access reads the files that are needed to reach InfluxDB.
func access(c *config.Config) error {
	_, err := c.Access()
	return err
}

// secrets reads all files that a configuration names.
func secrets(c *config.Config) error {
	_, err := c.HTTPToken()
	return errors.Join(access(c), err)
}

// warnOfVariables warns of variables that look as if they configured something.
func warnOfVariables(cmd *cobra.Command) {
	for _, misnomer := range config.Misnomers(os.Environ()) {
		newLogger(cmd.ErrOrStderr()).Warn("environment variable has no effect", "keys", misnomer.Name, "reason", misnomer.Meant)
	}
}

// newLogger writes text on a terminal and JSON elsewhere.
func newLogger(w io.Writer) *slog.Logger {
	if isTerminal(w) {
		return slog.New(slog.NewTextHandler(w, nil))
	}
	return slog.New(slog.NewJSONHandler(w, nil))
}

func isTerminal(stream any) bool {
	if o, ok := stream.(*output); ok {
		stream = o.Writer
	}
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
