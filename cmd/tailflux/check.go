package main

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/help"
	"github.com/tailflux/tailflux/internal/shape"
)

func checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Print the effective configuration, or every mistake in it",
		Long: `Check prints the configuration as it applies, from the file, the environment
and the flags; or every mistake in it, with exit code 2. What is accepted, but
probably not meant, is a warning on standard error, where it also says which
format each log is read in, and how many of its lines fit that: of the last
ones, if it is begun at its end.

The exit code is 1 if a log cannot be followed as it is: its path is a mount of
one file, so that its rotation cannot be seen, or none of its lines is in the
format, or no known format fits.`,
		Example: "  tailflux check --config tailflux.yaml",
		Args:    help.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			_, accessErr := c.Access()
			_, tokenErr := c.HTTPToken()
			if err := errors.Join(accessErr, tokenErr); err != nil {
				return config.UsageError{Err: err}
			}
			if err := checkPaths(c); err != nil {
				return err
			}
			if err := c.Print(cmd.OutOrStdout()); err != nil {
				return err
			}
			for _, warning := range c.Warnings() {
				fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s\n", warning)
			}
			for _, source := range c.Sources {
				if source.Format == shape.Auto && source.Regexp == "" {
					continue // checkFormats has those of the formats that its logs have
				}
				warnings, err := shape.Warnings(c, source)
				if err != nil {
					return config.UsageError{Err: fmt.Errorf("source %s: %w", source.Name, err)}
				}
				for _, warning := range warnings {
					fmt.Fprintf(cmd.ErrOrStderr(), "warning: source %s: %s\n", source.Name, warning)
				}
			}
			mounted := mountedLogs(c)
			for _, log := range mounted {
				fmt.Fprintf(cmd.ErrOrStderr(), "warning: source %s: %s is a mount of one file: its rotation cannot be seen; mount its directory\n", log.source, log.path)
			}
			unfit, err := checkFormats(c, cmd.ErrOrStderr())
			switch {
			case err != nil:
				return err
			case len(mounted) > 0:
				return fmt.Errorf("check: logs that cannot be followed through a rotation: %d", len(mounted))
			case unfit > 0:
				return fmt.Errorf("check: logs whose lines are not in the format of their source: %d", unfit)
			}
			return nil
		},
	}
	help.AddConfigFlags(cmd.Flags())
	return cmd
}

// checkFormats says which format each log is read in, and returns how many fit none.
func checkFormats(c *config.Config, out io.Writer) (unfit int, err error) {
	all, err := shape.Findings(c)
	var said []string
	for _, f := range all {
		kind := "note"
		if f.Unfit {
			kind = "warning"
			unfit++
		}
		fmt.Fprintf(out, "%s: %s\n", kind, f.Text)
		for _, warning := range f.Warnings {
			warning = fmt.Sprintf("warning: source %s: %s\n", f.Source, warning)
			if !slices.Contains(said, warning) { // as of another file of a glob
				said = append(said, warning)
				fmt.Fprint(out, warning)
			}
		}
	}
	return unfit, err
}
