package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/help"
)

func healthcheckCommand() *cobra.Command {
	var ready bool
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask the tailflux that runs here whether it works",
		Long: `Healthcheck asks /healthz of the tailflux with this configuration, at its address
listen, and exits with 0 if the answer is 200, else with 1 and the reason. It is
for containers without a shell. It needs no token.

/healthz says that the process works. --ready asks /readyz instead: whether the
logs can be read, and InfluxDB takes points. Do not restart a container for that:
tailflux waits for both.`,
		Example: `  tailflux healthcheck
  tailflux healthcheck --ready --config tailflux.yaml`,
		Args: help.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := cmd.Flags().GetString("config")
			if err != nil {
				return err
			}
			c, _, err := config.Load(config.Options{File: file, Flags: cmd.Flags(), Env: os.LookupEnv, Asks: true})
			if err != nil {
				return config.UsageError{Err: err}
			}
			path := "/healthz"
			if ready {
				path = "/readyz"
			}
			if err := ask(cmd.Context(), c.Listen, path); err != nil {
				return fmt.Errorf("healthcheck: %w", err)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "ok")
			return err
		},
	}
	help.WantConfigFlags(cmd)
	cmd.Flags().BoolVar(&ready, "ready", false, "ask /readyz: does it read the logs, and does InfluxDB take points")
	return cmd
}

// ask returns why the daemon that listens there does not answer 200.
func ask(ctx context.Context, listen, path string) error {
	d, err := openDaemon(listen)
	if err != nil {
		return config.UsageError{Err: err}
	}
	defer d.close()
	const most = 4 << 10
	_, err = d.get(ctx, path, "", most)
	return err
}
