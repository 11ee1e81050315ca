package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/help"
)

// healthWithin is how long the answer may take.
const healthWithin = 5 * time.Second

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
			c, _, err := config.Load(config.Options{File: file, Flags: cmd.Flags(), Env: os.LookupEnv})
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
	help.AddConfigFlags(cmd.Flags())
	cmd.Flags().BoolVar(&ready, "ready", false, "ask /readyz: does it read the logs, and does InfluxDB take points")
	return cmd
}

// ask returns why the daemon that listens there does not answer 200.
func ask(ctx context.Context, listen, path string) error {
	address, err := reachable(listen)
	if err != nil {
		return config.UsageError{Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, healthWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://tailflux"+path, nil)
	if err != nil {
		return err
	}
	// No proxy, and an address that a URL would have to escape.
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("no answer from %s: %w", address, errors.Unwrap(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	const most = 4 << 10
	reason, _ := io.ReadAll(io.LimitReader(resp.Body, most)) // the status says enough
	return fmt.Errorf("%s of %s: %s: %s", path, address, resp.Status, strings.TrimSpace(string(reason)))
}

// reachable is the address at which this machine reaches a server that listens there.
func reachable(listen string) (string, error) {
	if listen == "" {
		return "", errors.New(`listen: got "", want an address such as 127.0.0.1:9193: nobody can be asked without one`)
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("listen: %w", err)
	}
	if port == "0" {
		return "", fmt.Errorf("listen: got %s, want a port that is known before: nobody knows where to ask", listen)
	}
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.Unmap().IsUnspecified() {
		host = "127.0.0.1" // all addresses, of IPv4 too
	}
	return net.JoinHostPort(host, port), nil
}
