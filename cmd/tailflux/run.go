package main

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/doctor"
	"github.com/tailflux/tailflux/internal/help"
)

func runCommand(stderr io.Writer) *cobra.Command {
	var once bool
	var scenes string
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Follow the logs (the default)",
		Long: `Run follows the logs and delivers their lines until it is stopped (SIGTERM, SIGINT).
SIGHUP reads the configuration again: all of it is taken over, or nothing. With
--once, SIGHUP does nothing.`,
		Example: `  tailflux --config /etc/tailflux/tailflux.yaml
  tailflux --path /var/log/nginx/access.log --format combined
  tailflux run --once --path sample.log --influxdb-url http://db:8086
  curl http://127.0.0.1:9193/monitor`,
		Args: help.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// A SIGHUP that comes while it starts is about a change that may have come too late.
			hangups := make(chan os.Signal, 1)
			signal.Notify(hangups, syscall.SIGHUP)
			defer signal.Stop(hangups)
			loadConfig := func() (*config.Config, error) {
				return load(cmd, func(c *config.Config) error { return errors.Join(secrets(c), checkPaths(c)) })
			}
			c, err := loadConfig()
			if err != nil {
				return err
			}
			delayFirstCollection()
			log := newLogger(stderr)
			prepare(c, once, log)
			if once {
				loadConfig = nil
			}
			return run(c, job{mode: logMode(once), scenes: scenes, loadConfig: loadConfig, hangups: hangups}, log)
		},
	}
	help.AddConfigFlags(cmd.Flags())
	cmd.Flags().BoolVar(&once, "once", false, "read the logs up to their last newline, deliver the lines and exit")
	cmd.Flags().StringVar(&scenes, "debug-scenes", "",
		"write what each look at a log saw, and what followed, to this directory, at most 1,000 files; for reports of lost or doubled lines")
	return cmd
}

// delayFirstCollection delays the first garbage collection until the heap has 12 MB instead of
// 4: that saves three collections at the start, and the heap is hardly ever smaller later.
// From then on the runtime decides.
func delayFirstCollection() {
	const standard, first = 100, 300
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(first)
	garbage := new([64]byte)
	runtime.AddCleanup(garbage, func(percent int) { debug.SetGCPercent(percent) }, standard)
}

// prepare limits the memory, and warns of what may be a mistake.
func prepare(c *config.Config, once bool, log *slog.Logger) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(c.MemoryLimitBytes)
	}
	for _, warning := range c.Warnings() {
		log.Warn("configuration is accepted, but may be a mistake", "reason", warning)
	}
	for _, f := range doctor.Logs(c) {
		log.Warn("log file cannot be read as things are", "source", f.Subject, "reason", f.Reason+"; "+f.Remedy)
	}
	if once {
		return
	}
	for _, m := range mountedLogs(c) {
		log.Warn("log file is a mount of its own: its rotation cannot be seen, and lines after it are missing; mount its directory",
			"source", m.source, "file", m.path)
	}
}
