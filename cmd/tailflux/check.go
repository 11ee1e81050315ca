package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/help"
)

func checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Print the effective configuration, or every mistake in it",
		Long: `Check prints the configuration as it applies, from the file, the environment
and the flags; or every mistake in it, with exit code 2. What is accepted, but
probably not meant, is a warning on standard error. The exit code is 1 if a
log cannot be followed as it is: its path is a mount of one file, so that its
rotation cannot be seen.`,
		Example: "  tailflux check --config tailflux.yaml",
		Args:    help.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			if _, err := c.Access(); err != nil {
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
			mounted := mountedLogs(c)
			for _, log := range mounted {
				fmt.Fprintf(cmd.ErrOrStderr(), "warning: source %s: %s is a mount of one file: its rotation cannot be seen; mount its directory\n", log.source, log.path)
			}
			if len(mounted) > 0 {
				return fmt.Errorf("check: logs that cannot be followed through a rotation: %d", len(mounted))
			}
			return nil
		},
	}
	help.AddConfigFlags(cmd.Flags())
	return cmd
}
