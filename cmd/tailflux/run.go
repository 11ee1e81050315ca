package main

import (
	"io"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/tailflux/tailflux/internal/doctor"
	"github.com/tailflux/tailflux/internal/help"
)

func runCommand(stderr io.Writer) *cobra.Command {
	var once bool
	var scenes string
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Follow the logs (the default)",
		Example: `  tailflux --config /etc/tailflux/tailflux.yaml
  tailflux --path /var/log/nginx/access.log --format combined
  tailflux run --once --path sample.log --influxdb-url http://db:8086
  curl http://127.0.0.1:9193/monitor`,
		Args: help.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			if err := checkPaths(c); err != nil {
				return err
			}
			if os.Getenv("GOMEMLIMIT") == "" {
				debug.SetMemoryLimit(c.MemoryLimitBytes)
			}
			log := newLogger(stderr)
			for _, warning := range c.Warnings() {
				log.Warn("configuration is accepted, but may be a mistake", "reason", warning)
			}
			if !once {
				for _, m := range mountedLogs(c) {
					log.Warn("log file is a mount of its own: its rotation cannot be seen, and lines after it are missing; mount its directory", "source", m.source, "file", m.path)
				}
			}
			for _, f := range doctor.Logs(c) {
				log.Warn("log file cannot be read as things are", "source", f.Subject, "reason", f.Reason+"; "+f.Remedy)
			}
			return run(c, job{once: once, scenes: scenes}, log)
		},
	}
	help.AddConfigFlags(cmd.Flags())
	cmd.Flags().BoolVar(&once, "once", false, "read the logs up to their last newline, deliver the lines and exit")
	cmd.Flags().StringVar(&scenes, "debug-scenes", "", "write what each look at a log saw, and what followed, to this directory, at most 1,000 files; for reports of lost or doubled lines")
	return cmd
}
