package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/rollup"
)

// whereRollupsAre corrects in which policies rollups are: a database that tailflux did not
// make may have no policy for them. If nobody answers they are left as they are configured.
func whereRollupsAre(ctx context.Context, c *config.Config, all []rollup.Definition) []rollup.Definition {
	if c.RollupsPolicy() == "" {
		return all
	}
	client, err := openInflux(c, slog.New(slog.DiscardHandler))
	if err != nil {
		return all
	}
	defer client.Close()
	for i := range all {
		if policy, err := client.PolicyOf(ctx, all[i].RetentionPolicy); err == nil {
			all[i].RetentionPolicy = policy
		}
	}
	return all
}

// readable returns a [config.UsageError] if what answers at influxdb.url cannot do
// what a command is for. One that does not answer may do so later.
func readable(ctx context.Context, client *influx.Client, command string) error {
	server, err := client.Server(ctx)
	if err != nil {
		return nil //nolint:nilerr // the command itself says so
	}
	if why := server.NoInfluxQL(); why != "" {
		return config.UsageError{Err: fmt.Errorf("%s: %s", command, why)}
	}
	return nil
}
