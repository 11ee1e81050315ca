package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/help"
	"github.com/tailflux/tailflux/internal/shape"
	"github.com/tailflux/tailflux/internal/top"
)

const topExamples = `  tailflux top
  tailflux top --listen web-1:9193 --http-token-file token
  tailflux top --path /var/log/nginx/access.log
  tailflux top --once --json | jq .live.total`

func topCommand() *cobra.Command {
	var once, asJSON bool
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Show in the terminal what goes on now",
		Long: `Top shows the requests of the last 15 minutes, the paths, clients and agents with
most of them, and how the pipeline does. It asks the tailflux that runs with this
configuration, at its address listen, once a second.

With --path it reads a log itself and follows it: without a running tailflux,
without InfluxDB, and without writing anything. --start end leaves out what is
in the file already.

Without a terminal, and with --once, it prints one picture and ends: with --json
as GET /live answers it. With --path, that is at the end of the file.

The keys are shown by ?. NO_COLOR turns colours off.`,
		Example: topExamples,
		Args:    help.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// SIGHUP comes when the terminal is gone.
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
			defer stop()
			if why := noScreen(cmd); why != "" && !once && !asJSON {
				fmt.Fprintf(cmd.ErrOrStderr(), "note: %s: this is printed once, as with --once\n", why)
				once = true
			}
			c, err := topConfig(cmd)
			if err != nil {
				return err
			}
			err = showTop(ctx, cmd, c, once || asJSON, asJSON)
			if _, isUsage := errors.AsType[config.UsageError](err); err != nil && !isUsage {
				err = fmt.Errorf("top: %w", err)
			}
			return err
		},
	}
	help.WantConfigFlags(cmd)
	cmd.Flags().BoolVar(&once, "once", false, "print one picture as text, and end")
	cmd.Flags().BoolVar(&asJSON, "json", false, "with --once: print it as JSON")
	return cmd
}

func showTop(ctx context.Context, cmd *cobra.Command, c *config.Config, once, asJSON bool) error {
	options, done, err := topOf(ctx, c, cmd.Flags().Changed("path"), once)
	if err != nil {
		return err
	}
	if once {
		err = top.Once(ctx, options, asJSON, cmd.OutOrStdout())
	} else {
		err = top.Run(ctx, options)
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errors.New("interrupted before there was a picture")
	}
	return errors.Join(err, done())
}

// topOf is what is looked at: a file, or the daemon. done ends it.
func topOf(ctx context.Context, c *config.Config, file, once bool) (o top.Options, done func() error, err error) {
	if file {
		return followForTop(ctx, c, once)
	}
	d, err := openDaemon(c.Listen)
	if err != nil {
		return o, nil, config.UsageError{Err: err}
	}
	done = func() error {
		d.close()
		return nil
	}
	return top.Options{Name: d.address, Ask: func(ctx context.Context) ([]byte, error) { return askLive(ctx, d, c) }}, done, nil
}

// askLive asks the daemon for what goes on. The token is read each time: it may be changed.
func askLive(ctx context.Context, d *daemon, c *config.Config) ([]byte, error) {
	token, err := c.HTTPToken()
	if err != nil {
		return nil, config.UsageError{Err: err}
	}
	const most = 16 << 20
	answer, err := d.get(ctx, "/live", token, most)
	is, ok := errors.AsType[statusError](err)
	switch {
	case !ok:
		return answer, err
	case is.status == http.StatusUnauthorized && token == "":
		return nil, fmt.Errorf("%s wants a token: set http.token_file, or --http-token-file", d.address)
	case is.status == http.StatusUnauthorized:
		return nil, fmt.Errorf("%s does not take the token in %s (http.token_file)", d.address, c.HTTP.TokenFile)
	case is.status == http.StatusNotFound:
		return nil, fmt.Errorf("%s has no /live: it is no tailflux, or an older one", d.address)
	}
	return nil, err
}

// noScreen is why nothing can be drawn, or "".
func noScreen(cmd *cobra.Command) string {
	if !isTerminal(cmd.OutOrStdout()) {
		return "standard output is no terminal"
	}
	if t := os.Getenv("TERM"); t == "" || t == "dumb" {
		return fmt.Sprintf("the terminal cannot be drawn on (TERM=%s)", t)
	}
	return ""
}

// topConfig loads the configuration. Somebody who may not read that of the daemon goes
// without.
func topConfig(cmd *cobra.Command) (*config.Config, error) {
	file, err := cmd.Flags().GetString("config")
	if err != nil {
		return nil, err
	}
	options := config.Options{
		File: file, Flags: cmd.Flags(), Env: os.LookupEnv, Check: shape.Check, NeedSource: cmd.Flags().Changed("path"),
		Asks: true,
	}
	if file == "" {
		if f, err := os.Open(config.DefaultFile); err == nil {
			f.Close()
		} else {
			options.NoFile = true
			if !errors.Is(err, os.ErrNotExist) {
				fmt.Fprintf(cmd.ErrOrStderr(), "note: %v; continuing without it\n", err)
			}
		}
	}
	warnOfVariables(cmd)
	c, _, err := config.Load(options)
	if err != nil {
		return nil, config.UsageError{Err: err}
	}
	if options.NeedSource && !cmd.Flags().Changed("start") {
		c.Sources[0].Start = "beginning"
	}
	return c, nil
}
