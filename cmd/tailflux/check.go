package main

import (
	"github.com/spf13/cobra"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/help"
)

func checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "check",
		Short:   "Print the effective configuration, or every mistake in it",
		Example: "  tailflux check --config tailflux.yaml",
		Args:    help.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			if _, err := c.Password(); err != nil {
				return config.UsageError{Err: err}
			}
			if err := checkPaths(c); err != nil {
				return err
			}
			return c.Print(cmd.OutOrStdout())
		},
	}
	help.AddConfigFlags(cmd.Flags())
	return cmd
}
